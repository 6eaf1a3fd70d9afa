"""The directory of one tenant, as this project uses it: all typed calls behind one name, over one client."""

from .extensions import Extensions
from .policies import Policies
from .principals import Principals
from .registrations import Registrations
from .signing import Signing
from .users import Users


class Directory(Principals, Extensions, Users, Policies, Registrations, Signing):
    """Typed calls on a tenant's directory. Safe to share between threads, as its client is."""
