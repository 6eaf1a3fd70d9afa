"""Microsoft Graph for this project: the one way in, and the one place that retries, waits and knows hosts. A program
makes a `Directory` over a `Client` of one cloud and its credentials. What needs the HTTP library is imported when it is
first asked for: a provider process that only checks and diffs, as in most previews, never pays for it."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .clock import Clock
from .clouds import Cloud, InvalidCloud, cloud
from .errors import (
    OUTCOME_UNKNOWN,
    Conflict,
    Forbidden,
    GraphError,
    Malformed,
    NotAvailable,
    NotCreated,
    NotFound,
    NotSent,
    Refused,
    StillPending,
)
from .models import (
    Application,
    ExistingObjects,
    ExtensionOwner,
    ExtensionProperty,
    Policy,
    PrincipalNotFound,
    PrincipalSnapshot,
    RoleAssignment,
    ServicePrincipal,
    SigningKey,
    User,
    ValueHolders,
)
from .pace import quota_seconds
from .permissions import OWNED, Requirement, describe_requirement, requirements, requirements_of_stack
from .urls import is_guid

if TYPE_CHECKING:
    from .bulk import BULK_WORKERS, Progress
    from .client import Client
    from .directory import Directory
    from .person import PublicClient, sign_in
    from .registrations import (
        GRAPH_APP_ID,
        ClientSecret,
        FederatedCredential,
        GraphPermissions,
        Owner,
        Registration,
        ScopeGrant,
    )
    from .signing import SigningCertificate
    from .tokens import Identity, credentials, skew

__all__ = [
    "BULK_WORKERS",
    "GRAPH_APP_ID",
    "OUTCOME_UNKNOWN",
    "OWNED",
    "Application",
    "Client",
    "ClientSecret",
    "Clock",
    "Cloud",
    "Conflict",
    "Directory",
    "ExistingObjects",
    "ExtensionOwner",
    "ExtensionProperty",
    "FederatedCredential",
    "Forbidden",
    "GraphError",
    "GraphPermissions",
    "Identity",
    "InvalidCloud",
    "Malformed",
    "NotAvailable",
    "NotCreated",
    "NotFound",
    "NotSent",
    "Owner",
    "Policy",
    "PrincipalNotFound",
    "PrincipalSnapshot",
    "Progress",
    "PublicClient",
    "Refused",
    "Registration",
    "Requirement",
    "RoleAssignment",
    "ScopeGrant",
    "ServicePrincipal",
    "SigningCertificate",
    "SigningKey",
    "StillPending",
    "User",
    "ValueHolders",
    "cloud",
    "credentials",
    "describe_requirement",
    "is_guid",
    "quota_seconds",
    "requirements",
    "requirements_of_stack",
    "sign_in",
    "skew",
]  # fmt: skip
_LAZY = {
    "bulk": ("BULK_WORKERS", "Progress"), "client": ("Client",), "directory": ("Directory",),
    "person": ("PublicClient", "sign_in"),
    "registrations": (
        "GRAPH_APP_ID", "ClientSecret", "FederatedCredential", "GraphPermissions", "Owner", "Registration",
        "ScopeGrant",
    ),
    "signing": ("SigningCertificate",), "tokens": ("Identity", "credentials", "skew"),
}  # fmt: skip
"""Module to the public names for whose first use it is imported."""


def __getattr__(name: str) -> Any:
    for module, names in _LAZY.items():
        if name in names:
            globals()[name] = value = getattr(import_module(f".{module}", __name__), name)
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
