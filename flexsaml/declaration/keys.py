"""The keys of a declaration: the one list of their names, types and defaults; and a value marked secret. The README's
table and `Pulumi.yaml`, by which `pulumi new` asks, must agree with it: tests/declaration/test_keys.py."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

_UNKNOWN = object()


class Key(NamedTuple):
    """One key of the namespace `flexsaml`. `type` is the engine's name for it: string, boolean, integer or object.
    `default` is None for a required key. `argument` is the name of the same thing in Python (`FlexSamlClaimsArgs`), ""
    where Python has no such argument: which tenant is meant stands in the configuration of the stack only, since
    providers read it there."""

    name: str
    type: str
    default: object
    argument: str = ""


KEYS = {
    key.name: key
    for key in (
        Key("servicePrincipal", "string", None, "service_principal"),
        Key("application", "string", "", "application"),
        Key("policyName", "string", "", "policy_name"),
        Key("includeBasicClaimSet", "boolean", False, "include_basic_claim_set"),
        Key("claims", "object", {}, "claims"),
        Key("extensions", "object", {}, "extensions"),
        Key("users", "object", {}, "users"),
        Key("usersFile", "string", "", "users_file"),
        Key("definition", "string", "", "definition"),
        Key("replaceExisting", "boolean", False, "replace_existing"),
        Key("allowRemoval", "integer", 0, "allow_removal"),
        Key("preflight", "boolean", True, "preflight"),
        Key("rules", "object", {}, "rules"),
        Key("cloud", "string", "public"),
        Key("tenantId", "string", ""),
        Key("graphEndpoint", "string", ""),
        Key("loginEndpoint", "string", ""),
    )
}


def declares_arguments(names: Iterable[str]) -> bool:
    """Whether keys of these names say what a stack declares, and not only where its tenant is."""
    return any(name in KEYS and KEYS[name].argument for name in names)


class Secret:
    """A value whose content must not be shown, or is encrypted and cannot be read. The engine hands over the content of
    an encrypted key, and a Python program knows what it wraps. In a stack file that is read without the engine the
    content is unknown. `repr` and `str` never show it."""

    __slots__ = ("_content",)

    def __init__(self, content: object) -> None:
        self._content = content

    @classmethod
    def unknown(cls) -> Secret:
        """A secret of which only the engine knows the content."""
        return cls(_UNKNOWN)

    @property
    def is_known(self) -> bool:
        return self._content is not _UNKNOWN

    def reveal(self) -> object:
        """The content. Raises ValueError if it is unknown."""
        if not self.is_known:
            raise ValueError("the content of this secret is unknown")
        return self._content

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._content == other._content

    def __hash__(self) -> int:
        return hash(Secret)

    def __repr__(self) -> str:
        return "[secret]"
