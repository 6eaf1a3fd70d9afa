"""The component, its arguments, and how the stack configuration becomes them. Names are imported when first used, so
that `start_early` runs before the rest is imported."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flexsaml.declaration import Secret as Secret

    from .args import FlexSamlClaimsArgs as FlexSamlClaimsArgs
    from .args import read_config as read_config
    from .early_start import start_early as start_early
    from .flex_saml_claims import FlexSamlClaims as FlexSamlClaims

_MODULES = {
    "FlexSamlClaims": f"{__name__}.flex_saml_claims", "FlexSamlClaimsArgs": f"{__name__}.args",
    "Secret": "flexsaml.declaration", "read_config": f"{__name__}.args", "start_early": f"{__name__}.early_start",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
