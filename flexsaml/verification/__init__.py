"""Judging a captured SAML response."""
