"""The objects that a live run makes in a tenant, all under a random mark, and their removal: what was made is removed by
its id and by its mark, so that neither a lost answer nor an index that lags leaves something behind."""

from __future__ import annotations

import re
import secrets
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from flexsaml.errors import UserError
from flexsaml.graph import OUTCOME_UNKNOWN, Client, Clock, Directory, GraphError, Malformed, NotFound

T = TypeVar("T")
MARK = re.compile(r"flexsaml-live-[0-9a-f]{8}")
ROLE = "live.role"
POLICIES = "/policies/claimsMappingPolicies"
_COLLECTIONS = {"policy": POLICIES, "user": "/users", "application": "/applications"}
"""Of what carries the mark itself, in the order of removal. All else goes with these objects."""
_PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0)
LIST_PAUSES = (0.0, 2.0, 3.0, 5.0, 10.0, 15.0, 15.0, 20.0, 20.0, 30.0)
"""Seconds before each list of what carries a mark, where an empty list is not believed."""


def make_mark() -> str:
    return f"flexsaml-live-{secrets.token_hex(4)}"


class LostAnswer(UserError):
    """Nobody knows whether an object was made, so that the run cannot go on with it."""


@dataclass(frozen=True)
class ScratchUser:
    id: str
    upn: str
    password: str = field(repr=False)


@dataclass
class Scratch:
    """What was made so far. `identifier`: the name by which sign-ins ask for the application. `removal`: the command
    that removes everything of the mark."""

    client: Client
    directory: Directory
    clock: Clock
    mark: str
    reply_url: str
    removal: str
    application_id: str = ""
    app_id: str = ""
    principal_id: str = ""
    users: list[ScratchUser] = field(default_factory=list)
    mail: str = ""
    """The address of the user who signs in, in a domain that is not the tenant's; "" if the tenant does not take it."""
    policy_ids: list[str] = field(default_factory=list)
    unsure: set[str] = field(default_factory=set)
    """Collections that may have an object of which no id is known: its POST was not answered."""
    secrets: set[str] = field(default_factory=set)
    """Names and ids of this run, which no report may contain."""

    @property
    def identifier(self) -> str:
        return f"api://{self.app_id}"

    @property
    def agent(self) -> ScratchUser:
        """The user who signs in."""
        return self.users[0]

    @property
    def other_user(self) -> ScratchUser:
        """The user of experiments without a sign-in."""
        return self.users[1]

    def full_name(self, extension: str) -> str:
        return f"extension_{self.app_id.replace('-', '')}_{extension}"

    def make(self, domain: str) -> None:
        """The application with two roles (one without a text), its service principal with a signing certificate, and
        two users."""
        self.secrets |= {self.mark, domain}
        roles = [_describe_role(ROLE), _describe_role(None)]
        body: dict[str, Any] = {"displayName": self.mark, "signInAudience": "AzureADMyOrg", "appRoles": roles}
        body["web"] = {"redirectUris": [self.reply_url]}
        application = self._post("/applications", body, self._find_application)
        self.application_id, self.app_id = application["id"], application["appId"]
        self.secrets |= {self.application_id, self.app_id}
        path = f"/applications/{self.application_id}"
        self._retry(lambda: self.client.write("PATCH", path, {"identifierUris": [self.identifier]}))
        principal = {"appId": self.app_id, "preferredSingleSignOnMode": "saml"}
        path = f"/servicePrincipals(appId='{self.app_id}')"
        self.principal_id = self._post("/servicePrincipals", principal, lambda: self.client.entity(path))["id"]
        self.secrets.add(self.principal_id)
        self._add_certificate()
        self.make_user(domain)
        self.make_user(domain)
        self._set_mail()
        for role in roles:
            assignment = {"principalId": self.agent.id, "resourceId": self.principal_id, "appRoleId": role["id"]}
            self._post(f"/servicePrincipals/{self.principal_id}/appRoleAssignedTo", assignment)

    def _add_certificate(self) -> None:
        path = f"/servicePrincipals/{self.principal_id}"
        made = self._post(f"{path}/addTokenSigningCertificate", {"displayName": f"CN={self.mark}"})
        thumbprint = str(made["thumbprint"])
        self.secrets.add(thumbprint)
        self._retry(lambda: self.client.write("PATCH", path, {"preferredTokenSigningKeyThumbprint": thumbprint}))

    def make_user(self, domain: str) -> ScratchUser:
        password = f"Aa1!{secrets.token_urlsafe(24)}"
        name = f"{self.mark}-{len(self.users) + 1}"
        upn = f"{name}@{domain}"
        self.secrets |= {upn, name, password}
        profile = {"password": password, "forceChangePasswordNextSignIn": False}
        body: dict[str, Any] = {
            "accountEnabled": True,
            "displayName": self.mark,
            "mailNickname": name,
            "userPrincipalName": upn,
        }
        named = {"givenName": "Live", "surname": "Suite"}
        body |= {**named, "passwordProfile": profile}
        user_id = self._post("/users", body, lambda: self.client.entity(f"/users/{upn}"))["id"]
        self.secrets.add(user_id)
        self.users.append(ScratchUser(user_id, upn, password))
        return self.users[-1]

    def _set_mail(self) -> None:
        mail = f"{self.mark}@elsewhere.example"
        with suppress(Malformed):  # the questions that need it are undecided then
            self._retry(lambda: self.client.write("PATCH", f"/users/{self.agent.id}", {"mail": mail}))
            self.mail = mail

    @contextmanager
    def watch(self, collection: str) -> Iterator[None]:
        """Around a POST: notes the collection unless Graph's answer says what became of it."""
        self.unsure.add(collection)
        try:
            yield
        except GraphError as problem:
            if not isinstance(problem, OUTCOME_UNKNOWN):
                self.unsure.discard(collection)
            raise
        self.unsure.discard(collection)

    def _post(
        self, path: str, body: dict[str, Any], find: Callable[[], dict[str, Any] | None] = lambda: None
    ) -> dict[str, Any]:
        """POST until Graph knows what the body and the path refer to. Where the answer is lost, `find` reads the object
        for two minutes. Raises LostAnswer if it does not show."""
        try:
            with self.watch(path):
                return self._retry(lambda: self.client.write("POST", path, body))
        except OUTCOME_UNKNOWN as problem:
            if made := self._wait_for(find):
                self.unsure.discard(path)
                return made
            raise LostAnswer(
                f"{problem.operation}: {problem.words}; it may have been carried out, and what it makes does not show: "
                f"the run ends and removes what it made; should something of {self.mark} be left: {self.removal}"
            ) from problem

    def _wait_for(self, find: Callable[[], dict[str, Any] | None]) -> dict[str, Any] | None:
        for pause in LIST_PAUSES:
            self.clock.sleep(pause)
            with suppress(GraphError):
                if made := find():
                    return made
        return None

    def _find_application(self) -> dict[str, Any] | None:
        named = {"$filter": f"displayName eq '{self.mark}'", "$select": "id,appId"}
        return next(iter(self.client.pages("/applications", params=named)), None)

    def _retry(self, send: Callable[[], T]) -> T:
        """What was made a moment ago may be unknown where the next request arrives: 404, or 400 for a reference."""
        for pause in _PAUSES:
            try:
                return send()
            except (NotFound, Malformed):
                self.clock.sleep(pause)
        return send()


def _describe_role(value: str | None) -> dict[str, Any]:
    name = value or "live role without text"
    role = {"id": str(uuid.uuid4()), "displayName": name, "description": name, "value": value}
    return {**role, "isEnabled": True, "allowedMemberTypes": ["User"]}


@dataclass
class Removal:
    """`removed`: the paths of what is gone. `left`: a line about each object or list that failed, by its path."""

    removed: set[str] = field(default_factory=set)
    left: dict[str, str] = field(default_factory=dict)

    def describe(self) -> str:
        """What was removed, like "1 of /applications, 2 of /users"."""
        numbers = Counter(path.rpartition("/")[0] for path in self.removed)
        return ", ".join(f"{number} of {collection}" for collection, number in sorted(numbers.items()))


def remove(client: Client, directory: Directory, mark: str, known: Scratch | None = None) -> Removal:
    """Removes everything of that mark. Policies go first, then users, whose values go with them, and the application,
    which takes its principal, roles and extension properties along. Unless all ids are `known`, lists are asked for two
    minutes, since they lag."""
    removal = Removal()
    for pause in LIST_PAUSES if known is None or known.unsure & set(_COLLECTIONS.values()) else (0.0,):
        client.clock.sleep(pause)
        listed = _find(client, directory, mark, removal.left)
        for kind, path in dict.fromkeys((*listed, *_list_known(known))):
            if path in removal.removed:
                continue
            try:
                if kind == "policy":
                    _unassign(directory, path.rpartition("/")[2])
                _delete(client, path)
            except GraphError as problem:
                removal.left[path] = f"{kind} {path}: {problem}"
            else:
                removal.left.pop(path, None)
                removal.removed.add(path)
    listed_only = removal.removed - {path for _, path in _list_known(known)}
    for collection in set(_COLLECTIONS.values()) & (known.unsure if known else set()):
        if collection not in {path.rpartition("/")[0] for path in listed_only}:
            removal.left[collection] = f"POST {collection}: it may have been carried out, and no list shows it yet"
    return removal


def remove_policies(directory: Directory, mark: str) -> None:
    """Unassigns and deletes the policies of that mark which are listed."""
    for policy in directory.policies(mark):
        _unassign(directory, policy.id)
        directory.delete_policy(policy.id)


def _unassign(directory: Directory, policy_id: str) -> None:
    for principal in directory.applies_to(policy_id):
        directory.unassign(principal, policy_id)


def _find(client: Client, directory: Directory, mark: str, left: dict[str, str]) -> list[tuple[str, str]]:
    """Kind and path of what carries the mark; `left` has a line about each collection that could not be listed."""
    named = {"$filter": f"displayName eq '{mark}'", "$select": "id"}

    def list_ids(collection: str) -> list[str]:
        if collection == POLICIES:
            return [policy.id for policy in directory.policies(mark)]
        return [str(body["id"]) for body in client.pages(collection, params=named)]

    listed: list[tuple[str, str]] = []
    for kind, collection in _COLLECTIONS.items():
        try:
            listed += [(kind, f"{collection}/{object_id}") for object_id in list_ids(collection)]
        except GraphError as problem:
            left[collection] = f"{collection} of {mark}: {problem}"
        else:
            left.pop(collection, None)
    return listed


def _delete(client: Client, path: str) -> None:
    """A 404 counts once three in a row say it: a replica may not know yet what was made a moment ago."""
    for pause in (1.0, 2.0, 0.0):
        with suppress(NotFound):
            client.write("DELETE", path)
            return
        client.clock.sleep(pause)


def _list_known(known: Scratch | None) -> Iterator[tuple[str, str]]:
    """What was made may be missing from lists, which lag."""
    if known:
        yield from (("policy", f"{POLICIES}/{policy_id}") for policy_id in known.policy_ids)
        yield from (("user", f"/users/{user.id}") for user in known.users)
        if known.application_id:
            yield "application", f"/applications/{known.application_id}"
