"""If this goes red, `predict` and `verify` disagree with docs/sign-in.md (F1 to F9) about what Flex stores."""

from __future__ import annotations

import pytest

from flexsaml.flex import SamlAttribute, SamlStatement, WorkerUpdate, compute_worker_update, describe_loss
from flexsaml.flex.statement import build_contact_uri

MANDATORY = {"email": ("a@x",), "full_name": ("A B",), "roles": ("agent",)}


def update(attributes: dict[str, tuple[str, ...]]) -> WorkerUpdate:
    listed = tuple(SamlAttribute(name, values) for name, values in attributes.items())
    return compute_worker_update(SamlStatement("a@x", "", listed))


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("team", ("blue",), {"team": "blue"}),
        ("team", ("",), {"team": ""}),  # F7: an empty text clears
        ("team.string", ("blue",), {"team": "blue"}),
        ("team.String", ("blue",), {"team.String": "blue"}),  # suffixes are in lower case
        ("team.colour", ("blue",), {"team.colour": "blue"}),
        (".int", ("1",), {".int": "1"}),  # no name before the suffix
        ("team", (" 1 ",), {"team": " 1 "}),  # strings keep their blanks
        ("skill.int", ("42",), {"skill": 42}),
        ("skill.int", ("-7",), {"skill": -7}),
        ("skill.int", ("9007199254740991",), {"skill": 9007199254740991}),
        ("on.boolean", ("TRUE",), {"on": True}),
        ("on.boolean", ("false",), {"on": False}),
        ("languages.stringarray", ("en, de,fr",), {"languages": ["en", "de", "fr"]}),
        ("languages.stringarray", ("en", "de, at"), {"languages": ["en", "de, at"]}),  # several values are not split
        ("languages.stringarray", ("",), {"languages": []}),
        ("languages.stringarray", (" ",), {"languages": []}),
        ("numbers.intarray", ("1,2", "3"), "ill-typed"),
        ("numbers.intarray", ("1, 2",), {"numbers": [1, 2]}),
        ("numbers.intarray", ("",), {"numbers": []}),
        ("flags.booleanarray", ("true,FALSE",), {"flags": [True, False]}),
        ("channel.voice.capacity", ("2",), {}),  # F6: a setting of the channel
        ("channel.voice.colour", ("2",), {"channel.voice.colour": "2"}),
        ("contact_uri", ("client:other",), {"contact_uri": "client:other"}),
        ("skill.int", ("1.0",), "ill-typed"),
        ("skill.int", ("+1",), "ill-typed"),
        ("skill.int", (" 1",), "ill-typed"),
        ("skill.int", ("١",), "ill-typed"),  # an Arabic digit
        ("skill.int", ("9007199254740992",), "ill-typed"),
        ("skill.int", ("9" * 5000,), "ill-typed"),
        ("skill.int", ("0" * 5000 + "7",), {"skill": 7}),
        ("skill.int", ("0" * 20 + "9" * 20,), "ill-typed"),
        ("skill.int", ("",), "ill-typed"),  # F7: an empty number clears nothing
        ("on.boolean", ("yes",), "ill-typed"),
        ("on.boolean", ("",), "ill-typed"),
        ("numbers.intarray", ("1,,2",), "ill-typed"),
        ("channel.voice.capacity", ("many",), "ill-typed"),
        ("channel.voice.availability", ("1",), "ill-typed"),
    ],
)
def test_an_attribute_is_stored_by_its_name(
    name: str, values: tuple[str, ...], expected: dict[str, object] | str
) -> None:
    result = update({**MANDATORY, name: values})
    if isinstance(expected, str):
        [fault] = result.faults
        assert (fault.kind, fault.name) == (expected, name)
        assert not values[0] or values[0] not in fault.message  # a person's value is never in a message
        return
    assert not result.faults
    usual = {"email": "a@x", "full_name": "A B", "roles": ["agent"], "contact_uri": "client:a_40x"}
    assert result.attributes == {**usual, **expected}


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
        ({"email": None, "email.string": (" ",)}, [("missing", "email")]),
        ({"email": None, "email.string": ("a@x",)}, []),  # not documented: a doubt
        ({"email": None, "Email": ("a@x",)}, [("missing", "email")]),
        ({"email": None, "http://x/email": ("a@x",)}, [("missing", "email")]),
    ],
)
def test_without_email_name_and_roles_nobody_signs_in(
    changes: dict[str, tuple[str, ...] | None], faults: list[tuple[str, str]]
) -> None:
    given = {name: values for name, values in {**MANDATORY, **changes}.items() if values is not None}
    assert [(fault.kind, fault.name) for fault in update(given).faults] == faults


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"email": None}, "'email' is missing: Flex answers with error 45050 (F1, A)"),
        ({"email": (" ",)}, "'email' is empty: Flex probably answers with error 45050 (F1, D)"),
        ({"email": None, "Email": ("a@x",)}, "'email' is missing: Flex probably answers with error 45050 (F1, D)"),
        ({"email": None, "Email": ("",)}, "'email' is missing: Flex answers with error 45050 (F1, A)"),
        ({"n.int": ("a",)}, ": Flex refuses the sign-in (400 Error invalid attribute format) (F4, A)"),
        ({"n.int": ("1.23",)}, ": Flex refuses the sign-in (400 Error invalid attribute format) (F4, A)"),
        ({"n.int": ("1.0",)}, ": Flex probably refuses the sign-in (400 Error invalid attribute format) (F4, D)"),
        ({"n.int": ("a", "b")}, "not an integer of at most 53 bits: Flex refuses the sign-in"),
        ({"n.intarray": ("",), "on.boolean": ("",)}, "'on.boolean' is empty and must be true or false: Flex probably refuses"),
        ({"on.boolean": ("yes",)}, ": Flex probably refuses"),
        ({"on.boolean": ("maybe",)}, ": Flex refuses"),
    ],
)  # fmt: skip
def test_a_refusal_that_no_document_confirms_is_only_probable(
    changes: dict[str, tuple[str, ...] | None], words: str
) -> None:
    given = {name: values for name, values in {**MANDATORY, **changes}.items() if values is not None}
    [fault] = update(given).faults
    assert words in fault.message


@pytest.mark.parametrize(
    ("name", "values", "doubted"),
    [
        ("n.int", ("1", "b"), True),
        ("n.int", ("b", "1"), True),
        ("n.int", ("1",), False),
        ("channel.voice.capacity", ("1", "2"), True),
        ("n.intarray", ("1", "2"), False),
        ("team", ("a", "b"), False),  # whichever Flex keeps, it lets in
    ],
)
def test_of_several_values_one_may_be_refused(name: str, values: tuple[str, ...], doubted: bool) -> None:
    result = update({**MANDATORY, name: values})
    assert not result.faults
    assert [doubt.rule for doubt in result.doubts] == ["F8"][:doubted]


def test_names_that_are_uris_are_ignored() -> None:
    result = update({**MANDATORY, "http://schemas.microsoft.com/identity/claims/tenantid": ("t",), "urn:x": ("1",)})
    assert result.ignored == ("http://schemas.microsoft.com/identity/claims/tenantid", "urn:x")
    assert set(result.attributes) == {*MANDATORY, "contact_uri"}


@pytest.mark.parametrize(
    ("attributes", "unknown", "contested"),
    [
        ({"team": ("a", "b")}, ("team",), ()),
        ({"level.int": ("1", "2")}, ("level",), ()),
        ({"channel.voice.capacity": ("1", "2")}, ("channel.voice.capacity",), ()),
        ({"languages.stringarray": ("a", "b")}, (), ()),
        ({"team": ("a",), "team.string": ("b",)}, (), ("team",)),
        ({"team": ("a",), "team.int": ("b",)}, (), ("team",)),  # Flex may take "b" for no value, instead of refusing it
        ({"roles.stringarray": ("agent",)}, (), ("roles",)),
        ({"team": ("a",), "Team": ("b",)}, (), ()),
    ],
)
def test_what_flex_keeps_of_several_values_or_attributes_is_unknown(
    attributes: dict[str, tuple[str, ...]], unknown: tuple[str, ...], contested: tuple[str, ...]
) -> None:
    result = update({**MANDATORY, **attributes})
    assert (result.unknown, result.contested) == (unknown, contested)


@pytest.mark.parametrize(
    ("attributes", "names"),
    [
        ({}, []),
        ({"roles": ("admin, wfo.team_leader,flex.readteams",)}, []),
        ({"roles": ("Agent",)}, ["roles"]),  # case matters
        ({"roles": ("wfo.team_leader", "Member")}, ["roles"]),
        ({"roles": ("wfo.x",)}, ["roles"]),
        ({"email": None, "email.string": ("a@x",)}, ["email"]),
        ({"email": (" ",), "email.string": ("a@x",)}, ["email"]),
        ({"full_name": None, "full_name.string": ("A B",), "roles": None, "roles.stringarray": ("agent",)}, ["full_name", "roles"]),
        ({"roles.stringarray": ("agent",)}, ["roles"]),  # beside roles: it is not known which of them counts
        ({"team_member": ("blue",)}, []),
        ({"team_member": ("blue", "red")}, ["team_member"]),
        ({"team_member": ("blue,red",)}, ["team_member"]),
        ({"team_member.stringarray": ("blue,red",)}, ["team_member"]),
        ({"note": ("x" * 3900,)}, []),
        ({"note": ("x" * 4097,)}, [""]),
    ],
)  # fmt: skip
def test_what_flex_may_refuse_is_told_without_the_value(
    attributes: dict[str, tuple[str, ...] | None], names: list[str]
) -> None:
    given = {name: values for name, values in {**MANDATORY, **attributes}.items() if values is not None}
    doubts = update(given).doubts
    assert [doubt.name for doubt in doubts] == names
    values = {value for texts in attributes.values() for value in texts or () if value.strip()}
    assert not any(value in doubt.message for doubt in doubts for value in values)


@pytest.mark.parametrize(
    ("name", "absent", "empty"),
    [
        ("team", "the worker keeps its old value (F7, A)", "Flex clears the worker's attribute (F7, A)"),
        ("l.stringarray", "the worker keeps its old value (F7, A)", "Flex clears the worker's attribute (F7, D)"),
        (
            "channel.voice.capacity",
            "the worker keeps its old value (F7, D)",
            "Flex clears the worker's attribute (F7, D)",
        ),
        # Twilio documents it of an empty and of a null one.
        ("team_member", "Flex assigns the default team (F13, A)", "Flex assigns the default team (F13, A)"),
        ("team_owner.string", "Flex takes ownership", "Flex takes ownership"),
        ("contact_uri", "Flex sets its own (F9, A)", "it is not documented whether Flex then sets its own (F9)"),
        (
            "http://x.example/team",
            "Flex ignores Names that are URIs (F2, A)",
            "Flex ignores Names that are URIs (F2, A)",
        ),
        ("x:team", "Flex probably ignores Names that are URIs (F2, D)", "Flex probably ignores"),
    ],
)
def test_what_is_lost_is_as_sure_as_its_rule(name: str, absent: str, empty: str) -> None:
    assert absent in describe_loss(name, is_absent=True)
    assert empty in describe_loss(name, is_absent=False)


def test_channel_settings_are_no_attributes() -> None:
    result = update({**MANDATORY, "channel.voice.capacity": ("2",), "channel.voice.availability": ("true",)})
    assert result.channels == {"voice": {"capacity": 2, "availability": True}}


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
def test_contact_uri_encodes_the_name_id(name_id: str, uri: str) -> None:
    assert build_contact_uri(name_id) == uri
