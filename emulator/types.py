"""The two shapes that every module uses: decoded JSON, and the attributes of a directory object."""

from typing import Any, TypeAlias

Json: TypeAlias = Any  # whatever json.loads returns; narrowed where it is read
Attributes: TypeAlias = dict[str, Json]  # wire name -> value, as Graph spells them
