"""The rules of preflight: pure functions over what was read of a tenant. They make no request. A rule takes an
`Inspection` and yields findings. A stack can change its level (`flexsaml:rules`). What concerns users is counted, with
the first names, because one disabled agent must not hide other findings. What the identity may not read is reported
once, as not looked at, and never taken for empty."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from flexsaml.claims import build_full_name, is_entity_id, is_flex_role, load_table
from flexsaml.findings import Finding
from flexsaml.graph import ExtensionProperty, User
from flexsaml.signing_keys import has_unusable_key, keep_usable_keys
from flexsaml.values import MAX_VALUES, DataType, InvalidValue

from .permissions import RULE as PERMISSION_MISSING
from .permissions import judge_permissions

if TYPE_CHECKING:
    from flexsaml.declaration import Declaration
    from flexsaml.graph import Identity, PrincipalSnapshot

# fmt: off
FIXED_RULES = (
    "principal-unknown", "application-absent", "extension-absent", "extension-twice", "value-misfit", "user-twice"
)
"""Nothing can be built with these findings: their level cannot be changed."""
_WARNINGS = (
    "principal-disabled", "signing-key-missing", "signing-key-expired", "signing-key-expiring", "signing-key-undated",
    "accept-mapped-claims", "entity-id", "sign-on-mode", "token-encryption",
    "claims-superseded", "app-role-unknown", "app-role-disabled", "user-disabled",
    "user-without-mail", "user-without-display-name", "user-without-role", "user-synced", "user-guest",
    "user-guest-pending",
)
# fmt: on
RULE_LEVELS = {
    **dict.fromkeys(FIXED_RULES, "error"),
    **dict.fromkeys(("owner-without-principal", "too-many-values", "extension-synced", PERMISSION_MISSING), "error"),
    **dict.fromkeys(_WARNINGS, "warning"),
    "not-looked-at": "info",
}
EXPIRES_SOON = timedelta(days=30)
COMMAND = "python -m flexsaml certificate --stack STACK"  # typed as it stands, it names no stack by mistake
CREATE = f"`{COMMAND} --create --out FILE`"
_PENDING = "have not accepted the invitation, which Entra asks for before the first sign-in"
_SYNCED = "are synchronised from on-premises, and whether Graph accepts their values is not confirmed"


@dataclass(frozen=True)
class Inspection:
    """What the rules judge: the declaration, and what was read of the tenant."""

    declaration: Declaration
    snapshot: PrincipalSnapshot
    now: datetime
    properties: Mapping[str, ExtensionProperty] = field(default_factory=dict)
    """By full name: those of the application, and of the owners of existing extensions."""
    users: Mapping[str, User] = field(default_factory=dict)
    """User as written to the user that is there, with the profile that was read."""
    members: Mapping[str, frozenset[str] | None] = field(default_factory=dict)
    """Group with a role to its direct members; None where they may not be read."""
    has_custom_claims: bool | None = False
    """Whether claims were set on the portal's claims page; None where that may not be read."""
    identity: Identity | None = None
    """Who asks, as the token says; None when it cannot be read."""
    is_preview: bool = False
    """Nothing is written by this run."""


Rule = Callable[[Inspection], Iterator[Finding]]


def judge(inspection: Inspection, rules: Sequence[Rule]) -> list[Finding]:
    """All findings, in the order of the rules."""
    return [finding for rule in rules for finding in rule(inspection)]


def judge_signing(declaration: Declaration, snapshot: PrincipalSnapshot, now: datetime) -> list[Finding]:
    """The findings about what Entra signs with, and whether it accepts mapped claims without."""
    return judge(Inspection(declaration, snapshot, now), (_signing_key, _accept_mapped_claims))


def build_finding(rule: str, where: str, message: str, fix: str = "") -> Finding:
    """A finding with the default level of its rule."""
    return Finding(rule, RULE_LEVELS[rule], where, message, fix)


def data_type_of(extension: ExtensionProperty) -> DataType:
    return DataType(extension.data_type, extension.multi_valued)


def users_without_role(inspection: Inspection) -> list[User]:
    """Users to whom no role with a value is given, directly or as a direct member of a group that was read."""
    holders = {user for users in _role_holders(inspection) for user in users or ()}
    return [user for user in inspection.users.values() if user.id not in holders]


def _own_extensions_by_full_name(inspection: Inspection) -> Iterator[Finding]:
    """Two baselines over one property would each record the other's value as the prior one."""
    for name, short in _own_names(inspection).items():
        if name in inspection.declaration.existing_extensions:
            message = f"is this stack's own; write '{short}'"
            yield build_finding("extension-twice", f"extension '{name}'", message)


def _absent_extensions(inspection: Inspection) -> Iterator[Finding]:
    own = _own_names(inspection)
    for name in inspection.declaration.existing_extensions:
        if name not in inspection.properties and name not in own:
            spelt = next((other for other in inspection.properties if other.lower() == name.lower()), None)
            fix = "correct its full name, or declare it in extensions; if it is new, run the same command again"
            if spelt:
                fix = f"it is spelt '{spelt}', and the token service distinguishes case"
            yield build_finding("extension-absent", f"extension '{name}'", "does not exist in this tenant", fix)


def _misfits(inspection: Inspection) -> Iterator[Finding]:
    """Values for existing properties, whose data type only the tenant knows."""
    for user, row in inspection.declaration.all_users.items():
        for name, value in row.items():
            try:
                if data_type := _existing_type(inspection, name):
                    data_type.canonical(value)
            except InvalidValue as problem:
                yield build_finding("value-misfit", f"users.{user}.{name}", str(problem))


def _too_many_values(inspection: Inspection) -> Iterator[Finding]:
    types = inspection.declaration.extensions
    for user, row in inspection.declaration.all_users.items():
        count = 0
        for name, value in row.items():
            data_type = types.get(name) or _existing_type(inspection, name)
            try:
                count += data_type.count_values(data_type.canonical(value)) if data_type else 1
            except InvalidValue:  # reported by its own rule
                count += 1
        if count > MAX_VALUES:
            message = f"{count} extension values; an object holds at most {MAX_VALUES}, over all applications"
            yield build_finding("too-many-values", f"users.{user}", message)


def _synced_extensions(inspection: Inspection) -> Iterator[Finding]:
    """Values for extensions that a synchronisation from on-premises made: it alone writes them (A)."""
    written = {name for row in inspection.declaration.all_users.values() for name in row}
    for name in sorted(written & set(inspection.declaration.existing_extensions)):
        if name in inspection.properties and inspection.properties[name].synced:
            message = "is synchronised from on-premises, and the synchronisation alone writes its values"
            fix = "change the values there, and take them out of users; claims may read the extension"
            yield build_finding("extension-synced", f"extension '{name}'", message, fix)


def _same_user_twice(inspection: Inspection) -> Iterator[Finding]:
    first: dict[str, str] = {}
    for written, user in inspection.users.items():
        if first.setdefault(user.id, written) != written:
            message = f"is the same user as '{first[user.id]}'"
            yield build_finding("user-twice", f"users.{written}", message, "keep one of them")


def _owner_without_principal(inspection: Inspection) -> Iterator[Finding]:
    declaration, application = inspection.declaration, inspection.snapshot.application
    if not inspection.snapshot.owner_has_principal and (declaration.extensions or declaration.all_users):
        name = application.display_name if application else ""
        consequence = "an extension of it never becomes usable without one"
        message = f"'{name}' has no service principal in this tenant, and {consequence}"
        fix = "create its enterprise application, for example `az ad sp create --id <appId>`"
        yield build_finding("owner-without-principal", "application", message, fix)


def _disabled_principal(inspection: Inspection) -> Iterator[Finding]:
    if not inspection.snapshot.enabled:
        message = "it is disabled, so nobody can sign in"
        yield build_finding("principal-disabled", "servicePrincipal", message, "enable it")


def _signing_key(inspection: Inspection) -> Iterator[Finding]:
    snapshot, now = keep_usable_keys(inspection.snapshot), inspection.now
    active, consequence = snapshot.find_active_key(), ""
    if not snapshot.has_signing_key(now):
        consequence = "; sign-ins with a claims mapping policy probably fail with AADSTS50146 (D for SAML)"
        if snapshot.accept_mapped_claims:
            consequence = "; it is not documented whether acceptMappedClaims takes its place for SAML"
    if active is None or (consequence and active.starts and active.starts > now):
        message = "it has no active SAML signing certificate"
        if has_unusable_key(inspection.snapshot):
            message = "its active SAML signing certificate has no private key in Entra, which probably cannot sign (D)"
        if active and active.starts:
            message = f"its signing certificate is not valid before {active.starts:%Y-%m-%d}"
        usable = next((key.thumbprint for key in snapshot.keys if key.is_valid(now)), "")
        fix = f"activate {usable}: `{COMMAND} --activate {usable}`" if usable else f"create one: {CREATE}"
        yield build_finding("signing-key-missing", "servicePrincipal", message + consequence, fix)
    elif active.ends and (consequence or not any(key.ends and key.ends > now + EXPIRES_SOON for key in snapshot.keys)):
        rule, verb, fix = "signing-key-expiring", "expires", f"replace it before that day: {CREATE}"
        if active.ends <= now:
            rule, verb, fix = "signing-key-expired", "expired", f"replace it: {CREATE}"
        message = f"its signing certificate {verb} on {active.ends:%Y-%m-%d}{consequence}"
        yield build_finding(rule, "servicePrincipal", message, fix)
    if snapshot.depends_on_undated_key(now):
        message = "its signing certificate has no dates, and it is not documented whether Entra signs with it"
        fix = f"create another one, and activate it: {CREATE}"
        yield build_finding("signing-key-undated", "servicePrincipal", message, fix)


def _accept_mapped_claims(inspection: Inspection) -> Iterator[Finding]:
    snapshot, message = keep_usable_keys(inspection.snapshot), ""
    if not snapshot.accept_mapped_claims or snapshot.has_signing_key(inspection.now):
        return
    uncovered = snapshot.find_uncovered_audience()
    if snapshot.multi_tenant:
        message = "acceptMappedClaims must not be used on a multi-tenant application"
    elif uncovered:
        consequence = "sign-ins probably fail with AADSTS501461 (D for SAML)"
        message = f"acceptMappedClaims does not cover the audience {uncovered}: {consequence}"
    if message:
        yield build_finding(
            "accept-mapped-claims", "application", message, f"use a signing certificate instead: {CREATE}"
        )


def _entity_id(inspection: Inspection) -> Iterator[Finding]:
    """Flex names itself by its entity ID in a request, and takes assertions for that audience only. Whether it is that
    of the right account only Twilio knows."""
    audiences = inspection.snapshot.audiences
    if audiences and not any(map(is_entity_id, audiences)):
        message = "none of its identifiers looks like the entity ID of Flex (urn:flex:JQ…), which is its audience"
        fix = "copy the entity ID from Twilio's SSO page to Identifier (Entity ID) on the portal's single sign-on page"
        yield build_finding("entity-id", "servicePrincipal", message, fix)


def _token_issuing(inspection: Inspection) -> Iterator[Finding]:
    """What decides about every assertion, and of which nobody documents what Flex gets (W6, W7)."""
    snapshot = inspection.snapshot
    if snapshot.sign_on_mode.lower() not in ("", "saml"):
        message = f"its single sign-on mode is '{snapshot.sign_on_mode}', and Entra starts it in that way"
        fix = "what a SAML sign-in gets is not documented; choose SAML on the portal's single sign-on page"
        yield build_finding("sign-on-mode", "servicePrincipal", message, fix)
    if snapshot.encrypts_tokens:
        message = "it has a tokenEncryptionKeyId: assertions are encrypted, and Twilio documents no key for Flex"
        yield build_finding("token-encryption", "servicePrincipal", message, "deactivate token encryption")


def _superseded_claims(inspection: Inspection) -> Iterator[Finding]:
    if inspection.has_custom_claims:
        message = "this stack's policy takes precedence over the claims that were set on the portal's claims page"
        fix = "they apply again once the policy is unassigned"
        yield build_finding("claims-superseded", "servicePrincipal", message, fix)


def _missing_permissions(inspection: Inspection) -> Iterator[Finding]:
    if inspection.identity is None:
        message = "its token is not readable, so whether it has the permissions of this stack is not known"
        yield build_finding("not-looked-at", "identity", message)
    elif finding := judge_permissions(inspection.identity, inspection.declaration, is_preview=inspection.is_preview):
        yield finding


def _app_roles(inspection: Inspection) -> Iterator[Finding]:
    """App roles that somebody holds, if the claim `roles` has them."""
    policy = inspection.declaration.policy
    source = str(policy.claims["roles"].source) if policy and "roles" in policy.claims else ""
    if source != "user.assignedroles":
        return
    assigned = [role for role in inspection.snapshot.roles or () if role.value]
    unknown = _quote_all(role.value for role in assigned if not is_flex_role(role.value))
    if unknown:
        message = f"assigned app roles have the values {unknown}, which are not roles of Flex (case matters)"
        fix = "it is not documented how Flex takes them; correct the value of the app role"
        yield build_finding("app-role-unknown", "servicePrincipal", message, fix)
    disabled = _quote_all(role.value for role in assigned if role.is_disabled)
    if disabled:
        message = f"assigned app roles with the values {disabled} are disabled, and nobody else can be given them"
        fix = "Entra documents for other tokens, and not for SAML, that who has them keeps them; enable them again"
        yield build_finding("app-role-disabled", "servicePrincipal", message, fix)


def _quote_all(values: Iterable[str]) -> str:
    return ", ".join(f"'{value}'" for value in sorted(set(values)))


def _lacks(key: str) -> Callable[[Mapping[str, object]], bool]:
    return lambda profile: not profile.get(key)


_USER_RULES: tuple[tuple[str, str, str, Callable[[Mapping[str, object]], bool]], ...] = (
    ("user-disabled", "", "are disabled and cannot sign in", lambda profile: profile["accountEnabled"] is False),
    ("user-guest", "", "are guests of the tenant", lambda profile: profile.get("userType") == "Guest"),
    ("user-guest-pending", "", _PENDING, lambda profile: profile.get("externalUserState") == "PendingAcceptance"),
    ("user-synced", "", _SYNCED, lambda profile: bool(profile.get("onPremisesSyncEnabled"))),
    ("user-without-mail", "user.mail", "have no mail address", _lacks("mail")),
    ("user-without-display-name", "user.displayname", "have no display name", _lacks("displayName")),
)
"""Rule, the source of a claim without which it does not matter ("" for none), message, condition on the profile."""


def _users(inspection: Inspection) -> Iterator[Finding]:
    readable = [user for user in inspection.users.values() if user.profile.get("accountEnabled") is not None]
    policy = inspection.declaration.policy
    sources = {"", *(str(claim.source) for claim in policy.claims.values())} if policy else {""}
    for rule, source, message, condition in _USER_RULES:
        if source in sources:
            lacking = (user for user in readable if condition(user.profile))
            yield from _count_users(rule, lacking, message, _describe_absence(inspection, source))
    roles_are_known = inspection.snapshot.roles is not None and None not in _role_holders(inspection)
    if "user.assignedroles" in sources and roles_are_known:
        without = users_without_role(inspection)
        message = "have no role of the application that has a value"
        has_textless_role = any(role.is_textless for role in inspection.snapshot.roles or ())  # gives what is D (S12)
        consequence = _describe_absence(inspection, "user.assignedroles", is_certain=not has_textless_role)
        if inspection.snapshot.assignment_required:  # W3 comes before Flex
            consequence += "; without any assignment Entra refuses it before (AADSTS50105)"
        yield from _count_users("user-without-role", without, message, consequence)


def _describe_absence(inspection: Inspection, source: str, *, is_certain: bool = True) -> str:
    """What a sign-in of a user does for whom this source of a claim has no value; "" for no source. `is_certain`:
    whether it is known that such a user gets no value."""
    policy = inspection.declaration.policy
    names = [name for name, claim in policy.claims.items() if str(claim.source) == source] if policy else []
    if any(name in load_table("flex")["mandatory"] for name in names):
        return f"Flex {'answers' if is_certain else 'probably answers'} their sign-in with error 45050"
    if "nameid" in names:
        return "it is not documented what Entra sends as their NameID then"
    return f"Entra leaves the claim {names[0]} out" if names else ""


def _not_looked_at(inspection: Inspection) -> Iterator[Finding]:
    snapshot = inspection.snapshot
    are_readable = [user.profile.get("accountEnabled") is not None for user in inspection.users.values()]
    unread = {
        "the policy that is assigned now": snapshot.assigned is None,
        "policies of the same name": snapshot.policies is None,
        "assigned roles": snapshot.roles is None,
        "members of groups with a role": snapshot.roles is not None and None in inspection.members.values(),
        "the custom claims policy": inspection.has_custom_claims is None,
        "verified domains": snapshot.accept_mapped_claims and snapshot.domains is None,
        "whether users are enabled, guests or synchronised": not all(are_readable),
    }
    names = [name for name, is_unread in unread.items() if is_unread]
    if names:
        message = f"it may not read {', '.join(names)}; there are no findings about them"
        yield build_finding("not-looked-at", "identity", message)


# fmt: off
ESSENTIAL_RULES: tuple[Rule, ...] = (
    _own_extensions_by_full_name, _absent_extensions, _misfits, _too_many_values, _missing_permissions,
)
"""Those that need no more than the token and the principal snapshot: they hold with preflight off, too."""
RULES: tuple[Rule, ...] = (
    *ESSENTIAL_RULES, _synced_extensions, _same_user_twice, _owner_without_principal, _disabled_principal, _signing_key,
    _accept_mapped_claims, _entity_id, _token_issuing, _superseded_claims, _app_roles, _users, _not_looked_at,
)
# fmt: on


def _own_names(inspection: Inspection) -> dict[str, str]:
    """Full name to short name of the extensions that this stack makes."""
    application = inspection.snapshot.application
    app_id = application.app_id if application else ""
    return {build_full_name(app_id, short): short for short in inspection.declaration.extensions}


def _existing_type(inspection: Inspection, name: str) -> DataType | None:
    """The data type of an existing extension that the stack refers to; None for any other name."""
    extension = inspection.properties.get(name)
    return data_type_of(extension) if extension and name in inspection.declaration.existing_extensions else None


def _role_holders(inspection: Inspection) -> list[frozenset[str] | None]:
    """For each assignment of a role with a value: whom it reaches; None where a group's members were not read."""
    return [role.user_ids(inspection.members) for role in inspection.snapshot.roles or () if role.value]


def _count_users(rule: str, users: Iterable[User], message: str, fix: str) -> Iterator[Finding]:
    """One finding about all of them; `message` is in the plural."""
    names = sorted(user.user_principal_name for user in users)
    if len(names) == 1:
        message = message.replace("are ", "is ", 1).replace("have ", "has ", 1).replace("guests", "a guest")
    if names:
        count = f"{len(names):,} user{'s' if len(names) > 1 else ''}"
        listed = f"{', '.join(names[:3])}{', …' if len(names) > 3 else ''}"
        yield build_finding(rule, "users", f"{count} {message} ({listed})", fix)
