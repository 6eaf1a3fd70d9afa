"""The keys of a declaration: the one list of their names, types, defaults and meanings; and a value marked secret. The
README's table and `Pulumi.yaml`, by which `pulumi new` asks, must agree with it: tests/declaration/test_keys.py."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from flexsaml.claims import find_nearest

_UNKNOWN = object()


class Key(NamedTuple):
    """One key of the namespace `flexsaml`. `type` is the engine's name for it: string, boolean, integer or object.
    `default` is None for a required key. `argument` is the name of the same thing in Python (`FlexSamlClaimsArgs`), ""
    where Python has no such argument: which tenant is meant stands in the configuration of the stack only, since
    providers read it there. `meaning` is Markdown, for the reference pages."""

    name: str
    type: str
    default: object
    meaning: str
    argument: str = ""


KEYS = {
    key.name: key
    for key in (
        Key(
            "servicePrincipal",
            "string",
            None,
            "The enterprise application: exact display name, appId or object id.",
            "service_principal",
        ),
        Key(
            "application",
            "string",
            "",
            "Where the extensions live (appId or object id); by default the service principal's own application.",
            "application",
        ),
        Key(
            "policyName",
            "string",
            "",
            "Display name of the policy; by default `<project>-<stack> Flex SAML claims`.",
            "policy_name",
        ),
        Key(
            "includeBasicClaimSet",
            "boolean",
            False,
            "Whether Entra sends its basic claims too. Flex ignores them, because their names are URIs.",
            "include_basic_claim_set",
        ),
        Key(
            "claims",
            "object",
            {},
            "Claim name to source: `user.mail`, `extension.languages`, `{ value: vienna }`, "
            "`extension_<appId>_<name>`, `{ source: user, id: employeeid, samlNameForm: basic }`; `nameid` is"
            " the NameID. Required, or `definition`.",
            "claims",
        ),
        Key(
            "extensions",
            "object",
            {},
            "Extension name to data type (`String`, `Boolean`, `Integer`, `LargeInteger`, `DateTime`, "
            "`Binary`), or `{ dataType, multiValued }`.",
            "extensions",
        ),
        Key(
            "users",
            "object",
            {},
            "User (UPN or object id) to extension to value. An absent user or extension is not managed, "
            "`null` is written. A `String` takes text, so numbers, dates and `true` stand in quotes.",
            "users",
        ),
        Key(
            "usersFile",
            "string",
            "",
            "A roster of any size: a CSV file, the first column the user, one column per extension.",
            "users_file",
        ),
        Key("definition", "string", "", "A raw policy definition (JSON) instead of `claims`.", "definition"),
        Key(
            "replaceExisting",
            "boolean",
            False,
            "Take over from a policy that is assigned already; destroy assigns it again.",
            "replace_existing",
        ),
        Key(
            "allowRemoval",
            "integer",
            0,
            "How many values one update may restore when that is more than ten and more than a fifth of them.",
            "allow_removal",
        ),
        Key(
            "preflight",
            "boolean",
            True,
            "Whether preview inspects users, policies and properties of the tenant; permissions are always judged.",
            "preflight",
        ),
        Key("rules", "object", {}, "Rule of lint or preflight to `error`, `warning`, `info` or `off`.", "rules"),
        Key(
            "cloud", "string", "public", "`public`, `usgov`, `usgov-dod` or `china`; `loopback` is the emulated tenant."
        ),
        Key("tenantId", "string", "", "The tenant; by default that of the credential."),
        Key("graphEndpoint", "string", "", "Address of Graph, for the cloud `loopback` only."),
        Key("loginEndpoint", "string", "", "Address of the token service, for the cloud `loopback` only."),
    )
}


def declares_arguments(names: Iterable[str]) -> bool:
    """Whether keys of these names say what a stack declares, and not only where its tenant is. A name that is misspelt
    or has another namespace counts as the key that it was meant to be."""
    return any(KEYS[key].argument for key in map(find_meant_key, names) if key)


def find_meant_key(name: str) -> str:
    """The key that was meant by a name, which may be misspelt or have another namespace; "" if none is similar."""
    bare = name.rpartition(":")[2]
    return bare if bare in KEYS else find_nearest(bare, tuple(KEYS), 0.6)


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
