"""If this goes red, a finding of lint names the wrong place or the wrong thing, or lint reports what is right."""

from __future__ import annotations

import json

import pytest

from flexsaml.claims import lint
from tests.claims.test_lint import (
    APP,
    CORPUS,
    FINE,
    FLEX,
    JOIN,
    JOINED,
    MAIL,
    NAME_ID,
    ROLE,
    SKILL,
    Case,
    body,
    claim,
    join,
    knows,
    lint_case,
    mail,
    nameid_by,
    policy,
    skill,
)

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
    (claim(Value="five", SamlClaimType="n.int", Condition="x"), "typed-value", "; Flex probably refuses that login"),
    (claim(Value="1.0", SamlClaimType="n.int"), "typed-value", "; Flex probably refuses that login"),
    (claim(Value="on", SamlClaimType="n.boolean"), "typed-value", "; Flex probably refuses that login"),
    (claim(Value="maybe", SamlClaimType="n.boolean"), "typed-value", "; Flex refuses that login"),
    (claim(Value="maybe ", SamlClaimType="n.boolean"), "typed-value", "; Flex probably refuses that login"),
    (
        policy(
            *(
                {"Value": value, "SamlClaimType": name}
                for value, name in (("maybe", "n.boolean"), ("true", "n.boolean"))
            )
        ),
        "typed-value",
        "; Flex probably refuses that login",
    ),
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
    (claim(Value="x", SamlClaimType=NAME_ID), "nameid-source", "from a constant is not documented"),
    (claim(Source="user", ID="Groups"), "id-undocumented", "user.Groups"),
    (claim(Source="user", ID="Extension_x_y"), "extension-in-id", "'Extension_x_y'"),
    (mail(SamlClaimType=ROLE.upper()), "restricted-saml-claim-signing-key", "ROLE"),
    (join(InputClaims=["x"]), "wrong-type", "'InputClaims' is"),
    # what no document says is not called certain
    (claim(Source="user", ID=" mail"), "white-space", "was reported to break claims"),
    (claim(Source="user", ID=SKILL), "extension-in-id", "reports disagree whether that works"),
    (policy(*({"Value": "x", "SamlClaimType": f"c{n}"} for n in range(51))), "too-many-claims", "probably the first"),
    (join(TransformationMethod="CreateStringClaim"), "transformation-method", "reported to be accepted"),
    ((skill(full=f"extension_{APP}_Skill"), knows()), "extension-case", "written under that name gives no claim"),
    (
        (skill(), knows("String[]")),
        "multi-valued",
        "all of them if a synchronisation made the extension, and otherwise",
    ),
    ((skill("x.boolean"), knows("Integer")), "typed-source", "refuses a login with a value that does not fit"),
    (mail(SamlClaimType="http://x.example/team"), "flex-namespace", "and Flex ignores"),
    (mail(SamlClaimType="team:blue"), "flex-namespace", "and Flex probably ignores"),
    (mail(SamlClaimType="contact_uri.string"), "contact-uri", "overrides"),
    (mail(SamlClaimType="Contact_URI"), "contact-uri", "may override"),
    (nameid_by("Join()"), "nameid-transformation", "verified domain"),
    # what a null does
    ((skill("team"), knows("String", "<null>")), "null-keeps-old", "Flex keeps the worker's old value"),
    ((skill("email"), knows("String", "<null>")), "flex-required-empty", "Flex refuses that login (error 45050)"),
    ((skill("email"), knows("String", "a@x", " ")), "flex-required-empty", "Flex probably refuses that login"),
    ((skill("contact_uri"), knows("String", "<null>")), "null-keeps-old", "Flex sets its own"),
    ((skill("channel.voice.capacity"), knows("Integer", "<null>")), "null-keeps-old", "probably keeps its setting"),
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
    (skill("contact_uri.note"), "contact-uri"),  # another attribute
    ((skill("team_member.note"), knows("String", "a,b")), "team-member-several"),
    ((skill(full=f"extension_{APP.upper()}_skill"), knows()), "extension-case"),  # D for the appId
    (
        (policy(*FLEX, {"Source": "user", "ExtensionID": SKILL, "SamlClaimType": "email"}), knows("String", "<null>")),
        "flex-required-empty",  # the other entry stands in
    ),
    (
        policy(*({"Value": "x" * 4000, "SamlClaimType": name} for name in ("team", "team.string"))),
        "worker-size",  # one attribute
    ),
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
