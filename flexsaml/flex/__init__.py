"""What Twilio Flex makes of the attributes of an assertion, and the workers it keeps at TaskRouter."""

from .attributes import Fault, Stored, is_ignored, stored, typed
from .model import Attribute, NameID, Statement

__all__ = ["Attribute", "Fault", "NameID", "Statement", "Stored", "is_ignored", "stored", "typed"]
