"""What a registration needs, beside what exists: pure data. A step is one write to Graph; what it names and does not
know yet is a reference, which an earlier step gives. The order is: what a later step names, then credentials, then
consents, which most identities may not give, so that a refusal leaves everything else complete."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flexsaml.errors import UserError
from flexsaml.graph import GRAPH_APP_ID, GraphPermissions, Registration

from .credentials import Certificate, Federation

MARK = "flexsaml-setup"
"""The tag by which `setup` recognises what it made."""
SECRET_NAME = "flexsaml setup"  # noqa: S105 - its display name
APPLICATION, CLIENT, PRINCIPAL = (f"\0{name}\0" for name in ("APPLICATION", "CLIENT", "PRINCIPAL"))
"""References: object id and appId of the registration, object id of its service principal. An argument of a command
cannot hold a NUL."""
REFERENCE = re.compile("\0([A-Z]+)\0")

Json = dict[str, Any]


@dataclass(frozen=True)
class OwnedObject:
    """An object that the registration must own. `collection`: applications or servicePrincipals."""

    collection: str
    id: str
    display_name: str


@dataclass(frozen=True)
class Wanted:
    """What is asked for. `permissions`: name to what it is for. `secret_ends`: None without a secret."""

    name: str
    permissions: Mapping[str, Sequence[str]]
    as_person: bool = False
    owned: tuple[OwnedObject, ...] = ()
    federations: tuple[Federation, ...] = ()
    audience: str = ""
    certificate: Certificate | None = None
    secret_ends: datetime | None = None
    renews_secret: bool = False


@dataclass(frozen=True)
class Existing:
    """What the tenant has. `owners`: object id to the object ids of its owners."""

    graph: GraphPermissions
    registration: Registration | None = None
    owners: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One thing that must be there, and the write that makes it. `title` names it, `purpose` says what for. `gives`:
    reference to the property of the answer. `is_there`: nothing to do. `gives_rights`: to whoever can sign in as the
    registration."""

    title: str
    purpose: str
    method: str
    path: str
    body: Json = field(repr=False)
    is_there: bool = False
    gives: Mapping[str, str] = field(default_factory=dict)
    is_secret: bool = False
    gives_rights: bool = False


def plan_steps(wanted: Wanted, existing: Existing, *, graph_url: str, now: datetime) -> list[Step]:
    """All that is wanted, in the order in which it is made. `graph_url`: root of the cloud's Graph."""
    own = existing.registration
    return [
        *_plan_application(wanted, existing),
        Step(
            "its service principal", "stands for it in this tenant", "POST", "/servicePrincipals", {"appId": CLIENT},
            is_there=bool(own and own.principal_id), gives={PRINCIPAL: "id"},
        ),
        *(_plan_owner(target, existing, graph_url) for target in wanted.owned),
        *(_plan_federation(federation, wanted.audience, own) for federation in wanted.federations),
        *([_plan_certificate(wanted.certificate, own)] if wanted.certificate else []),
        *([_plan_secret(wanted, own, now)] if wanted.secret_ends else []),
        *(_plan_scopes(wanted, existing) if wanted.as_person else _plan_roles(wanted, existing)),
    ]  # fmt: skip


def list_surplus(wanted: Wanted, existing: Existing) -> list[str]:
    """Permissions on Microsoft Graph that were consented to and that the stack does not take."""
    if existing.registration is None:
        return []
    granted = [name for name, id_ in existing.graph.roles.items() if id_ in existing.registration.roles]
    granted += existing.registration.grant.scopes if existing.registration.grant else ()
    return sorted(set(granted) - set(wanted.permissions))


def references_of(registration: Registration | None) -> dict[str, str]:
    """What is known of the references before the first step."""
    if registration is None:
        return {}
    known = {APPLICATION: registration.id, CLIENT: registration.app_id, PRINCIPAL: registration.principal_id}
    return {reference: value for reference, value in known.items() if value}


def _permission_ids(wanted: Wanted, graph: GraphPermissions) -> dict[str, str]:
    offered = graph.scopes if wanted.as_person else graph.roles
    missing = [name for name in wanted.permissions if name not in offered]
    if missing:
        raise UserError(f"Microsoft Graph of this tenant has no permission called {missing[0]}; check the cloud")
    return {name: offered[name] for name in wanted.permissions}


def _plan_application(wanted: Wanted, existing: Existing) -> list[Step]:
    own, ids = existing.registration, _permission_ids(wanted, existing.graph)
    kind = "Scope" if wanted.as_person else "Role"
    asked = [{"id": id_, "type": kind} for id_ in ids.values()]
    settings: Json = {"isFallbackPublicClient": True} if wanted.as_person else {}
    body = {
        "displayName": wanted.name, "signInAudience": "AzureADMyOrg", "tags": [MARK], **settings,
        "requiredResourceAccess": [{"resourceAppId": GRAPH_APP_ID, "resourceAccess": asked}],
    }  # fmt: skip
    purpose = "a person signs in as it, by device code" if wanted.as_person else "the identity that runs `pulumi`"
    gives = {APPLICATION: "id", CLIENT: "appId"}
    title = f"application registration '{wanted.name}' (tag {MARK})"
    steps = [Step(title, purpose, "POST", "/applications", body, is_there=own is not None, gives=gives)]
    if own is None:
        return steps
    missing = [access for access in asked if not own.requests(access["id"])]
    if missing or (wanted.as_person and not own.is_public_client):
        change = {**settings, "requiredResourceAccess": _with_access(own.requested, missing)}
        path, what = f"/applications/{APPLICATION}", "what it asks for"
        steps.append(Step(what, "its own list of permissions, as the portal shows it", "PATCH", path, change))
    return steps


def _with_access(requested: Sequence[Json], missing: Sequence[Json]) -> list[Json]:
    """The list that is there, with more permissions on Microsoft Graph: a PATCH replaces all of it."""
    others = [item for item in requested if item.get("resourceAppId") != GRAPH_APP_ID]
    kept = [
        access
        for item in requested
        if item.get("resourceAppId") == GRAPH_APP_ID
        for access in item.get("resourceAccess") or ()
    ]
    return [*others, {"resourceAppId": GRAPH_APP_ID, "resourceAccess": [*kept, *missing]}]


def _plan_owner(target: OwnedObject, existing: Existing, graph_url: str) -> Step:
    own = existing.registration
    is_there = bool(own and own.principal_id and own.principal_id in existing.owners.get(target.id, ()))
    kind = "application" if target.collection == "applications" else "service principal"
    title = f"owner of the {kind} '{target.display_name}' ({target.id})"
    purpose = "Application.ReadWrite.OwnedBy counts for what it owns, and for nothing else"
    body = {"@odata.id": f"{graph_url}/v1.0/directoryObjects/{PRINCIPAL}"}
    path = f"/{target.collection}/{target.id}/owners/$ref"
    return Step(title, purpose, "POST", path, body, is_there=is_there, gives_rights=True)


def _plan_federation(federation: Federation, audience: str, own: Registration | None) -> Step:
    existing = [(item.issuer, item.subject) for item in own.federated] if own else []
    body = {
        "name": federation.name, "issuer": federation.issuer, "subject": federation.subject, "audiences": [audience]
    }  # fmt: skip
    title = f"federated credential {federation.subject}"
    path = f"/applications/{APPLICATION}/federatedIdentityCredentials"
    is_there = (federation.issuer, federation.subject) in existing
    return Step(title, f"tokens of {federation.issuer}; nothing is stored", "POST", path, body, is_there=is_there)


def _plan_certificate(certificate: Certificate, own: Registration | None) -> Step:
    name = f"flexsaml {certificate.thumbprint}"
    kept = list(own.keys) if own else []
    is_there = any(key.get("key") == certificate.key for key in kept)  # anybody's may have the name
    new = {
        "type": "AsymmetricX509Cert", "usage": "Verify", "key": certificate.key, "displayName": name,
        "startDateTime": _time(certificate.starts), "endDateTime": _time(certificate.ends),
    }  # fmt: skip
    days = f"from {certificate.starts:%Y-%m-%d} until {certificate.ends:%Y-%m-%d}"  # its start may be in the future
    title = f"certificate {certificate.thumbprint} ({certificate.subject}), valid {days}"
    path, body = f"/applications/{APPLICATION}", {"keyCredentials": [*kept, new]}
    return Step(title, "who has its private key signs in", "PATCH", path, body, is_there=is_there)


def _plan_secret(wanted: Wanted, own: Registration | None, now: datetime) -> Step:
    ends = wanted.secret_ends or now
    valid = [secret for secret in own.secrets if secret.display_name == SECRET_NAME] if own else []
    valid = [secret for secret in valid if secret.ends is None or secret.ends > now]
    is_there = bool(valid) and not wanted.renews_secret
    known = valid[-1].ends if is_there else ends
    title = f"client secret, until {known:%Y-%m-%d}" if known else "client secret"
    body = {"passwordCredential": {"displayName": SECRET_NAME, "endDateTime": _time(ends)}}
    path = f"/applications/{APPLICATION}/addPassword"
    return Step(title, "who has it signs in", "POST", path, body, is_there=is_there, is_secret=True)


def _plan_roles(wanted: Wanted, existing: Existing) -> list[Step]:
    own, graph = existing.registration, existing.graph
    path = f"/servicePrincipals/{graph.id}/appRoleAssignedTo"
    return [
        Step(
            f"consent to {name}", f"to {', '.join(wanted.permissions[name])}", "POST", path,
            {"principalId": PRINCIPAL, "resourceId": graph.id, "appRoleId": id_},
            is_there=bool(own and id_ in own.roles), gives_rights=True,
        )
        for name, id_ in _permission_ids(wanted, graph).items()
    ]  # fmt: skip


def _plan_scopes(wanted: Wanted, existing: Existing) -> list[Step]:
    """One consent holds all delegated permissions; each is a step of its own only to show what it is for."""
    grant = existing.registration.grant if existing.registration else None
    held = grant.scopes if grant else frozenset()
    scopes = " ".join(sorted({*held, *wanted.permissions}))
    is_there = set(wanted.permissions) <= held
    purposes = "; ".join(f"{name} to {', '.join(purposes)}" for name, purposes in wanted.permissions.items())
    title = f"consent for all users to {', '.join(wanted.permissions)}"
    if grant:
        path, body = f"/oauth2PermissionGrants/{grant.id}", {"scope": scopes}
        return [Step(title, purposes, "PATCH", path, body, is_there=is_there, gives_rights=True)]
    body = {"clientId": PRINCIPAL, "consentType": "AllPrincipals", "resourceId": existing.graph.id, "scope": scopes}
    return [Step(title, purposes, "POST", "/oauth2PermissionGrants", body, is_there=is_there, gives_rights=True)]


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
