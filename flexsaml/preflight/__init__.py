"""The read-only inspection of the tenant before a change (`inspect_tenant`), and the findings about it."""

from typing import TYPE_CHECKING, Any

from .permissions import requirements_of
from .rules import EXPIRES_SOON, FIXED_RULES, RULE_LEVELS, data_type_of, judge_signing

if TYPE_CHECKING:
    from .inspect import InspectionEnded, PreflightResult, inspect_tenant

__all__ = [
    "EXPIRES_SOON",
    "FIXED_RULES",
    "RULE_LEVELS",
    "InspectionEnded",
    "PreflightResult",
    "data_type_of",
    "inspect_tenant",
    "judge_signing",
    "requirements_of",
]


def __getattr__(name: str) -> Any:
    """The inspection needs the HTTP library; the rules' names, which lint of a stack file needs, do not."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import inspect

    return getattr(inspect, name)
