"""A Microsoft Entra tenant on loopback: the Microsoft Graph subset that Twilio's SAML claims guide needs.

A program of its own (`python -m emulator`). It shares no code with what it judges: an emulator that used the
project's codecs could only agree with the project's mistakes. What it claims of Graph is graded in docs/parity.md.
"""
