"""Microsoft Graph for this project: the one way in, the one place that retries, sleeps and knows hosts.

directory = Directory(Client(where := cloud("public"), credentials(where)))

What needs the HTTP library is imported when it is first asked for: a provider process that only checks and
diffs, as in most previews, never pays for it.
"""

from typing import TYPE_CHECKING, Any

from flexsaml.graph.clouds import Cloud, InvalidCloud, cloud
from flexsaml.graph.errors import (
    Conflict,
    Forbidden,
    GraphError,
    Malformed,
    NotAvailable,
    NotFound,
    NotSent,
    PrincipalNotFound,
)
from flexsaml.graph.models import (
    Application,
    ExistingObjects,
    ExtensionOwner,
    ExtensionProperty,
    Policy,
    ServicePrincipal,
    User,
    ValueHolders,
)
from flexsaml.graph.pace import quota_seconds
from flexsaml.graph.permissions import Requirement, requirements_of_stack
from flexsaml.graph.urls import is_guid

if TYPE_CHECKING:
    from flexsaml.graph.bulk import BULK_WORKERS, Progress
    from flexsaml.graph.client import Client
    from flexsaml.graph.directory import Directory
    from flexsaml.graph.identity import Identity, skew
    from flexsaml.graph.principal_snapshot import PrincipalSnapshot, RoleAssignment, SigningKey
    from flexsaml.graph.tokens import credentials

__all__ = [
    "BULK_WORKERS",
    "Application",
    "Client",
    "Cloud",
    "Conflict",
    "Directory",
    "ExistingObjects",
    "ExtensionOwner",
    "ExtensionProperty",
    "Forbidden",
    "GraphError",
    "Identity",
    "InvalidCloud",
    "Malformed",
    "NotAvailable",
    "NotFound",
    "NotSent",
    "Policy",
    "PrincipalNotFound",
    "PrincipalSnapshot",
    "Progress",
    "Requirement",
    "RoleAssignment",
    "ServicePrincipal",
    "SigningKey",
    "User",
    "ValueHolders",
    "cloud",
    "credentials",
    "is_guid",
    "quota_seconds",
    "requirements_of_stack",
    "skew",
]


_LATER = {
    "BULK_WORKERS": "bulk",
    "Client": "client",
    "Directory": "directory",
    "Identity": "identity",
    "Progress": "bulk",
    "RoleAssignment": "principal_snapshot",
    "SigningKey": "principal_snapshot",
    "PrincipalSnapshot": "principal_snapshot",
    "credentials": "tokens",
    "skew": "identity",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    globals()[name] = value
    return value
