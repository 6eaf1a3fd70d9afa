"""The component, its arguments, and how the stack configuration becomes them."""

from flexsaml.declaration import Secret

from .args import FlexSamlClaimsArgs, read_config
from .flex_saml_claims import FlexSamlClaims

__all__ = ["FlexSamlClaims", "FlexSamlClaimsArgs", "Secret", "read_config"]
