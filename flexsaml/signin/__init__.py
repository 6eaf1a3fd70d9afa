"""What a sign-in will deliver and did deliver: prediction, what Flex stores, verification, the worker at Twilio.

The rules are those of docs/sign-in.md. What needs an XML or an expression library is imported by its own module only.
"""

from .flex import Fault, Stored, stored
from .model import Attribute, NameID, Statement

__all__ = ["Attribute", "Fault", "NameID", "Statement", "Stored", "stored"]
