"""Which permission a refused call lacks, for the hint of a 403. Data only; touches nothing.

Least application permission per call as Microsoft documents it (grade A):
microsoftgraph/microsoft-graph-docs-contrib includes/permissions and
microsoftgraph/microsoft-graph-devx-content permissions/new/permissions.json @6cbd6bb. Quirk (grade A,
graph-docs#14188, known issue 13678): reading claims mapping policies needs Policy.Read.All even for an
identity that may write them, and reading a principal's assignments needs a right to write applications.
Pinned by tests/graph/test_errors.py.
"""

from __future__ import annotations

import re

_READ_APPLICATIONS = "Application.Read.All (or Application.ReadWrite.OwnedBy)"
_WRITE_APPLICATIONS = "Application.ReadWrite.OwnedBy and ownership of the application, or Application.ReadWrite.All"

# First match decides: longer paths stand above the shorter ones that they contain.
_NEEDED: tuple[tuple[str, str, str], ...] = (
    (
        r".*",
        r"/servicePrincipals[/(].*/claimsMappingPolicies",
        "Policy.Read.All with Application.ReadWrite.OwnedBy and ownership of the service principal, "
        "or with Application.ReadWrite.All",
    ),
    (r"GET", r"/policies/claimsMappingPolicies", "Policy.Read.All"),
    (r".*", r"/policies/claimsMappingPolicies", "Policy.ReadWrite.ApplicationConfiguration"),
    (r".*", r"/directoryObjects/getAvailableExtensionProperties", "Directory.Read.All"),
    (r"GET", r"/(applications|servicePrincipals)\b", _READ_APPLICATIONS),
    (r".*", r"/(applications|servicePrincipals)\b", _WRITE_APPLICATIONS),
    (r"GET", r"/users\b", "User.Read.All"),
    (
        r".*",
        r"/users\b",
        "User.ReadWrite.All (and, if that user holds an administrator role, a role that may manage it)",
    ),
    (r"GET", r"/groups\b", "GroupMember.Read.All"),
    (r"GET", r"/organization\b", "Organization.Read.All"),
)


def needed(method: str, path: str) -> str:
    """The least permission for a call, in words; "" for a call that this project does not make."""
    for methods, paths, permission in _NEEDED:
        if re.fullmatch(methods, method) and re.match(paths, path):
            return permission
    return ""
