"""Where this code runs: in a checkout, whose requirements are pinned, or installed from a wheel."""

from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
CHECKOUT = _ROOT if (_ROOT / "requirements.txt").exists() and (_ROOT / "components").exists() else None
"""The directory of the checkout; None for an installed package."""
_EXTRAS = {"signxml": "verify", "lxml": "verify", "regex": "predict"}
"""Package to the extra of the wheel that brings it."""


def is_own_module(package: str) -> bool:
    """Whether a top-level package of that name is part of the checkout."""
    return CHECKOUT is not None and (CHECKOUT / package).exists()


def advise_installation(package: str = "", checkout: Path | None = CHECKOUT) -> str:
    """How to install what is missing."""
    if checkout:
        return "run `pip install -r requirements.txt`"
    extra = _EXTRAS.get(package)
    return f"run `pip install 'flexsaml[{extra}]'`" if extra else "run `pip install --upgrade flexsaml`"
