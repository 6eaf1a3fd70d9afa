"""If this goes red, the roster's writer writes the wrong user, writes what did not change, or does not say what changed."""

from __future__ import annotations

import pytest

from tests.engine.stack import Tenant
from tests.providers.process import FakeEngine, Props, ProviderProcess, Refused, packed

KIND = "UserExtensionValues"


def inputs_of(tenant: Tenant, values: dict[str, dict[str, str]], **more: object) -> Props:
    """`values`: user's short name to extension's short name to value."""
    names = {name for cells in values.values() for name in cells}
    cells = {
        f"{user}@contoso.example": {tenant.full(name): value for name, value in row.items()}
        for user, row in values.items()
    }
    ids = {f"{user}@contoso.example": tenant.user(user)["id"] for user in values}
    return {
        "service_principal_id": tenant.principal["id"],
        "roster": "agents.csv",
        "types": {tenant.full(name): "String" for name in names},
        "extensions": {tenant.full(name): f"app/{name}" for name in names},
        "baselined": True,
        "recorded": {tenant.full(name): {"baseline": f"flex-{name}-before", "unrecorded": []} for name in names},
        "__cells": packed(cells, ids),
        **more,
    }


def languages(**values: str) -> dict[str, dict[str, str]]:
    return {user: {"languages": value} for user, value in values.items()}


def patches(tenant: Tenant) -> int:
    return sum(request["method"] == "PATCH" for request in tenant.emulator.requests())


def test_only_what_changed_is_written_and_nothing_is_restored(provider: ProviderProcess, tenant: Tenant) -> None:
    tenant.make_property("languages")
    tenant.make_property("team")
    inputs = provider.checked(
        KIND, inputs_of(tenant, {"ada": {"languages": "en", "team": "red"}, **languages(grace="de")})
    )
    id_, outputs = provider.create(KIND, inputs)
    assert id_ == tenant.principal["id"]
    assert [tenant.value("ada"), tenant.value("ada", "team"), tenant.value("grace")] == ["en", "red", "de"]

    tenant.emulator.clear()
    news = provider.checked(KIND, inputs_of(tenant, languages(ada="es", linus="fr")), inputs)
    outputs = provider.update(KIND, id_, outputs, news)
    assert [tenant.value(name) for name in ("ada", "linus")] == ["es", "fr"]
    assert [tenant.value("ada", "team"), tenant.value("grace")] == ["red", "de"], "the baselines restore these"
    assert patches(tenant) == 2

    provider.delete(KIND, id_, outputs)
    assert [tenant.value(name) for name in ("ada", "grace", "linus")] == ["es", "de", "fr"]


def test_a_column_that_leaves_needs_no_request(provider: ProviderProcess, tenant: Tenant) -> None:
    tenant.make_property("languages")
    tenant.make_property("team")
    inputs = provider.checked(KIND, inputs_of(tenant, {"ada": {"languages": "en", "team": "red"}}))
    id_, outputs = provider.create(KIND, inputs)
    tenant.emulator.clear()
    news = provider.checked(KIND, inputs_of(tenant, languages(ada="en")), inputs)
    provider.update(KIND, id_, outputs, news)
    assert tenant.emulator.requests() == []


def test_an_extension_that_was_made_anew_is_written_for_everybody(provider: ProviderProcess, tenant: Tenant) -> None:
    tenant.make_property("languages")
    inputs = provider.checked(KIND, inputs_of(tenant, languages(ada="en", grace="de")))
    id_, outputs = provider.create(KIND, inputs)
    tenant.write("ada", None)
    tenant.write("grace", None)
    extensions = {tenant.full("languages"): "app/another"}
    news = inputs_of(tenant, languages(ada="en", grace="de"), extensions=extensions)
    provider.update(KIND, id_, outputs, provider.checked(KIND, news, inputs))
    assert [tenant.value("ada"), tenant.value("grace")] == ["en", "de"]


def test_a_user_is_found_by_the_object_id_of_the_last_run(provider: ProviderProcess, tenant: Tenant) -> None:
    """Preflight was off, so the roster came with names only; the user was renamed meanwhile."""
    tenant.make_property("languages")
    full, ada = tenant.full("languages"), tenant.user("ada")["id"]

    def by_name(value: str) -> Props:
        return inputs_of(tenant, languages(grace=value), __cells=packed({"Ada@contoso.example": {full: value}}))

    inputs = provider.checked(KIND, by_name("en"))
    id_, outputs = provider.create(KIND, inputs)
    tenant.do("PATCH", f"/users/{ada}", {"userPrincipalName": "ada.king@contoso.example"})
    inputs = provider.checked(KIND, by_name("de"), inputs)
    outputs = provider.update(KIND, id_, outputs, inputs)
    assert tenant.user("ada.king")["values"] == {full: "de"}
    assert provider.read(KIND, id_, outputs)[1] == outputs, "no drift"

    tenant.do("DELETE", f"/users/{ada}")
    news = provider.checked(KIND, by_name("fr"), inputs)
    with pytest.raises(Refused, match=r"1 of 1 user could not be written.*\(this user no longer exists\)"):
        provider.update(KIND, id_, outputs, news)


def test_changes_are_reported_per_user(provider: ProviderProcess, tenant: Tenant, engine: FakeEngine) -> None:
    inputs = provider.checked(KIND, inputs_of(tenant, languages(ada="en", grace="de")))
    engine.lines.clear()
    assert provider.checked(KIND, inputs_of(tenant, languages(ada="en", grace="de")), inputs) == inputs
    assert engine.lines == []
    provider.checked(KIND, inputs_of(tenant, languages(ada="fr", linus="de")), inputs)
    assert engine.lines == [
        "agents.csv: 1 added (linus@contoso.example), 1 removed (grace@contoso.example), 1 changed (ada@contoso.example)",
        "agents.csv: 2 writes",
    ]


def test_a_first_run_reports_the_writes_that_preflight_counted(
    provider: ProviderProcess, tenant: Tenant, engine: FakeEngine
) -> None:
    provider.checked(KIND, inputs_of(tenant, languages(ada="en", grace="de"), seen_writes=10_000))
    assert engine.lines == ["agents.csv: 10,000 writes; at Graph's quota of 3,000 in 150 s this takes at least 6 min"]
