"""What preflight has to say about a tenant it has seen: named rules over plain data, no request of its own.

Each rule is a small function that returns findings; its default level is in `LEVELS` and can be changed
for a stack (`flexsaml:rules`). UserReads's conditions are counted, with the first names, so that one disabled
agent blocks nobody. What the identity may not read is said once, as not looked at, and never as empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from flexsaml.declaration import Declaration
from flexsaml.findings import Finding
from flexsaml.graph import PrincipalSnapshot, User

LEVELS = {
    "principal-unknown": "error",
    "application-absent": "error",
    "owner-without-principal": "error",
    "extension-absent": "error",
    "extension-twice": "error",
    "value-misfit": "error",
    "too-many-values": "error",
    "user-twice": "error",
    "principal-disabled": "warning",
    "signing-key-missing": "warning",
    "signing-key-expired": "warning",
    "signing-key-expiring": "warning",
    "accept-mapped-claims": "warning",
    "claims-superseded": "warning",
    "permission-missing": "warning",
    "user-disabled": "warning",
    "user-without-mail": "warning",
    "user-without-display-name": "warning",
    "user-without-role": "warning",
    "user-synced": "warning",
    "user-guest": "warning",
    "not-looked-at": "info",
}
FIXED = frozenset(
    {"principal-unknown", "application-absent", "extension-absent", "extension-twice", "value-misfit", "user-twice"}
)
"""Nothing can be built with these: their level cannot be changed."""
SOON = timedelta(days=30)
ANSWERS_45050 = "Flex answers their sign-in with error 45050"


@dataclass(frozen=True)
class View:
    """Everything the rules judge. `members`: group to its direct members, None where it may not be read."""

    wanted: Declaration
    survey: PrincipalSnapshot
    now: datetime
    people: Mapping[str, User] = field(default_factory=dict)
    members: Mapping[str, frozenset[str] | None] = field(default_factory=dict)
    custom_claims: bool | None = False
    granted: frozenset[str] | None = None


def finding(rule: str, where: str, message: str, fix: str = "") -> Finding:
    return Finding(rule, LEVELS[rule], where, message, fix)


def conditions(view: View) -> list[Finding]:
    """All findings, in the order of the rules."""
    return [one for rule in _RULES for one in rule(view)]


def _owner(view: View) -> Iterator[Finding]:
    if not view.survey.owner_has_principal and (view.wanted.extensions or view.wanted.all_users):
        app = view.survey.application
        yield finding(
            "owner-without-principal",
            "application",
            f"'{app.display_name if app else ''}' has no service principal in this tenant, and an extension of it "
            "never becomes usable without one",
            "create its enterprise application, for example `az ad sp create --id <appId>`",
        )


def _principal(view: View) -> Iterator[Finding]:
    if not view.survey.enabled:
        yield finding("principal-disabled", "servicePrincipal", "it is disabled: nobody can sign in", "enable it")


def _signing_key(view: View) -> Iterator[Finding]:
    survey, where = view.survey, "servicePrincipal"
    active = next((key for key in survey.keys if key.thumbprint == survey.active_key), None)
    spare = [key for key in survey.keys if key.ends and key.ends > view.now + SOON and key is not active]
    if not survey.active_key or active is None:
        yield finding(
            "signing-key-missing",
            where,
            "it has no active SAML signing certificate; sign-ins with a claims mapping policy fail with AADSTS50146",
            "create one on the portal's single sign-on page, or with addTokenSigningCertificate",
        )
    elif active.ends and active.ends <= view.now and not spare:
        yield finding(
            "signing-key-expired", where, f"its signing certificate ended on {active.ends:%Y-%m-%d}", "renew it"
        )
    elif active.ends and active.ends <= view.now + SOON and not spare:
        yield finding(
            "signing-key-expiring", where, f"its signing certificate ends on {active.ends:%Y-%m-%d}", "renew it before"
        )


def _mapped_claims(view: View) -> Iterator[Finding]:
    survey = view.survey
    if not survey.accept_mapped_claims or survey.active_key:
        return
    verified = survey.domains or ()
    own = {survey.principal.app_id, f"api://{survey.principal.app_id}"}
    foreign = [one for one in survey.audiences if one not in own and not _within(one, verified)]
    if survey.multi_tenant:
        yield finding(
            "accept-mapped-claims",
            "application",
            "acceptMappedClaims must not be used on a multi-tenant application",
            "use a signing certificate instead",
        )
    elif foreign and survey.domains is not None:
        yield finding(
            "accept-mapped-claims",
            "application",
            f"acceptMappedClaims does not cover the audience {foreign[0]}: sign-ins fail with AADSTS501461",
            "use a signing certificate instead",
        )


def _within(audience: str, domains: Iterable[str]) -> bool:
    host = audience.split("://")[-1].split("/")[0].lower()
    return any(host == domain.lower() or host.endswith(f".{domain.lower()}") for domain in domains)


def _superseded(view: View) -> Iterator[Finding]:
    if view.custom_claims:
        yield finding(
            "claims-superseded",
            "servicePrincipal",
            "claims set on the portal's claims page (a custom claims policy) give way to this stack's policy",
            "they come back when the policy is unassigned",
        )


_NEEDED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("write the policy", ("Policy.ReadWrite.ApplicationConfiguration",)),
    ("read policies", ("Policy.Read.All",)),
    ("assign it and make extension properties", ("Application.ReadWrite.OwnedBy", "Application.ReadWrite.All")),
)


def _permissions(view: View) -> Iterator[Finding]:
    if view.granted is None:
        return
    users = (
        (("write users' values", ("User.ReadWrite.All", "Directory.ReadWrite.All")),) if view.wanted.all_users else ()
    )
    lacking = [f"{' or '.join(names)} to {what}" for what, names in (*_NEEDED, *users) if not view.granted & set(names)]
    if lacking:
        yield finding(
            "permission-missing",
            "identity",
            f"its token does not name {'; '.join(lacking)}",
            "grant them before `pulumi up`, unless a directory role covers them (a token does not show those)",
        )


def _counted(rule: str, people: Iterable[User], message: str, fix: str = "") -> Iterator[Finding]:
    names = sorted(person.user_principal_name for person in people)
    if names:
        count = f"{len(names):,} user{'s' if len(names) > 1 else ''}"
        yield finding(
            rule, "users", f"{count} {message} ({', '.join(names[:3])}{', …' if len(names) > 3 else ''})", fix
        )


def _people(view: View) -> Iterator[Finding]:
    seen = [person for person in view.people.values() if person.profile.get("accountEnabled") is not None]
    yield from _counted(
        "user-disabled", (one for one in seen if one.profile["accountEnabled"] is False), "cannot sign in: disabled"
    )
    yield from _counted(
        "user-guest", (one for one in seen if one.profile.get("userType") == "Guest"), "guests of the tenant"
    )
    yield from _counted(
        "user-synced",
        (one for one in seen if one.profile.get("onPremisesSyncEnabled")),
        "synchronised from on-premises; whether Graph takes their values is not confirmed",
    )
    sources = {str(claim.source) for claim in view.wanted.policy.claims.values()} if view.wanted.policy else set()
    if "user.mail" in sources:
        lacking = (one for one in seen if not one.profile.get("mail"))
        yield from _counted("user-without-mail", lacking, "without mail", ANSWERS_45050)
    if "user.displayname" in sources:
        lacking = (one for one in seen if not one.profile.get("displayName"))
        yield from _counted("user-without-display-name", lacking, "without a display name", ANSWERS_45050)
    if "user.assignedroles" in sources and view.survey.roles is not None:
        roles, blind = holders(view)
        if not blind:
            lacking = (one for one in view.people.values() if one.id not in roles)
            yield from _counted("user-without-role", lacking, "without a role of the application", ANSWERS_45050)


def holders(view: View) -> tuple[set[str], bool]:
    """Object ids with a role value, directly or as direct member of a group; and whether a group was unreadable."""
    with_value = [role.user_ids(view.members) for role in view.survey.roles or () if role.value]
    return {user for users in with_value for user in users or ()}, None in with_value


def _unseen(view: View) -> Iterator[Finding]:
    """What may not be read is said once."""
    survey, unseen = view.survey, []
    if survey.assigned is None:
        unseen.append("the policy assigned now")
    if survey.policies is None:
        unseen.append("policies of the same name")
    if survey.roles is None:
        unseen.append("assigned roles")
    elif any(one is None for one in view.members.values()):
        unseen.append("members of groups with a role")
    if view.custom_claims is None:
        unseen.append("the custom claims policy")
    if survey.accept_mapped_claims and survey.domains is None:
        unseen.append("verified domains")
    if any(person.profile.get("accountEnabled") is None for person in view.people.values()):
        unseen.append("whether users are enabled, guests or synchronised")
    if unseen:
        yield finding("not-looked-at", "identity", f"it may not read {', '.join(unseen)}; nothing is said about them")


_RULES: tuple[Callable[[View], Iterator[Finding]], ...] = (
    _owner,
    _principal,
    _signing_key,
    _mapped_claims,
    _superseded,
    _permissions,
    _people,
    _unseen,
)
