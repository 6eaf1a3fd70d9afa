"""Microsoft Graph for this project: the one way in, the one place that retries, sleeps and knows hosts.

directory = Directory(Client(where := cloud("public"), credentials(where)))

What needs the HTTP library is imported when it is first asked for: a provider process that only checks and
diffs, as in most previews, never pays for it.
"""

from typing import TYPE_CHECKING, Any

from flexsaml.graph.batch import BatchRequest, BatchResponse
from flexsaml.graph.clock import Clock, SystemClock
from flexsaml.graph.clouds import CLOUDS, Cloud, InvalidCloud, cloud
from flexsaml.graph.errors import (
    Conflict,
    Forbidden,
    GraphError,
    Malformed,
    NoCredential,
    NotAvailable,
    NotFound,
    NotSent,
    PrincipalNotFound,
    Refused,
    ServerError,
    StillPending,
    Throttled,
    Unanswered,
    Unauthorized,
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
from flexsaml.graph.urls import InvalidReference, is_guid

if TYPE_CHECKING:
    from flexsaml.graph.bulk import Progress
    from flexsaml.graph.client import Client
    from flexsaml.graph.directory import Directory
    from flexsaml.graph.identity import Identity, skew
    from flexsaml.graph.principal_snapshot import PrincipalSnapshot, RoleAssignment, SigningKey
    from flexsaml.graph.tokens import TokenSource, credentials

__all__ = [
    "CLOUDS",
    "Application",
    "BatchRequest",
    "BatchResponse",
    "Client",
    "Clock",
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
    "InvalidReference",
    "Malformed",
    "NoCredential",
    "NotAvailable",
    "NotFound",
    "NotSent",
    "Policy",
    "PrincipalNotFound",
    "PrincipalSnapshot",
    "Progress",
    "Refused",
    "Requirement",
    "RoleAssignment",
    "ServerError",
    "ServicePrincipal",
    "SigningKey",
    "StillPending",
    "SystemClock",
    "Throttled",
    "TokenSource",
    "Unanswered",
    "Unauthorized",
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
    "Client": "client",
    "Directory": "directory",
    "Identity": "identity",
    "Progress": "bulk",
    "RoleAssignment": "principal_snapshot",
    "SigningKey": "principal_snapshot",
    "PrincipalSnapshot": "principal_snapshot",
    "TokenSource": "tokens",
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
