"""If this goes red, `predict` breaks a rule of docs/sign-in.md about the attribute statement, or its confidence is wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flexsaml.claims import NAME_ID, load_table
from flexsaml.prediction.comparison import compare_policies
from flexsaml.prediction.evidence import EXACT, PREDICTED, UNKNOWN
from tests.prediction.seeded import (
    ADA,
    MANDATORY,
    OWN,
    USERS,
    ada,
    agent,
    find_line,
    predict_entries,
    rate_without_request,
    target,
    user_entry,
)

RELEASED = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"
RESTRICTED = "http://schemas.microsoft.com/identity/claims/acct"
TEAM = {"Source": "user", "ExtensionID": f"{OWN}team", "SamlClaimType": "x"}


@pytest.mark.parametrize(
    ("rule", "entry", "properties", "values", "confidence"),
    [
        ("S3", user_entry("department"), {}, ("Support",), EXACT),
        ("S3", user_entry("department", Source="User"), {}, ("Support",), EXACT),  # as Microsoft's samples write it
        ("S3", user_entry("department", Source="USER"), {}, ("Support",), PREDICTED),
        ("S3", user_entry("Department"), {}, ("Support",), PREDICTED),  # no document has an ID in this case
        ("S14", user_entry("accountEnabled"), {}, ("true",), PREDICTED),
        ("S3", {"source": "User", "id": "department", "samlclaimtype": "x"}, {}, ("Support",), PREDICTED),
        ("S3", user_entry("department", Value="text"), {}, ("Support",), PREDICTED),  # a Value beside a Source
        ("S14", user_entry("usertype"), {"userType": "Member"}, ("Member",), PREDICTED),  # a word of Graph's
        ("S14", user_entry("creationtype"), {"creationType": "LocalAccount"}, ("LocalAccount",), PREDICTED),
        ("S3", user_entry("department", SAMLNameForm=""), {}, ("Support",), PREDICTED),
        ("S5", user_entry("department"), {"department": None}, (), EXACT),
        ("S6", user_entry("department"), {"department": ""}, ("",), PREDICTED),
        ("S8", {"Value": "vienna", "SamlClaimType": "x"}, {}, ("vienna",), EXACT),
        ("S8", {"Value": 900, "SamlClaimType": "x"}, {}, ("900",), PREDICTED),
        ("S8", {"Value": "two words", "SamlClaimType": "x"}, {}, ("two words",), EXACT),
        ("S8", {"Value": " blanks ", "SamlClaimType": "x"}, {}, (" blanks ",), PREDICTED),
        ("S10", {"SamlClaimType": "x"}, {}, (), PREDICTED),
        ("S10", user_entry(f"{OWN}team"), {}, (), UNKNOWN),  # an extension under ID
        ("S21", user_entry("x", Source="CustomClaimsProvider"), {}, (), UNKNOWN),
        ("S10", user_entry("favouritecolour"), {}, (), PREDICTED),
        ("S10", user_entry("employeetype"), {"employeeType": "Agent"}, (), PREDICTED),  # a property, and not documented
        ("S10", {"Source": "directory", "ID": "mail", "SamlClaimType": "x"}, {}, (), PREDICTED),
        ("S11", user_entry("othermail"), {"otherMails": ["a@x", "b@x"]}, ("a@x",), PREDICTED),
        ("S11", user_entry("proxyaddresses"), {"proxyAddresses": ["smtp:a@x"]}, ("smtp:a@x",), EXACT),
        ("S11", user_entry("proxyaddresses"), {"proxyAddresses": []}, (), EXACT),
        ("S12", user_entry("assignedroles"), {}, ("agent",), EXACT),
        ("S14", user_entry("accountenabled"), {}, ("true",), PREDICTED),
        ("S14", user_entry("createddatetime"), {"createdDateTime": "2026-01-05T09:00:00Z"}, ("2026-01-05T09:00:00Z",), PREDICTED),
        ("S15", {"Source": "application", "ID": "displayname", "SamlClaimType": "x"}, {}, ("Twilio Flex",), PREDICTED),
        ("S15", {"Source": "audience", "ID": "mail", "SamlClaimType": "x"}, {}, (), PREDICTED),
        ("S9", {"Source": "company", "ExtensionID": f"{OWN}team", "SamlClaimType": "x"}, {}, (), PREDICTED),
        ("S16", {"Source": "company", "ID": "tenantcountry", "SamlClaimType": "x"}, {}, ("AT",), EXACT),
        ("S17", user_entry("department", SAMLNameForm="basic"), {}, ("Support",), PREDICTED),
        ("S17", user_entry("department", SAMLNameForm="urn:oasis:names:tc:SAML:2.0:attrname-format:basic"), {}, ("Support",), EXACT),
        ("S23", user_entry("userprincipalname"), {}, (ADA,), EXACT),
        ("S23", user_entry("userprincipalname"), {"userType": "Guest"}, (), UNKNOWN),
        ("S23", user_entry("userprincipalname"), {"creationType": "Invitation"}, (), UNKNOWN),
        ("S23", user_entry("userprincipalname"), {"creationType": "SelfServiceSignUp"}, (), UNKNOWN),
        ("S23", user_entry("userprincipalname"), {"externalUserState": "Accepted"}, (), UNKNOWN),
        ("S28", user_entry("onpremisesuserprincipalname"), {"onPremisesUserPrincipalName": "ada@corp.local"}, (), UNKNOWN),
        ("S28", user_entry("onpremisesuserprincipalname"), {"onPremisesUserPrincipalName": None}, (), EXACT),
        ("S23", user_entry("localuserprincipalname"), {"userType": "Guest"}, (ADA,), EXACT),
        ("S24", user_entry("department"), {"department": "a\r\nb"}, (), UNKNOWN),
        ("S24", {"Value": "a\nb", "SamlClaimType": "x"}, {}, (), UNKNOWN),
        ("S24", user_entry("department"), {"department": "a\tb"}, ("a\tb",), EXACT),
        ("S17", user_entry("department", SAMLNameForm="urn:contoso:name"), {}, ("Support",), PREDICTED),
        ("S26", user_entry("department"), {"department": "a\x01b"}, (), UNKNOWN),
        ("S26", user_entry("department"), {"department": "a\ud800b"}, (), UNKNOWN),
        ("S26", {"Value": "a\uffffb", "SamlClaimType": "x"}, {}, (), UNKNOWN),
        ("S26", user_entry("department"), {"department": "a\x7f\U0001f600"}, ("a\x7f\U0001f600",), EXACT),
        ("S25", user_entry("department", Condition="never"), {}, (), UNKNOWN),
        ("S25", user_entry("department", AppliesToUserType="AllGuests"), {}, (), UNKNOWN),
        ("S25", user_entry("department", SamlNameIdFormat="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"), {}, (), UNKNOWN),
        ("S25", user_entry("department "), {}, (), UNKNOWN),
        ("S25", user_entry("department", id="mail"), {}, (), UNKNOWN),
        ("S25", {"Value": True, "SamlClaimType": "x"}, {}, (), UNKNOWN),
        ("S25", {"Value": ["a"], "SamlClaimType": "x"}, {}, (), UNKNOWN),
        ("S3", user_entry("department", ExtensionID=None), {}, ("Support",), PREDICTED),
        ("S21", user_entry("groups"), {}, (), UNKNOWN),
        ("ID", user_entry("telephonenumber"), {"businessPhones": ["1", "2"]}, ("1",), PREDICTED),
        ("ID", user_entry("extensionattribute3"), {"onPremisesExtensionAttributes": {"extensionAttribute3": "z"}}, ("z",), PREDICTED),
        ("ID", user_entry("extensionattribute3"), {"onPremisesExtensionAttributes": None}, (), PREDICTED),
        ("ID", user_entry("dnsdomainname"), {"onPremisesDomainName": "x.test"}, ("x.test",), PREDICTED),
        ("ID", user_entry("onpremisesecurityidentifier"), {"onPremisesSecurityIdentifier": "S-1"}, ("S-1",), PREDICTED),
        ("ID", user_entry("netbiosname"), {}, (), UNKNOWN),
    ],
)  # fmt: skip
def test_an_entry_gives_what_its_rule_says(
    rule: str, entry: dict[str, Any], properties: dict[str, Any], values: tuple[str, ...], confidence: str
) -> None:
    line = find_line(predict_entries(entry, user=ada(**properties)))
    assert (line.values, line.confidence) == (values, confidence), rule
    assert bool(line.explanation) == (not values)


@pytest.mark.parametrize(
    ("kind", "value", "values", "confidence"),
    [
        ("String", "Blue", ("Blue",), EXACT),
        ("String", "Blue ", ("Blue ",), PREDICTED),
        ("String", "", ("",), PREDICTED),
        ("Integer", -42, ("-42",), PREDICTED),
        ("LargeInteger", 9007199254740993, ("9007199254740993",), PREDICTED),
        ("Boolean", False, ("false",), PREDICTED),
        ("DateTime", "2026-05-04T09:30:00Z", ("2026-05-04T09:30:00Z",), PREDICTED),
        ("Binary", "AAEC", ("AAEC",), PREDICTED),
        ("String", None, (), EXACT),
        ("Integer", None, (), EXACT),  # whatever its form would be
        ("String[]", ["a", "b"], (), UNKNOWN),
        ("String[]", ["a"], ("a",), PREDICTED),
        ("String[]", [], (), EXACT),
        ("", "foreign", ("foreign",), PREDICTED),  # its application was not seen, nor its type
    ],
)
def test_the_type_of_an_extension_decides_its_form(
    kind: str, value: object, values: tuple[str, ...], confidence: str
) -> None:
    own = f"{OWN}team"
    user, at = agent(ADA, values={own: value}, declared=frozenset([own])), target(extensions={own: kind})
    line = find_line(predict_entries(TEAM, user=user, at=at))
    assert (line.values, line.confidence) == (values, confidence)


@pytest.mark.parametrize(
    ("value", "declared", "synced", "confidence"),
    [
        ("blue", True, False, EXACT),
        ("blue", False, True, EXACT),
        ("blue", False, False, PREDICTED),  # Graph does not show under which case it was written
        (None, False, False, EXACT),
    ],
)
def test_a_value_that_was_read_may_have_been_written_in_another_case(
    value: str | None, declared: bool, synced: bool, confidence: str
) -> None:
    names = frozenset([f"{OWN}team"])
    user = agent(ADA, values={f"{OWN}team": value}, declared=names if declared else frozenset())
    at = replace(target(extensions={f"{OWN}team": "String"}), synced=names if synced else frozenset())
    assert find_line(predict_entries(TEAM, user=user, at=at)).confidence == confidence


@pytest.mark.parametrize(
    ("value", "synced", "confidence"), [("blue", False, PREDICTED), ("blue", True, EXACT), (None, False, EXACT)]
)
def test_an_extension_of_another_application_is_exact_if_a_synchronisation_made_it(
    value: str | None, synced: bool, confidence: str
) -> None:
    name = f"extension_{'0' * 32}_team"
    user = agent(ADA, values={name: value}, declared=frozenset([name]))
    at = replace(target(extensions={name: "String"}), synced=frozenset([name] if synced else []))
    assert find_line(predict_entries({**TEAM, "ExtensionID": name}, user=user, at=at)).confidence == confidence


@pytest.mark.parametrize(
    ("name", "why", "value", "declared", "confidence"),
    [
        (f"{OWN}Team", "spelt", "blue", True, EXACT),
        (f"{OWN}Team", "spelt", "blue", False, PREDICTED),  # it may have been written in the case of the policy
        (f"{OWN}Team", "spelt", None, False, EXACT),
        (f"{OWN.upper()}team", "spelt", "blue", True, PREDICTED),
        (f"{OWN}absent", "there is no extension", "blue", True, PREDICTED),
        ("team", "there is no extension", "blue", True, PREDICTED),
    ],
)
def test_case_matters_in_extension_names(
    name: str, why: str, value: str | None, declared: bool, confidence: str
) -> None:
    own = f"{OWN}team"
    user = agent(ADA, values={own: value}, declared=frozenset([own]) if declared else frozenset())
    at = target(extensions={own: "String"})
    line = find_line(predict_entries({**TEAM, "ExtensionID": name}, user=user, at=at))
    assert not line.values
    assert why in line.reason
    assert line.confidence == confidence


def test_only_the_first_fifty_entries_count() -> None:
    entries = [{"Value": "v", "SamlClaimType": f"c{number}"} for number in range(1, 53)]
    lines = [line for line in predict_entries(*entries).attributes if line.name.startswith("c")]
    assert [line.name for line in lines if line.values] == [f"c{number}" for number in range(1, 51)]
    assert [(line.name, line.confidence, line.rules) for line in lines if not line.values] == [
        ("c51", PREDICTED, ("S4",)),
        ("c52", PREDICTED, ("S4",)),
    ]


@pytest.mark.parametrize(
    ("kind", "value", "values", "confidence"),
    [
        ("String[]", ["a"], ("a",), EXACT),
        ("String[]", ["a", "b"], ("a", "b"), PREDICTED),  # in an order that nobody documents
        ("Integer[]", [7], ("7",), PREDICTED),
        ("Binary[]", ["AAEC"], ("AAEC",), PREDICTED),
    ],
)
def test_a_synchronised_list_is_exact_where_its_form_is_known(
    kind: str, value: list[object], values: tuple[str, ...], confidence: str
) -> None:
    name = f"{OWN}team"
    at = replace(target(extensions={name: kind}), synced=frozenset([name]))
    line = find_line(predict_entries(TEAM, user=agent(ADA, values={name: value}), at=at))
    assert (line.values, line.confidence) == (values, confidence)


@pytest.mark.parametrize(
    ("name", "kept", "confidence"),
    [("team", True, EXACT), ("channel.voice.capacity", True, PREDICTED), ("team_member", False, UNKNOWN),
     ("team_owner", False, UNKNOWN)],
)  # fmt: skip
def test_what_is_not_sent_leaves_an_attribute_and_moves_to_the_default_team(
    name: str, kept: bool, confidence: str
) -> None:
    entry = user_entry("department", SamlClaimType=name)
    line = next(line for line in predict_entries(entry, user=ada(department=None)).worker if line.name == name)
    assert (line.kept, line.confidence) == (kept, confidence)


@pytest.mark.parametrize(
    ("name", "has_key", "sent"), [(RELEASED, True, True), (RELEASED, False, False), (RESTRICTED, True, False)]
)
def test_restricted_types(name: str, has_key: bool, sent: bool) -> None:
    at = target(has_key=has_key, accept_mapped_claims=True)
    line = find_line(predict_entries({"Value": "v", "SamlClaimType": name}, at=at), name)
    assert (bool(line.values), line.confidence) == (sent, PREDICTED)


def test_two_entries_of_a_type_are_known_only_if_one_of_them_has_values() -> None:
    entries = user_entry("department", SAMLNameForm="basic"), user_entry("jobtitle"), user_entry("state")
    line = find_line(predict_entries(*entries))
    assert (line.values, line.confidence) == ((), UNKNOWN)
    assert "several entries of this name" in line.explanation
    single = find_line(predict_entries(user_entry("state"), user_entry("department"), user_entry("state")))
    assert (single.values, single.confidence) == (("Support",), PREDICTED)
    unknown = find_line(predict_entries(user_entry("department"), user_entry("groups")))
    assert (unknown.values, unknown.confidence) == ((), UNKNOWN)


def test_claim_types_that_differ_in_case_are_not_exact() -> None:
    prediction = predict_entries({"Value": "a", "SamlClaimType": "x"}, {"Value": "b", "SamlClaimType": "X"})
    assert [find_line(prediction, name).confidence for name in ("x", "X")] == [PREDICTED, PREDICTED]


@pytest.mark.parametrize("name", ["a\nb", "a\tb", "a\x01b"])
def test_a_name_that_xml_changes_is_unknown(name: str) -> None:
    assert find_line(predict_entries({"Value": "v", "SamlClaimType": name}), name).confidence == UNKNOWN


def test_entries_keep_their_order_after_the_core_and_basic_attributes() -> None:
    entries = {"Value": "1", "SamlClaimType": "b"}, {"Value": "1", "SamlClaimType": "a"}
    lines = predict_entries(*entries, IncludeBasicClaimSet=True).attributes
    core = ["tenantid", "objectidentifier", "identityprovider", "authnmethodsreferences"]
    basic = ["name", "givenname", "surname", "emailaddress"]
    assert [line.name.rpartition("/")[2] for line in lines] == [*core, *basic, "b", "a"]


# -- what may not be read ----------------------------------------------------------------------------------------------


def test_an_unreadable_property_is_unknown_and_not_null() -> None:
    unreadable = agent(ADA, properties={"id": "1", "userPrincipalName": ADA, "mail": None, "accountEnabled": None})
    prediction = predict_entries(*MANDATORY, user=unreadable, IncludeBasicClaimSet="true")
    levels = {line.name.rpartition("/")[2]: line.confidence for line in prediction.attributes}
    assert {levels[name] for name in ("email", "full_name", "emailaddress")} == {UNKNOWN}
    assert levels["name"] == UNKNOWN  # of a guest
    assert not prediction.verdict.problems
    assert len(prediction.verdict.doubts) == 3  # email, full_name, whether the account is enabled
    assert prediction.verdict.doubts[-1].startswith(
        "whether sign-in is refused with AADSTS50057 is unknown: there is no permission to read"
    )
    assert {line.name: line.confidence for line in prediction.worker}["email"] == UNKNOWN


def test_roles_of_an_unreadable_group_are_unknown_and_not_missing() -> None:
    user = agent(ADA, roles=(), assigned=False, roles_unreadable="members of the group 'Agents' may not be read")
    prediction = predict_entries(*MANDATORY, user=user)
    assert not prediction.verdict.problems
    assert [(refusal.code, refusal.confidence) for refusal in prediction.refusals] == [("AADSTS50105", UNKNOWN)]
    assert any("'roles'" in doubt for doubt in prediction.verdict.doubts)


@pytest.mark.parametrize(
    ("changes", "entry", "name"),
    [
        ({"country": None}, {"Source": "company", "ID": "tenantcountry", "SamlClaimType": "x"}, "x"),
        ({"tenant_id": ""}, user_entry("mail"), "http://schemas.microsoft.com/identity/claims/tenantid"),
    ],
)
def test_an_unreadable_tenant_is_unknown(changes: dict[str, Any], entry: dict[str, Any], name: str) -> None:
    line = find_line(predict_entries(entry, at=target(**changes)), name)
    assert (line.values, line.confidence) == ((), UNKNOWN)


# -- every policy that Graph accepts -----------------------------------------------------------------------------------

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
_TRANSFORMATION = st.fixed_dictionaries(
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
    st.lists(_TRANSFORMATION, max_size=3),
    st.fixed_dictionaries({name: _VALUES for name in ("mail", "otherMails", "accountEnabled", "displayName")}),
    st.fixed_dictionaries({f"{OWN}team": _VALUES}),
)
def test_every_policy_that_graph_accepts_gets_a_prediction(
    entries: list[Any], transformations: list[Any], properties: dict[str, Any], values: dict[str, Any]
) -> None:
    user = agent(ADA, properties={**USERS[ADA], **properties}, values=values)
    at = target(extensions={f"{OWN}team": "String"})
    prediction = predict_entries(*entries, user=user, at=at, ClaimsTransformation=transformations)
    restricted = load_table("restricted_claims")["saml"]
    for line in prediction.attributes:
        assert line.values or line.explanation
        assert not (line.values and line.confidence == UNKNOWN)
        assert line.name not in restricted or line.rules in (("S7",), ("S19",), ("S4",), ("S21",))
    assert compare_policies(prediction, prediction) == []


@pytest.mark.parametrize("name", [NAME_ID.title(), RESTRICTED.upper(), f"{RELEASED[:-3]}UPN"])
def test_a_claim_type_in_another_case_than_one_entra_has_rules_for_is_unknown(name: str) -> None:
    prediction = predict_entries(UPN_ENTRY, {"Value": "v", "SamlClaimType": name})
    assert find_line(prediction, name).confidence == UNKNOWN
    assert bool(prediction.name_id.unknown) == (name.lower() == NAME_ID)


@pytest.mark.parametrize(
    ("basic", "is_known"), [(True, True), ("false", True), ("True", True), ("yes", False), (1, False), ("", False)]
)
def test_another_basic_claim_set_than_true_or_false_is_unknown(basic: object, is_known: bool) -> None:
    line = find_line(predict_entries(user_entry("department"), IncludeBasicClaimSet=basic))
    assert (line.confidence == EXACT) == is_known


UPN_ENTRY = {"Source": "user", "ID": "userprincipalname", "SamlClaimType": NAME_ID}


@pytest.mark.parametrize(
    ("constants", "name", "value", "confidence"),
    [
        ({"team": "blue"}, "team", "blue", EXACT),
        ({"team": "blue "}, "team", "blue ", PREDICTED),
        ({"team_member": "blue"}, "team_member", "blue", PREDICTED),  # Twilio says only which team it assigns
        ({"team_owner": "blue, red"}, "team_owner", "blue, red", PREDICTED),
        ({"team_member": ""}, "team_member", None, UNKNOWN),  # the default team
        ({"Team_Member": "blue"}, "Team_Member", "blue", PREDICTED),
        ({"routing": "x"}, "routing", "x", PREDICTED),
        ({"team": "blue", "note": "ä" * 700}, "team", "blue", PREDICTED),  # 4,096 characters only without escapes
        ({"team": "blue", "note": "x" * 3900}, "team", "blue", EXACT),
        ({"team_member.stringarray": "blue,red"}, "team_member", None, UNKNOWN),
        ({"team": "blue", "note": "x" * 4100}, "team", None, UNKNOWN),  # longer than TaskRouter keeps
        ({"full_name.string": "Ada"}, "full_name", None, UNKNOWN),
        ({"languages.stringarray": "de,en"}, "languages", ["de", "en"], EXACT),
        ({"languages.stringarray": "de, en"}, "languages", ["de", "en"], PREDICTED),
        ({"languages.stringarray": "de,,en"}, "languages", ["de", "", "en"], PREDICTED),
        ({"languages.stringarray": '"de,en"'}, "languages", ['"de', 'en"'], PREDICTED),
        ({"languages.stringarray": '["de"]'}, "languages", ['["de"]'], PREDICTED),
        ({"//x/team": "blue"}, "//x/team", "blue", PREDICTED),  # a URI by some readings
        ({"routing.skills.stringarray": "de"}, "routing.skills", ["de"], PREDICTED),  # Flex keeps its own nested
        ({"team.name": "blue"}, "team.name", "blue", PREDICTED),
        ({"level.Int": "5"}, "level.Int", "5", PREDICTED),
        ({"Email": "a@x"}, "Email", "a@x", PREDICTED),  # Flex may take it for email
        ({"Team": "blue"}, "Team", "blue", EXACT),
        ({"team": " blue"}, "team", " blue", PREDICTED),
        ({"level.int": "5"}, "level", 5, EXACT),
        ({"level.int": "-5"}, "level", -5, PREDICTED),
        ({"channel.voice.foo": "x"}, "channel.voice.foo", "x", PREDICTED),
        ({"channel.voice.capacity": "2"}, "channel.voice.capacity", 2, PREDICTED),
        ({"team": "blue", "team.string": "red"}, "team", None, UNKNOWN),
        ({"team": "blue", "team.int": "5"}, "team", None, UNKNOWN),
        ({"team": "blue", "team.int": "1.0"}, "team", None, UNKNOWN),  # that Flex refuses 1.0 is an inference
        ({"roles.stringarray": "admin"}, "roles", None, UNKNOWN),
        ({"team": "blue", "team.string": "a\nb"}, "team", None, UNKNOWN),  # it is not known whether the other arrives
    ],
)
def test_the_worker_is_as_sure_as_its_weakest_rule(
    constants: dict[str, str], name: str, value: object, confidence: str
) -> None:
    entries = [{"Value": text, "SamlClaimType": type_} for type_, text in constants.items()]
    line = next(line for line in predict_entries(*MANDATORY, *entries).worker if line.name == name)
    assert (line.value, line.confidence) == (value, confidence)


@pytest.mark.parametrize(
    ("type_", "roles", "confidence"),
    [
        ("roles", ("admin",), EXACT),
        ("roles", ("boss",), PREDICTED),
        ("x.stringarray", ("a", "b"), PREDICTED),
        ("x.int", ("1", "2"), UNKNOWN),
    ],
)
def test_what_flex_makes_of_several_values(type_: str, roles: tuple[str, ...], confidence: str) -> None:
    entries = [{"Source": "user", "ID": "assignedroles", "SamlClaimType": type_}]
    worker = predict_entries(*entries, user=agent(ADA, roles=roles)).worker
    assert worker[0].confidence == confidence


@pytest.mark.parametrize(
    ("upn", "confidence"),
    [("ada@contoso.example", EXACT), ("ada_l@contoso.example", PREDICTED), ("äda@contoso.example", PREDICTED)],
)
def test_the_address_of_a_worker_is_exact_where_its_form_is_documented(upn: str, confidence: str) -> None:
    worker = predict_entries(UPN_ENTRY, user=replace(agent(ADA), upn=upn)).worker
    assert {line.name: rate_without_request(line) for line in worker}["contact_uri"] == confidence
