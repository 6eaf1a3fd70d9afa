"""Microsoft Graph for this project: the one way in, the one place that retries, sleeps and knows hosts.

directory = Directory(Client(where := cloud("public"), credentials(where)))

What needs the HTTP library is imported when it is first asked for: a provider process that only checks and
diffs, as in most previews, never pays for it.
"""

from typing import TYPE_CHECKING, Any

from flexsaml.graph.batch import BatchRequest, BatchResponse
from flexsaml.graph.clock import Clock, SystemClock
from flexsaml.graph.clouds import CLOUDS, Cloud, cloud, is_loopback_host
from flexsaml.graph.errors import (
    Conflict,
    Forbidden,
    GraphError,
    Malformed,
    NoCredential,
    NotAvailable,
    NotFound,
    NotSent,
    Refused,
    ServerError,
    StillPending,
    Throttled,
    Unanswered,
    Unauthorized,
)
from flexsaml.graph.models import (
    Application,
    ExtensionProperty,
    Found,
    Look,
    Person,
    Policy,
    ServicePrincipal,
)
from flexsaml.graph.pace import quota_seconds
from flexsaml.graph.urls import is_guid
from flexsaml.graph.wait import until

if TYPE_CHECKING:
    from flexsaml.graph.bulk import Progress
    from flexsaml.graph.client import Client
    from flexsaml.graph.directory import Directory
    from flexsaml.graph.identity import Identity, skew
    from flexsaml.graph.survey import RoleAssignment, SigningKey, Survey
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
    "ExtensionProperty",
    "Forbidden",
    "Found",
    "GraphError",
    "Identity",
    "Look",
    "Malformed",
    "NoCredential",
    "NotAvailable",
    "NotFound",
    "NotSent",
    "Person",
    "Policy",
    "Progress",
    "Refused",
    "RoleAssignment",
    "ServerError",
    "ServicePrincipal",
    "SigningKey",
    "StillPending",
    "Survey",
    "SystemClock",
    "Throttled",
    "TokenSource",
    "Unanswered",
    "Unauthorized",
    "cloud",
    "credentials",
    "is_guid",
    "is_loopback_host",
    "quota_seconds",
    "skew",
    "until",
]


_LATER = {
    "Client": "client",
    "Directory": "directory",
    "Identity": "identity",
    "Progress": "bulk",
    "RoleAssignment": "survey",
    "SigningKey": "survey",
    "Survey": "survey",
    "TokenSource": "tokens",
    "credentials": "tokens",
    "skew": "identity",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    globals()[name] = found
    return found
