"""If this goes red, an application that was made with a credential is another identity here than on a tenant.

Bodies and refusals are those of Microsoft's reference pages. Every v1.0 exchange is held against Microsoft's schema.
"""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.emulator.process import ADMIN, AZURE_CLI, LEAST, PREVIEW, TENANT, Answer, Emulator
from tests.emulator.tenant import ABSENT, FLEX, FLEX_APP, USERS, Tenant, bad, gone

GRAPH = "00000003-0000-0000-c000-000000000000"
DENIED = (403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
INVALID = bad("One or more properties contains invalid values.")
LATER = "2027-01-01T00:00:00Z"
FEDERATED = {
    "name": "main",
    "issuer": "https://token.actions.githubusercontent.com",
    "subject": "repo:contoso/infra:ref:refs/heads/main",
    "audiences": ["api://AzureADTokenExchange"],
}


def ok(answer: Answer, status: int = 201) -> dict[str, Any]:
    assert answer.status == status, answer.content
    return dict(answer.json or {})


def make(tenant: Tenant, client: str = AZURE_CLI) -> tuple[dict[str, Any], dict[str, Any]]:
    """A new application and its service principal."""
    graph = tenant.emulator.graph
    application = ok(graph("POST", "/applications", {"displayName": "runs the stack"}, client=client))
    return application, ok(graph("POST", "/servicePrincipals", {"appId": application["appId"]}, client=AZURE_CLI))


def microsoft_graph(tenant: Tenant) -> dict[str, Any]:
    return ok(tenant.emulator.graph("GET", f"/servicePrincipals(appId='{GRAPH}')"), 200)


def role_id(tenant: Tenant, name: str) -> str:
    return next(str(role["id"]) for role in microsoft_graph(tenant)["appRoles"] if role["value"] == name)


def ask_token(emulator: Emulator, client: str, secret: str) -> Answer:
    form = {"grant_type": "client_credentials", "client_id": client, "client_secret": secret}
    body = urlencode({**form, "scope": f"{emulator.http}/.default"}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return emulator.request("POST", f"/{TENANT}/oauth2/v2.0/token", body, headers)


def claims_of(answer: Answer) -> dict[str, Any]:
    payload = answer.json["access_token"].split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))


def test_an_application_signs_in_with_its_secret_and_may_what_was_consented_to(tenant: Tenant) -> None:
    emulator, graph = tenant.emulator, tenant.emulator.graph
    application, principal = make(tenant)
    path = f"/applications/{application['id']}"
    body = {"passwordCredential": {"displayName": "first", "endDateTime": LATER}}
    password = ok(graph("POST", f"{path}/addPassword", body, client=AZURE_CLI), 200)
    secret = password["secretText"]
    (shown,) = ok(graph("GET", path), 200)["passwordCredentials"]
    assert (shown["keyId"], shown["hint"], shown["secretText"]) == (password["keyId"], secret[:3], None)
    assert secret not in json.dumps(emulator.export())

    before = ask_token(emulator, application["appId"], secret)
    assert (claims_of(before)["oid"], claims_of(before)["roles"]) == (principal["id"], [])
    resource = microsoft_graph(tenant)
    role = {"principalId": principal["id"], "resourceId": resource["id"], "appRoleId": role_id(tenant, "User.Read.All")}
    assigned = ok(graph("POST", f"/servicePrincipals/{resource['id']}/appRoleAssignedTo", role, client=AZURE_CLI))
    assert (assigned["principalType"], assigned["resourceDisplayName"]) == ("ServicePrincipal", "Microsoft Graph")
    token = ask_token(emulator, application["appId"], secret)
    assert claims_of(token)["roles"] == ["User.Read.All"]
    for answer, status in ((before, 403), (token, 200)):
        bearer = {"Authorization": f"Bearer {answer.json['access_token']}"}
        assert emulator.request("GET", "/v1.0/users", headers=bearer).status == status

    assert ask_token(emulator, application["appId"], "wrong").json["error_codes"] == [7000215]
    emulator.advance(400 * 86_400)
    assert ask_token(emulator, application["appId"], secret).json["error_codes"] == [7000222]


def test_a_secret_is_removed_and_only_by_its_id(tenant: Tenant) -> None:
    graph, (application, _) = tenant.emulator.graph, make(tenant)
    path = f"/applications/{application['id']}"
    password = ok(graph("POST", f"{path}/addPassword", {}), 200)
    assert graph("POST", f"{path}/removePassword", {"keyId": ABSENT}).status == 400
    assert graph("POST", f"{path}/removePassword", {"keyId": password["keyId"]}).status == 204
    assert ok(graph("GET", path), 200)["passwordCredentials"] == []
    answer = ask_token(tenant.emulator, application["appId"], password["secretText"])
    assert answer.json["error_codes"] == [7000215]


def test_an_application_without_a_principal_gets_no_token(tenant: Tenant) -> None:
    graph = tenant.emulator.graph
    application = ok(graph("POST", "/applications", {"displayName": "alone"}))
    password = ok(graph("POST", f"/applications/{application['id']}/addPassword", {}), 200)
    answer = ask_token(tenant.emulator, application["appId"], password["secretText"])
    assert answer.json["error_codes"] == [700016]


def test_a_role_is_given_once_and_only_if_applications_may_have_it(tenant: Tenant) -> None:
    graph, (_, principal) = tenant.emulator.graph, make(tenant)
    resource = microsoft_graph(tenant)
    path = f"/servicePrincipals/{principal['id']}/appRoleAssignments"
    role = {
        "principalId": principal["id"],
        "resourceId": resource["id"],
        "appRoleId": role_id(tenant, "Policy.Read.All"),
    }
    assigned = ok(graph("POST", path, role))
    assert [row["id"] for row in ok(graph("GET", path), 200)["value"]] == [assigned["id"]]
    assert graph("POST", path, role).error == bad("Permission being assigned already exists on the object")
    assert graph("POST", path, {**role, "principalId": FLEX["id"]}).error == INVALID
    assert graph("POST", path, {**role, "resourceId": ABSENT}).error == gone(ABSENT)
    words = f"Permission being assigned was not found on application '{GRAPH}'."
    assert graph("POST", path, {**role, "appRoleId": ABSENT}).error == bad(words)
    of_users = {**role, "resourceId": FLEX["id"], "appRoleId": FLEX["appRoles"][0]["id"]}
    assert graph("POST", path, of_users).status == 400
    assert graph("DELETE", f"{path}/{assigned['id']}").status == 204
    assert ok(graph("GET", path), 200)["value"] == []


def test_delegated_permissions_are_consented_to_once_for_all_users(tenant: Tenant) -> None:
    graph, (_, principal) = tenant.emulator.graph, make(tenant)
    body = {"clientId": principal["id"], "consentType": "AllPrincipals", "resourceId": microsoft_graph(tenant)["id"]}
    made = ok(graph("POST", "/oauth2PermissionGrants", {**body, "scope": "User.Read.All"}, client=AZURE_CLI))
    again = graph("POST", "/oauth2PermissionGrants", {**body, "scope": "Policy.Read.All"}, client=AZURE_CLI).error
    assert again == (409, "Request_MultipleObjectsWithSameKeyValue", "Permission entry already exists.")
    path = f"/oauth2PermissionGrants/{made['id']}"
    assert graph("PATCH", path, {"scope": "Policy.Read.All User.Read.All"}, client=AZURE_CLI).status == 204
    assert graph("PATCH", path, {"clientId": FLEX["id"]}, client=AZURE_CLI).error == INVALID
    for listed in (
        f"/servicePrincipals/{principal['id']}/oauth2PermissionGrants",
        f"/oauth2PermissionGrants?$filter=clientId%20eq%20'{principal['id']}'",
    ):
        (row,) = ok(graph("GET", listed), 200)["value"]
        assert row["scope"] == "Policy.Read.All User.Read.All"
    user = next(iter(USERS.values()))["id"]
    ok(
        graph(
            "POST",
            "/oauth2PermissionGrants",
            {**body, "consentType": "Principal", "principalId": user},
            client=AZURE_CLI,
        )
    )
    wrongs: list[dict[str, Any]] = [{"consentType": "Everybody"}, {"principalId": user}, {"consentType": "Principal"}]
    for wrong in wrongs:
        assert graph("POST", "/oauth2PermissionGrants", {**body, **wrong}, client=AZURE_CLI).error == INVALID
    assert graph("DELETE", path, client=AZURE_CLI).status == 204
    assert graph("DELETE", path, client=AZURE_CLI).error == gone(made["id"])


def test_federated_credentials_have_unique_names_and_subjects(tenant: Tenant) -> None:
    graph, (application, _) = tenant.emulator.graph, make(tenant)
    path = f"/applications/{application['id']}/federatedIdentityCredentials"
    made = ok(graph("POST", path, FEDERATED))
    assert {name: made[name] for name in FEDERATED} == FEDERATED
    assert ok(graph("GET", path), 200)["value"] == [{key: made[key] for key in made if "@" not in key}]
    assert ok(graph("GET", f"{path}/main"), 200)["id"] == made["id"]
    assert graph("POST", path, {**FEDERATED, "subject": "other"}).status == 409
    assert graph("POST", path, {**FEDERATED, "name": "other"}).status == 400
    wrongs: list[dict[str, Any]] = [{"name": "a b"}, {"audiences": []}, {"audiences": "x"}, {"issuer": ""}, {"x": "y"}]
    for wrong in wrongs:
        assert graph("POST", path, {**FEDERATED, "subject": "other", "name": "other", **wrong}).status == 400
    for number in range(19):
        ok(graph("POST", path, {**FEDERATED, "name": f"other{number}", "subject": f"{number}"}))
    assert graph("POST", path, {**FEDERATED, "name": "last", "subject": "last"}).status == 400
    assert graph("DELETE", f"{path}/{made['id']}").status == 204
    assert graph("GET", f"{path}/{made['id']}").error == gone(made["id"])


def test_a_deleted_application_leaves_nothing_of_its_identity(tenant: Tenant) -> None:
    graph, before = tenant.emulator.graph, tenant.emulator.export()
    application, principal = make(tenant)
    path, resource = f"/applications/{application['id']}", microsoft_graph(tenant)
    password = ok(graph("POST", f"{path}/addPassword", {}), 200)
    ok(graph("POST", f"{path}/federatedIdentityCredentials", FEDERATED))
    role = {"principalId": principal["id"], "resourceId": resource["id"], "appRoleId": role_id(tenant, "User.Read.All")}
    ok(graph("POST", f"/servicePrincipals/{principal['id']}/appRoleAssignments", role))
    consent = {"clientId": principal["id"], "consentType": "AllPrincipals", "resourceId": resource["id"]}
    ok(graph("POST", "/oauth2PermissionGrants", consent, client=AZURE_CLI))
    owner = {"@odata.id": f"{tenant.emulator.http}/v1.0/directoryObjects/{principal['id']}"}
    for owned in (f"/applications/{FLEX_APP['id']}", f"/servicePrincipals/{FLEX['id']}"):
        assert graph("POST", f"{owned}/owners/$ref", owner).status == 204
        assert principal["id"] in [row["id"] for row in ok(graph("GET", f"{owned}/owners"), 200)["value"]]
    assert graph("DELETE", f"/servicePrincipals/{principal['id']}").status == 204
    kept = tenant.emulator.export()
    assert [row["owners"] for row in kept["servicePrincipals"]] == [
        row["owners"] for row in before["servicePrincipals"]
    ]
    assert kept["oauth2PermissionGrants"] == []
    assert graph("DELETE", path).status == 204
    assert tenant.emulator.export() == before
    assert ask_token(tenant.emulator, application["appId"], password["secretText"]).status == 400


@pytest.mark.parametrize(
    ("method", "path", "allowed", "denied"),
    [
        ("POST", "/applications/{application}/addPassword", [ADMIN, AZURE_CLI], [PREVIEW, LEAST]),
        ("POST", "/applications/{application}/federatedIdentityCredentials", [ADMIN, AZURE_CLI], [PREVIEW, LEAST]),
        ("GET", "/applications/{application}/federatedIdentityCredentials", [PREVIEW, LEAST, AZURE_CLI], []),
        ("POST", "/servicePrincipals/{principal}/appRoleAssignments", [ADMIN, AZURE_CLI], [PREVIEW, LEAST]),
        ("GET", "/servicePrincipals/{principal}/appRoleAssignments", [PREVIEW, LEAST, AZURE_CLI], []),
        ("POST", "/oauth2PermissionGrants", [AZURE_CLI], [ADMIN, PREVIEW, LEAST]),
        ("POST", "/servicePrincipals", [ADMIN, AZURE_CLI], [PREVIEW, LEAST]),
    ],
)
def test_who_may_make_an_identity(
    tenant: Tenant, method: str, path: str, allowed: list[str], denied: list[str]
) -> None:
    """Whoever owns an application may give it a credential, and nobody a consent by that alone."""
    application, principal = make(tenant)
    target = path.format(application=application["id"], principal=principal["id"])
    body: Any = None if method == "GET" else {}
    for client in allowed:
        answer = tenant.emulator.graph(method, target, body, client=client)
        assert answer.status in (200, 400, 404), f"{client}: {answer.content!r}"
    for client in denied:
        assert tenant.emulator.graph(method, target, body, client=client).error == DENIED, client
