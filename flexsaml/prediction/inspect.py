"""One look at a tenant for predictions: the principal, the policy assigned to it, who may sign in. Reads only.

The survey is one round trip; members of assigned groups are read in pages side by side (direct members only, rule S12);
users in batches or listings, whichever is fewer requests. What the identity may not read is handed on as such. Calls
and permissions: flexsaml/graph, which each read goes through.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from flexsaml.claims import is_full_name, owner_app_id
from flexsaml.graph import (
    Directory,
    Forbidden,
    Malformed,
    Policy,
    PrincipalSnapshot,
    RoleAssignment,
    User,
)
from flexsaml.graph import PrincipalNotFound as UnknownPrincipal

from .policy import SignInPolicy
from .subject import Agent, Place, property_of

_ALWAYS = ("accountEnabled", "mail", "givenName", "surname")
_ELSEWHERE = "the application that owns the extension is not in this tenant"


class PrincipalNotFound(Exception):
    """Why there is nothing to predict from, in one line that says what to do."""


@dataclass(frozen=True)
class Agents:
    """Who was found; `unseen` says what may not be read and whom it concerns."""

    people: tuple[Agent, ...]
    unseen: tuple[str, ...] = ()


def survey(directory: Directory, reference: str) -> PrincipalSnapshot:
    """The principal of that exact name, appId or object id. Raises `PrincipalNotFound`."""
    try:
        return directory.read_principal_snapshot(reference)
    except UnknownPrincipal as problem:
        raise PrincipalNotFound(str(problem)) from None


def assigned_policy(directory: Directory, seen: PrincipalSnapshot) -> Policy:
    """The one policy that decides (S1). Raises `PrincipalNotFound`, or `GraphError` where neither side may be read."""
    name, assigned = seen.principal.display_name, seen.assigned
    found = directory.policies_applied_to(seen.principal.id) if assigned is None else assigned
    if not found:
        raise PrincipalNotFound(
            f"no claims mapping policy is assigned to '{name}', and what the portal was told cannot be read (S2); "
            "run `pulumi up`, or predict a file with --policy"
        )
    if len(found) > 1:
        several = ", ".join(f"'{one.display_name}' ({one.id})" for one in found)
        raise PrincipalNotFound(
            f"{len(found)} policies are assigned to '{name}' and a sign-in follows one: {several}; unassign others"
        )
    return found[0]


def place(directory: Directory, seen: PrincipalSnapshot, policies: Iterable[SignInPolicy], now: datetime) -> Place:
    """The principal and its tenant, with the extensions those policies read."""
    types = _extensions(directory, seen, {name for one in policies for name in one.extensions})
    active = next((one for one in seen.keys if one.thumbprint == seen.active_key), None)
    valid = any(one.ends is None or one.ends > now for one in seen.keys)  # Entra falls back on another one (W5)
    return Place(
        principal_id=seen.principal.id,
        app_id=seen.principal.app_id,
        display_name=seen.principal.display_name,
        tenant_id=seen.tenant_id,
        enabled=seen.enabled,
        assignment_required=seen.assignment_required,
        has_key=active is not None and valid,
        accept_mapped_claims=seen.accept_mapped_claims,
        tags=seen.tags,
        domains=seen.domains,
        country=seen.country,
        extensions=types,
    )


def one_agent(
    directory: Directory, seen: PrincipalSnapshot, where: Place, policies: Sequence[SignInPolicy], reference: str
) -> Agents:
    """One user by UPN or object id. Raises `PrincipalNotFound`."""
    absent = PrincipalNotFound(
        f"there is no user '{reference}' in this tenant; give a user principal name or an object id"
    )
    if reference.strip() in ("", ".", ".."):  # no path names anybody by these
        raise absent
    with ThreadPoolExecutor(1) as beside:  # two reads that need not wait for each other
        members = beside.submit(directory.direct_members, _groups(seen))
        found, unread = _people(directory, where, policies, [reference])
        person = found[reference]
        if person is None:
            raise absent
        return Agents((_agent(person, seen, members.result(), unread),), _unseen(seen, members.result()))


def all_agents(directory: Directory, seen: PrincipalSnapshot, where: Place, policies: Sequence[SignInPolicy]) -> Agents:
    """Everybody assigned to the principal, directly or as a direct member of a group that is."""
    members = directory.direct_members(_groups(seen))
    own = [one.principal_id for one in seen.roles or () if one.kind == "User"]
    ids = list(dict.fromkeys([*own, *sorted({id_ for found in members.values() for id_ in found or ()})]))
    found, unread = _people(directory, where, policies, ids)
    shown = [_agent(person, seen, members, unread) for person in found.values() if person is not None]
    return Agents(tuple(sorted(shown, key=lambda one: one.upn)), _unseen(seen, members))


def _groups(seen: PrincipalSnapshot) -> list[str]:
    return sorted({one.principal_id for one in seen.roles or () if one.kind == "Group"})


def _people(
    directory: Directory, where: Place, policies: Sequence[SignInPolicy], references: Sequence[str]
) -> tuple[dict[str, User | None], dict[str, str]]:
    """Users with what the policies read, and the extensions that no read may name, with the reason.

    An extension whose owner is not in this tenant may exist all the same, so its value is asked for; whether Graph
    takes a name it does not know is not documented, so one user is asked first.
    """
    ids = sorted({id_ for one in policies for source, id_ in one.ids if source == "user"})
    profile = dict.fromkeys([*_ALWAYS, *filter(None, map(property_of, ids))])
    properties = [one for one in profile if one not in ("id", "userPrincipalName")]
    named = sorted({name for one in policies for name in one.extensions} & set(where.extensions))
    foreign = {name: _ELSEWHERE for name in named if not where.extensions[name]}
    if foreign and references:
        try:
            directory.read_users(references[:1], sorted(foreign))
        except Malformed:
            named = [name for name in named if name not in foreign]
            return directory.read_users(references, named, properties), foreign
    return directory.read_users(references, named, properties) if references else {}, {}


def _agent(
    person: User, seen: PrincipalSnapshot, members: Mapping[str, frozenset[str] | None], unread: Mapping[str, str]
) -> Agent:
    mine = [one for one in seen.roles or () if _reaches(one, person.id, members)]
    roles = {one.value for one in mine if one.value}
    dark = [one for one in seen.roles or () if one.kind == "Group" and members.get(one.principal_id) is None]
    dark = [one for one in dark if (one.value and one.value not in roles) or not mine]
    blind = f"members of the group '{dark[0].display_name}' may not be read (GroupMember.Read.All)" if dark else ""
    if seen.roles is None:
        blind = "who is assigned may not be read (Application.Read.All)"
    return Agent(
        id=person.id,
        upn=person.user_principal_name,
        properties=person.profile,
        values=person.values,
        roles=tuple(sorted(roles)),
        assigned=bool(mine),
        blind=blind,
        unread=unread,
    )


def _reaches(one: RoleAssignment, person: str, members: Mapping[str, frozenset[str] | None]) -> bool:
    return one.principal_id == person or (one.kind == "Group" and person in (members.get(one.principal_id) or ()))


def _unseen(seen: PrincipalSnapshot, members: Mapping[str, frozenset[str] | None]) -> tuple[str, ...]:
    if seen.roles is None:
        return ("who is assigned to the application (Application.Read.All)",)
    names = {one.principal_id: one.display_name for one in seen.roles}
    return tuple(
        f"members of the group '{names[group]}' (GroupMember.Read.All)"
        for group, found in members.items()
        if found is None
    )


def _extensions(directory: Directory, seen: PrincipalSnapshot, names: set[str]) -> dict[str, str]:
    """Types of the properties on the applications that own those names, "" where the owner was not seen."""
    foreign: dict[str, str] = {}
    properties = list(seen.properties)
    owners = {name: owner_app_id(name) for name in names if is_full_name(name)}
    for owner in sorted(set(owners.values())):
        if owner == seen.principal.app_id.lower() and seen.application is not None:
            continue
        try:
            application = directory.application(owner)
            properties += directory.extension_properties(application.id) if application else []
        except Forbidden:
            application = None
        if application is None:
            foreign |= {name: "" for name in owners if owners[name] == owner}
    return foreign | {one.name: f"{one.data_type}{'[]' if one.multi_valued else ''}" for one in properties}
