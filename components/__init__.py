"""The component, its arguments, and how both come from stack configuration."""

from .flex_saml_claims import FlexSamlClaims, report
from .settings import FlexSamlClaimsArgs, InvalidDeclaration, from_config

__all__ = ["FlexSamlClaims", "FlexSamlClaimsArgs", "InvalidDeclaration", "from_config", "report"]
