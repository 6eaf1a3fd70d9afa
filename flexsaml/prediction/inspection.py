"""Predictions from a tenant: reads the principal, its policy and its users. Reads only. Members of assigned groups are
read in pages side by side (direct members only, rule S12). What the identity may not read is reported, not guessed."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime

from flexsaml.claims import is_full_name, owner_app_id
from flexsaml.errors import UserError
from flexsaml.graph import Directory, Forbidden, Malformed, Policy, PrincipalSnapshot, User
from flexsaml.signing_keys import has_unusable_key, keep_usable_keys

from .pattern_process import PatternProcess
from .policy import SignInPolicy
from .predict import Prediction, predict_sign_in
from .sources import Agent, SignInTarget, find_property

_ALWAYS_READ = (
    "accountEnabled", "mail", "givenName", "surname", "userType", "creationType", "externalUserState",
    "onPremisesSyncEnabled",
)  # fmt: skip
_FOREIGN = "the application that owns the extension is not in this tenant"
_MEMBERS = "GroupMember.Read.All, and Member.Read.Hidden if its membership is hidden"
_ENCRYPTED = "its value is encrypted, and only the engine can read it"

GroupMembers = Mapping[str, "frozenset[str] | None"]


class NothingToPredict(UserError):
    """There is no single policy, or no such user, to predict a sign-in from."""


@dataclass(frozen=True)
class DeclaredValues:
    """What a stack would write before the sign-in. `types`: full name of an extension to its data type. `values`: user
    in lower case to full name to JSON value. `encrypted`: user in lower case ("" for everybody) to the extensions whose
    values only the engine can read; `encrypted_paths`: where the stack file has them."""

    types: Mapping[str, str]
    values: Mapping[str, Mapping[str, object]]
    encrypted: Mapping[str, frozenset[str]] = field(default_factory=dict)
    encrypted_paths: tuple[str, ...] = ()

    def write_values(self, agent: Agent, synced: Collection[str]) -> Agent:
        """The user once the values are written; those of `synced` extensions only the synchronisation writes."""
        keys = (agent.upn.lower(), agent.id.lower())
        written = {name: value for key in keys for name, value in self.values.get(key, {}).items()}
        values = {name: value for name, value in written.items() if name not in synced}
        foreign = {name: why for name, why in agent.unreadable_extensions.items() if name not in self.types}
        encrypted = frozenset().union(*(self.encrypted.get(key, ()) for key in ("", *keys)))
        unreadable = {**foreign, **dict.fromkeys(encrypted, _ENCRYPTED)}
        known = frozenset(values) - encrypted
        return replace(agent, values={**agent.values, **values}, unreadable_extensions=unreadable, declared=known)


@dataclass(frozen=True)
class Scenario:
    """What a sign-in is predicted by: a policy, and what its stack would write first, None for nothing."""

    policy: SignInPolicy
    declared: DeclaredValues | None = None


@dataclass(frozen=True)
class SignInPredictions:
    """`by_scenario`: for each scenario the predictions of the same users, sorted by user principal name. `unread`: what
    could not be read."""

    by_scenario: tuple[tuple[Prediction, ...], ...]
    unread: tuple[str, ...]


def predict_sign_ins(
    directory: Directory, snapshot: PrincipalSnapshot, scenarios: Sequence[Scenario], now: datetime, user: str | None
) -> SignInPredictions:
    """The sign-ins of one user (UPN or object id), or of everybody assigned to the principal. Raises `NothingToPredict`
    if there is no such user."""
    policies = [scenario.policy for scenario in scenarios]
    target = _read_target(directory, snapshot, policies, now)
    members: GroupMembers
    if user is None:
        members = directory.direct_members(snapshot.assigned_groups())
        ids = {id_ for role in snapshot.roles or () for id_ in role.user_ids(members) or ()}
        users, unreadable = _read_users(directory, target, policies, sorted(ids))
    else:
        with ThreadPoolExecutor(1) as pool:  # two reads that do not depend on each other
            reading = pool.submit(directory.direct_members, snapshot.assigned_groups())
            users, unreadable = _read_users(directory, target, policies, [user] if user.strip(" .") else [])
            members = reading.result()
        if not users:
            problem = f"there is no user '{user}' in this tenant"
            raise NothingToPredict(f"{problem}; give a user principal name or an object id")
    agents = sorted((_make_agent(user, snapshot, members, unreadable) for user in users), key=lambda agent: agent.upn)
    paths = [path for scenario in scenarios if scenario.declared for path in scenario.declared.encrypted_paths]
    with PatternProcess() as patterns:
        by_scenario = tuple(
            tuple(_predict(scenario, target, agent, patterns) for agent in agents) for scenario in scenarios
        )
    unread = (*_list_unread(snapshot, members), *(f"{path}: {_ENCRYPTED}" for path in paths))
    return SignInPredictions(by_scenario, unread)


def _predict(scenario: Scenario, target: SignInTarget, agent: Agent, patterns: PatternProcess) -> Prediction:
    if scenario.declared:
        target = replace(target, extensions={**target.extensions, **scenario.declared.types})
        agent = scenario.declared.write_values(agent, target.synced)
    return predict_sign_in(scenario.policy, target, agent, patterns)


def find_assigned_policy(directory: Directory, snapshot: PrincipalSnapshot) -> Policy:
    """The only policy that decides (S1). Raises `NothingToPredict`, or `GraphError` if it cannot be read."""
    name, policies = snapshot.principal.display_name, snapshot.assigned
    if policies is None:
        policies = tuple(directory.policies_applied_to(snapshot.principal.id))
    if not policies:
        raise NothingToPredict(
            f"no claims mapping policy is assigned to '{name}', and the claims of the portal cannot be read (S2); "
            "run `pulumi up`, or give a policy with --policy"
        )
    if len(policies) > 1:
        names = ", ".join(f"'{policy.display_name}' ({policy.id})" for policy in policies)
        raise NothingToPredict(
            f"{len(policies)} policies are assigned to '{name}', and a sign-in follows one; unassign others: {names}"
        )
    return policies[0]


def _read_target(
    directory: Directory, snapshot: PrincipalSnapshot, policies: Iterable[SignInPolicy], now: datetime
) -> SignInTarget:
    """The principal and its tenant, with every extension on the applications whose extensions the policies read."""
    names = {name for policy in policies for name in policy.extensions if is_full_name(name)}
    own = {snapshot.principal.app_id.lower()} if snapshot.application else set()
    others = sorted({owner_app_id(name) for name in names} - own)
    try:
        applications = directory.read_extension_owners(others)
    except Forbidden:
        applications = dict.fromkeys(others)
    properties = list(snapshot.properties)
    for application in applications.values():
        properties += application.properties if application else ()
    unreadable = [name for name in names if owner_app_id(name) in others and not applications[owner_app_id(name)]]
    types = {item.name: f"{item.data_type}{'[]' if item.multi_valued else ''}" for item in properties}
    synced = frozenset(item.name for item in properties if item.synced)
    usable = keep_usable_keys(snapshot)
    if not usable.tenant_id:  # Graph did not say; a token names its tenant, too
        identity = directory.identity()
        usable = replace(usable, tenant_id=identity.tenant_id if identity else "")
    return SignInTarget(
        usable, usable.has_signing_key(now), usable.depends_on_undated_key(now), has_unusable_key(snapshot),
        dict.fromkeys(unreadable, "") | types, synced,
    )  # fmt: skip


def _read_users(
    directory: Directory, target: SignInTarget, policies: Sequence[SignInPolicy], references: Sequence[str]
) -> tuple[list[User], dict[str, str]]:
    """Users with what the policies read, and the extensions that no request may name, with the reason. An extension
    whose application is not in this tenant may exist all the same, so its value is requested. Whether Graph accepts a
    name that it does not know is not documented, so the first request is for one user only."""
    if not references:
        return [], {}
    ids = sorted({id_ for policy in policies for id_ in policy.user_ids})
    properties = dict.fromkeys((*_ALWAYS_READ, *filter(None, map(find_property, ids))))
    names = [name for name in properties if name not in ("id", "userPrincipalName")]
    extensions = sorted({name for policy in policies for name in policy.extensions} & set(target.extensions))
    foreign = {name: _FOREIGN for name in extensions if not target.extensions[name]}
    if foreign:
        try:
            directory.read_users(references[:1], sorted(foreign), confirms_absence=False)
            foreign = {}
        except Malformed:
            extensions = [name for name in extensions if name not in foreign]
    users = directory.read_users(references, extensions, names)
    return [user for user in users.values() if user is not None], foreign


def _make_agent(user: User, snapshot: PrincipalSnapshot, members: GroupMembers, unreadable: Mapping[str, str]) -> Agent:
    own = [role for role in snapshot.roles or () if user.id in (role.user_ids(members) or ())]
    values = sorted({role.value for role in own if role.value})
    enabled = {role.value for role in own if not role.is_disabled}
    no_permission = "there is no permission to read who is assigned (Application.Read.All)"
    reason = "" if snapshot.roles is not None else no_permission
    for role in snapshot.roles or ():
        decides = not own or (role.value and role.value not in values)
        if role.user_ids(members) is None and decides and not reason:
            reason = f"there is no permission to read the members of '{role.display_name}' ({_MEMBERS})"
    upn = user.user_principal_name
    may_have_twice = any(role.user_ids(members) is None and role.value in values for role in snapshot.roles or ())
    return Agent(
        user.id, upn, user.profile, user.values, tuple(values), assigned=bool(own),
        has_textless_role=any(role.is_textless for role in own),
        has_disabled_role=not enabled.issuperset(values),
        has_role_twice=may_have_twice or len(values) < sum(bool(role.value) for role in own), roles_unreadable=reason,
        unreadable_extensions=unreadable,
    )  # fmt: skip


def _list_unread(snapshot: PrincipalSnapshot, members: GroupMembers) -> list[str]:
    if snapshot.roles is None:
        return ["who is assigned to the application (Application.Read.All)"]
    groups = {role.principal_id: role.display_name for role in snapshot.roles if role.user_ids(members) is None}
    return [f"members of the group '{name}' ({_MEMBERS})" for name in groups.values()]
