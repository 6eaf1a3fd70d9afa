"""If this goes red, preflight keeps silent about what a reviewer should have known, or warns without a reason.

Every rule is a row of a table over plain snapshots, and what must not be reported stands in the same table.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from flexsaml.claims import ClaimsPolicy
from flexsaml.declaration import Declaration
from flexsaml.graph import (
    Application,
    ExtensionProperty,
    Identity,
    PrincipalSnapshot,
    RoleAssignment,
    ServicePrincipal,
    SigningKey,
    User,
)
from flexsaml.preflight.rules import ESSENTIAL_RULES, RULE_LEVELS, RULES, Inspection, judge
from flexsaml.values import DataType

NOW = datetime(2026, 5, 4, 12, tzinfo=timezone.utc)
APP_ID = "8f665974-86ab-5399-83f9-7492e2e5acec"
PREFIX = f"extension_{APP_ID.replace('-', '')}"
STRING, STRINGS = DataType("String"), DataType("String", multi_valued=True)
PRINCIPAL = ServicePrincipal("sp", APP_ID, "Twilio Flex")
ALL_PERMISSIONS = frozenset(
    {
        "Application.ReadWrite.OwnedBy",
        "Policy.Read.All",
        "Policy.ReadWrite.ApplicationConfiguration",
        "User.ReadWrite.All",
    }
)


AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
AZURE_CLI_SCOPES = {  # as they were measured
    "AppRoleAssignment.ReadWrite.All",
    "Application.ReadWrite.All",
    "Directory.AccessAsUser.All",
    "User.ReadWrite.All",
}
POLICY_PERMISSIONS = {"Policy.Read.All", "Policy.ReadWrite.ApplicationConfiguration"}
APPLICATION_ADMINISTRATOR = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"


def application(*without: str, **changes: Any) -> Identity:
    """An application whose token names the essential permissions without these."""
    return replace(Identity("application", "a", "o", "t", ALL_PERMISSIONS - {*without}), **changes)


def person(permissions: set[str], app_id: str = "a") -> Identity:
    return Identity("person", app_id, "o", "t", frozenset(permissions))


def in_days(number: float) -> datetime:
    return NOW + timedelta(days=number)


OWN = (APP_ID, f"api://{APP_ID}")
ACTIVE, SPARE = (SigningKey(thumbprint, in_days(400), in_days(-400)) for thumbprint in ("AA", "BB"))
SNAPSHOT = PrincipalSnapshot(
    application=Application("app", APP_ID, "Twilio Flex"),
    properties=(),
    assigned=(),
    policies=(),
    principal=PRINCIPAL,
    enabled=True,
    audiences=(*OWN, "urn:flex:JQ0123456789abcdef0123456789abcdef"),
    active_key="AA",
    keys=(ACTIVE,),
    accept_mapped_claims=False,
    multi_tenant=False,
    roles=(RoleAssignment("ada", "User", "agent", "Ada"),),
    domains=("contoso.example",),
    owner_has_principal=True,
)
CLAIMS = {
    "email": "user.mail",
    "full_name": "user.displayname",
    "roles": "user.assignedroles",
    "languages": "extension.languages",
}
DECLARATION = Declaration(
    service_principal="Twilio Flex",
    claims=ClaimsPolicy.parse(CLAIMS).claims,
    extensions={"languages": STRING},
    users={"ada@x": {"languages": "en"}},
)


def user(name: str, **profile: object) -> User:
    usual = {"accountEnabled": True, "userType": "Member", "mail": f"{name}@x", "displayName": name.title()}
    return User(name, f"{name}@x", {}, {**usual, **profile})


PERFECT = Inspection(
    DECLARATION, SNAPSHOT, NOW, users={"ada@x": user("ada")}, has_custom_claims=False, identity=application()
)


def existing(name: str, data_type: str = "String", *, multi_valued: bool = False) -> ExtensionProperty:
    return ExtensionProperty(f"id-{name}", f"{PREFIX}_{name}", data_type, multi_valued, ("User",))


def judged(
    declaration: dict[str, Any] | None = None, snapshot: dict[str, Any] | None = None, **changes: Any
) -> Inspection:
    """An inspection without findings, except for these changes."""
    return replace(
        PERFECT,
        declaration=replace(DECLARATION, **(declaration or {})),
        snapshot=replace(SNAPSHOT, **(snapshot or {})),
        **changes,
    )


def profile(**values: object) -> Inspection:
    """Ada's profile."""
    return judged(users={"ada@x": user("ada", **values)})


def existing_value(extension: ExtensionProperty, value: object) -> Inspection:
    """A value of Ada for an existing extension."""
    return judged(
        {"existing_extensions": (extension.name,), "users": {"ada@x": {extension.name: value}}},
        properties={extension.name: extension},
    )


def referring(name: str, *properties: ExtensionProperty) -> Inspection:
    """A declaration that refers to an existing extension by its full name."""
    return judged({"existing_extensions": (name,)}, properties={each.name: each for each in properties})


def many_values(count: int) -> dict[str, Any]:
    return {"extensions": {"languages": STRINGS}, "users": {"ada@x": {"languages": [f"v{n}" for n in range(count)]}}}


KEYS_EXPIRED = (SigningKey("AA", in_days(-1)),)
KEYS_EARLY = (SigningKey("AA", in_days(400), in_days(1)),)
KEYS_EXPIRING = (SigningKey("AA", in_days(10)),)
WITHOUT_PRIVATE_KEY = replace(ACTIVE, can_sign=False)
MAPPED = {"accept_mapped_claims": True, "active_key": "", "keys": ()}
CUSTOM = (*OWN, "https://flex.contoso.example/saml")
FOREIGN = (*OWN, "https://flex.twilio.com")
GROUP = RoleAssignment("staff", "Group", "agent", "Staff")
AGENT, BOSS = RoleAssignment("staff", "Group", "Agent", "Staff"), RoleAssignment("bob", "User", "boss", "Bob")
CUSTOM_EXTENSION = existing("level", "Integer")
SYNCED = replace(CUSTOM_EXTENSION, synced=True)
HUNDRED_AND_FIFTY = "[" + ", ".join(f'"v{number}"' for number in range(150)) + "]"
NO_MAIL_CLAIM = {key: value for key, value in CLAIMS.items() if key != "email"}

CASES: list[tuple[str, str, Inspection]] = [  # rule, what it says ("" for no such finding), inspection
    ("extension-twice", "extension '{prefix}_languages': is this stack's own; write 'languages'", referring(f"{PREFIX}_languages")),
    ("extension-twice", "", referring(f"{PREFIX}_level", CUSTOM_EXTENSION)),
    ("extension-absent", "extension '{prefix}_Level': does not exist in this tenant; it is spelt '{prefix}_level'", referring(f"{PREFIX}_Level", CUSTOM_EXTENSION)),
    ("extension-absent", "extension '{prefix}_x': does not exist in this tenant; correct its full name", referring(f"{PREFIX}_x")),
    ("extension-absent", "", referring(f"{PREFIX}_level", CUSTOM_EXTENSION)),
    ("extension-absent", "", referring(f"{PREFIX}_languages")),  # it is extension-twice
    ("value-misfit", "users.ada@x.{prefix}_level: is an Integer: write a whole number", existing_value(CUSTOM_EXTENSION, "many")),
    ("value-misfit", "", existing_value(CUSTOM_EXTENSION, "3")),
    ("value-misfit", "", existing_value(CUSTOM_EXTENSION, None)),
    ("too-many-values", "users.ada@x: 101 extension values; an object holds at most 100", judged(many_values(101))),
    ("too-many-values", "", judged(many_values(100))),
    ("too-many-values", "150 extension values", existing_value(existing("skills", multi_valued=True), HUNDRED_AND_FIFTY)),
    ("too-many-values", "150 extension values", judged({"extensions": {"languages": STRINGS}, "users": {}, "roster": {"ada@x": {"languages": HUNDRED_AND_FIFTY}}})),
    ("too-many-values", "", existing_value(existing("text"), HUNDRED_AND_FIFTY[:200])),
    ("extension-synced", "extension '{prefix}_level': is synchronised from on-premises", existing_value(SYNCED, "3")),
    ("extension-synced", "", existing_value(CUSTOM_EXTENSION, "3")),
    ("extension-synced", "", referring(f"{PREFIX}_level", SYNCED)),  # a claim may read it
    ("app-role-unknown", "have the values 'Agent', 'boss', which are not roles of Flex", judged(snapshot={"roles": (AGENT, BOSS)})),
    ("app-role-unknown", "", judged(snapshot={"roles": (GROUP, RoleAssignment("ada", "User", "wfo.full_access", "Ada"), RoleAssignment("bob", "User", "", "Bob"))})),
    ("app-role-unknown", "", judged({"claims": ClaimsPolicy.parse({**CLAIMS, "roles": "user.jobtitle"}).claims}, {"roles": (AGENT,)})),
    ("app-role-unknown", "", judged({"claims": {}, "definition": "{}"}, {"roles": (AGENT,)})),
    ("app-role-disabled", "with the values 'agent' are disabled, and nobody else can be given them", judged(snapshot={"roles": (GROUP, replace(GROUP, is_disabled=True))})),
    ("app-role-disabled", "", judged(snapshot={"roles": (replace(GROUP, value="", is_disabled=True),)})),
    ("app-role-disabled", "", judged({"claims": ClaimsPolicy.parse({**CLAIMS, "roles": "user.jobtitle"}).claims}, {"roles": (replace(AGENT, is_disabled=True),)})),
    ("user-twice", "users.id: is the same user as 'ada@x'; keep one of them", judged(users={"ada@x": user("ada"), "id": user("ada")})),
    ("user-twice", "", judged(users={"ada@x": user("ada"), "bob@x": user("bob")})),
    ("owner-without-principal", "application: 'Twilio Flex' has no service principal in this tenant", judged(snapshot={"owner_has_principal": False})),
    ("owner-without-principal", "", judged({"extensions": {}, "users": {}}, {"owner_has_principal": False})),
    ("principal-disabled", "servicePrincipal: it is disabled, so nobody can sign in; enable it", judged(snapshot={"enabled": False})),
    ("signing-key-missing", "AADSTS50146 (D for SAML); create one: `python -m flexsaml certificate --stack STACK --create --out FILE`", judged(snapshot={"active_key": "", "keys": ()})),
    ("signing-key-missing", "AADSTS50146 (D for SAML); activate AA: `python -m flexsaml certificate --stack STACK --activate AA`", judged(snapshot={"active_key": ""})),
    ("signing-key-missing", "create one: `", judged(snapshot={"active_key": "", "keys": KEYS_EXPIRED})),
    ("signing-key-missing", "AADSTS50146", judged(snapshot={"active_key": "CC"})),
    ("signing-key-expired", "its signing certificate expired on 2026-05-03; sign-ins with a claims mapping policy probably fail with AADSTS50146 (D for SAML); replace it: `python -m flexsaml certificate --stack STACK --create --out FILE`", judged(snapshot={"keys": KEYS_EXPIRED})),
    ("signing-key-missing", "its signing certificate is not valid before 2026-05-05; sign-ins with a claims mapping policy probably fail with AADSTS50146", judged(snapshot={"keys": KEYS_EARLY})),
    ("signing-key-missing", "", judged(snapshot={"keys": (*KEYS_EARLY, SPARE)})),
    ("signing-key-missing", "its active SAML signing certificate has no private key in Entra, which probably cannot sign (D); sign-ins with a claims mapping policy probably fail with AADSTS50146 (D for SAML); activate BB: `", judged(snapshot={"keys": (WITHOUT_PRIVATE_KEY, SPARE)})),
    ("signing-key-missing", "create one: `", judged(snapshot={"keys": (WITHOUT_PRIVATE_KEY, replace(SPARE, can_sign=False))})),
    ("signing-key-expired", "its signing certificate expired on 2026-05-03; sign-ins", judged(snapshot={"keys": (*KEYS_EXPIRED, replace(SPARE, can_sign=False))})),
    ("signing-key-expiring", "its signing certificate expires", judged(snapshot={"keys": (*KEYS_EXPIRING, replace(SPARE, can_sign=False))})),
    ("signing-key-undated", "", judged(snapshot={"keys": (ACTIVE, replace(SPARE, ends=None, can_sign=False))})),
    ("signing-key-expired", "on 2026-05-03; replace it: `python -m flexsaml certificate --stack STACK --create --out FILE`", judged(snapshot={"keys": (*KEYS_EXPIRED, SigningKey("BB", in_days(20)))})),
    ("signing-key-expired", "", judged(snapshot={"keys": (*KEYS_EXPIRED, SPARE)})),
    ("signing-key-expired", "its signing certificate expired on 2026-05-03; sign-ins", judged(snapshot={"keys": (*KEYS_EXPIRED, SigningKey("BB", in_days(400), in_days(1)))})),  # the other one is not valid yet
    ("signing-key-expiring", "its signing certificate expires on 2026-05-14; replace it before that day: `python -m flexsaml certificate --stack STACK --create", judged(snapshot={"keys": KEYS_EXPIRING})),
    ("signing-key-expiring", "", judged(snapshot={"keys": (*KEYS_EXPIRING, SPARE)})),
    ("signing-key-expiring", "its signing", judged(snapshot={"keys": (*KEYS_EXPIRING, SigningKey("BB", in_days(20)))})),
    ("signing-key-expiring", "", judged(snapshot={"keys": (SigningKey("AA", in_days(31)),)})),
    ("signing-key-expiring", "", judged(snapshot={"keys": (SigningKey("AA", None),)})),
    ("signing-key-undated", "its signing certificate has no dates, and it is not documented", judged(snapshot={"keys": (replace(ACTIVE, ends=None),)})),
    ("signing-key-undated", "its signing", judged(snapshot={"keys": (replace(ACTIVE, starts=None),)})),
    ("signing-key-undated", "its signing", judged(snapshot={"keys": (*KEYS_EXPIRED, replace(SPARE, ends=None))})),
    ("signing-key-undated", "", judged(snapshot={"keys": (replace(ACTIVE, ends=None), SPARE)})),
    ("signing-key-undated", "", judged(snapshot={"keys": (replace(SPARE, ends=None),)})),  # none is active
    ("signing-key-undated", "", judged(snapshot={"keys": (SigningKey("AA", in_days(-1)),)})),
    ("accept-mapped-claims", "does not cover the audience https://flex.twilio.com: sign-ins probably fail with AADSTS501461", judged(snapshot={**MAPPED, "audiences": FOREIGN})),
    ("accept-mapped-claims", "must not be used on a multi-tenant application", judged(snapshot={**MAPPED, "multi_tenant": True})),
    ("accept-mapped-claims", "", judged(snapshot={**MAPPED, "audiences": CUSTOM})),
    ("accept-mapped-claims", "", judged(snapshot={**MAPPED, "audiences": FOREIGN, "active_key": "AA", "keys": (ACTIVE,)})),
    ("accept-mapped-claims", "AADSTS501461", judged(snapshot={**MAPPED, "audiences": FOREIGN, "active_key": "AA"})),
    ("accept-mapped-claims", "AADSTS501461", judged(snapshot={**MAPPED, "audiences": FOREIGN, "active_key": "AA", "keys": (WITHOUT_PRIVATE_KEY,)})),
    ("accept-mapped-claims", "AADSTS501461", judged(snapshot={**MAPPED, "audiences": FOREIGN, "active_key": "AA", "keys": KEYS_EXPIRED})),
    ("accept-mapped-claims", "AADSTS501461", judged(snapshot={**MAPPED, "audiences": FOREIGN, "active_key": "AA", "keys": KEYS_EARLY})),
    ("accept-mapped-claims", "", judged(snapshot={**MAPPED, "audiences": FOREIGN, "domains": None})),
    ("entity-id", "none of its identifiers looks like the entity ID of Flex", judged(snapshot={"audiences": OWN})),
    ("entity-id", "", judged(snapshot={"audiences": (*OWN, "https://iam.twilio.com/v1/Accounts/AC0/saml2/metadata")})),
    ("entity-id", "", judged(snapshot={"audiences": ()})),  # it was not read
    ("sign-on-mode", "its single sign-on mode is 'oidc', and Entra starts it in that way", judged(snapshot={"sign_on_mode": "oidc"})),
    ("sign-on-mode", "", judged(snapshot={"sign_on_mode": "saml"})),
    ("token-encryption", "it has a tokenEncryptionKeyId: assertions are encrypted", judged(snapshot={"encrypts_tokens": True})),
    ("claims-superseded", "this stack's policy takes precedence over the claims that were set on the portal's", judged(has_custom_claims=True)),
    ("claims-superseded", "", judged(has_custom_claims=None)),
    ("permission-missing", "does not name Policy.ReadWrite.ApplicationConfiguration (to write the policy): with", judged(identity=application("Policy.ReadWrite.ApplicationConfiguration"))),
    ("permission-missing", "does not name Policy.Read.All (to read policies): with", judged(identity=application("Policy.Read.All"))),
    ("permission-missing", "", judged(identity=None)),
    ("permission-missing", "", judged({"users": {}}, identity=application("User.ReadWrite.All"))),
    ("permission-missing", "does not name User.ReadWrite.All (to write users' values): with", judged({"users": {}, "secret_keys": frozenset({"usersFile"})}, identity=application("User.ReadWrite.All"))),
    ("permission-missing", "", judged({"extensions": {}}, identity=person({"Application.ReadWrite.All", "User.ReadWrite.All", *POLICY_PERMISSIONS}))),
    ("user-disabled", "users: 1 user is disabled and cannot sign in (ada@x)", profile(accountEnabled=False)),
    ("user-disabled", "", profile(accountEnabled=None)),
    ("user-guest", "users: 1 user is a guest of the tenant (ada@x)", profile(userType="Guest")),
    ("user-guest", "users: 4 users are guests of the tenant (u0@x, u1@x, u2@x, …)", judged(users={f"u{n}@x": user(f"u{n}", userType="Guest") for n in range(4)})),
    ("user-guest-pending", "users: 1 user has not accepted the invitation, which Entra asks for", profile(externalUserState="PendingAcceptance")),
    ("user-guest-pending", "", profile(externalUserState="Accepted")),
    ("user-synced", "1 user is synchronised from on-premises", profile(onPremisesSyncEnabled=True)),
    ("user-synced", "", profile(onPremisesSyncEnabled=None)),  # so it is when the cloud has become the source of authority
    ("user-without-mail", "1 user has no mail address (ada@x); Flex answers their sign-in with error 45050", profile(mail=None)),
    ("user-without-mail", "", judged({"claims": ClaimsPolicy.parse(NO_MAIL_CLAIM).claims}, users={"ada@x": user("ada", mail=None)})),
    ("user-without-mail", "1 user has no mail address (ada@x); Entra leaves the claim contact out [", judged({"claims": ClaimsPolicy.parse({**NO_MAIL_CLAIM, "contact": "user.mail"}).claims}, users={"ada@x": user("ada", mail=None)})),
    ("user-without-mail", "it is not documented what Entra sends as their NameID then", judged({"claims": ClaimsPolicy.parse({**NO_MAIL_CLAIM, "nameid": "user.mail"}).claims}, users={"ada@x": user("ada", mail=None)})),
    ("user-without-mail", "", judged({"claims": {}, "definition": "{}"}, users={"ada@x": user("ada", mail=None)})),
    ("user-without-display-name", "1 user has no display name (ada@x); Flex answers", profile(displayName="")),
    ("user-without-role", "1 user has no role of the application that has a value (ada@x); Flex answers", judged(snapshot={"roles": ()})),
    ("user-without-role", "with error 45050; without any assignment Entra refuses it before (AADSTS50105)", judged(snapshot={"roles": (), "assignment_required": True})),
    ("user-without-role", "that has a value (ada@x); Flex answers", judged(snapshot={"roles": (RoleAssignment("ada", "User", "", "Ada"),)})),
    ("user-without-role", "that has a value (ada@x); Flex probably answers", judged(snapshot={"roles": (RoleAssignment("ada", "User", "", "Ada", is_textless=True),)})),
    ("user-without-role", "", judged(snapshot={"roles": (GROUP,)}, members={"staff": frozenset({"ada"})})),
    ("user-without-role", "1 user has no role", judged(snapshot={"roles": (GROUP,)}, members={"staff": frozenset({"bob"})})),
    ("user-without-role", "", judged(snapshot={"roles": (GROUP,)}, members={"staff": None})),
    ("user-without-role", "", judged(snapshot={"roles": None})),
    ("not-looked-at", "identity: its token is not readable, so", judged(identity=None)),
    ("not-looked-at", "identity: it may not read the policy that is assigned now, policies of the same name;", judged(snapshot={"assigned": None, "policies": None})),
    ("not-looked-at", "it may not read assigned roles;", judged(snapshot={"roles": None})),
    ("not-looked-at", "it may not read members of groups with a role;", judged(snapshot={"roles": (GROUP,)}, members={"staff": None})),
    ("not-looked-at", "it may not read the custom claims policy;", judged(has_custom_claims=None)),
    ("not-looked-at", "it may not read verified domains;", judged(snapshot={"accept_mapped_claims": True, "domains": None})),
    ("not-looked-at", "", judged(snapshot={"domains": None})),
    ("not-looked-at", "whether users are enabled, guests or synchronised;", profile(accountEnabled=None)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "says", "inspection"), CASES, ids=[f"{rule}-{'says' if says else 'silent'}" for rule, says, _ in CASES]
)
def test_a_rule(rule: str, says: str, inspection: Inspection) -> None:
    lines = {finding.rule: str(finding) for finding in judge(inspection, RULES)}
    if says:
        assert says.format(prefix=PREFIX) in lines[rule]
    else:
        assert rule not in lines


def test_nothing_is_said_about_a_tenant_without_faults() -> None:
    assert judge(PERFECT, RULES) == []


HALF_WAY = "may make and delete extension properties and write users' values but not the rest, and can stop half-way"
VERDICTS: list[tuple[str, str, tuple[str, ...], Inspection]] = [  # name, level, what the line says, inspection
    ("az login", "error", (
        "of a person who used `az login`", HALF_WAY, "had no Policy.* and no Organization.Read.All (grade C)", "flexsaml setup", "directory roles do not add",
        "Policy.Read.All (to assign the policy and read policies), Policy.ReadWrite.ApplicationConfiguration (to write",
    ), judged(identity=person(AZURE_CLI_SCOPES, AZURE_CLI))),
    ("another sign-in of a person", "error", ("token (of a person) does", HALF_WAY), judged(identity=person(AZURE_CLI_SCOPES))),
    ("an application", "error", ("(of an application)", HALF_WAY, "may cover"), judged(identity=application(*POLICY_PERMISSIONS))),
    ("it may do three of four", "error", (
        "may make and delete extension properties, assign the policy and write users' values but not the rest",
    ), judged(identity=application("Policy.ReadWrite.ApplicationConfiguration"))),
    ("it may only read", "error", ("`pulumi up` can make nothing",), judged(identity=person({"Application.Read.All", "Policy.Read.All", "User.Read.All"}))),
    ("a preview", "warning", (HALF_WAY, "refused before its first write"), judged(identity=person(AZURE_CLI_SCOPES), is_preview=True)),
    ("an application with a directory role", "warning", ("also names directory roles",), judged(identity=application(*POLICY_PERMISSIONS, directory_roles=frozenset({APPLICATION_ADMINISTRATOR})))),
    ("a token that names no permission", "warning", ("names no permission at all",), judged(identity=application(*ALL_PERMISSIONS))),
]  # fmt: skip


@pytest.mark.parametrize(
    ("level", "says", "inspection"), [row[1:] for row in VERDICTS], ids=[row[0] for row in VERDICTS]
)
def test_what_a_token_decides(level: str, says: tuple[str, ...], inspection: Inspection) -> None:
    (finding,) = judge(inspection, RULES)
    assert (finding.rule, finding.level) == ("permission-missing", level)
    line = str(finding)
    for words in says:
        assert words in line
    assert "\n" not in line
    assert ("is refused before its first write" in line) is (level == "error" or inspection.is_preview)
    assert ("az login" in line) is (inspection.identity is not None and inspection.identity.app_id == AZURE_CLI)


def test_every_rule_is_in_the_table_and_has_its_default_level() -> None:
    """`principal-unknown` and `application-absent` end the inspection before the rules."""
    assert {rule for rule, says, _ in CASES if says} == set(RULE_LEVELS) - {"principal-unknown", "application-absent"}
    for _, _, inspection in CASES:
        assert all(finding.level == RULE_LEVELS[finding.rule] for finding in judge(inspection, RULES))


def test_without_preflight_only_what_cannot_be_built_is_judged() -> None:
    rules = {
        rule for rule, _, inspection in CASES for rule in {each.rule for each in judge(inspection, ESSENTIAL_RULES)}
    }
    assert rules == {
        "extension-twice",
        "extension-absent",
        "value-misfit",
        "too-many-values",
        "permission-missing",
        "not-looked-at",
    }


def test_a_right_to_write_the_directory_makes_properties_and_assigns_no_policy() -> None:
    """doctor reads the same table, and says the same (tests/cli/test_doctor.py)."""
    (finding,) = judge(judged(identity=application(permissions=frozenset({"Directory.ReadWrite.All"}))), RULES)
    lacking, _, rest = finding.message.partition(": with no more")
    assert "extension properties" not in lacking
    assert "may make and delete extension properties" in rest
    assert "Application.ReadWrite.OwnedBy (to assign the policy)" in lacking
