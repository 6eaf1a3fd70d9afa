"""If this goes red, a preview lies: it shows a change that is none, hides one, replaces what could be patched, or a
mistake ends in a traceback instead of the field's name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flexsaml.values import pack
from tests.emulator.process import Emulator
from tests.engine.stack import Tenant
from tests.providers.conftest import config
from tests.providers.process import UNKNOWN, FakeEngine, Props, ProviderProcess, Refused, packed

APP = "8f665974-86ab-5399-83f9-7492e2e5acec"
FULL = "extension_8f66597486ab539983f97492e2e5acec_languages"
PROPERTY: Props = {
    "application_id": "app-object",
    "app_id": APP,
    "name": "languages",
    "data_type": "String",
    "baseline": "sp",
}
POLICY: Props = {
    "display_name": "p",
    "claims": {"email": "user.mail", "l": "extension.languages"},
    "extensions": {"languages": FULL},
}
IDS = {"Ada@contoso.example": "1c0ffee0-ada", "grace@contoso.example": "2badcafe-grace"}
VALUE: Props = {
    "user": "ada@contoso.example",
    "values": {FULL: 3},
    "types": {FULL: "Integer"},
    "extensions": {FULL: "a/p"},
}
BASELINE: Props = {
    "extension": "app-object/property",
    "full_name": FULL,
    "data_type": "String",
    "__cells": packed({"Ada@contoso.example": "en"}, IDS),
}
CELLS = {"Ada@contoso.example": {FULL: "en"}, "grace@contoso.example": {FULL: "de"}}
VALUES: Props = {
    "service_principal_id": "sp",
    "roster": "agents.csv",
    "types": {FULL: "String"},
    "extensions": {FULL: "a/p"},
    "baselined": True,
    "recorded": {FULL: {"baseline": "flex-languages-before", "unrecorded": []}},
    "__cells": packed(CELLS, IDS),
}
TENANT: Props = {
    "service_principal_id": "sp",
    "application_id": "app-object",
    "app_id": APP,
    "properties": [FULL],
    "policy_name": "p",
}
ASSIGNMENT: Props = {"service_principal_id": "sp", "policy_id": "policy"}
KINDS = {
    "ExtensionProperty": PROPERTY,
    "ClaimsMappingPolicy": POLICY,
    "UserExtensionValue": VALUE,
    "UserExtensionValues": VALUES,
    "UserValueBaseline": BASELINE,
    "TenantBaseline": TENANT,
    "PolicyAssignment": ASSIGNMENT,
}

MISTAKES: list[tuple[str, Props, str, str]] = [
    # kind, what is wrong with it, the field, the reason
    ("ExtensionProperty", {"name": "lang-uages"}, "name", "letters, digits and underscores"),
    ("ExtensionProperty", {"data_type": "Text"}, "data_type", "not one of Binary"),
    ("ExtensionProperty", {"target_objects": ["user"]}, "target_objects", "User, Group"),
    ("ClaimsMappingPolicy", {"claims": {"email": "mail"}}, "claims", "claim 'email'"),
    ("ClaimsMappingPolicy", {"claims": {}}, "claims", "either claims or a raw definition"),
    ("ClaimsMappingPolicy", {"claims": {}, "definition": "{"}, "definition", "not JSON"),
    ("ClaimsMappingPolicy", {"display_name": ""}, "display_name", "needs a display name"),
    ("UserExtensionValue", {"values": {FULL: "many"}}, "", "whole number"),
    ("UserExtensionValue", {"values": {FULL: 2147483648}}, "", "32-bit range"),
    ("UserExtensionValue", {"types": {FULL: "Text"}}, "types", f"{FULL}: data type 'Text' is not one of Binary"),
    ("UserExtensionValue", {"types": {FULL: "Boolean"}, "values": {FULL: "yes"}}, "", "write true or false"),
    ("UserExtensionValue", {"types": {FULL: "String"}, "values": {FULL: "x" * 257}}, "", "257 characters"),
    ("UserExtensionValue", {"types": {FULL: "DateTime"}, "values": {FULL: "soon"}}, "", "ISO 8601"),
    ("UserExtensionValue", {"types": {FULL: "String[]"}, "values": {FULL: "x"}}, "", "write a list"),
    ("UserExtensionValue", {"user": ""}, "user", "needs a user, and it is empty"),
    ("PolicyAssignment", {"service_principal_id": ""}, "service_principal_id", "and it is empty"),
    ("PolicyAssignment", {"policy_id": ""}, "policy_id", "and it is empty"),
    ("ExtensionProperty", {"app_id": ""}, "app_id", "and it is empty"),
    (
        "UserExtensionValues",
        {"seen_missing": {"bob": "line 3", "eve": ""}},
        "",
        "no such user: bob (line 3), eve; correct agents.csv",
    ),
    ("UserExtensionValues", {"service_principal_id": ""}, "service_principal_id", "and it is empty"),
    ("UserExtensionValues", {"baselined": False}, "baselined", "needs a UserValueBaseline for each extension"),
    ("UserValueBaseline", {"extension": ""}, "extension", "and it is empty"),
    (
        "UserValueBaseline",
        {"extension": "app-object/not-created"},
        "extension",
        f"{FULL} does not exist, because Graph refused to create it: add --target of its ExtensionProperty to the",
    ),
    ("TenantBaseline", {"policy_name": ""}, "policy_name", "needs a policy name"),
    (
        "UserExtensionValue",
        {"seen_missing": {"ada@contoso.example": "x@y has this mail address"}},
        "",
        "no such user: ada@contoso.example (x@y has this mail address)",
    ),
    ("UserValueBaseline", {"seen_missing": {"bob": "", "eve": ""}}, "", "no such user: bob, eve"),
    ("TenantBaseline", {"seen_properties": {FULL: "id-1"}}, "", "exists already"),
    ("TenantBaseline", {"seen_policies": {"id-2": "p"}}, "", "named 'p' exists already (id id-2)"),
    ("PolicyAssignment", {"seen_assigned": {"other": "theirs"}}, "", "already has the claims mapping policy 'theirs'"),
    (
        "PolicyAssignment",
        {"seen_assigned": {"other": "theirs"}, "displaces": ["older"], "replace_existing": True},
        "",
        "'theirs' (other) is assigned, and was not when this stack was created",
    ),
    ("UserExtensionValue", {"baselined": True}, "", f"{FULL}: no baseline is known to record this"),
    (
        "UserExtensionValue",
        {"baselined": True, "recorded": {FULL: {"baseline": "flex-l-before", "unrecorded": ["ada@contoso.example"]}}},
        "",
        f"{FULL}: the baseline in state does not record this, so it is not written, because nobody could restore what "
        "was there before; add --target '**::flex-l-before' to the command, or drop --exclude",
    ),
    (
        "UserExtensionValues",
        {"recorded": {}},
        "",
        "agents.csv, 2 users (ada@contoso.example, grace@contoso.example): no",
    ),
    (
        "UserExtensionValues",
        {"recorded": {FULL: {"baseline": "flex-l-before", "unrecorded": ["grace@contoso.example"]}}},
        "",
        "agents.csv, 1 user (grace@contoso.example): the baseline in state does not record this",
    ),
    (
        "ExtensionProperty",
        {"recorded": {"baseline": "flex-tenant", "names": []}},
        "",
        "extension 'languages': the baseline in state does not record this",
    ),
    (
        "ClaimsMappingPolicy",
        {"recorded": {"baseline": "flex-tenant", "names": ["q"]}},
        "",
        "add --target '**::flex-ten",
    ),
]

DIFFS: list[tuple[str, Props, bool, list[str]]] = [
    # kind, what changed, whether that is a change, what is replaced for it
    ("ExtensionProperty", {}, False, []),
    ("ExtensionProperty", {"data_type": "Integer"}, True, ["data_type"]),
    ("ExtensionProperty", {"name": "tongues"}, True, ["full_name", "name"]),
    ("ExtensionProperty", {"baseline": UNKNOWN}, True, ["baseline"]),
    ("ClaimsMappingPolicy", {"claims": {"l": "extension.languages", "email": "User.Mail"}}, False, []),
    ("ClaimsMappingPolicy", {"claims": {"email": "user.othermail", "l": "extension.languages"}}, True, []),
    ("ClaimsMappingPolicy", {"display_name": "q"}, True, []),
    ("ClaimsMappingPolicy", {"extensions": {"languages": UNKNOWN}}, True, []),
    ("ClaimsMappingPolicy", {"baseline": UNKNOWN}, True, ["baseline"]),
    ("UserExtensionValue", {"values": {FULL: "3"}}, False, []),
    ("UserExtensionValue", {"user": "ADA@contoso.example"}, False, []),
    ("UserExtensionValue", {"user": "object-id"}, False, []),
    ("UserExtensionValue", {"user": "bob@contoso.example"}, True, ["user"]),
    ("UserExtensionValue", {"values": {FULL: 4}}, True, []),
    ("UserExtensionValue", {"extensions": {FULL: UNKNOWN}}, True, []),
    ("UserExtensionValue", {"extensions": {FULL: "a/other"}}, True, []),
    ("UserExtensionValues", {"roster": "other.csv"}, False, []),
    ("UserExtensionValues", {"__cells": packed(CELLS)}, False, []),  # preflight turned off
    ("UserExtensionValues", {"__cells": packed(CELLS, {**IDS, "Ada@contoso.example": "another"})}, True, []),
    ("UserExtensionValues", {"__cells": packed({"ada@contoso.example": {FULL: "fr"}})}, True, []),
    ("UserExtensionValues", {"extensions": {FULL: UNKNOWN}}, True, []),
    ("UserExtensionValues", {"extensions": {FULL: "a/other"}}, True, []),
    ("UserExtensionValues", {"seen_missing": {"ada@contoso.example": ""}, "seen_writes": 3}, False, []),
    ("UserExtensionValues", {"service_principal_id": "other"}, True, ["service_principal_id"]),
    ("UserValueBaseline", {"allow_removal": 5}, False, []),
    ("UserValueBaseline", {"__cells": packed({"Ada@contoso.example": "en"})}, False, []),
    ("UserValueBaseline", {"__cells": packed({"ada@contoso.example": "de"}, IDS)}, True, []),
    ("UserValueBaseline", {"extension": UNKNOWN}, True, ["extension"]),
    ("UserValueBaseline", {"extension": "app-object/other"}, True, ["extension"]),
    ("TenantBaseline", {"replace_existing": True}, False, []),
    ("TenantBaseline", {"properties": [FULL, "x"]}, True, []),
    ("TenantBaseline", {"policy_name": "q"}, True, []),
    ("TenantBaseline", {"service_principal_id": "other"}, True, ["service_principal_id"]),
    ("PolicyAssignment", {"displaces": ["theirs"]}, False, []),
    ("PolicyAssignment", {"policy_id": "other"}, True, ["policy_id"]),
]


@pytest.fixture(scope="module")
def engine() -> Iterator[FakeEngine]:
    made = FakeEngine()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def provider(process: Emulator, engine: FakeEngine) -> Iterator[ProviderProcess]:
    """One for all: `check` and `diff` are pure."""
    made = ProviderProcess(config(process), engine.address)
    yield made
    made.stop()


@pytest.mark.parametrize("kind", KINDS)
def test_checking_twice_changes_nothing(provider: ProviderProcess, kind: str) -> None:
    once = provider.checked(kind, KINDS[kind])
    assert provider.checked(kind, once, once) == once


@pytest.mark.parametrize(("kind", "wrong", "field", "reason"), MISTAKES)
def test_a_mistake_names_its_field(provider: ProviderProcess, kind: str, wrong: Props, field: str, reason: str) -> None:
    _, failures = provider.check(kind, {**KINDS[kind], **wrong})
    assert reason in failures[field]
    assert "\n" not in failures[field]


@pytest.mark.parametrize(("kind", "changed", "changes", "replaces"), DIFFS)
def test_what_is_a_change_and_what_replaces(
    provider: ProviderProcess, kind: str, changed: Props, changes: bool, replaces: list[str]
) -> None:
    outs = {**provider.checked(kind, KINDS[kind]), "user_id": "object-id"}
    news = provider.checked(kind, {**KINDS[kind], **changed}, outs)
    assert provider.diff(kind, "id", outs, news) == (changes, replaces, True)


@pytest.mark.parametrize("kind", KINDS)
def test_a_moved_class_is_an_update(provider: ProviderProcess, kind: str) -> None:
    """So that `up` writes the new reference into state, and destroy finds the class."""
    outs = {**provider.checked(kind, KINDS[kind]), "user_id": "object-id"}
    old = {**outs, "__provider": "an older reference"}
    assert provider.diff(kind, "id", old, outs)[:2] == (True, [])


def test_unknowns_pass_unread(provider: ProviderProcess) -> None:
    inputs = provider.checked("ExtensionProperty", {**PROPERTY, "app_id": UNKNOWN, "application_id": UNKNOWN})
    assert (inputs["full_name"], inputs["application_id"]) == (UNKNOWN, UNKNOWN)
    nested = provider.checked("UserExtensionValue", {**VALUE, "values": {FULL: UNKNOWN}})
    assert nested["values"] == {FULL: UNKNOWN}
    assert provider.checked("ClaimsMappingPolicy", {**POLICY, "display_name": UNKNOWN})["display_name"] == UNKNOWN


OPEN = [
    # kind, an input that may come from another resource
    *(("ExtensionProperty", key) for key in ("name", "data_type", "multi_valued", "target_objects", "baseline")),
    *(("ClaimsMappingPolicy", key) for key in ("claims", "include_basic_claim_set", "extensions", "baseline")),
    *(("UserExtensionValue", key) for key in ("user", "extensions", "baselined")),
    *(("UserExtensionValues", key) for key in ("service_principal_id", "extensions", "__cells")),
    *(("UserValueBaseline", key) for key in ("extension", "full_name", "data_type", "multi_valued", "__cells")),
    *(("TenantBaseline", key) for key in ("service_principal_id", "properties", "policy_name", "replace_existing")),
    *(("PolicyAssignment", key) for key in ("service_principal_id", "policy_id", "displaces")),
]


@pytest.mark.parametrize(("kind", "key"), OPEN)
def test_an_unknown_stays_unknown_and_counts_as_a_change(
    provider: ProviderProcess, engine: FakeEngine, kind: str, key: str
) -> None:
    """The first preview of a program that feeds one resource from another."""
    old = {**provider.checked(kind, KINDS[kind]), "user_id": "object-id"}
    inputs = provider.checked(kind, {**KINDS[kind], key: UNKNOWN}, old)
    assert inputs[key] == UNKNOWN
    assert provider.checked(kind, inputs, old)[key] == UNKNOWN
    ignored = {"baselined", "replace_existing", "displaces"}
    assert provider.diff(kind, "id", old, inputs)[0] is (key not in ignored)
    assert "Unknown object" not in str(inputs) + "".join(engine.lines)


RECORDED = {FULL: {"baseline": "flex-l-before", "unrecorded": ["ada@contoso.example"]}}
NOT_JUDGED: list[tuple[str, Props, bool]] = [
    # kind, its arguments, whether the resource is unchanged
    ("UserExtensionValue", {**VALUE, "baselined": True, "recorded": RECORDED}, True),
    ("UserExtensionValue", {**VALUE, "baselined": True}, True),
    ("UserExtensionValue", {**VALUE, "baselined": True, "recorded": UNKNOWN}, False),
    ("UserExtensionValue", {**VALUE, "baselined": True, "recorded": {FULL: UNKNOWN}}, False),
    ("UserExtensionValue", VALUE, False),
    ("UserExtensionValues", {**VALUES, "recorded": RECORDED}, True),
    ("UserExtensionValues", {**VALUES, "recorded": {FULL: UNKNOWN}}, False),
    ("ExtensionProperty", {**PROPERTY, "recorded": {"baseline": "flex-tenant", "names": []}}, True),
    ("ExtensionProperty", {**PROPERTY, "recorded": {"baseline": "flex-tenant", "names": UNKNOWN}}, False),
    ("ClaimsMappingPolicy", {**POLICY, "recorded": {"baseline": "flex-tenant", "names": []}}, True),
    (
        "PolicyAssignment",
        {**ASSIGNMENT, "seen_assigned": {"a": "b"}, "displaces": UNKNOWN, "replace_existing": True},
        False,
    ),
]


@pytest.mark.parametrize(("kind", "news", "is_unchanged"), NOT_JUDGED)
def test_what_is_recorded_is_judged_only_before_a_write_and_when_it_is_known(
    provider: ProviderProcess, kind: str, news: Props, is_unchanged: bool
) -> None:
    """Stacks of an earlier release and previews, which have nothing to write or cannot know."""
    proof = (
        {"recorded": {FULL: {"baseline": "flex-l-before", "unrecorded": []}}} if "Value" in kind else {"recorded": {}}
    )
    olds = provider.checked(kind, {**news, **proof}) if is_unchanged else {}
    assert "recorded" not in provider.checked(kind, news, olds)


def baseline(count: int, **more: object) -> Props:
    return {**BASELINE, "__cells": packed({f"user-{number}": "en" for number in range(count)}), **more}


@pytest.mark.parametrize(
    ("before", "after", "allowed", "stops"),
    [
        (50, 39, 0, True),
        (50, 39, 10, True),
        (50, 39, 11, False),
        (50, 40, 0, False),
        (100, 80, 0, False),
        (100, 79, 0, True),
        (12, 1, 0, True),
        (10, 0, 0, False),
        (5, 60, 0, False),
    ],
)
def test_many_values_are_not_taken_back_by_a_slip(
    provider: ProviderProcess, before: int, after: int, allowed: int, stops: bool
) -> None:
    """More than a fifth and more than ten stop, unless the configuration names the number."""
    olds = provider.checked("UserValueBaseline", baseline(before))
    _, failures = provider.check("UserValueBaseline", baseline(after, allow_removal=allowed), olds)
    assert (failures != {}) is stops
    if stops:
        assert failures[""].startswith(f"{before - after} of {before} users would lose their value of {FULL}")
        assert f"set flexsaml:allowRemoval to {before - after}" in failures[""]


def test_absent_and_null_inputs_are_the_same(provider: ProviderProcess) -> None:
    """The engine drops None keys on one way and keeps null on the other."""
    for kind, props in KINDS.items():
        optional = {
            "baseline": None,
            "extensions": None,
            "displaces": None,
            "definition": None,
            "replace_existing": None,
        }
        filled = {key: value for key, value in optional.items() if key not in props}
        assert provider.checked(kind, {**props, **filled}) == provider.checked(kind, props), kind


def test_numbers_keep_every_digit(provider: ProviderProcess) -> None:
    """The engine hands numbers over as doubles."""
    large = {**VALUE, "values": {FULL: "9007199254740993"}, "types": {FULL: "LargeInteger"}}
    assert provider.checked("UserExtensionValue", large)["values"] == {FULL: "9007199254740993"}
    assert provider.checked("UserExtensionValue", VALUE)["values"] == {FULL: "3"}


def test_the_full_name_is_known_in_preview(provider: ProviderProcess) -> None:
    assert provider.checked("ExtensionProperty", PROPERTY)["full_name"] == FULL
    short = provider.checked("ExtensionProperty", {**PROPERTY, "name": "extension_points"})["full_name"]
    assert short == FULL.replace("languages", "extension_points")


def test_preview_says_what_the_portal_will_say(provider: ProviderProcess, engine: FakeEngine) -> None:
    engine.lines.clear()
    inputs = provider.checked("PolicyAssignment", ASSIGNMENT)
    said = "This configuration was overwritten by a claim mapping policy created via Graph/PowerShell."
    assert [line for line in engine.lines if said in line] != []
    engine.lines.clear()
    provider.checked("PolicyAssignment", ASSIGNMENT, inputs)
    assert engine.lines == [], "an assignment that is there already is no news"


@pytest.mark.parametrize(
    ("cells", "packed_format"),
    [(pack({"user-1": "en"}), "1 without columns"), ("9:from-the-future", "9"), ("no packed text", "unknown")],
)
def test_state_of_another_version_is_one_line(provider: ProviderProcess, cells: str, packed_format: str) -> None:
    old = {**provider.checked("UserValueBaseline", BASELINE), "__cells": cells, "__given": ""}
    _, failures = provider.check("UserValueBaseline", BASELINE, old)
    assert failures == {
        "": "this state was written by another version of flexsaml, which packs values in format "
        f"'{packed_format}', and this version reads format '1' only; run the same command with that version"
    }
    with pytest.raises(Refused, match=r"delete UserValueBaseline .*: this state was written by another version"):
        provider.delete("UserValueBaseline", "id", {**old, "__memory": pack({"users": {}, "cells": {}})})


def test_neither_touches_the_tenant(provider: ProviderProcess, tenant: Tenant) -> None:
    tenant.emulator.clear()
    for kind, props in KINDS.items():
        outs = provider.checked(kind, props)
        provider.diff(kind, "id", outs, outs)
    assert tenant.emulator.requests() == []
