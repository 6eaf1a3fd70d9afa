"""Microsoft Entra beside Graph: the token service, the description of the cloud, and sign-in with SAML."""
