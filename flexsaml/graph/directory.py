"""The directory of one tenant, as this project uses it: all typed calls behind one name, over one client.

Each module's head says which paths, permissions, quirks and waits its group of calls knows.
"""

from __future__ import annotations

from flexsaml.graph.extensions import Extensions
from flexsaml.graph.policies import Policies
from flexsaml.graph.principal_snapshot import PrincipalSnapshots
from flexsaml.graph.users import Users


class Directory(PrincipalSnapshots, Extensions, Users, Policies):
    """Typed calls on a tenant's directory. Safe to share between threads, as its client is."""
