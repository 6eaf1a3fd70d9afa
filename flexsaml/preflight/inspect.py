"""The inspection of the tenant before a change, the same in preview and update. Reads only. It sees the tenant but not
the state, so it only reports. The component hands what was read to the resources as `seen_*` inputs, and their `check`,
which knows the state, judges: a property or policy that exists, an assignment, a user who is not there. Requests: one
for the application, if it is configured; one search, if the principal is given by name; one batch for the principal
snapshot (two, if it is given by object id), and the further pages of its lists; one batch for ten owners of existing
extensions; one for the custom claims policy (beta); one for 20 users, or pages of all users, if these are fewer; and
one for 20 groups and their further pages, if a user has no role of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from flexsaml.claims import build_full_name, is_signed, owner_app_id
from flexsaml.errors import UserError
from flexsaml.findings import Finding
from flexsaml.graph import (
    Application,
    ExtensionProperty,
    Policy,
    PrincipalNotFound,
    ServicePrincipal,
    StillPending,
    is_guid,
)

from .rules import ESSENTIAL_RULES, RULES, Inspection, build_finding, data_type_of, judge, users_without_role

if TYPE_CHECKING:  # lint needs the names of the rules, and not the HTTP library
    from flexsaml.declaration import Declaration
    from flexsaml.graph import Directory, PrincipalSnapshot

NEW_WITHIN = 60.0  # seconds in which a new principal must be readable
HINTED = 20  # missing users for whom a user with that mail address is looked for
PROFILE = ("accountEnabled", "userType", "onPremisesSyncEnabled", "mail", "displayName", "externalUserState")


@dataclass(frozen=True)
class PreflightResult:
    """What preflight read, and the findings about it."""

    principal: ServicePrincipal
    application: Application
    properties: Mapping[str, ExtensionProperty] = field(default_factory=dict)
    """Full name to property: all of the application, and the existing ones the stack refers to."""
    owners: Mapping[str, str] = field(default_factory=dict)
    """Full name to the object id of the application it belongs to."""
    policies: Mapping[str, str] = field(default_factory=dict)
    """Id to name of the policies that have the name of this stack's policy."""
    assigned: Mapping[str, str] | None = None
    """Id to name of the policies assigned to the principal; None when they were not read."""
    signed: Mapping[str, str] = field(default_factory=dict)
    """The same, of those that flexsaml made."""
    user_ids: Mapping[str, str] = field(default_factory=dict)
    """User as written to object id; to the user as written when preflight is off or there is no such user."""
    missing_users: Mapping[str, str] = field(default_factory=dict)
    """Users, as written, that are not in the tenant, to the UPN of the user whose mail address it is, "" for none."""
    live_values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Full name of an existing extension to object id to the canonical value held now."""
    findings: tuple[Finding, ...] = ()


class InspectionEnded(UserError):
    """There is no such principal, or no such application, and so nothing else to inspect. `may_pass`: it may have been
    made a moment ago."""

    def __init__(self, rule: str, where: str, message: str, fix: str = "", *, may_pass: bool = True) -> None:
        self.finding = build_finding(rule, where, message, fix)
        self.may_pass = may_pass
        super().__init__(str(self.finding))


def inspect_tenant(
    directory: Directory,
    declaration: Declaration,
    now: datetime | None = None,
    *,
    is_new: bool = False,
    is_preview: bool = False,
) -> PreflightResult:
    """Read what the declaration is about, and judge it as of `now` (default: this moment). With `declaration.preflight`
    off, only what the stack cannot be built without is read and judged. `is_new`: the principal or the application may
    have been made a moment ago, so both are waited for. `is_preview`: nothing will be written, so an identity that may
    only read is enough. Raises `InspectionEnded`, or `GraphError` when Graph does not answer."""
    snapshot = (_await_snapshot if is_new else _read_snapshot)(directory, declaration)
    application = snapshot.application
    if application is None:
        name = snapshot.principal.display_name
        message = f"the application of '{name}' is not in this tenant (a gallery application has none here)"
        fix = "name an application of your own in flexsaml:application to hold the extensions"
        raise InspectionEnded("application-absent", "application", message, fix)
    properties, owners = _read_properties(directory, declaration, snapshot, application)
    moment = now or datetime.now(timezone.utc)
    if not declaration.preflight:
        inspection = Inspection(
            declaration, snapshot, moment, properties, identity=directory.identity(), is_preview=is_preview
        )
        findings = tuple(judge(inspection, ESSENTIAL_RULES))
        existing = {name: properties[name] for name in declaration.existing_extensions if name in properties}
        ids = {user: user for user in declaration.all_users}
        return PreflightResult(snapshot.principal, application, existing, owners, user_ids=ids, findings=findings)
    written = {build_full_name(application.app_id, name) for row in declaration.all_users.values() for name in row}
    types = {name: data_type_of(extension) for name, extension in properties.items() if name in written}
    asked = list(declaration.all_users)
    with ThreadPoolExecutor(1) as pool:  # two calls that need not wait for each other
        custom_claims = pool.submit(directory.custom_claims, snapshot.principal.id)
        read = directory.read_users(asked, list(types), PROFILE) if asked else {}
    users = {user: person for user, person in read.items() if person is not None}
    inspection = Inspection(
        declaration, snapshot, moment, properties, users, {}, custom_claims.result(), directory.identity(), is_preview
    )
    groups = snapshot.assigned_groups(with_value=True)
    if groups and users_without_role(inspection):
        inspection = replace(inspection, members=directory.direct_members(groups))
    facts = (snapshot.principal, application, properties, owners)
    return PreflightResult(
        *facts,
        policies=_names(snapshot.policies or ()),
        assigned=None if snapshot.assigned is None else _names(snapshot.assigned),
        signed=_names(policy for policy in snapshot.assigned or () if is_signed(policy.definition)),
        user_ids={user: users[user].id if user in users else user for user in asked},
        missing_users=_find_missing(directory, [user for user in asked if user not in users]),
        live_values={
            name: {user.id: data_type.from_wire(user.values.get(name)) for user in users.values()}
            for name, data_type in types.items()
        },
        findings=tuple(judge(inspection, RULES)),
    )


def _await_snapshot(directory: Directory, declaration: Declaration) -> PrincipalSnapshot:
    """The snapshot, once the tenant has both the principal and the application, or what it has after a minute."""

    def read() -> PrincipalSnapshot | None:
        try:
            snapshot = _read_snapshot(directory, declaration)
        except InspectionEnded as end:
            if end.may_pass:
                return None
            raise
        return snapshot if snapshot.application else None

    what = f"service principal '{declaration.service_principal}' and its application"
    try:
        return directory.wait_for(read, what, NEW_WITHIN)
    except StillPending:
        return _read_snapshot(directory, declaration)


def _read_snapshot(directory: Directory, declaration: Declaration) -> PrincipalSnapshot:
    owner = declaration.application
    if owner:
        application = directory.application(owner)
        if application is None:
            message = f"there is no application '{owner}' (appId or object id)"
            raise InspectionEnded("application-absent", "application", message)
        owner = application.app_id
    try:
        return directory.read_principal_snapshot(
            declaration.service_principal, owner=owner, policy_name=declaration.policy_name, roles=declaration.preflight
        )
    except PrincipalNotFound as problem:
        reference = declaration.service_principal
        if is_guid(reference) and (named := directory.application(reference)) and named.id == reference.lower():
            message = f"{reference} is the object id of application '{named.display_name}', not of a service principal"
            fix = f"give its appId {named.app_id}, or the object id of its service principal"
            raise InspectionEnded("principal-unknown", "servicePrincipal", message, fix, may_pass=False) from None
        raise InspectionEnded("principal-unknown", "servicePrincipal", problem.words, problem.hint) from None


def _read_properties(
    directory: Directory, declaration: Declaration, snapshot: PrincipalSnapshot, application: Application
) -> tuple[dict[str, ExtensionProperty], dict[str, str]]:
    """By full name: the properties of the application and of the other owners that the stack refers to; and whose."""
    properties = {extension.name: extension for extension in snapshot.properties}
    owners = dict.fromkeys(properties, application.id)
    others = sorted({owner_app_id(name) for name in declaration.existing_extensions if name not in properties})
    for owner in filter(None, directory.read_extension_owners(others).values()):
        properties |= {extension.name: extension for extension in owner.properties}
        owners |= {extension.name: owner.application.id for extension in owner.properties}
    return properties, owners


def _find_missing(directory: Directory, missing: list[str]) -> dict[str, str]:
    addresses = [user for user in missing if "@" in user][:HINTED]
    names = directory.find_names_by_mail(addresses) if addresses else {}
    return {user: names.get(user, "") for user in missing}


def _names(policies: Iterable[Policy]) -> dict[str, str]:
    return {policy.id: policy.display_name for policy in policies}
