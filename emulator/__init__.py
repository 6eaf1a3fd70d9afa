"""A Microsoft Entra tenant on loopback: the Microsoft Graph subset that Twilio's SAML claims guide needs. A program of
its own (`python -m emulator`). It shares no code with the project that is tested against it: an emulator that used the
project's codecs could only repeat the project's mistakes. docs/parity.md grades what it claims of Graph."""
