"""Whether the permissions that a token names are enough for what a stack does. Pure. A run that lacks one can make some
objects and not others, so it is refused before its first write. What a token cannot say keeps that from being
certain. A person's token lists all that may be done through the application of the sign-in: directory roles limit that
and do not add to it (A: Graph permissions overview). An application may have directory roles beside its permissions,
and its token does not have to show them (C), so its list decides only if it names something and no such role. What
`az login` lacks was measured in one token (C)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flexsaml.findings import Finding
from flexsaml.graph import requirements_of_stack

if TYPE_CHECKING:
    from flexsaml.declaration import Declaration
    from flexsaml.graph import Identity, Requirement

RULE = "permission-missing"
AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"  # of the application through which `az login` signs a person in
_MEASURED = "the one token of `az login` that was measured had no Policy.* and no Organization.Read.All (grade C)"


def requirements_of(declaration: Declaration) -> list[Requirement]:
    """Those of the calls that a stack with this declaration makes."""
    return requirements_of_stack(extensions=bool(declaration.extensions), users=declaration.may_have_users)


def judge_permissions(identity: Identity, declaration: Declaration, *, is_preview: bool) -> Finding | None:
    """The finding about what the token does not name; None if it names everything essential. An error, but a warning in
    a preview, which writes nothing, and where the token does not decide it."""
    essential = [row for row in requirements_of(declaration) if row.is_essential]
    lacking = _find_lacking(essential, identity)
    if not lacking:
        return None
    listed = ", ".join(f"{name} (to {_list_words(purposes)})" for name, purposes in lacking.items())
    possible = [row.purpose for row in essential if row.writes and row.is_met(identity.permissions)]
    may = f"may {_list_words(possible)} but not the rest, and can stop half-way" if possible else "can make nothing"
    is_decided = bool(identity.permissions) and (identity.is_person or not identity.directory_roles)
    message = (
        f"the token ({_describe(identity)}) does not name {listed}: with no more than it names, `pulumi up` {may}; "
        f"{_say_what_is_known(identity)}"
    )
    fix = "grant them (`python -m flexsaml setup` does)"
    if identity.is_person:
        fix = "use an application registration of your own (`python -m flexsaml setup`, with --person for `login`)"
    if is_decided:
        fix += f"; `pulumi up` is refused before its first write unless flexsaml:rules sets {RULE} to warning"
    level = "error" if is_decided and not is_preview else "warning"
    return Finding(RULE, level, "identity", message, fix)


def _find_lacking(essential: list[Requirement], identity: Identity) -> dict[str, list[str]]:
    """The fewest permissions to add, each with what it is for; one to write includes the one to read."""
    missing: dict[str, None] = {}
    for row in sorted(essential, key=lambda row: not row.writes):
        missing |= dict.fromkeys(row.lacking({*identity.permissions, *missing}, is_person=identity.is_person))
    return {
        name: [
            row.purpose for row in essential if name in row.lacking(identity.permissions, is_person=identity.is_person)
        ]
        for name in missing
    }


def _list_words(words: list[str]) -> str:
    """`a`, `a and b`, or `a, b and c`."""
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last


def _describe(identity: Identity) -> str:
    if identity.is_person:
        return "of a person who used `az login`" if identity.app_id == AZURE_CLI else "of a person"
    return "of an application" if identity.kind == "application" else f"of a {identity.kind}"


def _say_what_is_known(identity: Identity) -> str:
    """About what the list of permissions leaves open."""
    if not identity.permissions:
        return "it names no permission at all, and what directory roles cover is not known"
    if identity.is_person:
        limit = "directory roles do not add to a person's scopes"
        return f"{limit}; {_MEASURED}" if identity.app_id == AZURE_CLI else limit
    if identity.directory_roles:
        return "it also names directory roles, and whether they cover these calls is not known"
    return "directory roles of the application may cover these calls, and a token does not have to show those"
