"""The directory of one tenant, as this project uses it: all typed calls behind one name, over one client."""

from __future__ import annotations

from .extensions import Extensions
from .policies import Policies
from .principal_snapshot import PrincipalSnapshots
from .users import Users


class Directory(PrincipalSnapshots, Extensions, Users, Policies):
    """Typed calls on a tenant's directory. Safe to share between threads, as its client is."""
