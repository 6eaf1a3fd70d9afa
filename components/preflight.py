"""A read-only look at the tenant before the change, the same in preview and update.

It sees the tenant but not the state, so it only reports: who is meant, what is there. What it saw is
handed to the resources as `seen_*` inputs, and their `check`, which knows the state, judges. Only what
no state could excuse is an error here: a principal, application or user that is not there. All of it
comes in one report.

Requests: one to find the service principal, one $batch for the application and everything of it, one
more $batch for every 20 users.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from flexsaml.graph import Application, Directory, ExtensionProperty, ServicePrincipal
from flexsaml.values import DataType, Misfit

from .settings import Declaration


@dataclass(frozen=True)
class Seen:
    """The tenant as preflight found it."""

    principal: ServicePrincipal
    application: Application
    properties: Mapping[str, ExtensionProperty] = field(default_factory=dict)
    """Full name to property: all of the application, and the existing ones the stack refers to."""
    owners: Mapping[str, str] = field(default_factory=dict)
    """Full name to the object id of the application it belongs to."""
    policies: Mapping[str, str] = field(default_factory=dict)
    """Id to name of the policies that have our name."""
    assigned: Mapping[str, str] = field(default_factory=dict)
    """Id to name of the policies assigned to the principal."""
    users: Mapping[str, str] = field(default_factory=dict)
    """User as written to object id; as written again when preflight is off."""


class Findings(Exception):
    """What makes the change impossible; `problems` are one line each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def look(directory: Directory, wanted: Declaration) -> Seen:
    """Look once. Raises `Findings` with everything that is wrong, or `GraphError` when Graph cannot be asked."""
    principal = _principal(directory, wanted.service_principal)
    app_id = _app_id(directory, wanted, principal)
    seen = directory.look(app_id=app_id, service_principal_id=principal.id, policy_name=wanted.policy_name)
    if seen.application is None:
        raise Findings(
            [
                f"application: no application with appId {app_id} in this tenant (a gallery application has none "
                "here): name another application of yours in flexsaml:application to hold the extensions"
            ]
        )
    properties = {one.name: one for one in seen.properties}
    owners = dict.fromkeys(properties, seen.application.id)
    problems = _foreign(directory, wanted, properties, owners)
    problems += _values(wanted, properties)
    users = {user: user for user in wanted.users}
    if wanted.preflight and wanted.users:
        users, unknown = _people(directory, wanted)
        problems += unknown
    if problems:
        raise Findings(problems)
    if not wanted.preflight:
        referred = {name: one for name, one in properties.items() if name in wanted.foreign}
        return Seen(principal, seen.application, referred, owners, users=users)
    return Seen(
        principal,
        seen.application,
        properties,
        owners,
        policies={one.id: one.display_name for one in seen.policies or ()},
        assigned={one.id: one.display_name for one in seen.assigned or ()},
        users=users,
    )


def _principal(directory: Directory, reference: str) -> ServicePrincipal:
    found = directory.service_principals(reference)
    if len(found.matches) == 1:
        return found.matches[0]
    if found.matches:
        several = ", ".join(f"{one.id} (appId {one.app_id})" for one in found.matches)
        raise Findings(
            [f"servicePrincipal: {len(found.matches)} are called '{reference}': give the object id of one: {several}"]
        )
    similar = f"; similar names: {', '.join(found.similar)}" if found.similar else ""
    raise Findings(
        [f"servicePrincipal: no enterprise application is '{reference}' (exact name, appId or object id){similar}"]
    )


def _app_id(directory: Directory, wanted: Declaration, principal: ServicePrincipal) -> str:
    if not wanted.application:
        return principal.app_id
    found = directory.application(wanted.application)
    if found is None:
        raise Findings([f"application: there is no application '{wanted.application}' (appId or object id)"])
    return found.app_id


def _foreign(
    directory: Directory, wanted: Declaration, properties: dict[str, ExtensionProperty], owners: dict[str, str]
) -> list[str]:
    """Find the existing properties the stack refers to by full name; those missing are problems."""
    problems = []
    for app in sorted({_owner(name) for name in wanted.foreign if name not in properties}):
        owner = directory.application(app)
        if owner:
            found = {one.name: one for one in directory.extension_properties(owner.id)}
            properties |= found
            owners |= dict.fromkeys(found, owner.id)
    for name in wanted.foreign:
        if name not in properties:
            near = [one for one in properties if one.lower() == name.lower()]
            spelt = f": it is spelt '{near[0]}', and the token service reads names with case" if near else ""
            problems.append(f"extension '{name}' does not exist in this tenant{spelt}")
    return problems


def _owner(name: str) -> str:
    digits = name.split("_")[1]
    return re.sub(r"(.{8})(.{4})(.{4})(.{4})(.{12})", r"\1-\2-\3-\4-\5", digits)


def _values(wanted: Declaration, properties: Mapping[str, ExtensionProperty]) -> list[str]:
    """Values for existing properties, whose data type only the tenant knows."""
    problems = []
    for user, values in wanted.users.items():
        for name, value in values.items():
            if name in properties and name in wanted.foreign:
                try:
                    data_type(properties[name]).canonical(value)
                except Misfit as problem:
                    problems.append(f"users.{user}.{name}: {problem}")
    return problems


def data_type(found: ExtensionProperty) -> DataType:
    return DataType(found.data_type, found.multi_valued)


def _people(directory: Directory, wanted: Declaration) -> tuple[dict[str, str], list[str]]:
    """Object id by user as written; unknown users, and users written twice, are problems."""
    people = directory.people(list(wanted.users))
    users: dict[str, str] = {}
    problems: list[str] = []
    for user, person in people.items():
        if person is None:
            problems.append(f"users.{user}: there is no such user; correct the name or remove it")
        elif person.id in users.values():
            twin = next(other for other, id_ in users.items() if id_ == person.id)
            problems.append(f"users.{user}: is the same user as '{twin}'; keep one of them")
        else:
            users[user] = person.id
    return users, problems
