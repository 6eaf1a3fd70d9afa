"""If this goes red, a mistake in a claims policy is found at sign-in instead of before the change, or a policy that
the service accepts is refused here.

Every rule has a text that sets it off and one, as close as possible, that does not.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flexsaml.claims import PROFILES, Context, lint
from flexsaml.claims.rules import RULE_NAMES, RULES
from flexsaml.findings import LEVELS

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "tests" / "corpus" / "policies"
INDEX = json.loads((CORPUS / "index.json").read_text("utf-8"))
NAME_ID = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"
ROLE = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
APP = "0123456789abcdef0123456789abcdef"
SKILL = f"extension_{APP}_skill"
MAIL = {"Source": "user", "ID": "mail"}
FLEX = [
    {**MAIL, "SamlClaimType": "email"},
    {"Source": "user", "ID": "displayname", "SamlClaimType": "full_name"},
    {"Source": "user", "ID": "assignedroles", "SamlClaimType": "roles"},
    {"Source": "user", "ID": "userprincipalname", "SamlClaimType": NAME_ID},
]
JOIN = {
    "ID": "J",
    "TransformationMethod": "Join",
    "InputClaims": [{"ClaimTypeReferenceId": "mail", "TransformationClaimType": "string1"}],
    "InputParameters": [{"ID": "string2", "Value": "x"}, {"ID": "separator", "Value": " "}],
    "OutputClaims": [{"ClaimTypeReferenceId": "Out", "TransformationClaimType": "outputClaim"}],
}
JOINED = [dict(MAIL), {"Source": "transformation", "ID": "Out", "TransformationID": "J", "SamlClaimType": "joined"}]


def policy(*entries: dict[str, Any], **more: Any) -> str:
    """A definition with these entries; `more` replaces or adds keys, None takes one away."""
    body: dict[str, Any] = {"Version": 1, "IncludeBasicClaimSet": "false", "ClaimsSchema": list(entries), **more}
    return json.dumps({"ClaimsMappingPolicy": {key: value for key, value in body.items() if value is not None}})


def claim(**entry: str) -> str:
    """A definition of one claim, `level` unless the entry says otherwise."""
    return policy({"SamlClaimType": "level", **entry})


def mail(**more: str) -> str:
    return claim(**MAIL, **more)


def skill(name: str = "skill", full: str = SKILL) -> str:
    return claim(Source="user", ExtensionID=full, SamlClaimType=name)


def join(**more: Any) -> str:
    return policy(*JOINED, ClaimsTransformations=[{**JOIN, **more}])


def knows(data_type: str = "String", *values: str, name: str = SKILL) -> Context:
    return Context({name: data_type}, {name: values})


def body(definition: Any, **more: Any) -> str:
    return json.dumps({"definition": definition, "displayName": "x", **more})


FINE = policy(*FLEX)
NOTHING = Context()
Case = str | bytes | tuple[str, Context]
CASES: dict[str, tuple[Case, Case]] = {
    # rule: what sets it off, what does not
    "json": ('{"ClaimsMappingPolicy": {"Version": 1,}}', FINE),
    "encoding": (b'{"\xff": 1}', '{"ü": 1}'.encode()),
    "byte-order-mark": (b"\xef\xbb\xbf" + FINE.encode(), FINE.encode()),
    "size": (" " * 1_000_001, FINE),
    "nesting": ("[" * 100_000, FINE),
    "duplicate-key": ('{"ClaimsMappingPolicy": {"Version": 1, "Version": 1}}', FINE),
    "wrong-type": (claim(Value=900), claim(Value="900")),  # type: ignore[arg-type]
    "root": ('{"claimsMappingPolicy": {"Version": 1}}', FINE),
    "definition-array": (body(FINE), body([FINE])),
    "double-encoded": (body([json.dumps(FINE)]), json.dumps(FINE)),
    "raw-line-break": (body([FINE]).replace('{\\"Version', '\n{\\"Version'), body([FINE])),
    "line-break": (body([json.dumps(json.loads(FINE), indent=1)]), json.dumps(json.loads(FINE), indent=1)),
    "description-sent": (body([FINE], description="x"), body([FINE], description="x", id="1")),
    "organization-default": (body([FINE], isOrganizationDefault=True), body([FINE], isOrganizationDefault=False)),
    "version": (policy(Version=None, version=1), policy(Version=1.0)),
    "basic-claim-set-value": (policy(IncludeBasicClaimSet="yes"), policy(IncludeBasicClaimSet=True)),
    "basic-claim-set-missing": (policy(IncludeBasicClaimSet=None), FINE),
    "key-misspelt": (mail(SamlNameFrom="x"), mail(SAMLNameForm="x")),
    "key-unknown": (mail(Purpose="x"), mail(JwtClaimType="x")),
    "key-case": (claim(source="user", ID="mail"), claim(Source="user", Id="mail")),
    "white-space": (claim(Source="user", ID=" mail"), claim(Value=" mail")),
    "empty-schema": (policy(), policy(GroupFilter={"MatchOn": "displayname", "Type": "prefix", "Value": "x"})),
    "too-many-claims": (
        policy(*({"Value": "x", "SamlClaimType": f"c{n}"} for n in range(51))),
        policy(*({"Value": "x", "SamlClaimType": f"c{n}"} for n in range(50))),
    ),
    "group-filter": (
        policy(*FLEX, GroupFilter={"MatchOn": "name", "Type": "prefix", "Value": "a"}),
        policy(*FLEX, GroupFilter={"MatchOn": "displayname", "Type": "prefix", "Value": "a"}),
    ),
    "needs-signing-key": (policy(issuerWithApplicationId=True), policy(issuerWithApplicationId=False)),
    "no-source": (claim(), claim(Value="x")),
    "several-sources": (mail(Value="x"), mail()),
    "source-incomplete": (claim(ID="mail"), mail()),
    "source-unknown": (claim(Source="users", ID="mail"), claim(Source="User", ID="mail")),
    "constant-source": (claim(Source="Constant", Value="x"), claim(Value="x")),
    "id-unknown": (claim(Source="user", ID="900"), claim(Source="user", ID="onpremisessamaccountname")),
    "id-case": (claim(Source="user", ID="MailNickname"), claim(Source="User", ID="mailnickname")),
    "alternate-id": (
        claim(Source="user", ID="onpremisesuserprincipalname"),
        claim(Source="user", ID="userprincipalname"),
    ),
    "id-undocumented": (claim(Source="user", ID="groups"), mail()),
    "extension-in-id": (claim(Source="user", ID=SKILL), skill()),
    "extension-name": (skill(full="extension_01234567-89ab-cdef-0123-456789abcdef_skill"), skill()),
    "extension-placeholder": (skill(full=f"extension_{'0' * 32}_skill"), skill()),
    "extension-application-case": (skill(full=f"extension_{APP.upper()}_skill"), skill()),
    "extension-source": (claim(Source="company", ExtensionID=SKILL), skill()),
    "extension-case": ((skill(), knows(name=f"extension_{APP}_Skill")), (skill(), knows())),
    "extension-unknown": ((skill(full=f"extension_{APP}_skil"), knows()), (skill(), knows())),
    "multi-valued": ((skill(), knows("String[]")), (skill(), knows("String"))),
    "single-value-emitted": (claim(Source="user", ID="othermail"), mail()),
    "custom-claims-provider": (claim(Source="CustomClaimsProvider", ID="x"), mail()),
    "feeds-nothing": (policy(MAIL), join()),
    "restricted-saml-claim": (
        mail(SamlClaimType="http://schemas.microsoft.com/identity/claims/tenantid"),
        mail(SamlClaimType="tenantid"),
    ),
    "restricted-saml-claim-signing-key": (mail(SamlClaimType=ROLE), mail(SamlClaimType="role")),
    "restricted-jwt-claim": (mail(JwtClaimType="email"), mail(JwtClaimType="mail")),
    "nameid-source": (skill(NAME_ID), mail(SamlClaimType=NAME_ID)),
    "nameid-transformation": (
        policy(*JOINED[:1], {**JOINED[1], "SamlClaimType": NAME_ID}, ClaimsTransformations=[JOIN]),
        join(),
    ),
    "nameid-format": (mail(SamlClaimType=NAME_ID, SamlNameIdFormat="email"), mail(SamlClaimType=NAME_ID)),
    "name-form": (mail(SAMLNameForm="basic"), mail(SAMLNameForm="urn:oasis:names:tc:SAML:2.0:attrname-format:basic")),
    "fragile-value": (claim(Value="blue\r\nnight"), claim(Value="blue night")),
    "null-word": (claim(Value="$null"), claim(Value="nullable")),
    "duplicate-claim": (policy(FLEX[0], FLEX[0]), FINE),
    "duplicate-claim-case": (policy(FLEX[0], {**MAIL, "SamlClaimType": "Email"}), FINE),
    "transformations-key": (join(), policy(*FLEX, ClaimsTransformation=[])),
    "too-many-transformations": (
        policy(*JOINED, ClaimsTransformations=[JOIN] * 51),
        policy(*JOINED, ClaimsTransformations=[JOIN] * 50),
    ),
    "transformation-incomplete": (join(TransformationMethod=""), join()),
    "transformation-method": (join(TransformationMethod="CreateStringClaim"), join()),
    "transformation-inputs": (join(InputParameters=[{"ID": "separator", "Value": "."}]), join()),
    "transformation-outputs": (
        join(OutputClaims=[{"ClaimTypeReferenceId": "Out", "TransformationClaimType": "output"}]),
        join(),
    ),
    "transformation-reference": (
        join(OutputClaims=[{"ClaimTypeReferenceId": "TOS", "TransformationClaimType": "outputClaim"}]),
        join(),
    ),
    "reference-case": (
        join(OutputClaims=[{"ClaimTypeReferenceId": "OUT", "TransformationClaimType": "outputClaim"}]),
        join(),
    ),
    "transformation-undefined": (policy(*JOINED), join()),
    "transformation-source": (mail(TransformationID="J"), join()),
    "transformation-unused": (policy(*FLEX, ClaimsTransformations=[JOIN]), join()),
    "flex-required": (policy(*FLEX[1:]), FINE),
    "flex-required-typed": (policy({**MAIL, "SamlClaimType": "email.string"}, *FLEX[1:]), FINE),
    "flex-required-empty": (
        policy({"Source": "user", "ID": "email", "SamlClaimType": "email"}, *FLEX[1:]),
        policy({"Source": "user", "ID": "employeeid", "SamlClaimType": "email"}, *FLEX[1:]),
    ),
    "flex-namespace": (mail(SamlClaimType="http://schemas.contoso.example/site"), mail(SamlClaimType="site")),
    "flex-jwt-only": (policy({**MAIL, "JwtClaimType": "mail"}), mail(JwtClaimType="mail")),
    "flex-nameid-missing": (policy(*FLEX[:3]), FINE),
    "flex-basic-claim-set": (policy(*FLEX, IncludeBasicClaimSet="true"), FINE),
    "suffix-case": (skill("skill.Int"), skill("skill.int")),
    "suffix-unknown": (skill("skill.integer"), skill("channel.voice.capacity")),
    "typed-source": ((skill("skill.int"), knows("Boolean")), (skill("skill.int"), knows("Integer"))),
    "typed-value": (
        (skill("skill.intarray"), knows("String", "1,x")),
        (skill("skill.intarray"), knows("String", "1,2")),
    ),
    "untyped-source": ((skill(), knows("Integer")), (skill("skill.int"), knows("Integer"))),
    "routing-attribute": (skill("routing.skills.stringarray"), skill("skills.stringarray")),
    "worker-attribute-twice": (
        policy({**MAIL, "SamlClaimType": "team"}, {**MAIL, "SamlClaimType": "team.stringarray"}),
        policy({**MAIL, "SamlClaimType": "team"}, {**MAIL, "SamlClaimType": "site.stringarray"}),
    ),
    "team-member-several": (
        (skill("team_member"), knows("String[]", '["a","b"]')),
        (skill("team_member"), knows("String", "a")),
    ),
    "contact-uri": (mail(SamlClaimType="contact_uri"), mail(SamlClaimType="contact")),
    "image-url": (
        claim(Value="me.png", SamlClaimType="image_url"),
        claim(Value="https://x.example/me.png", SamlClaimType="image_url"),
    ),
    "channel-attribute": (skill("channel.voice.capasity"), skill("channel.voice.capacity")),
    "team-attribute": (skill("team_owner"), skill("team_id")),
    "hyphen-value": ((skill(), knows("String", "de-AT")), (skill(), knows("String", "de_AT"))),
    "flex-roles": (
        claim(Value="agent,boss", SamlClaimType="roles"),
        claim(Value="agent,wfo.data_auditor", SamlClaimType="roles"),
    ),
    "worker-size": (claim(Value="x" * 4100), claim(Value="x" * 4000)),
    "null-keeps-old": ((skill(), knows("String", "<null>")), (skill(), knows("String", ""))),
}


def lint_case(case: Case, profile: str = "flex") -> dict[str, str]:
    """Rule to where and message."""
    text, context = case if isinstance(case, tuple) else (case, NOTHING)
    findings = lint(text, profile=profile, context=context)
    return {finding.rule: f"{finding.where}: {finding.message}" for finding in findings}


def test_every_rule_has_both_cases_and_a_level() -> None:
    assert list(CASES) == list(RULE_NAMES)
    assert len(set(RULE_NAMES)) == len(RULE_NAMES)
    assert {rule.level for rules in RULES.values() for rule in rules} <= set(LEVELS)
    assert set(RULES) == set(PROFILES)


@pytest.mark.parametrize("rule", CASES)
def test_a_rule_reports_its_mistake_and_nothing_else(rule: str) -> None:
    wrong, right = CASES[rule]
    assert rule in lint_case(wrong)
    assert rule not in lint_case(right)


@pytest.mark.parametrize("rule", [rule.name for rule in RULES["flex"]])
def test_other_policies_need_not_meet_the_rules_of_flex(rule: str) -> None:
    assert rule not in lint_case(CASES[rule][0], "entra")


def nameid_by(method: str) -> str:
    entries = [JOINED[0], {**JOINED[1], "SamlClaimType": NAME_ID}]
    return policy(*entries, ClaimsTransformations=[{**JOIN, "TransformationMethod": method}])


def test_a_nameid_comes_from_two_transformations_only() -> None:
    assert (
        "only ExtractMailPrefix, Join are documented" in lint_case(nameid_by("RegexReplace"))["nameid-transformation"]
    )
    assert "verified domain" in lint_case(nameid_by("Join"))["nameid-transformation"]
    assert "nameid-transformation" not in lint_case(nameid_by("ExtractMailPrefix"))


ACCEPTED = [
    # text, rule that stays silent: other case and spelling that the service was seen to take
    (claim(Source="user", ID="Groups"), "id-unknown"),
    (claim(Source="user", ID="Extension_x_y"), "id-unknown"),
    (claim(Source="User", ID="Mail", SamlClaimType=NAME_ID), "nameid-source"),
    (policy(IncludeBasicClaimSet="True"), "basic-claim-set-value"),
    (policy({**MAIL, "JWTClaimType": "mail"}), "key-case"),
    (skill("skill.Int"), "suffix-unknown"),
    (skill("channel.voice.availability"), "suffix-unknown"),
    (join(TransformationMethod="ToLowercase()"), "transformation-incomplete"),
    (json.dumps({"Definition": [FINE], "DisplayName": "x"}), "root"),
    (json.dumps([FINE]), "definition-array"),
    ('{"ClaimsMappingPolicy": {"Version": 1, "Version2": ","}}', "json"),
]


@pytest.mark.parametrize(("text", "rule"), ACCEPTED)
def test_what_the_service_accepts_is_not_reported(text: str, rule: str) -> None:
    assert rule not in lint_case(text)


def test_a_good_flex_policy_has_no_finding() -> None:
    assert lint(FINE, profile="flex") == []


@pytest.mark.parametrize("file", INDEX, ids=lambda file: file["file"])
def test_published_policies_are_judged_as_the_service_did(file: dict[str, str]) -> None:
    levels = {finding.level for finding in lint((CORPUS / file["file"]).read_bytes())}
    if file["label"].startswith("valid"):
        assert "error" not in levels
    elif file["label"] == "invalid":
        assert "error" in levels
    else:
        assert levels & {"error", "warning"}


MORE = [
    # text, rule, words of where and message
    (
        (CORPUS / "70-bad-lowercase-version.json").read_bytes(),
        "version",
        "ClaimsMappingPolicy.version: the service refuses the key 'version'",
    ),
    ((CORPUS / "80-bad-definition-value.txt").read_bytes(), "json", "'definition-value' is not JSON"),
    ((CORPUS / "82-bad-empty-object.txt").read_bytes(), "root", "no key 'ClaimsMappingPolicy'"),
    ((CORPUS / "83-bad-double-encoded.txt").read_bytes(), "json", "an object was turned into text"),
    (policy(Version="1"), "version", "'1'"),
    (policy(Version=True), "version", "'true'"),
    (policy(Version=2), "version", "'2'"),
    (policy(Version=None, Verson=1), "version", "'Verson' is not this key"),
    (json.dumps(json.loads(FINE)["ClaimsMappingPolicy"]), "root", "missing around"),
    (policy(ClaimsSchema={"a": 1}), "wrong-type", "'ClaimsSchema' is an object, not an array"),
    (policy("x"), "wrong-type", "ClaimsSchema[0]"),  # type: ignore[arg-type]
    (f"[{FINE}]", "definition-array", "no array around a bare policy"),
    (body([{"ClaimsMappingPolicy": {}}]), "definition-array", "definition[0]"),
    (body([FINE, FINE]), "definition-array", "2 definitions"),
    (body([]), "definition-array", "0 definitions"),
    (body([body([FINE])]), "root", "holds a request body"),
    (body(["{,"]), "json", "definition[0] line 1, column 2"),
    (
        json.dumps({"value": [json.loads(body([FINE])), json.loads(body([skill(full="x")]))]}),
        "extension-name",
        "value[1] ",
    ),
    ('{"ClaimsMappingPolicy": {"Version": 1}} // note', "json", "line 1, column 41"),
    ('{"ClaimsMappingPolicy":\n {"Version": 1,\n}}', "json", "line 2, column 15: "),
    ("{'ClaimsMappingPolicy': 1}", "json", "double quotes"),
    ("{“a”: 1}", "json", "typographic quotes"),
    ('{"ClaimsMappingPolicy": {"Version": 1', "json", "ends too early"),
    ('{"ClaimsMappingPolicy": {"Version": NaN}}', "json", "Version: NaN"),
    (policy(*FLEX[:2], {**MAIL, "Souce": "user", "SamlClaimType": "x"}), "key-misspelt", "ClaimsSchema[2] 'x'"),
    (skill(full=f"extension_{APP[:31]}_skill"), "extension-name", "not 32 hex digits"),
    (skill(full="skill"), "extension-name", "not the full name of an extension"),
    (skill(full="extension_<app_id>_skill"), "extension-placeholder", "placeholder"),
    (skill(full="extension_xxxxxxx_skill"), "extension-placeholder", "placeholder"),
    (policy(*JOINED, ClaimsTransformation=[JOIN], ClaimsTransformations=[JOIN]), "transformations-key", "both"),
    (claim(Source="transformation", ID="Out"), "source-incomplete", "no TransformationID"),
    (claim(Source="user"), "source-incomplete", "no ID"),
    (claim(Source="user", Value="x"), "several-sources", "Source and Value"),
    (claim(Source="user", ID="mail", ExtensionID=SKILL), "several-sources", "ID and ExtensionID"),
    (policy(*FLEX[1:], {**MAIL, "SamlClaimType": "Email"}), "flex-required", "'Email' is another name"),
    (claim(Value="yes", SamlClaimType="channel.voice.availability"), "typed-value", "true or false"),
    (claim(Value="two", SamlClaimType="channel.voice.capacity"), "typed-value", "whole number"),
    ((skill("badge.int"), knows("LargeInteger", "9007199254740992")), "typed-value", "53 bits"),
    ((skill("badge.intarray"), knows("LargeInteger[]", "[1,-9007199254740992]")), "typed-value", "53 bits"),
    (claim(Value="+5", SamlClaimType="n.int"), "typed-value", "whole number of at most 53 bits; Flex probably refuses"),
    (claim(Value="five", SamlClaimType="n.int"), "typed-value", "whole number of at most 53 bits; Flex refuses"),
    (claim(Value="1.23", SamlClaimType="n.int"), "typed-value", "; Flex refuses that login"),
    (claim(Value="1.0", SamlClaimType="n.int"), "typed-value", "; Flex probably refuses that login"),
    (claim(Value="on", SamlClaimType="n.boolean"), "typed-value", "; Flex probably refuses that login"),
    (claim(Value="maybe", SamlClaimType="n.boolean"), "typed-value", "; Flex refuses that login"),
    (claim(Value="a,b", SamlClaimType="team_member"), "team-member-several", "one team"),
    ((skill("team_member"), knows("String", "<null>")), "null-keeps-old", "default team"),
    (claim(Source="user", ID="userType", SamlClaimType="roles"), "flex-roles", "'Member'"),
    (
        claim(Source="user", ID="customSecurityAttributes.Flex.team"),
        "id-unknown",
        "security attributes cannot be claims",
    ),
    (claim(Source="user", ID="displayname", SamlClaimType="n.int"), "typed-source", "is text"),
    (claim(Source="user", ID="MailNickname", SamlClaimType=NAME_ID), "nameid-source", "a policy with it was accepted"),
    (claim(Source="user", ID="city", SamlClaimType=NAME_ID), "nameid-source", "is not documented"),
    (claim(Value="x", SamlClaimType=NAME_ID), "nameid-source", "same constant for everyone"),
    (claim(Source="user", ID="Groups"), "id-undocumented", "user.Groups"),
    (claim(Source="user", ID="Extension_x_y"), "extension-in-id", "'Extension_x_y'"),
    (mail(SamlClaimType=ROLE.upper()), "restricted-saml-claim-signing-key", "ROLE"),
    (join(InputClaims=["x"]), "wrong-type", "'InputClaims' is"),
    (join(InputClaims={"a": 1}), "wrong-type", "not an array of objects"),
    (mail(**{"SamlNameFrom ": "x"}), "key-misspelt", "looks like 'SAMLNameForm'"),
]


@pytest.mark.parametrize(("text", "rule", "words"), MORE)
def test_a_finding_names_the_place_and_the_thing(text: Case, rule: str, words: str) -> None:
    assert words in lint_case(text).get(rule, f"not reported; reported were {lint_case(text)}")


NEAREST = [
    # what is written, what is suggested
    (claim(Source="user", ID="displaynme"), "displayname"),
    (claim(Source="user", ID="email"), "mail"),
    (claim(Source="user", ID="user.mail"), "mail"),
    (claim(Source="user", ID="roles"), "assignedroles"),
    (claim(Source="user", ID="tenantcountry"), "Source 'company'"),
    (claim(Source="user", ID="900"), '"Value": "900"'),
    (claim(Source="usr", ID="mail"), "'user'"),
    (claim(Source="company", ID="country"), "tenantcountry"),
    (skill("skill.integer"), "skill.int"),
]


QUIET = [
    # what is right, the rule that must not report it
    ((skill(), knows("LargeInteger")), "untyped-source"),  # Flex holds 53 bits, Entra 64
    ((skill("badge.int"), knows("LargeInteger", "-9007199254740991")), "typed-value"),
    (claim(Value="007", SamlClaimType="n.int"), "typed-value"),
    (claim(Value="wfo.full_access,flex.readteams", SamlClaimType="roles"), "flex-roles"),
    (claim(Source="user", ID="assignedroles", SamlClaimType="roles"), "flex-roles"),
    (skill("routing_skills"), "routing-attribute"),
    (
        policy({**MAIL, "SamlClaimType": "team"}, {**MAIL, "SamlClaimType": "team"}),
        "worker-attribute-twice",
    ),  # duplicate-claim
    (
        policy(*({"Value": "2", "SamlClaimType": f"channel.{name}.capacity"} for name in ("voice", "chat"))),
        "worker-attribute-twice",
    ),
]


@pytest.mark.parametrize(("text", "rule"), QUIET)
def test_what_is_right_is_not_reported(text: Case, rule: str) -> None:
    assert rule not in lint_case(text)


@pytest.mark.parametrize(("text", "suggested"), NEAREST)
def test_a_similar_valid_spelling_is_suggested(text: str, suggested: str) -> None:
    rules = ("id-unknown", "source-unknown", "suffix-unknown")
    fixes = [finding.fix for finding in lint(text, profile="flex") if finding.rule in rules]
    assert len(fixes) == 1
    assert suggested in fixes[0]


def test_findings_come_in_the_order_of_the_document() -> None:
    text = join(TransformationMethod="Jion")
    text = text.replace('"ClaimsSchema": [', '"ClaimsSchema": [{"Source": "user", "ID": "x1"}, {"ID": "x2"}, ')
    places = [finding.where.split(" ")[0] for finding in lint(text)]
    assert places == sorted(places, key=lambda place: (place.startswith("ClaimsTransformations["), "[" in place, place))
    assert len({place for place in places if "[" in place}) >= 3


def test_claims_alone_do_not_load_lint() -> None:
    program = "import sys, flexsaml.claims as c; print('flexsaml.claims.linter' in sys.modules, c.lint('1')[0].rule)"
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    assert process.stdout.split() == ["False", "wrong-type"]


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(ValueError, match="none of entra, flex"):
        lint(FINE, profile="felx")
