"""A read-only look at the tenant before the change, the same in preview and update.

It sees the tenant but not the state, so it only reports: who is meant, what is there, what condition it is
in (`conditions`). What it saw is handed to the resources as `seen_*` inputs, and their `check`, which knows
the state, judges: a property or policy that exists, an assignment, a user who is not there.

Round trips: one search when the principal is given by name, one survey, one for the custom claims policy
(beta), one for every 20 users, and one for groups when a user has no role of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timezone

from flexsaml.claims import build_full_name, owner_app_id
from flexsaml.declaration import Declaration
from flexsaml.findings import Finding
from flexsaml.graph import (
    Application,
    Directory,
    ExtensionProperty,
    PrincipalNotFound,
    PrincipalSnapshot,
    ServicePrincipal,
    User,
)
from flexsaml.values import DataType, InvalidValue

from .rules import View, conditions, finding, holders

PROFILE = ("accountEnabled", "userType", "onPremisesSyncEnabled", "mail", "displayName")


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
    assigned: Mapping[str, str] | None = None
    """Id to name of the policies assigned to the principal; None when it was not or could not be looked at."""
    users: Mapping[str, str] = field(default_factory=dict)
    """User as written to object id; as written again when preflight is off or the user is not there."""
    missing: frozenset[str] = frozenset()
    """Users, as written, that are not in the tenant."""
    live: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Full name of an existing extension to object id to the canonical value held now."""
    findings: tuple[Finding, ...] = ()


class InspectionEnded(Exception):
    """The look ended early: there is no such principal, or no such application."""

    def __init__(self, one: Finding) -> None:
        super().__init__(str(one))
        self.finding = one


def look(directory: Directory, wanted: Declaration, now: datetime | None = None) -> Seen:
    """Look once. Raises `InspectionEnded`, or `GraphError` when Graph cannot be asked."""
    survey = _survey(directory, wanted)
    application = survey.application
    if application is None:
        raise InspectionEnded(
            finding(
                "application-absent",
                "application",
                f"the application of '{survey.principal.display_name}' is not in this tenant (a gallery application "
                "has none here)",
                "name an application of your own in flexsaml:application to hold the extensions",
            )
        )
    properties = {one.name: one for one in survey.properties}
    owners = dict.fromkeys(properties, application.id)
    findings = _own(wanted, application)
    told = {one.where for one in findings}
    findings += [one for one in _foreign(directory, wanted, properties, owners) if one.where not in told]
    findings += _values(wanted, properties)
    if not wanted.preflight:
        referred = {name: one for name, one in properties.items() if name in wanted.existing_extensions}
        users = {user: user for user in wanted.all_users}
        return Seen(survey.principal, application, referred, owners, users=users, findings=tuple(findings))
    selected = _selected(wanted, application, properties)
    with ThreadPoolExecutor(1) as beside:  # two calls that need not wait for each other
        custom = beside.submit(directory.custom_claims, survey.principal.id)
        people = directory.read_users(list(wanted.all_users), list(selected), PROFILE) if wanted.all_users else {}
    there = {user: person for user, person in people.items() if person is not None}
    view = _view(directory, wanted, survey, there, custom.result(), now or datetime.now(timezone.utc))
    return Seen(
        survey.principal,
        application,
        properties,
        owners,
        policies={one.id: one.display_name for one in survey.policies or ()},
        assigned=None if survey.assigned is None else {one.id: one.display_name for one in survey.assigned},
        users={user: there[user].id if user in there else user for user in wanted.all_users},
        missing=frozenset(set(people) - set(there)),
        live={
            name: {person.id: kind.from_wire(person.values.get(name)) for person in there.values()}
            for name, kind in selected.items()
        },
        findings=tuple([*findings, *_twice(there), *conditions(view)]),
    )


def _survey(directory: Directory, wanted: Declaration) -> PrincipalSnapshot:
    owner = wanted.application
    if owner:
        application = directory.application(owner)
        if application is None:
            raise InspectionEnded(
                finding("application-absent", "application", f"there is no application '{owner}' (appId or object id)")
            )
        owner = application.app_id
    try:
        return directory.read_principal_snapshot(
            wanted.service_principal, owner=owner, policy_name=wanted.policy_name, roles=wanted.preflight
        )
    except PrincipalNotFound as problem:
        raise InspectionEnded(finding("principal-unknown", "servicePrincipal", problem.words, problem.hint)) from None


def _selected(
    wanted: Declaration, application: Application, properties: Mapping[str, ExtensionProperty]
) -> dict[str, DataType]:
    """The extensions whose values are worth reading: those of the stack that exist already."""
    named = {build_full_name(application.app_id, key) for values in wanted.all_users.values() for key in values}
    return {name: data_type(one) for name, one in properties.items() if name in named}


def _view(
    directory: Directory,
    wanted: Declaration,
    survey: PrincipalSnapshot,
    people: Mapping[str, User],
    custom: bool | None,
    now: datetime,
) -> View:
    identity = directory.identity()
    granted = identity.permissions if identity else None
    view = View(wanted, survey, now, people, {}, custom, granted)
    groups = survey.assigned_groups(with_value=True)
    if groups and {one.id for one in people.values()} - holders(view)[0]:
        view = View(wanted, survey, now, people, directory.direct_members(groups), custom, granted)
    return view


def _own(wanted: Declaration, application: Application) -> list[Finding]:
    """A property of this stack under its full name too: two baselines would record each other's values as prior."""
    own = {build_full_name(application.app_id, short): short for short in wanted.extensions}
    return [
        finding("extension-twice", f"extension '{name}'", f"is this stack's own; write '{own[name]}'")
        for name in wanted.existing_extensions
        if name in own
    ]


def _foreign(
    directory: Directory, wanted: Declaration, properties: dict[str, ExtensionProperty], owners: dict[str, str]
) -> list[Finding]:
    """Find the existing properties the stack refers to by full name; those missing are findings."""
    app_ids = sorted({owner_app_id(name) for name in wanted.existing_extensions if name not in properties})
    for owner in directory.read_extension_owners(app_ids).values():
        if owner:
            properties |= {one.name: one for one in owner.properties}
            owners |= dict.fromkeys((one.name for one in owner.properties), owner.application.id)
    findings = []
    for name in wanted.existing_extensions:
        if name not in properties:
            near = [one for one in properties if one.lower() == name.lower()]
            fix = f"it is spelt '{near[0]}', and the token service reads names with case" if near else ""
            findings.append(finding("extension-absent", f"extension '{name}'", "does not exist in this tenant", fix))
    return findings


def _values(wanted: Declaration, properties: Mapping[str, ExtensionProperty]) -> list[Finding]:
    """Values for existing properties, whose data type only the tenant knows; and too many of them."""
    findings = []
    for user, values in wanted.all_users.items():
        for name, value in values.items():
            if name in properties and name in wanted.existing_extensions:
                try:
                    data_type(properties[name]).canonical(value)
                except InvalidValue as problem:
                    findings.append(finding("value-misfit", f"users.{user}.{name}", str(problem)))
        count = sum(len(value) if isinstance(value, list) else 1 for value in values.values())
        if count > 100:
            message = f"{count} extension values; an object holds at most 100, over all applications"
            findings.append(finding("too-many-values", f"users.{user}", message))
    return findings


def data_type(found: ExtensionProperty) -> DataType:
    return DataType(found.data_type, found.multi_valued)


def _twice(people: Mapping[str, User]) -> list[Finding]:
    first: dict[str, str] = {}
    findings = []
    for user, person in people.items():
        if person.id in first:
            message = f"is the same user as '{first[person.id]}'"
            findings.append(finding("user-twice", f"users.{user}", message, "keep one of them"))
        first.setdefault(person.id, user)
    return findings
