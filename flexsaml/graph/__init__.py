"""Microsoft Graph for this project: the one way in, the one place that retries, sleeps and knows hosts.

directory = Directory(Client(where := cloud("public"), credentials(where)))
"""

from flexsaml.graph.batch import BatchRequest, BatchResponse
from flexsaml.graph.client import Client
from flexsaml.graph.clock import Clock, SystemClock
from flexsaml.graph.clouds import CLOUDS, Cloud, cloud
from flexsaml.graph.credentials import TokenSource, credentials
from flexsaml.graph.directory import Directory
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
from flexsaml.graph.survey import RoleAssignment, SigningKey, Survey
from flexsaml.graph.urls import is_guid
from flexsaml.graph.wait import until

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
    "Look",
    "Malformed",
    "NoCredential",
    "NotAvailable",
    "NotFound",
    "NotSent",
    "Person",
    "Policy",
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
    "until",
]
