"""Where this code runs: in a checkout, whose requirements are pinned, or installed from a wheel."""

import re
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
CHECKOUT = _ROOT if (_ROOT / "requirements.txt").exists() and (_ROOT / "components").exists() else None
"""The directory of the checkout; None for an installed package."""
_EXTRAS = {"signxml": "verify", "lxml": "verify", "regex": "predict"}
"""Package to the extra of the wheel that brings it."""


def is_own_module(package: str) -> bool:
    """Whether a top-level package of that name is part of the checkout."""
    return CHECKOUT is not None and (CHECKOUT / package).exists()


def advise_installation(
    package: str = "", checkout: Path | None = CHECKOUT, *, in_environment: bool = sys.prefix != sys.base_prefix
) -> str:
    """How to install what is missing. No index has the package yet, so the name alone would install a stranger's.
    `in_environment`: whether this Python is one of a virtual environment. Else the packages are probably in that of the
    checkout, and `pip` would install them for the system."""
    if checkout and not in_environment and (checkout / ".venv" / "bin" / "activate").exists():
        return "run `. .venv/bin/activate` first, or `.venv/bin/python` instead"
    if checkout:
        return "run `pip install -r requirements.txt`"
    extra = _EXTRAS.get(package)
    which = f" with its extra `{extra}`" if extra else ""
    return f"install flexsaml again{which}, from where it came"


def read_version() -> str:
    """The version of the wheel, or of the checkout."""
    if CHECKOUT:
        [version] = re.findall(r'(?m)^version = "(.+)"', (CHECKOUT / "pyproject.toml").read_text("utf-8"))
        return str(version)
    from importlib import metadata

    return metadata.version("flexsaml")
