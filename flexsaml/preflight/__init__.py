"""The read-only inspection of the tenant before a change, and the findings about it.

result = inspect_tenant(directory, declaration, now)
"""

from .inspect import InspectionEnded, PreflightResult, inspect_tenant
from .rules import FIXED_RULES, RULE_LEVELS, data_type_of

__all__ = ["FIXED_RULES", "RULE_LEVELS", "InspectionEnded", "PreflightResult", "data_type_of", "inspect_tenant"]
