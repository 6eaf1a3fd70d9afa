"""Service principals and applications as they are created, changed and deleted, and their custom claims (beta)."""

from __future__ import annotations

from emulator.graph import render
from emulator.graph.call import Call
from emulator.graph.handlers.applications import application_of, principal_of
from emulator.messages import Reply
from emulator.tenant import custom_claims, principals


def patch_principal(call: Call) -> Reply:
    principals.patch_principal(call.store, principal_of(call), call.body())
    return render.no_content()


def patch_application(call: Call) -> Reply:
    principals.patch_application(call.store, application_of(call), call.body())
    return render.no_content()


def create_principal(call: Call) -> Reply:
    principal = principals.create_principal(call.store, call.body())
    return render.entity(call, "servicePrincipals/$entity", render.application(principal, (), single=True), 201)


def delete_principal(call: Call) -> Reply:
    principals.delete_principal(call.store, principal_of(call))
    return render.no_content()


def get_custom_claims(call: Call) -> Reply:
    principal = principal_of(call)
    body = custom_claims.find(call.store, principal)
    return render.entity(call, f"servicePrincipals('{principal.id}')/claimsPolicy/$entity", body)


def put_custom_claims(call: Call) -> Reply:
    custom_claims.put(call.store, principal_of(call), call.body())
    return render.no_content()


def patch_custom_claims(call: Call) -> Reply:
    custom_claims.patch(call.store, principal_of(call), call.body())
    return render.no_content()
