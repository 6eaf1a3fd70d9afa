"""What an experiment works with: Graph, the scratch objects, a policy that is put in force, and sign-ins. Every wait is
bounded, and goes through the clock."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from xml.etree import ElementTree

from flexsaml.graph import Client, Clock, Conflict, Directory, NotAvailable, NotFound, Refused, StillPending
from tests.emulator.signin import Assertion, read
from tests.live.experiment import Outcome, Undecided
from tests.live.scratch import POLICIES, Scratch
from tests.live.signin import SignIn

_OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
_GRAPH_PAUSES = (0.5, 1.0, 2.0, 4.0, 5.0)
_SIGN_IN_PAUSES = (10.0, 10.0, 20.0, 30.0)
_MARKS = ("live_mark", "live_mark_last")
"""Constants at both ends of a policy: whichever arrives shows that the sign-in followed this policy."""


@dataclass(frozen=True)
class Waited:
    """`early`: tries that came too early."""

    early: int
    seconds: float

    def outcome(self, dial: str) -> Outcome:
        observations = {"too_early": self.early, "seconds": round(self.seconds, 1)}
        return Outcome("later" if self.early else "at-once", observations, {dial: self.early})


@dataclass
class Workbench:
    client: Client
    directory: Directory
    clock: Clock
    scratch: Scratch
    sign_in: SignIn | None
    domain: str
    """A verified domain of the tenant."""
    transformations_key: str = "ClaimsTransformation"
    """The spelling that this tenant takes, once that is known."""
    waits: list[Waited] = field(default_factory=list)
    """How long sign-ins took to follow each policy."""
    ends: float = float("inf")
    """When the running experiment must end."""
    _policy_id: str = ""
    spacing: float = 0.0
    """Seconds between two sign-ins: Entra may take a quick succession for a client that loops (AADSTS50196)."""
    _latest_sign_in: float = float("-inf")
    _marks: Iterator[int] = field(default_factory=count)

    @property
    def properties(self) -> str:
        return f"/applications/{self.scratch.application_id}/extensionProperties"

    # -- Graph ---------------------------------------------------------------------------------------------------

    def refusal(self, method: str, path: str, body: object = None) -> Refused | None:
        """Sends a request; None if it was accepted."""
        try:
            self.client.write(method, path, body)
        except Refused as refused:
            return refused
        return None

    def answer_to_link(self, links: str, policy_id: str) -> Refused | None:
        """What Graph answers to an assignment, once it knows the policy; None if it accepts it."""
        answers: list[Refused | None] = []

        def is_known() -> bool:
            answers.append(self.refusal("POST", f"{links}/$ref", self.reference(policy_id)))
            return not isinstance(answers[-1], NotFound)

        self.measure(is_known)
        return answers[-1]

    def measure(self, shows: Callable[[], bool], pauses: tuple[float, ...] = _GRAPH_PAUSES) -> Waited:
        """Tries until `shows()`. Raises Undecided when the experiment's time is over."""
        start, early = self.clock.now(), 0
        while not shows():
            pause = pauses[min(early, len(pauses) - 1)]
            early += 1
            if self.clock.now() + pause > self.ends:
                raise Undecided(f"not within {self.clock.now() - start:.0f} s and {early} tries")
            self.clock.sleep(pause)
        return Waited(early, self.clock.now() - start)

    def accepts_value(self, user: str, values: Mapping[str, Any]) -> bool:
        try:
            self.client.write("PATCH", user, values)
        except NotAvailable:
            return False
        return True

    def links(self, links: str, policy_id: str) -> bool:
        """Whether an assignment is accepted, of a policy that may still be unknown there."""
        try:
            self.client.write("POST", f"{links}/$ref", self.reference(policy_id))
        except NotFound:
            return False
        return True

    def read_beta(self, path: str) -> dict[str, Any] | None:
        """None for a 404."""
        try:
            return self.client.get(path, version="beta")
        except NotFound:
            return None

    def post_property(self, name: str, *, multi_valued: bool = False) -> dict[str, Any]:
        """The body of a new property, by the request alone: the product's own call expects certain answers."""
        body = {"name": name, "dataType": "String", "isMultiValued": multi_valued, "targetObjects": ["User"]}
        made: dict[str, Any] = self.client.write("POST", self.properties, body)
        return made

    def require_mail(self) -> str:
        """The address of the user who signs in."""
        if not self.scratch.mail:
            raise Undecided("the tenant did not take a mail address of another domain for the test user")
        return self.scratch.mail

    def make_extension(self, name: str, *, multi_valued: bool = False) -> str:
        """The full name of a new property, which is usable. One that was answered with 201 may be lost: it is posted
        once more if it does not become usable."""
        made = self.post_property(name, multi_valued=multi_valued)
        with suppress(StillPending):
            self.directory.wait_usable([made["name"]])
            return str(made["name"])
        with suppress(Conflict):
            self.post_property(name, multi_valued=multi_valued)
        self.directory.wait_usable([made["name"]])
        return str(made["name"])

    def write_values(self, values: Mapping[str, Any]) -> None:
        """Of the user who signs in."""
        user = f"/users/{self.scratch.agent.id}"
        self.measure(lambda: self.accepts_value(user, values))

    def is_readable(self, path: str) -> bool:
        try:
            self.client.get(path)
        except NotFound:
            return False
        return True

    @contextmanager
    def policy(self, definition: str = '{"ClaimsMappingPolicy":{"Version":1,"IncludeBasicClaimSet":"false"}}') -> Any:
        """The id of a policy for this experiment, which is deleted after it."""
        with self.scratch.watch(POLICIES):
            body = self.client.write("POST", POLICIES, {"definition": [definition], "displayName": self.scratch.mark})
        self.scratch.policy_ids.append(str(body["id"]))
        try:
            yield str(body["id"])
        finally:
            for principal in self.directory.applies_to(body["id"]):
                self.directory.unassign(principal, body["id"])
            self.directory.delete_policy(body["id"])

    def reference(self, policy_id: str) -> dict[str, str]:
        """The body that assigns a policy."""
        return {"@odata.id": f"{self.client.cloud.graph}/v1.0{POLICIES}/{policy_id}"}

    # -- sign-ins ------------------------------------------------------------------------------------------------

    def observe(
        self,
        *entries: Mapping[str, Any],
        basic: bool = False,
        transformation: Mapping[str, Any] | None = None,
        key: str = "",
    ) -> Assertion:
        """Signs in until the assertion follows a policy of these entries, and of a transformation under this key (by
        default the one that this tenant takes). Raises Refused when Graph does not take the
        policy, Undecided when no sign-in followed it in time."""
        mark = str(next(self._marks))
        first, last = ({"Value": mark, "SamlClaimType": name} for name in _MARKS)
        body = {"Version": 1, "IncludeBasicClaimSet": str(basic).lower(), "ClaimsSchema": [first, *entries, last]}
        if transformation:
            body[key or self.transformations_key] = [transformation]
        self._put_policy(json.dumps({"ClaimsMappingPolicy": body}))
        latest: list[Assertion] = []

        def follows() -> bool:
            latest[:] = [self._read_sign_in()]
            return any(latest[0].values.get(name) == [mark] for name in _MARKS)

        self.waits.append(self.measure(follows, _SIGN_IN_PAUSES))
        return latest[0]

    def transform(self, method: str, inputs: Mapping[str, str], parameters: Mapping[str, str]) -> dict[str, Any]:
        """A transformation `live` from entries (reference to kind) and constants; its output is `live_output`."""
        return {
            "ID": "live",
            "TransformationMethod": method,
            "InputClaims": [
                {"ClaimTypeReferenceId": reference, "TransformationClaimType": kind}
                for reference, kind in inputs.items()
            ],
            "InputParameters": [{"ID": name, "Value": value} for name, value in parameters.items()],
            "OutputClaims": [{"ClaimTypeReferenceId": "live_output", "TransformationClaimType": "outputClaim"}],
        }

    def _read_sign_in(self) -> Assertion:
        if self.sign_in is None:
            raise Undecided("it needs a sign-in")
        self.clock.sleep(max(0.0, self._latest_sign_in + self.spacing - self.clock.now()))
        response = self.sign_in.sign_in(self.scratch, self.ends - self.clock.now())
        self._latest_sign_in = self.clock.now()
        try:
            assertion = read(response)
        except (AssertionError, ValueError, ElementTree.ParseError):
            raise Undecided("the response has no assertion that can be read") from None
        if assertion.values.get(_OBJECT_ID, [self.scratch.agent.id]) != [self.scratch.agent.id]:
            raise Undecided("somebody else signed in: use a private window, and the user that the page names")
        return assertion

    def _put_policy(self, definition: str) -> None:
        name = self.scratch.mark
        if self._policy_id:
            self.directory.update_policy(self._policy_id, display_name=name, definition=definition)
            return
        with self.scratch.watch(POLICIES):
            self._policy_id = self.directory.create_policy(display_name=name, definition=definition).id
        self.scratch.policy_ids.append(self._policy_id)
        self.directory.assign(self.scratch.principal_id, self._policy_id)


def transformed(claim_type: str) -> dict[str, str]:
    """The entry that sends the output of the transformation `live`."""
    return {"Source": "transformation", "ID": "live_output", "TransformationID": "live", "SamlClaimType": claim_type}


def constants(values: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"Value": value, "SamlClaimType": name} for name, value in values]
