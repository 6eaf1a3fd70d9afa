"""If this goes red, prediction and verification say that Flex stores something else than docs/sign-in.md does (F1-F9)."""

from __future__ import annotations

from typing import Any

import pytest

from flexsaml.flex import Attribute, NameID, Statement, Stored, stored
from flexsaml.flex.attributes import contact_uri

NEEDED = {"email": ("a@x",), "full_name": ("A B",), "roles": ("agent",)}


def kept(attributes: dict[str, tuple[str, ...]], name_id: str = "a@x") -> Stored:
    listed = tuple(Attribute(name, values) for name, values in attributes.items())
    return stored(Statement(NameID(name_id, ""), listed))


@pytest.mark.parametrize(
    ("name", "values", "worker"),
    [
        ("team", ("blue",), {"team": "blue"}),
        ("team", ("",), {"team": ""}),  # F7: an empty text clears
        ("team.string", ("blue",), {"team": "blue"}),
        ("team.String", ("blue",), {"team.String": "blue"}),  # a suffix in capitals is none
        ("team.colour", ("blue",), {"team.colour": "blue"}),
        (".int", ("1",), {".int": "1"}),  # nothing in front of the suffix
        ("team", (" 1 ",), {"team": " 1 "}),  # texts keep their blanks
        ("skill.int", ("42",), {"skill": 42}),
        ("skill.int", ("-7",), {"skill": -7}),
        ("skill.int", ("9007199254740991",), {"skill": 9007199254740991}),
        ("on.boolean", ("TRUE",), {"on": True}),
        ("on.boolean", ("false",), {"on": False}),
        ("languages.stringarray", ("en, de,fr",), {"languages": ["en", "de", "fr"]}),
        ("languages.stringarray", ("en", "de, at"), {"languages": ["en", "de, at"]}),  # several are taken as they are
        ("languages.stringarray", ("",), {"languages": []}),
        ("languages.stringarray", (" ",), {"languages": []}),
        ("numbers.intarray", ("1,2", "3"), "ill-typed"),
        ("numbers.intarray", ("1, 2",), {"numbers": [1, 2]}),
        ("numbers.intarray", ("",), {"numbers": []}),
        ("flags.booleanarray", ("true,FALSE",), {"flags": [True, False]}),
        ("channel.voice.capacity", ("2",), {}),  # F6: the channel's, no attribute of the worker
        ("channel.voice.colour", ("2",), {"channel.voice.colour": "2"}),
        ("contact_uri", ("client:other",), {"contact_uri": "client:other"}),
        ("skill.int", ("1.0",), "ill-typed"),
        ("skill.int", ("+1",), "ill-typed"),
        ("skill.int", (" 1",), "ill-typed"),
        ("skill.int", ("١",), "ill-typed"),  # an Arabic digit
        ("skill.int", ("9007199254740992",), "ill-typed"),
        ("skill.int", ("9" * 5000,), "ill-typed"),
        ("skill.int", ("",), "ill-typed"),  # F7: an empty number clears nothing
        ("on.boolean", ("yes",), "ill-typed"),
        ("on.boolean", ("",), "ill-typed"),
        ("numbers.intarray", ("1,,2",), "ill-typed"),
        ("channel.voice.capacity", ("many",), "ill-typed"),
        ("channel.voice.availability", ("1",), "ill-typed"),
    ],
)
def test_one_attribute(name: str, values: tuple[str, ...], worker: dict[str, Any] | str) -> None:
    found = kept({**NEEDED, name: values})
    if worker == "ill-typed":
        assert [(one.kind, one.name) for one in found.faults] == [("ill-typed", name)]
        assert values[0] not in found.faults[0].message or not values[0]  # a person's value is not in the message
        return
    assert not found.faults
    usual = {"email": "a@x", "full_name": "A B", "roles": ["agent"], "contact_uri": "client:a_40x"}
    assert found.attributes == {**usual, **worker}  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({}, []),
        ({"roles": ("agent", "wfo.full_access")}, []),
        ({"roles": None}, [("missing", "roles")]),
        ({"email": None, "full_name": None}, [("missing", "email"), ("missing", "full_name")]),
        ({"email": ("",)}, [("empty", "email")]),
        ({"email": (" ",)}, [("empty", "email")]),
        ({"email": ()}, [("empty", "email")]),
        ({"roles": (" , ",)}, [("empty", "roles")]),
        ({"email": None, "email.string": ("a@x",)}, [("missing", "email")]),  # by exactly this name
        ({"email": None, "http://x/email": ("a@x",)}, [("missing", "email")]),
    ],
)
def test_without_email_name_and_roles_nobody_signs_in(changes: dict[str, Any], faults: list[tuple[str, str]]) -> None:
    given = {name: values for name, values in {**NEEDED, **changes}.items() if values is not None}
    assert [(one.kind, one.name) for one in kept(given).faults] == faults


def test_names_that_are_uris_leave_no_trace() -> None:
    found = kept({**NEEDED, "http://schemas.microsoft.com/identity/claims/tenantid": ("t",), "urn:x": ("1",)})
    assert found.ignored == ("http://schemas.microsoft.com/identity/claims/tenantid", "urn:x")
    assert set(found.attributes) == {*NEEDED, "contact_uri"}


def test_several_values_of_a_text_cannot_be_known() -> None:
    assert kept({**NEEDED, "team": ("a", "b")}).unknown == ("team",)
    assert kept({**NEEDED, "languages.stringarray": ("a", "b")}).unknown == ()


def test_channels_are_set_apart() -> None:
    found = kept({**NEEDED, "channel.voice.capacity": ("2",), "channel.voice.availability": ("true",)})
    assert found.channels == {"voice": {"capacity": 2, "availability": True}}


@pytest.mark.parametrize(
    ("name_id", "uri"),
    [
        ("a_b", "client:a_b"),
        ("ada@contoso.example", "client:ada_40contoso_2Eexample"),
        ("ä", "client:_C3_A4"),
        ("#EXT#", "client:_23EXT_23"),
        ("", "client:"),
    ],
)
def test_contact_uri(name_id: str, uri: str) -> None:
    assert contact_uri(name_id) == uri
