"""Claims mapping policies and their links to service principals.

Quirks: the link is written through `/$ref` with an absolute `@odata.id` (A), of which two path forms are accepted (B);
without `/$ref` the gateway refuses the write (A).
"""

from __future__ import annotations

from emulator.errors import write_not_contained
from emulator.graph import render
from emulator.graph.call import GraphCall
from emulator.graph.handlers.applications import principal_of
from emulator.graph.query import parse_filter
from emulator.messages import Reply
from emulator.tenant import policies
from emulator.tenant.records import PolicyRecord
from emulator.types import Attributes

_CONTEXT = "policies/claimsMappingPolicies"


def list_policies(call: GraphCall) -> Reply:
    rule = parse_filter(call.query, {"displayName", "id"}.__contains__, "Policy")
    listed = call.store.policy_view.read_all(call.store.policies.values())
    matching = [policy for policy in listed if rule is None or rule(render.policy(policy))]
    return render.page(call, _CONTEXT, matching, lambda policy: _body(call, policy), served={"$filter"})


def create_policy(call: GraphCall) -> Reply:
    policy = policies.create(call.store, call.body())
    return render.entity(call, f"{_CONTEXT}/$entity", render.policy(policy), 201)


def get_policy(call: GraphCall) -> Reply:
    policy = policies.find(call.store, call.guid("policy"))
    return render.entity(call, f"{_CONTEXT}/$entity", _body(call, policy))


def patch_policy(call: GraphCall) -> None:
    policies.patch(call.store, call.guid("policy"), call.body())


def delete_policy(call: GraphCall) -> None:
    policies.delete(call.store, call.guid("policy"))


def list_principals_of(call: GraphCall) -> Reply:
    policy = policies.find(call.store, call.guid("policy"))
    current = [link for link in call.store.links.values() if link.policy_id == policy.id]
    links = call.store.link_view.read_all(current, lambda link: link.policy_id == policy.id)
    kind = {"@odata.type": "#microsoft.graph.servicePrincipal"}
    rows = [{**kind, "id": link.service_principal_id, "deletedDateTime": None} for link in links]
    return render.page(call, "directoryObjects", rows, lambda row: render.selected(row, call.query.select))


def list_assigned(call: GraphCall) -> Reply:
    return render.page(
        call,
        "Collection(microsoft.graph.claimsMappingPolicy)",
        policies.list_assigned(call.store, principal_of(call)),
        lambda policy: {"@odata.id": _odata_id(call, policy), **_body(call, policy)},
    )


def assign(call: GraphCall) -> None:
    principal = principal_of(call)
    policies.assign(call.store, principal, call.referenced_id(_CONTEXT))


def assign_without_ref(_call: GraphCall) -> None:
    raise write_not_contained()


def unassign(call: GraphCall) -> None:
    policies.unassign(call.store, principal_of(call), call.guid("policy"))


def _body(call: GraphCall, policy: PolicyRecord) -> Attributes:
    return render.selected(render.policy(policy), call.query.select)


def _odata_id(call: GraphCall, policy: PolicyRecord) -> str:
    directory_object = f"{call.request.origin}/v2/{call.store.tenant_id}/directoryObjects/{policy.id}"
    return f"{directory_object}/Microsoft.DirectoryServices.ClaimsMappingPolicy"
