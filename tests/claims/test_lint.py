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
