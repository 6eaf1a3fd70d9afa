"""The directory of one tenant, as this project uses it: all typed calls behind one name.

The parts share a client and know nothing of each other: principals.py, extensions.py, users.py,
policies.py, survey.py. Each says at its top which paths, permissions, quirks and waits it knows. Pinned by
tests/graph/test_{part}.py.
"""

from __future__ import annotations

from flexsaml.graph.extensions import Extensions
from flexsaml.graph.policies import Policies
from flexsaml.graph.principal_snapshot import PrincipalSnapshots
from flexsaml.graph.principals import Principals
from flexsaml.graph.users import Users


class Directory(Principals, Extensions, Users, Policies, PrincipalSnapshots):
    """Typed calls on a tenant's directory. Safe to share between threads, as its client is."""
