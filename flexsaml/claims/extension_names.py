"""Names of directory extensions: the short name a stack declares, and the full name Graph knows it by. The full name is
`extension_<appId without dashes>_<short name>`; the appId is that of the application that owns the extension (grade A:
Graph reference, extensionProperty). A short name may itself begin with `extension_`, so only the 32 hex digits tell a
full name."""

import re

FULL_NAME = re.compile(r"extension_[0-9a-f]{32}_[A-Za-z0-9_]+")


def is_full_name(name: str) -> bool:
    """True for `extension_<32 lower-case hex digits>_<short name>`."""
    return FULL_NAME.fullmatch(name) is not None


def build_full_name(app_id: str, name: str) -> str:
    """The full name of an extension that the application with this appId (a GUID) owns; a full name stays as it is."""
    return name if is_full_name(name) else f"extension_{app_id.replace('-', '').lower()}_{name}"


def owner_app_id(full_name: str) -> str:
    """The appId, as a GUID with dashes, of the application that owns the extension."""
    digits = _split(full_name)[1]
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def short_name(full_name: str) -> str:
    """The name of the extension within its application."""
    return _split(full_name)[2]


def _split(name: str) -> list[str]:
    if not is_full_name(name):
        raise ValueError(f"{name!r} is not the full name of an extension")
    return name.split("_", 2)
