"""Entra claims for Twilio Flex SAML sign-in: the domain and the way in to Microsoft Graph."""
