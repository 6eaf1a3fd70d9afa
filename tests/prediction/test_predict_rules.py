"""If this goes red, `predict` breaks one rule of docs/sign-in.md, or believes a line more than its grade allows."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flexsaml.claims import NAME_ID, load_table
from flexsaml.prediction.changes import changes
from flexsaml.prediction.confidence import EXACT, GRADES, PREDICTED, UNKNOWN, mark
from flexsaml.prediction.name_id import EMAIL, PERSISTENT, UNSPECIFIED
from flexsaml.prediction.policy import UnusablePolicy, sign_in_policy
from flexsaml.prediction.predict import Line, Prediction, predict
from flexsaml.prediction.subject import Agent
from tests.prediction.seeded import USERS, agent, place

ADA = "ada@contoso.example"
RELEASED = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"
RESTRICTED = "http://schemas.microsoft.com/identity/claims/acct"
OWN = "extension_8f66597486ab539983f97492e2e5acec_"
NEEDED = [
    {"Source": "user", "ID": "mail", "SamlClaimType": "email"},
    {"Source": "user", "ID": "displayname", "SamlClaimType": "full_name"},
    {"Source": "user", "ID": "assignedroles", "SamlClaimType": "roles"},
]
DOC = Path(__file__).parents[2] / "docs" / "sign-in.md"


def definition(*entries: dict[str, Any], **more: Any) -> str:
    return json.dumps({"ClaimsMappingPolicy": {"Version": 1, "ClaimsSchema": list(entries), **more}})


def of(
    *entries: dict[str, Any], who: Agent | None = None, where: dict[str, Any] | None = None, **more: Any
) -> Prediction:
    return predict(sign_in_policy(definition(*entries, **more)), place(**(where or {})), who or agent(ADA))


def person(**properties: Any) -> Agent:
    return agent(ADA, properties={**USERS[ADA], **properties})


def line(found: Prediction, name: str = "x") -> Line | None:
    return next((one for one in found.lines if one.name == name), None)


def user(id_: str, **more: Any) -> dict[str, Any]:
    return {"Source": "user", "ID": id_, "SamlClaimType": "x", **more}


# -- the statement ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "entry", "properties", "values", "marked"),
    [
        ("S3", user("department"), {}, ("Support",), EXACT),
        ("S3", user("Department"), {}, ("Support",), EXACT),  # IDs are read without case
        ("S3", {"source": "User", "id": "department", "samlclaimtype": "x"}, {}, ("Support",), EXACT),
        ("S3", user("department", Value="text"), {}, ("Support",), PREDICTED),  # a Value beside a Source
        ("S5", user("department"), {"department": None}, (), EXACT),
        ("S6", user("department"), {"department": ""}, ("",), PREDICTED),
        ("S8", {"Value": "vienna", "SamlClaimType": "x"}, {}, ("vienna",), EXACT),
        ("S8", {"Value": 900, "SamlClaimType": "x"}, {}, ("900",), EXACT),
        ("S8", {"Value": " blanks ", "SamlClaimType": "x"}, {}, (" blanks ",), EXACT),
        ("S8", {"SamlClaimType": "x"}, {}, (), EXACT),
        ("S10", user("favouritecolour"), {}, (), EXACT),
        ("S10", {"Source": "directory", "ID": "mail", "SamlClaimType": "x"}, {}, (), EXACT),
        ("S11", user("othermail"), {"otherMails": ["a@x", "b@x"]}, ("a@x",), PREDICTED),
        ("S11", user("proxyaddresses"), {"proxyAddresses": []}, (), EXACT),
        ("S12", user("assignedroles"), {}, ("agent",), EXACT),
        ("S14", user("accountenabled"), {}, ("true",), PREDICTED),
        ("S14", user("createddatetime"), {"createdDateTime": "2026-01-05T09:00:00Z"}, ("2026-01-05T09:00:00Z",), PREDICTED),
        ("S15", {"Source": "application", "ID": "displayname", "SamlClaimType": "x"}, {}, ("Twilio Flex",), PREDICTED),
        ("S15", {"Source": "audience", "ID": "mail", "SamlClaimType": "x"}, {}, (), EXACT),
        ("S16", {"Source": "company", "ID": "tenantcountry", "SamlClaimType": "x"}, {}, ("AT",), EXACT),
        ("S17", user("department", SAMLNameForm="basic"), {}, ("Support",), EXACT),
        ("S21", user("groups"), {}, (), UNKNOWN),
        ("ID", user("telephonenumber"), {"businessPhones": ["1", "2"]}, ("1",), PREDICTED),
        ("ID", user("extensionattribute3"), {"onPremisesExtensionAttributes": {"extensionAttribute3": "z"}}, ("z",), PREDICTED),
        ("ID", user("extensionattribute3"), {"onPremisesExtensionAttributes": None}, (), PREDICTED),
        ("ID", user("dnsdomainname"), {"onPremisesDomainName": "x.test"}, ("x.test",), PREDICTED),
        ("ID", user("onpremisesecurityidentifier"), {"onPremisesSecurityIdentifier": "S-1"}, ("S-1",), PREDICTED),
        ("ID", user("netbiosname"), {}, (), UNKNOWN),
    ],
)  # fmt: skip
def test_one_entry(
    rule: str, entry: dict[str, Any], properties: dict[str, Any], values: tuple[str, ...], marked: str
) -> None:
    found = line(of(entry, who=person(**properties)))
    assert found is not None
    assert (found.values, found.mark) == (values, marked), rule
    assert bool(found.why) == (not values)


@pytest.mark.parametrize(
    ("kind", "value", "values", "marked"),
    [
        ("String", "Blue ", ("Blue ",), EXACT),
        ("String", "", ("",), PREDICTED),
        ("Integer", -42, ("-42",), EXACT),
        ("LargeInteger", 9007199254740993, ("9007199254740993",), EXACT),
        ("Boolean", False, ("false",), PREDICTED),
        ("DateTime", "2026-05-04T09:30:00Z", ("2026-05-04T09:30:00Z",), PREDICTED),
        ("Binary", "AAEC", ("AAEC",), PREDICTED),
        ("String", None, (), EXACT),
        ("String[]", ["a", "b"], (), UNKNOWN),
        ("String[]", [], (), EXACT),
        ("", "foreign", ("foreign",), PREDICTED),  # its application was not seen, nor its type
    ],
)
def test_an_extension_by_its_type(kind: str, value: object, values: tuple[str, ...], marked: str) -> None:
    entry = {"Source": "user", "ExtensionID": f"{OWN}team", "SamlClaimType": "x"}
    found = line(of(entry, who=agent(ADA, values={f"{OWN}team": value}), where={"extensions": {f"{OWN}team": kind}}))
    assert found is not None
    assert (found.values, found.mark) == (values, marked)


@pytest.mark.parametrize(
    ("name", "why"),
    [(f"{OWN}Team", "spelt"), (f"{OWN}absent", "there is no extension"), ("team", "there is no extension")],
)
def test_extension_names_are_read_with_case(name: str, why: str) -> None:
    entry = {"Source": "user", "ExtensionID": name, "SamlClaimType": "x"}
    known = {"extensions": {f"{OWN}team": "String"}}
    found = line(of(entry, who=agent(ADA, values={f"{OWN}team": "blue"}), where=known))
    assert found is not None
    assert not found.sent
    assert why in found.why


def test_only_the_first_fifty_entries_count() -> None:
    entries = [{"Value": "v", "SamlClaimType": f"c{number}"} for number in range(1, 53)]
    found = of(*entries)
    assert [one.name for one in found.lines if one.sent and one.name.startswith("c")] == [f"c{n}" for n in range(1, 51)]
    late = [one for one in found.lines if not one.sent]
    assert [(one.name, one.mark, one.rules) for one in late] == [
        ("c51", PREDICTED, ("S4",)),
        ("c52", PREDICTED, ("S4",)),
    ]


@pytest.mark.parametrize(
    ("name", "has_key", "sent"), [(RELEASED, True, True), (RELEASED, False, False), (RESTRICTED, True, False)]
)
def test_restricted_types(name: str, has_key: bool, sent: bool) -> None:
    found = line(
        of({"Value": "v", "SamlClaimType": name}, where={"has_key": has_key, "accept_mapped_claims": True}), name
    )
    assert found is not None
    assert (found.sent, found.mark) == (sent, PREDICTED)


def test_two_entries_of_one_type_are_one_attribute() -> None:
    found = line(of(user("department", SAMLNameForm="basic"), user("jobtitle"), user("state")))
    assert found is not None
    assert (found.values, found.mark) == (("Support", "Agent"), PREDICTED)
    assert found.name_form.endswith(":basic")
    unknown = line(of(user("department"), user("groups")))
    assert unknown is not None
    assert (unknown.values, unknown.mark) == ((), UNKNOWN)


def test_entries_keep_their_order_and_come_last() -> None:
    found = of({"Value": "1", "SamlClaimType": "b"}, {"Value": "1", "SamlClaimType": "a"}, IncludeBasicClaimSet=True)
    names = [one.name.rpartition("/")[2] for one in found.lines]
    core = ["tenantid", "objectidentifier", "identityprovider", "authnmethodsreferences"]
    assert names == [*core, "name", "givenname", "surname", "emailaddress", "b", "a"]


# -- what may not be read --------------------------------------------------------------------------------------------


def test_a_property_that_may_not_be_read_is_unknown_and_never_null() -> None:
    blind = agent(ADA, properties={"id": "1", "userPrincipalName": ADA, "mail": None, "accountEnabled": None})
    found = of(*NEEDED, who=blind, IncludeBasicClaimSet="true")
    marks = {one.name.rpartition("/")[2]: one.mark for one in found.lines}
    assert (marks["email"], marks["full_name"], marks["emailaddress"], marks["name"]) == (
        UNKNOWN,
        UNKNOWN,
        UNKNOWN,
        PREDICTED,
    )
    assert not found.findings
    assert len(found.doubts) == 3  # email, full_name, whether the account is enabled
    assert {one.name: one.mark for one in found.worker}["email"] == UNKNOWN


def test_roles_of_an_unreadable_group_are_unknown_and_not_missing() -> None:
    who = agent(ADA, roles=(), assigned=False, blind="members of the group 'Agents' may not be read")
    found = of(*NEEDED, who=who)
    assert not found.findings
    assert [one.code for one in found.refusals] == ["AADSTS50105"]
    assert found.refusals[0].mark == UNKNOWN
    assert any("'roles'" in one for one in found.doubts)


@pytest.mark.parametrize(
    ("where", "entry", "line_name"),
    [
        ({"country": None}, {"Source": "company", "ID": "tenantcountry", "SamlClaimType": "x"}, "x"),
        ({"tenant_id": ""}, user("mail"), "http://schemas.microsoft.com/identity/claims/tenantid"),
    ],
)
def test_a_tenant_that_may_not_be_read(where: dict[str, Any], entry: dict[str, Any], line_name: str) -> None:
    found = line(of(entry, where=where), line_name)
    assert found is not None
    assert (found.sent, found.mark) == (False, UNKNOWN)


# -- NameID ----------------------------------------------------------------------------------------------------------


def named(**entry: Any) -> dict[str, Any]:
    return {"SamlClaimType": NAME_ID, **entry}


JOIN = {
    "ID": "J",
    "TransformationMethod": "Join",
    "InputClaims": [{"ClaimTypeReferenceId": "mailnickname", "TransformationClaimType": "string1"}],
    "InputParameters": [{"ID": "string2", "Value": "contoso.example"}, {"ID": "separator", "Value": "@"}],
}
PREFIX = {
    "ID": "J",
    "TransformationMethod": "ExtractMailPrefix",
    "InputClaims": [{"ClaimTypeReferenceId": "mail", "TransformationClaimType": "mail"}],
}
LOWER = {
    "ID": "J",
    "TransformationMethod": "ToLowercase()",
    "InputClaims": [{"ClaimTypeReferenceId": "mail", "TransformationClaimType": "string"}],
}
FEED = [{"Source": "user", "ID": "mailnickname"}, {"Source": "user", "ID": "mail"}]
TRANSFORMED = named(Source="transformation", ID="n", TransformationID="J")


@pytest.mark.parametrize(
    ("entries", "more", "value", "format_", "marked"),
    [
        ([], {}, ADA, PERSISTENT, PREDICTED),
        ([named(Source="user", ID="userprincipalname")], {}, ADA, EMAIL, EXACT),
        ([named(Source="user", ID="mail", SamlNameIdFormat=UNSPECIFIED)], {}, ADA, UNSPECIFIED, EXACT),
        ([named(Source="user", ID="employeeid")], {}, "1001", UNSPECIFIED, EXACT),
        ([named(Source="user", ID="mailnickname")], {}, "ada", UNSPECIFIED, EXACT),
        ([named(Source="user", ID="telephonenumber")], {}, "", PERSISTENT, UNKNOWN),  # null
        ([named(Source="user", ID="displayname")], {}, "", PERSISTENT, UNKNOWN),
        ([named(Value="ada")], {}, "", PERSISTENT, UNKNOWN),
        ([named(Source="user", ExtensionID=f"{OWN}team")], {}, "", PERSISTENT, UNKNOWN),
        ([*FEED, TRANSFORMED], {"ClaimsTransformation": [JOIN]}, ADA, UNSPECIFIED, EXACT),
        ([*FEED, TRANSFORMED], {"ClaimsTransformations": [PREFIX]}, "ada", UNSPECIFIED, EXACT),
        ([*FEED, TRANSFORMED], {"ClaimsTransformation": [LOWER]}, "", PERSISTENT, UNKNOWN),
        ([TRANSFORMED], {}, "", PERSISTENT, UNKNOWN),
    ],
)  # fmt: skip
def test_the_name_id(
    entries: list[dict[str, Any]], more: dict[str, Any], value: str, format_: str, marked: str
) -> None:
    found = of(*entries, **more)
    assert (found.name_id.value, found.name_id.format, found.name_id.mark) == (value, format_, marked)
    assert bool(found.name_id.why) == (marked == UNKNOWN)
    assert all(one.name != NAME_ID for one in found.lines)  # N5
    stated = any("SamlNameIdFormat" in one for one in entries)
    assert found.name_id.format_mark == (EXACT if stated else PREDICTED)


def test_a_join_wants_a_verified_domain_that_may_be_read() -> None:
    entries, more = [*FEED, TRANSFORMED], {"ClaimsTransformation": [JOIN]}
    for domains, value in ((("contoso.example",), ADA), (("CONTOSO.example",), ADA), (("example",), ""), (None, "")):
        found = of(*entries, where={"domains": domains}, **more)
        assert found.name_id.value == value, domains


# -- transformations -------------------------------------------------------------------------------------------------


def transformed(method: str, *inputs: str, who: Agent | None = None, each: bool = False, **parameters: str) -> Line:
    """One attribute made by a method: inputs are `ID as name`."""
    claims = []
    for one in inputs:
        id_, _, name = one.partition(" as ")
        more = {"TreatAsMultiValue": "true"} if each else {}
        claims.append({"ClaimTypeReferenceId": id_, "TransformationClaimType": name, **more})
    given_ = [{"ID": name, "Value": value} for name, value in parameters.items()]
    made = {"ID": "T", "TransformationMethod": method, "InputClaims": claims, "InputParameters": given_}
    feed = [{"Source": "user", "ID": one.partition(" as ")[0]} for one in inputs if not one.startswith("?")]
    entry = {"Source": "transformation", "ID": "out", "TransformationID": "T", "SamlClaimType": "x"}
    found = line(of(*feed, entry, who=who, ClaimsTransformation=[made]))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("rule", "method", "inputs", "parameters", "values", "marked"),
    [
        ("T1", "Join", ["givenname as string1", "surname as string2"], {"separator": " "}, ("Ada Lovelace",), EXACT),
        ("T1", "join()", ["givenname as string1", "surname as string2"], {"separator": ""}, ("AdaLovelace",), EXACT),
        ("T1", "Join", ["givenname as string1", "state as string2"], {"separator": ""}, (), PREDICTED),
        ("T1", "Join", ["givenname as string1"], {"separator": ""}, (), PREDICTED),
        ("T2", "ExtractMailPrefix", ["mail as mail"], {}, ("ada",), EXACT),
        ("T2", "ExtractMailPrefix", ["department as mail"], {}, ("Support",), EXACT),
        ("T3", "ToUppercase", ["department as string"], {}, ("SUPPORT",), EXACT),
        ("T3", "ToLowercase()", ["department as string"], {}, ("support",), EXACT),
        ("T3", "ToLowercase()", [], {}, (), PREDICTED),
        ("T4", "RegexReplace", ["mail as sourceClaim"], {"regex": "@.*", "replacement": ""}, ("ada",), EXACT),
        ("T4", "RegexReplace", ["mail as sourceClaim"], {"regex": "a", "replacement": "o"}, None, PREDICTED),
        ("T4", "RegexReplace", ["mail as sourceClaim"], {"regex": "zzz", "replacement": "o"}, (ADA,), PREDICTED),
        (
            "T4",
            "RegexReplace",
            ["mail as sourceClaim", "department as team"],
            {"regex": "@.*", "replacement": "-{team}"},
            ("ada-Support",),
            EXACT,
        ),
        ("T4", "RegexReplace", ["mail as sourceClaim"], {"regex": r"(?<a-b>x)", "replacement": ""}, (), UNKNOWN),
        ("T4", "RegexReplace", ["mail as sourceClaim"], {"regex": "a"}, (), PREDICTED),
        ("T5", "CreateStringClaim", [], {"value": "x"}, (), EXACT),
        ("T6", "Substring", ["mail as string"], {}, (), PREDICTED),
        ("T6", "ExtractMailPrefix", ["?nowhere as mail"], {}, (), PREDICTED),
        ("S21", "ToLowercase", ["groups as string"], {}, (), UNKNOWN),
    ],
)
def test_one_transformation(
    rule: str, method: str, inputs: list[str], parameters: dict[str, str], values: tuple[str, ...] | None, marked: str
) -> None:
    found = transformed(method, *inputs, **parameters)
    assert found.mark == marked, rule
    if values is not None:
        assert found.values == values, rule


@pytest.mark.parametrize(("each", "values"), [(False, ("admin-x",)), (True, ("admin-x", "agent-x"))])
def test_several_values_go_one_by_one_or_the_first_alone(each: bool, values: tuple[str, ...]) -> None:
    who = agent(ADA, roles=("admin", "agent"))
    found = transformed("Join", "assignedroles as string1", who=who, each=each, separator="-", string2="x")
    assert (found.values, found.mark) == (values, PREDICTED)


def test_upper_case_is_dot_nets() -> None:
    found = transformed("ToUppercase", "department as string", who=person(department="Größe"))
    assert found.values == ("GRÖßE",)  # one letter to one: the sharp s stays


def test_a_transformation_of_itself_ends() -> None:
    loop = {
        "ID": "T",
        "TransformationMethod": "ToLowercase",
        "InputClaims": [{"ClaimTypeReferenceId": "me", "TransformationClaimType": "string"}],
    }
    entry = {"Source": "transformation", "ID": "me", "TransformationID": "T", "SamlClaimType": "x"}
    found = line(of(entry, ClaimsTransformation=[loop]))
    assert found is not None
    assert not found.sent


# -- who may sign in, and the worker ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "who", "codes"),
    [
        ({}, {}, []),
        ({"enabled": False}, {}, ["AADSTS7000112"]),
        ({}, {"properties": {**USERS[ADA], "accountEnabled": False}}, ["AADSTS50057"]),
        ({}, {"assigned": False}, ["AADSTS50105"]),
        ({"assignment_required": False}, {"assigned": False}, []),
        ({"has_key": False}, {}, ["AADSTS50146"]),
        ({"has_key": False, "accept_mapped_claims": True}, {}, []),
        ({"enabled": False, "has_key": False}, {"assigned": False}, ["AADSTS7000112", "AADSTS50105", "AADSTS50146"]),
    ],
)
def test_who_may_sign_in(where: dict[str, Any], who: dict[str, Any], codes: list[str]) -> None:
    found = of(*NEEDED, who=agent(ADA, **who), where=where)
    assert [one.code for one in found.refusals] == codes
    assert len(found.findings) == len(codes)


def test_a_claim_that_is_not_sent_leaves_the_worker_as_it_was() -> None:
    entry = {"Source": "user", "ID": "department", "SamlClaimType": "team.string"}
    found = {one.name: one for one in of(*NEEDED, entry, who=person(department=None)).worker}
    assert (found["team"].kept, found["team"].mark) == (True, EXACT)
    assert "keeps what it had" in found["team"].why


def test_missing_attributes_and_ill_typed_ones_are_findings() -> None:
    bad = {"Source": "user", "ID": "department", "SamlClaimType": "skill.int"}
    found = of(NEEDED[0], bad, who=person(mail=None))
    assert [(one.kind, one.name) for one in found.faults] == [
        ("missing", "email"),
        ("missing", "full_name"),
        ("missing", "roles"),
        ("ill-typed", "skill.int"),
    ]


def test_a_change_is_told_before_it_is_made() -> None:
    before, after = of(*NEEDED, user("department")), of(*NEEDED[:2], user("jobtitle"), named(Source="user", ID="mail"))
    told = {(one.where, one.name): (one.before, one.after) for one in changes(before, after)}
    assert told["sign-in", ""] == ("works", "'roles' is missing: Flex answers with error 45050")
    assert told["NameID format", ""] == (PERSISTENT, EMAIL)
    assert told["attribute", "x"] == (["Support"], ["Agent"])
    assert told["attribute", "roles"] == (["agent"], "(not sent)")
    assert told["worker", "roles"] == (["agent"], "(as it was)")
    assert ("NameID", "") not in told
    assert changes(before, before) == []


# -- what is no policy, and the page itself --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "Graph refuses it"),
        ("no json", "Graph refuses it"),
        ("[]", "Graph refuses it"),
        ('{"ClaimsMappingPolicy":{"version":1}}', "Version"),
        ('{"ClaimsMappingPolicy":{"Version":"1"}}', "Version"),
        ('{"ClaimsMappingPolicy":{"ClaimsSchema":[]}}', "Version"),
        ('{"value":[{"definition":["{}"]},{"definition":["{}"]}]}', "2 policies"),
    ],
)
def test_what_could_never_be_assigned_is_not_predicted(text: str, why: str) -> None:
    with pytest.raises(UnusablePolicy, match=why):
        sign_in_policy(text)


def test_every_ground_has_the_grade_of_the_page() -> None:
    page = DOC.read_text("utf-8")
    rows = {found[1]: found[2] for found in re.finditer(r"(?m)^\| ([A-Z]\d+) \|.*\| ([^|]*) \|$", page)}
    grades = {number: set(re.findall(r"\b[ABCD]\b", text)) for number, text in rows.items()}
    own = ("ID", "T", "S3 beside")  # graded in the text between the tables, or not at all
    cited = {name: grade for name, grade in GRADES.items() if name not in own}
    inline = {"S13", "N2"}  # rows that grade within their text
    for name, grade in cited.items():
        number = name.partition(" ")[0]
        assert grade in grades[number] or number in inline, (name, grades[number])
    assert set(rows) - {"S1", "S22", "F10"} == {name.partition(" ")[0] for name in cited}


def test_a_line_is_never_believed_more_than_its_weakest_rule() -> None:
    assert mark(("S3", "S5")) == EXACT
    assert mark(("S3", "S6")) == PREDICTED
    assert mark(("S3",), "unread") == UNKNOWN


_IDS = st.sampled_from(
    ["mail", "assignedroles", "groups", "netbiosname", "zzz", "othermail", "extensionattribute1", ""]
)
_TEXTS = st.sampled_from(["x", "email", "roles", "skill.int", "", NAME_ID, RELEASED, RESTRICTED, "channel.a.capacity"])
_ODD = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.lists(st.none(), max_size=2))
_ENTRY = st.fixed_dictionaries(
    {},
    optional={
        "Source": st.one_of(st.sampled_from(["user", "transformation", "company", "application", "zzz"]), _ODD),
        "ID": st.one_of(_IDS, _ODD),
        "ExtensionID": st.one_of(st.just(f"{OWN}team"), _ODD),
        "Value": _ODD,
        "SamlClaimType": st.one_of(_TEXTS, _ODD),
        "SAMLNameForm": _ODD,
        "TransformationID": st.sampled_from(["T", "t", "U", ""]),
    },
)
_MADE = st.fixed_dictionaries(
    {"ID": st.sampled_from(["T", "U"]), "TransformationMethod": st.sampled_from(["Join", "RegexReplace", "ToLowercase", "?"])},
    optional={
        "InputClaims": st.lists(
            st.fixed_dictionaries(
                {"ClaimTypeReferenceId": _IDS, "TransformationClaimType": st.sampled_from(["string1", "sourceClaim", "s"])},
                optional={"TreatAsMultiValue": _ODD},
            ),
            max_size=3,
        ),
        "InputParameters": st.one_of(
            _ODD,
            st.lists(
                st.fixed_dictionaries({"ID": st.sampled_from(["string2", "separator", "regex", "replacement"]), "Value": _ODD}),
                max_size=4,
            ),
        ),
    },
)  # fmt: skip
_VALUES = st.one_of(_ODD, st.lists(st.text(max_size=3), max_size=3))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(_ENTRY, max_size=8),
    st.lists(_MADE, max_size=3),
    st.fixed_dictionaries({name: _VALUES for name in ("mail", "otherMails", "accountEnabled", "displayName")}),
    st.fixed_dictionaries({f"{OWN}team": _VALUES}),
)
def test_whatever_graph_accepts_gets_a_prediction(
    entries: list[Any], made: list[Any], properties: dict[str, Any], values: dict[str, Any]
) -> None:
    text = definition(*entries, ClaimsTransformation=made)
    who = agent(ADA, properties={**USERS[ADA], **properties}, values=values)
    found = predict(sign_in_policy(text), place(extensions={f"{OWN}team": "String"}), who)
    for one in found.lines:
        assert one.sent == bool(one.values)
        assert one.sent or one.why
        assert not (one.sent and one.mark == UNKNOWN)
        assert one.name not in load_table("restricted_claims")["saml"] or one.rules in (("S7",), ("S19",), ("S4",))
    assert changes(found, found) == []
