"""If this goes red, the sandbox lets in users whom Entra would refuse, or signs other claims than docs/sign-in.md says.

Complete assertions are compared in tests/prediction; these tests cover who may sign in, to which address and with which
key, and the rules that no policy of the corpus reaches.
"""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import pytest

from tests.emulator import browsing, signin
from tests.emulator.process import SEED, TENANT, Answer, Emulator
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


# -- requests and addresses --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"request": "%%%"}, (400, "AADSTS75005")),
        ({"request": encoded("no xml")}, (400, "AADSTS75005")),
        ({"request": encoded("<a/>")}, (400, "AADSTS75005")),
        ({"request": encoded('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')}, (400, "AADSTS75005")),
        ({"request": request(Version="1.1")}, (400, "AADSTS75005")),
        ({"request": request(issuer=" ")}, (400, "AADSTS75005")),
        ({"request": "A" * 200_000}, (400, "AADSTS75005")),
        ({"request": request(issuer="urn:flex:other")}, (400, "AADSTS700016")),
        ({"request": request(issuer=STAGING["servicePrincipalNames"][0])}, (400, "AADSTS75005")),
        ({"request": request(acs="https://evil.example/acs")}, (400, "AADSTS50011")),
        ({"acs": "https://localhost.evil.example/acs"}, (400, "AADSTS50011")),
        ({"acs": "javascript://127.0.0.1/%0aalert(1)"}, (400, "AADSTS50011")),
        ({"acs": "http://evil.example\\@127.0.0.1/acs"}, (400, "AADSTS50011")),
        ({"acs": "http://evil.example@127.0.0.1/acs"}, (400, "AADSTS50011")),
        ({"acs": "http://127.0.0.1:9;script-src */acs"}, (400, "AADSTS50011")),
        ({"acs": "http://127.0.0.1#@evil.example/"}, (400, "AADSTS50011")),
        ({"principal": ABSENT}, (400, "AADSTS700016")),
        ({"user": ""}, (400, "AADSTS50034")),
        ({"user": 5}, (400, "BadRequest")),
    ],
)  # fmt: skip
def test_an_invalid_request_is_refused_in_one_line(
    emulator: Emulator, sent: dict[str, Any], expected: tuple[int, str]
) -> None:
    body = {"user": ADA, "principal": FLEX["appId"], **sent}
    assert refusal(emulator.request("POST", "/admin/sign-in", json.dumps(body).encode())) == expected


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null"])
def test_a_sign_in_without_a_page_wants_an_object(emulator: Emulator, body: bytes) -> None:
    assert refusal(emulator.request("POST", "/admin/sign-in", body)) == (400, "BadRequest")


def test_where_a_response_is_sent(tenant: Tenant) -> None:
    emulator, reply = tenant.emulator, FLEX["replyUrls"][0]
    flex = f"{emulator.http}/flex/login/callback?connection={CONNECTION}"
    for sent, expected in [
        ({}, flex),
        ({"acs": reply}, flex),
        ({"request": request(acs=reply)}, flex),
        ({"request": request(acs=ACS)}, ACS),
        ({"acs": "https://localhost:1/x?y=1"}, "https://localhost:1/x?y=1"),
    ]:
        answer = signin.ask(emulator, ADA, FLEX["id"], **sent)
        assert answer.json["acs"] == expected
        root = signin.read(answer.json["SAMLResponse"]).root
        data = root.find(".//saml:SubjectConfirmationData", signin.SAML)
        assert data is not None
        assert (root.get("Destination"), data.get("Recipient")) == (expected, expected)
        assert data.get("InResponseTo") == root.get("InResponseTo") == ("_1" if "request" in sent else None)


def test_a_response_is_valid_for_an_hour_and_no_two_share_an_id(tmp_path: Path) -> None:
    with Emulator(tmp_path) as emulator:
        first = signin.issued(emulator, ADA).root
        emulator.kill()
        emulator.start()
        second = signin.issued(emulator, ADA).root
    ids = [element.attrib["ID"] for root in (first, second) for element in root.iter() if "ID" in element.attrib]
    assert len(set(ids)) == 4
    conditions = first.find(".//saml:Conditions", signin.SAML)
    assert conditions is not None
    assert conditions.attrib["NotBefore"] < first.attrib["IssueInstant"] < conditions.attrib["NotOnOrAfter"]


def test_what_xml_cannot_carry_is_replaced(tenant: Tenant) -> None:
    signin.assign(tenant, signin.claims(constant("a\u0001b\ud800c\n<&>\u00e9", "x")))
    assert signin.issued(tenant.emulator, ADA).values["x"] == ["a\ufffdb\ufffdc\n<&>\u00e9"]


def test_metadata_has_a_mark_and_all_certificates_twice(emulator: Emulator) -> None:
    path = f"/{TENANT}/federationmetadata/2007-06/federationmetadata.xml"
    content = emulator.request("GET", f"{path}?appid={FLEX['appId']}").content
    assert content.startswith(b"\xef\xbb\xbf")
    root = ElementTree.fromstring(content)  # noqa: S314 - the emulator's own
    md, ds = "{urn:oasis:names:tc:SAML:2.0:metadata}", "{http://www.w3.org/2000/09/xmldsig#}"
    verify = [key["key"] for key in FLEX["keyCredentials"] if key["usage"] == "Verify"]
    for name in ("RoleDescriptor", "IDPSSODescriptor"):
        descriptor = root.find(f"{md}{name}")
        assert descriptor is not None
        assert [element.text for element in descriptor.iter(f"{ds}X509Certificate")] == verify
    places = {service.get("Location") for service in root.iter(f"{md}SingleSignOnService")}
    assert (root.get("entityID"), places) == (f"https://sts.windows.net/{TENANT}/", {f"{emulator.http}/{TENANT}/saml2"})
    assert refusal(emulator.request("GET", path)) == (404, "AADSTS700016")
    assert refusal(emulator.request("GET", f"/other{path[37:]}?appid={FLEX['appId']}")) == (404, "AADSTS90002")


# -- pages -------------------------------------------------------------------------------------------------------------


def test_the_page_asks_who_signs_in_and_carries_the_request_on(tenant: Tenant) -> None:
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(base64.b64decode(request(acs=ACS))) + packer.flush()
    state = '"><script>alert(1)</script>'
    query = f"SAMLRequest={quote(base64.b64encode(packed).decode(), safe='')}&RelayState={quote(state)}"
    page = browsing.visit(tenant.emulator, f"/contoso.example/saml2?{query}")
    assert page.status == 200
    assert "script" not in page.tags
    assert {upn for _, upn in page.forms[0].buttons} == set(USERS)
    assert page.text.count("not assigned") == 1
    issued = browsing.send(tenant.emulator, page.forms[1], user=f" {ADA.upper()} ")
    assert issued.forms[0].action == ACS
    assert issued.forms[0].fields["RelayState"] == state
    assert "form-action 'self' http://127.0.0.1:9;" in issued.answer.headers["content-security-policy"]
    refused = browsing.send(tenant.emulator, page.forms[0], user="<b>nobody</b>")
    assert (refused.status, "b" in refused.tags) == (400, False)
    assert "AADSTS50034" in refused.text


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"/{TENANT}/saml2", 400, "AADSTS750054"),
        (f"/{TENANT}/saml2?SAMLRequest=%25", 400, "AADSTS75005"),
        (f"/{TENANT}/saml2?SAMLRequest={quote(request(), safe='')}", 400, "AADSTS75005"),
        (f"/{TENANT}/launch/{ABSENT}", 404, "AADSTS700016"),
        (f"/other.example/launch/{FLEX['appId']}", 404, "AADSTS90002"),
    ],
)
def test_a_page_for_a_mistaken_address_says_why_in_one_line(
    emulator: Emulator, path: str, status: int, code: str
) -> None:
    page = browsing.visit(emulator, path)
    assert page.status == status
    assert sum(code in line for line in page.text.splitlines()) == 1


def test_a_request_that_inflates_without_end_is_refused(emulator: Emulator) -> None:
    packer = zlib.compressobj(9, wbits=-15)
    packed = packer.compress(b"<a>" + b" " * 20_000_000) + packer.flush()
    query = quote(base64.b64encode(packed).decode(), safe="")
    page = browsing.visit(emulator, f"/{TENANT}/saml2?SAMLRequest={query}")
    assert (page.status, "AADSTS75005" in page.text) == (400, True)


@pytest.mark.parametrize("user", [GUEST, NORA])
def test_the_page_tells_a_refused_user_why(emulator: Emulator, user: str) -> None:
    page = browsing.sign_in(emulator, f"/{TENANT}/launch/{FLEX['appId']}", user)
    assert page.status == 403
    assert "AADSTS50" in page.text


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
