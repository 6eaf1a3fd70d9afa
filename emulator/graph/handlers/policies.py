"""Claims mapping policies and their links to service principals.

Quirks tamed: the link is written through `/$ref` with an absolute `@odata.id` (A), of which two path forms are
accepted (B); without `/$ref` the gateway refuses the write (A).
"""

from __future__ import annotations

from emulator.errors import write_not_contained
from emulator.graph import render
from emulator.graph.call import Call
from emulator.graph.handlers.applications import principal_of
from emulator.graph.handlers.references import referred
from emulator.graph.query import parse_filter
from emulator.messages import Reply
from emulator.tenant import policies
from emulator.tenant.records import Policy

_CONTEXT = "policies/claimsMappingPolicies"


def list_policies(call: Call) -> Reply:
    keep = parse_filter(call.query, {"displayName", "id"}.__contains__, "Policy")
    seen = call.store.seen_policies.see_all(call.store.policies.values())
    found = [p for p in seen if keep is None or keep({"displayName": p.display_name, "id": p.id})]
    shown = call.query.select
    return render.page(call, _CONTEXT, found, lambda p: render.selected(render.policy(p), shown), served={"$filter"})


def create_policy(call: Call) -> Reply:
    made = policies.create(call.store, call.body())
    return render.entity(call, f"{_CONTEXT}/$entity", render.policy(made), 201)


def get_policy(call: Call) -> Reply:
    found = policies.find(call.store, call.guid("policy"))
    return render.entity(call, f"{_CONTEXT}/$entity", render.selected(render.policy(found), call.query.select))


def patch_policy(call: Call) -> Reply:
    policies.patch(call.store, call.guid("policy"), call.body())
    return render.no_content()


def delete_policy(call: Call) -> Reply:
    policies.delete(call.store, call.guid("policy"))
    return render.no_content()


def applies_to(call: Call) -> Reply:
    found = policies.find(call.store, call.guid("policy"))
    links = [link for link in call.store.links.values() if link.policy_id == found.id]
    seen = call.store.seen_links.see_all(links, lambda link: link.policy_id == found.id)
    return render.page(
        call,
        "directoryObjects",
        [link.service_principal_id for link in seen],
        lambda principal_id: render.selected(
            {
                "@odata.type": "#microsoft.graph.servicePrincipal",
                "id": principal_id,
                "deletedDateTime": None,
            },
            call.query.select,
        ),
    )


def list_assigned(call: Call) -> Reply:
    principal = principal_of(call)
    return render.page(
        call,
        "Collection(microsoft.graph.claimsMappingPolicy)",
        policies.of_principal(call.store, principal),
        lambda p: {**_odata_id(call, p), **render.selected(render.policy(p), call.query.select)},
    )


def _odata_id(call: Call, policy: Policy) -> dict[str, str]:
    where = f"{call.request.origin}/v2/{call.store.tenant_id}/directoryObjects/{policy.id}"
    return {"@odata.id": f"{where}/Microsoft.DirectoryServices.ClaimsMappingPolicy"}


def assign(call: Call) -> Reply:
    principal = principal_of(call)
    policies.assign(call.store, principal, referred(call.body().get("@odata.id"), (_CONTEXT,)))
    return render.no_content()


def assign_without_ref(_call: Call) -> Reply:
    raise write_not_contained()


def unassign(call: Call) -> Reply:
    policies.unassign(call.store, principal_of(call), call.guid("policy"))
    return render.no_content()
