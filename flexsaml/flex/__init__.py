"""What Twilio Flex makes of the attributes of an assertion, and the workers it keeps at TaskRouter."""

from .statement import (
    AttributeDoubt,
    AttributeFault,
    SamlAttribute,
    SamlStatement,
    WorkerUpdate,
    compute_worker_update,
    describe_ignored,
    describe_loss,
    describe_uri,
    is_ignored,
    is_plain_value,
    parse_attribute_name,
)
from .taskrouter import Worker, read_access, read_worker

__all__ = [
    "AttributeDoubt", "AttributeFault", "SamlAttribute", "SamlStatement", "Worker", "WorkerUpdate",
    "compute_worker_update", "describe_ignored", "describe_loss", "describe_uri", "is_ignored", "is_plain_value",
    "parse_attribute_name", "read_access", "read_worker",
]  # fmt: skip
