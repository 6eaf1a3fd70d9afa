"""Claims mapping policies and their assignment to a service principal, v1.0. Paths: /policies/claimsMappingPolicies and
/servicePrincipals/{id}/claimsMappingPolicies/$ref (which application it is for). POST 201, PATCH 204 (omitted
properties stay, the assignment survives), DELETE 204, $ref POST/DELETE 204. 404: gone, or not replicated yet; right
after a create $ref answers it too (B), which is waited out. 409/400 on $ref: that link exists (B), or another policy is
assigned (C/D); a read decides which. Quirks: never send `description`, the POST then answers 404 (A); names are not
unique (D), so a new policy is recognised by its definition; reading needs Policy.Read.All once a policy exists (A); a
missing link is 404 or 400 (B). Whether others use a policy is the caller's question (`applies_to`)."""

from contextlib import suppress
from functools import partial

from flexsaml.json_values import load_json

from .batch import body_of
from .directory_calls import DirectoryCalls, Wait
from .errors import Conflict, Forbidden, NotFound, StillPending
from .models import Policy
from .shapes import check_entity
from .urls import literal, segment

POLICIES = "/policies/claimsMappingPolicies"
LINKABLE_WITHIN = 60.0


def named(display_name: str) -> dict[str, object]:
    """The query for policies of that name."""
    return {"$filter": f"displayName eq {literal(display_name)}"}


def same_definition(live: str, wanted: str) -> bool:
    """Equal text, or equal JSON: nothing documents that every tenant keeps the text byte for byte."""
    try:
        return live == wanted or load_json(live) == load_json(wanted)
    except ValueError:
        return False


class Policies(DirectoryCalls):
    """Claims mapping policies and assignments."""

    def policies(self, display_name: str) -> list[Policy]:
        """All policies of exactly that name; names are not unique."""
        listed = self._client.pages(POLICIES, params=named(display_name))
        return [policy for policy in map(Policy.read, listed) if policy.display_name == display_name]

    def policy(self, policy_id: str) -> Policy | None:
        """None only after a confirmed 404."""
        return self._unless_absent(lambda: self._policy(policy_id))

    def create_policy(self, *, display_name: str, definition: str) -> Policy:
        """POST, then wait until it can be read."""

        def created() -> Policy | None:
            policies = self.policies(display_name)
            return next((policy for policy in policies if same_definition(policy.definition, definition)), None)

        body = {"definition": [definition], "displayName": display_name, "isOrganizationDefault": False}
        result = self._client.write("POST", POLICIES, body, landed=created)
        policy = result if isinstance(result, Policy) else Policy.read(check_entity(POLICIES, result))
        self.wait_for(lambda: self._readable(policy.id), f"GET {POLICIES}/{policy.id} after its creation")
        return policy

    def update_policy(self, policy_id: str, *, display_name: str, definition: str) -> None:
        """PATCH, then wait until the new definition shows. The assignment stays as it is."""

        def shows() -> bool:
            try:
                live = self._policy(policy_id)
            except NotFound:  # a stale replica; the PATCH itself reports a policy that is gone
                return False
            return live.display_name == display_name and same_definition(live.definition, definition)

        path = _path(policy_id)
        self._client.write("PATCH", path, {"definition": [definition], "displayName": display_name})
        self.wait_for(shows, f"GET {path} after the change of its definition")

    def delete_policy(self, policy_id: str) -> None:
        """DELETE; a policy that is gone already is a success. Take its assignments away first."""
        self._delete(_path(policy_id))

    def applies_to(self, policy_id: str) -> list[str]:
        """Object ids of what the policy is assigned to; [] also when it is gone, which three answers must say."""

        def listed() -> tuple[list[str]]:
            bodies = self._client.pages(f"{_path(policy_id)}/appliesTo", params={"$select": "id"})
            return ([str(body["id"]) for body in bodies],)

        return (self._unless_absent(listed) or ([],))[0]

    def assigned_policies(self, service_principal_id: str) -> list[Policy]:
        """The policies assigned to a service principal; the service allows one."""
        return [Policy.read(body) for body in self._client.pages(_links(service_principal_id))]

    def policies_applied_to(self, service_principal_id: str) -> list[Policy]:
        """The same, read from each policy: this needs Policy.Read.All and no right to write (A: I6)."""
        listed = [Policy.read(body) for body in self._client.pages(POLICIES)]
        answers = self._client.read_batch([f"{_path(policy.id)}/appliesTo?$select=id" for policy in listed])
        applied = []
        for policy, answer in zip(listed, answers, strict=True):
            if isinstance(answer.failure, NotFound):
                continue
            bodies = self._client.rest_of(answer.request.url, body_of(answer))
            applied += [policy] if service_principal_id in [body["id"] for body in bodies] else []
        return applied

    def is_assigned(self, service_principal_id: str, policy_id: str) -> bool:
        """False only once three reads in a row did not show it. A principal that is gone has no assignment."""
        return bool(self._unless_absent(lambda: self._is_linked(service_principal_id, policy_id)))

    def stays_assigned(self, service_principal_id: str, policy_id: str) -> bool:
        """True only once three reads in a row showed it: a list may be older than the removal of an assignment."""
        return not self._unless_absent(lambda: not self._is_linked(service_principal_id, policy_id))

    def assign(self, service_principal_id: str, policy_id: str) -> None:
        """Link, then wait until the list shows it. Linked already: a success. Another policy linked: Conflict."""
        links = _links(service_principal_id)
        body = {"@odata.id": f"{self._client.cloud.graph}/v1.0{_path(policy_id)}"}
        linked = partial(self._is_linked, service_principal_id, policy_id)
        wait = Wait(self._client, f"POST {links}/$ref for the new policy {policy_id}", LINKABLE_WITHIN)
        while True:
            try:
                self._client.write("POST", f"{links}/$ref", body, landed=linked)
                break
            except NotFound as error:  # right after a create: not replicated yet, and certainly not carried out
                try:
                    wait.pause()
                except StillPending:
                    raise error from None
            except Conflict:
                if linked():
                    return
                raise
        self.wait_for(linked, f"GET {links} after the assignment of policy {policy_id}")

    def unassign(self, service_principal_id: str, policy_id: str) -> None:
        """Unlink, then wait until the list no longer shows it. Not linked: a success."""
        links = _links(service_principal_id)

        def unlinked() -> bool:
            return not self._is_linked(service_principal_id, policy_id)

        self._delete(f"{links}/{segment(policy_id)}/$ref")
        self.wait_for(unlinked, f"GET {links} after the removal of policy {policy_id}")

    def _is_linked(self, service_principal_id: str, policy_id: str) -> bool:
        try:
            return any(policy.id == policy_id for policy in self.assigned_policies(service_principal_id))
        except NotFound:  # the service principal is gone, and its links with it; or a stale replica
            return False

    def _policy(self, policy_id: str) -> Policy:
        return Policy.read(self._client.entity(_path(policy_id)))

    def _readable(self, policy_id: str) -> bool:
        try:
            with suppress(Forbidden):  # it exists: an identity that may write but not read must not lose its id
                self._policy(policy_id)
        except NotFound:
            return False
        return True


def _path(policy_id: str) -> str:
    return f"{POLICIES}/{segment(policy_id)}"


def _links(service_principal_id: str) -> str:
    return f"/servicePrincipals/{segment(service_principal_id)}/claimsMappingPolicies"
