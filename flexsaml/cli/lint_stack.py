"""Lint of a stack file: what is wrong with the declaration, and with the definition that it would send."""

from __future__ import annotations

from flexsaml.declaration import lint_declaration, read_stack_yaml
from flexsaml.findings import Finding, apply_levels

from .declared import read_beside


def lint_stack(raw: bytes, profile: str, file: str) -> list[Finding]:
    """The findings under the levels that the stack gives to rules, errors first. Its roster lies beside `file`."""
    keys = read_stack_yaml(raw)
    if isinstance(keys, Finding):
        return [keys]
    declaration, findings = read_beside(keys, file)
    findings += [
        Finding("stack-secret", "info", key, "is encrypted, and so it is not judged")
        for key in ("claims", "definition")
        if key in declaration.encrypted
    ]
    return apply_levels([*findings, *lint_declaration(declaration, profile)], declaration.rules)
