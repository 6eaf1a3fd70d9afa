"""If this goes red, the sandbox lets in users whom Entra would refuse, or signs other claims than docs/sign-in.md says.

Complete assertions are compared in tests/prediction; these tests cover who may sign in, to which address and with which
key, and the rules that no policy of the corpus reaches.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.emulator import signin
from tests.emulator.process import SEED, TENANT, Answer
from tests.emulator.tenant import ABSENT, ADA, FLEX, GUEST, STAGING, USERS, Tenant

NORA = "nora@contoso.example"
SUSAN = "susan@contoso.example"
XMLSOAP = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
NAME_ID = f"{XMLSOAP}nameidentifier"
EMAIL = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
UNSPECIFIED = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
ACS = "http://127.0.0.1:9/acs"
DAY = 86400.0
CONNECTION = "JQ0123456789abcdef0123456789abcdef"


def user(identifier: str, name: str = "x", **more: Any) -> dict[str, Any]:
    return {"Source": "user", "ID": identifier, "SamlClaimType": name, **more}


def constant(value: Any, name: str = "x") -> dict[str, Any]:
    return {"Value": value, "SamlClaimType": name}


def transformed(name: str, method: str, inputs: list[dict[str, str]], **parameters: str) -> dict[str, Any]:
    entries = [user("displayname", ""), user("mail", ""), user("assignedroles", "")]
    entries.append({"Source": "transformation", "ID": "out", "TransformationID": "T", "SamlClaimType": name})
    transformation = {
        "ID": "T",
        "TransformationMethod": method,
        "InputClaims": inputs,
        "InputParameters": [{"ID": key, "Value": value} for key, value in parameters.items()],
        "OutputClaims": [{"ClaimTypeReferenceId": "out", "TransformationClaimType": "outputClaim"}],
    }
    return signin.claims(*entries, ClaimsTransformation=[transformation])


def chained(method: str, names: tuple[str, str], **parameters: str) -> dict[str, Any]:
    """A chain of 49 transformations, each of which refers twice to the one before."""
    entries, transformations = [user("givenname", "")], []
    for number in range(49):
        before = f"out{number - 1}" if number else "givenname"
        transformation = {
            "ID": f"T{number}",
            "TransformationMethod": method,
            "InputClaims": [claim for name in names for claim in taking(before, name)],
            "InputParameters": [{"ID": key, "Value": value} for key, value in parameters.items()],
        }
        transformations.append(transformation)
        name = "x" if number == 48 else ""
        source = {"Source": "transformation", "ID": f"out{number}", "TransformationID": f"T{number}"}
        entries.append({**source, "SamlClaimType": name})
    return signin.claims(*entries, ClaimsTransformation=transformations)


def taking(reference: str, kind: str, **more: str) -> list[dict[str, str]]:
    return [{"ClaimTypeReferenceId": reference, "TransformationClaimType": kind, **more}]


def request(**changes: str) -> str:
    """A SAMLRequest as it is posted."""
    given = {
        "ID": "_1",
        "Version": "2.0",
        "issuer": FLEX["servicePrincipalNames"][0],
        "acs": "",
        "format": "",
        **changes,
    }
    acs = f' AssertionConsumerServiceURL="{given["acs"]}"' if given["acs"] else ""
    policy = f'<samlp:NameIDPolicy Format="{given["format"]}"/>' if given["format"] else ""
    return encoded(
        f'<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="{given["ID"]}" '
        f'Version="{given["Version"]}"{acs}><saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">'
        f"{given['issuer']}</saml:Issuer>{policy}</samlp:AuthnRequest>"
    )


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def refusal(answer: Answer) -> tuple[int, str]:
    assert "\n" not in answer.json["error"]["message"]
    return answer.status, answer.json["error"]["code"]


def certificate(assertion: signin.Assertion) -> str:
    text = assertion.root.findtext(".//{http://www.w3.org/2000/09/xmldsig#}X509Certificate") or ""
    return "".join(text.split())


# -- who may sign in ---------------------------------------------------------------------------------------------------


def test_who_may_sign_in(tenant: Tenant) -> None:
    def ask(upn: str) -> tuple[int, str]:
        return refusal(signin.ask(tenant.emulator, upn))

    assert ask(GUEST) == (403, "AADSTS50057"), "disabled"
    assert ask(NORA) == (403, "AADSTS50105"), "a member of a group inside the assigned group"
    assert ask("nobody@contoso.example") == (400, "AADSTS50034")
    signin.patch_principal(tenant, appRoleAssignmentRequired=False)
    assert signin.issued(tenant.emulator, NORA).name_id == NORA
    signin.patch_principal(tenant, accountEnabled=False)
    assert ask(ADA) == (403, "AADSTS7000112")


def test_an_assignment_without_a_role_lets_in_and_a_group_its_direct_members(tenant: Tenant) -> None:
    body = {"principalId": USERS[NORA]["id"], "resourceId": FLEX["id"], "appRoleId": ABSENT}
    assert tenant.emulator.graph("POST", f"/servicePrincipals/{FLEX['id']}/appRoleAssignedTo", body).status == 201
    signin.assign(tenant, signin.claims(user("assignedroles", "roles")))
    assert "roles" not in signin.issued(tenant.emulator, NORA).values
    assert tenant.patch({"accountEnabled": True}, GUEST).status == 204
    assert signin.issued(tenant.emulator, GUEST).values["roles"] == ["agent"]


def test_a_policy_wants_a_signing_key_or_mapped_claims_accepted(tenant: Tenant) -> None:
    signin.assign(tenant, signin.claims(user("mail", f"{XMLSOAP}upn"), constant("1", "one")))
    assert signin.issued(tenant.emulator, ADA).values[f"{XMLSOAP}upn"] == [ADA]
    signin.patch_principal(tenant, preferredTokenSigningKeyThumbprint=None)
    assert refusal(signin.ask(tenant.emulator, ADA)) == (403, "AADSTS50146")
    api = {"api": {"acceptMappedClaims": True}}
    assert tenant.emulator.graph("PATCH", f"/applications(appId='{FLEX['appId']}')", api).status == 204
    assert refusal(signin.ask(tenant.emulator, ADA)) == (403, "AADSTS501461"), "its audience is urn:flex:..."
    uris = {"identifierUris": ["https://flex.contoso.example/saml"]}
    assert tenant.emulator.graph("PATCH", f"/applications(appId='{FLEX['appId']}')", uris).status == 204
    values = signin.issued(tenant.emulator, ADA).values
    assert "one" in values
    assert f"{XMLSOAP}upn" not in values, "released by a signing key only"
    signin.patch_principal(tenant, keyCredentials=[])
    assert refusal(signin.ask(tenant.emulator, ADA)) == (403, "AADSTS500031"), "nothing to sign with"


def test_without_a_policy_and_without_a_certificate_nothing_is_signed(tenant: Tenant) -> None:
    answer = signin.ask(tenant.emulator, ADA, STAGING["id"])
    assert refusal(answer) == (403, "AADSTS50105")
    assert (
        tenant.emulator.graph(
            "PATCH", f"/servicePrincipals/{STAGING['id']}", {"appRoleAssignmentRequired": False}
        ).status
        == 204
    )
    assert refusal(signin.ask(tenant.emulator, ADA, STAGING["id"])) == (403, "AADSTS500031")


def test_an_ended_certificate_gives_way_to_a_valid_one(tenant: Tenant) -> None:
    active, inactive = (key["key"] for key in FLEX["keyCredentials"] if key["usage"] == "Verify")
    assert certificate(signin.issued(tenant.emulator, ADA)) == active
    tenant.emulator.advance(700 * DAY)
    assert certificate(signin.issued(tenant.emulator, ADA)) == inactive
    tenant.emulator.advance(200 * DAY)
    assert refusal(signin.ask(tenant.emulator, ADA)) == (403, "AADSTS500031"), "both have expired"


def test_a_certificate_without_a_private_key_counts_as_none(tenant: Tenant) -> None:
    signin.assign(tenant, signin.claims(user("mail", f"{XMLSOAP}upn")))
    private, public, _, spare = FLEX["keyCredentials"]
    assert (private["usage"], public["usage"]) == ("Sign", "Verify")
    signin.patch_principal(tenant, keyCredentials=[private, public, spare])
    assert signin.issued(tenant.emulator, ADA).values[f"{XMLSOAP}upn"] == [ADA]
    tenant.emulator.advance(920 * DAY)  # the active one has ended, and the other one has no private key
    assert refusal(signin.ask(tenant.emulator, ADA)) == (403, "AADSTS50146")
    tenant.emulator.reset()
    signin.assign(tenant, signin.claims(user("mail", "email")))
    signin.patch_principal(tenant, keyCredentials=[public, *FLEX["keyCredentials"][2:]])
    assert refusal(signin.ask(tenant.emulator, ADA)) == (403, "AADSTS50146"), "the other one is not active"
    assert "without a private key" in tenant.emulator.request("GET", f"/portal/{FLEX['id']}").content.decode()


def test_private_keys_are_shown_nowhere(tenant: Tenant) -> None:
    keys = [key["pem"] for key in json.loads(SEED.read_text(encoding="utf-8"))["signingKeys"]]
    assert all("PRIVATE KEY" in key for key in keys)
    pages = [
        "/admin/export",
        f"/portal/{FLEX['id']}",
        f"/{TENANT}/federationmetadata/2007-06/federationmetadata.xml?appid={FLEX['appId']}",
    ]
    texts = [tenant.emulator.request("GET", page).content for page in pages]
    texts.append(tenant.emulator.graph("GET", f"/servicePrincipals/{FLEX['id']}?$select=keyCredentials").content)
    assert not any(b"PRIVATE" in text or keys[0].splitlines()[1].encode() in text for text in texts)


# -- claims ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([constant("1"), constant("2")], {"x": ["1", "2"]}),
        ([constant(""), user("streetaddress", "y")], {"x": [""]}),
        ([constant(900)], {"x": ["900"]}),
        ([user("accountenabled")], {"x": ["true"]}),
        ([user("DisplayName")], {"x": ["Ada Lovelace"]}),
        ([{"source": "USER", "id": "mail", "samlclaimtype": "x"}], {"x": [ADA]}),
        ([user("netbiosname"), user("unknown", "y"), user("groups", "z")], {}),
        ([{"Source": "resource", "ID": "tags", "SamlClaimType": "x"}], {"x": [FLEX["tags"][0]]}),
        ([{"Source": "audience", "ID": "displayname", "SamlClaimType": "x"}], {"x": ["Twilio Flex"]}),
        ([{"Source": "company", "ID": "city", "SamlClaimType": "x"}], {}),
        ([{"Source": "user", "Value": "1", "SamlClaimType": "x"}], {}),
        ([constant("1", "http://schemas.microsoft.com/identity/claims/puid")], {}),
        ([{"Value": "1", "JwtClaimType": "x"}], {}),
        ([constant(str(n), f"n{n}") for n in range(60)], {f"n{n}": [str(n)] for n in range(50)}),
        (["no object", {"SamlClaimType": 5}], {}),
    ],
)
def test_what_an_entry_gives(tenant: Tenant, entries: list[Any], expected: dict[str, list[str]]) -> None:
    signin.assign(tenant, signin.claims(*entries))
    attributes = signin.issued(tenant.emulator, ADA).attributes
    assert {name: values for name, values, _ in attributes[4:]} == expected
    assert len(attributes) == 4 + len(expected)


def test_name_forms_are_sent_where_they_are_named(tenant: Tenant) -> None:
    form = "urn:oasis:names:tc:SAML:2.0:attrname-format:"
    entries = [user("mail", "a", SAMLNameForm="basic"), user("mail", "b", SAMLNameForm=f"{form}uri"), user("mail", "c")]
    signin.assign(tenant, signin.claims(*entries))
    forms = [name_form for _, _, name_form in signin.issued(tenant.emulator, ADA).attributes[4:]]
    assert forms == [f"{form}basic", f"{form}uri", ""]


def test_values_of_extensions_are_spelled_by_type(tenant: Tenant) -> None:
    given: dict[str, tuple[str, Any, list[str]]] = {
        "big": ("LargeInteger", 2**60, [str(2**60)]),
        "flag": ("Boolean", False, ["false"]),
        "when": ("DateTime", "2026-02-03T04:05:06+01:00", ["2026-02-03T03:05:06Z"]),
        "raw": ("Binary", "AQI=", ["AQI="]),
    }
    entries, changes = [], {}
    for name, (kind, value, _) in given.items():
        full = tenant.property(name, dataType=kind)["name"]
        changes[full] = value
        entries.append({"Source": "user", "ExtensionID": full, "SamlClaimType": name})
    several = tenant.property("several", isMultiValued=True)["name"]
    changes[several] = ["b", "a"]
    entries.append({"Source": "user", "ExtensionID": several, "SamlClaimType": "several"})
    assert tenant.patch(changes).status == 204
    signin.assign(tenant, signin.claims(*entries))
    expected = {name: texts for name, (_, _, texts) in given.items()} | {"several": ["b", "a"]}
    assert {k: v for k, v in signin.issued(tenant.emulator, ADA).values.items() if k in expected} == expected


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (transformed("x", "ToUppercase()", taking("displayname", "string")), ["ADA LOVELACE"]),
        (transformed("x", "toLowerCase", taking("DisplayName", "string")), ["ada lovelace"]),
        (transformed("x", "Join", taking("mail", "string1"), string2="b", separator="/"), [f"{ADA}/b"]),
        (transformed("x", "Join", taking("mail", "string1"), separator="/"), None),
        (transformed("x", "ExtractMailPrefix", taking("displayname", "mail")), ["Ada Lovelace"]),
        (transformed("x", "ExtractMailPrefix", taking("nowhere", "mail")), None),
        (transformed("x", "Reverse", taking("mail", "string")), None),
        (transformed("x", "ToUppercase", taking("out", "string")), None),
        (transformed("x", "ToUppercase", taking("assignedroles", "string")), ["ADMIN"]),
        (transformed("x", "ToUppercase", taking("assignedroles", "string", TreatAsMultiValue="true")), ["ADMIN", "AGENT"]),
        (transformed("x", "RegexReplace", taking("mail", "sourceClaim"), regex="(?<a>.)da@", replacement="{a}{b}|", b="B"), ["aB|contoso.example"]),
        (transformed("x", "RegexReplace", taking("mail", "sourceClaim"), regex="zzz", replacement="-"), [ADA]),
        (transformed("x", "RegexReplace", taking("mail", "sourceClaim"), regex="(", replacement="-"), None),
        (chained("RegexReplace", ("sourceClaim", "other"), regex="^.*$", replacement="-"), ["-"]),
        (chained("Join", ("string1", "string2"), separator=""), None),
    ],
)  # fmt: skip
def test_transformations(tenant: Tenant, policy: dict[str, Any], expected: list[str] | None) -> None:
    roles = {role["value"]: role["id"] for role in FLEX["appRoles"]}
    body = {"principalId": USERS[ADA]["id"], "resourceId": FLEX["id"], "appRoleId": roles["admin"]}
    assert tenant.emulator.graph("POST", f"/servicePrincipals/{FLEX['id']}/appRoleAssignedTo", body).status == 201
    signin.assign(tenant, policy)
    assert signin.issued(tenant.emulator, ADA).values.get("x") == expected


# -- NameID ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entries", "asked", "expected"),
    [
        ([], "", (ADA, PERSISTENT)),
        ([user("mail", NAME_ID)], "", (ADA, EMAIL)),
        ([user("employeeid", NAME_ID)], "", ("1001", UNSPECIFIED)),
        ([user("employeeid", NAME_ID, SamlNameIdFormat="urn:own")], "", ("1001", "urn:own")),
        ([user("employeeid", NAME_ID, SamlNameIdFormat="urn:own")], EMAIL, ("1001", EMAIL)),
        ([user("employeeid", NAME_ID, SamlNameIdFormat="urn:own")], UNSPECIFIED, ("1001", "urn:own")),
        ([user("displayname", NAME_ID)], "", (None, PERSISTENT)),
        ([constant("fixed", NAME_ID)], "", (None, PERSISTENT)),
        ([user("onpremisessamaccountname", NAME_ID)], "", (None, PERSISTENT)),
    ],
)  # fmt: skip
def test_name_id(tenant: Tenant, entries: list[Any], asked: str, expected: tuple[str | None, str]) -> None:
    signin.assign(tenant, signin.claims(*entries))
    assertion = signin.issued(tenant.emulator, ADA, request=request(format=asked))
    is_pairwise = len(assertion.name_id) == 43 and "@" not in assertion.name_id
    assert (None if is_pairwise else assertion.name_id, assertion.name_id_format) == expected
    assert NAME_ID not in assertion.values


def test_a_pairwise_name_is_the_same_each_time_and_another_for_another_user(tenant: Tenant) -> None:
    signin.assign(tenant, signin.claims(constant("fixed", NAME_ID)))
    names = [signin.issued(tenant.emulator, upn).name_id for upn in (ADA, ADA, SUSAN)]
    assert names[0] == names[1] != names[2]


@pytest.mark.parametrize(
    "asked",
    [
        "urn:oasis:names:tc:SAML:2.0:nameid-format:unspecified",  # as AD FS takes it
        "urn:oasis:names:tc:SAML:1.1:nameid-format:WindowsDomainQualifiedName",
        "urn:oasis:names:tc:SAML:2.0:nameid-format:emailAddress",
        "unspecified",
        EMAIL.upper(),
    ],
)
def test_a_kind_of_name_id_that_entra_does_not_issue_is_refused(tenant: Tenant, asked: str) -> None:
    answer = signin.ask(tenant.emulator, ADA, request=request(format=asked))
    assert refusal(answer) == (400, "AADSTS750161")
    assert answer.json["error"]["message"] == (
        "Allowed SAML authentication request's NameIDPolicy formats are: "
        f"{EMAIL}, {UNSPECIFIED}, {PERSISTENT}, {TRANSIENT}."
    )
    for format_ in (EMAIL, UNSPECIFIED, PERSISTENT, TRANSIENT):
        assert format_ in signin.issued(tenant.emulator, ADA, request=request(format=format_)).name_id_format or (
            format_ == UNSPECIFIED
        )


@pytest.mark.parametrize(("setting", "is_upn"), [("configured", True), ("pairwise", False)])
def test_a_request_for_no_particular_name_id_gets_one_of_two(tenant: Tenant, setting: str, is_upn: bool) -> None:
    tenant.emulator.dials(unspecified_name_id=setting)
    signin.assign(tenant, signin.claims(user("userprincipalname", NAME_ID)))
    issued = signin.issued(tenant.emulator, ADA, request=request(format=UNSPECIFIED))
    assert (issued.name_id == ADA, issued.name_id_format) == (is_upn, EMAIL if is_upn else PERSISTENT)
    assert signin.issued(tenant.emulator, ADA).name_id == ADA, "without a request the setting counts for nothing"


@pytest.mark.parametrize(
    ("name_format", "is_upn", "is_stable"),
    [(EMAIL, True, True), (UNSPECIFIED, True, True), (PERSISTENT, False, True), (TRANSIENT, False, False)],
)
def test_a_request_decides_what_kind_of_name_id_it_gets(
    tenant: Tenant, name_format: str, is_upn: bool, is_stable: bool
) -> None:
    signin.assign(tenant, signin.claims(user("userprincipalname", NAME_ID)))
    names = [signin.issued(tenant.emulator, ADA, request=request(format=name_format)).name_id for _ in range(2)]
    assert (names == [ADA, ADA]) == is_upn
    assert (len(set(names)) == 1) == is_stable
