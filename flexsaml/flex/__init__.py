"""What Twilio Flex makes of the attributes of an assertion, and the workers it keeps at TaskRouter. What needs the HTTP
library is imported when it is first used."""

from typing import TYPE_CHECKING, Any

from .statement import (
    AttributeFault,
    NameId,
    SamlAttribute,
    SamlStatement,
    WorkerUpdate,
    compute_worker_update,
    is_ignored,
    parse_attribute_name,
)

if TYPE_CHECKING:
    from .taskrouter import TaskRouterAccess, UnreadableWorker, Worker, read_access, read_worker

__all__ = [
    "AttributeFault", "NameId", "SamlAttribute", "SamlStatement", "TaskRouterAccess", "UnreadableWorker", "Worker",
    "WorkerUpdate", "compute_worker_update", "is_ignored", "parse_attribute_name", "read_access", "read_worker",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from flexsaml.flex import taskrouter

    return getattr(taskrouter, name)
