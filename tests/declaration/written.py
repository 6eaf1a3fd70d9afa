"""A declaration as it is written in a stack file, handed over as the engine and as a stack file would. A helper."""

from __future__ import annotations

import json
from typing import Any

from flexsaml.claims import RULE_NAMES
from flexsaml.declaration import Declaration, Secret, read_declaration
from flexsaml.findings import Finding

RIGHT: dict[str, Any] = {
    "servicePrincipal": "Twilio Flex",
    "claims": {
        "nameid": "user.userprincipalname",
        "email": "user.mail",
        "full_name": "user.displayname",
        "roles": "user.assignedroles",
        "team": "extension.team",
    },
    "extensions": {"team": "String"},
    "users": {"ada@contoso.example": {"team": "blue"}},
}
RULES = ("user-disabled", "extension-absent", *RULE_NAMES)
FIXED = ("extension-absent",)


def no_file(name: str) -> bytes:
    raise FileNotFoundError(2, "No such file or directory", name)


def as_engine_text(value: object) -> str:
    """The engine's form of a configuration value: text, or JSON text with sorted keys."""
    if isinstance(value, (dict, list)):
        return json.dumps(value, sort_keys=True)
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def from_engine(written: dict[str, Any], secret: tuple[str, ...] = ()) -> dict[str, object]:
    texts = {key: as_engine_text(value) for key, value in written.items()}
    return {key: Secret(text) if key in secret else text for key, text in texts.items()}


def read(keys: dict[str, Any], files: dict[str, bytes] | None = None) -> tuple[Declaration, list[Finding]]:
    def read_file(name: str) -> bytes:
        return files[name] if files and name in files else no_file(name)

    return read_declaration(keys, read_file=read_file, rule_names=RULES, fixed_rules=FIXED)


def lines(findings: list[Finding]) -> list[str]:
    return [str(finding).removesuffix(" [stack-file]") for finding in findings]
