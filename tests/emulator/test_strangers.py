"""If this goes red, Microsoft's own clients cannot use the emulator, so passing against it says little about Graph.

azure-identity gets its token over TLS and msgraph-sdk performs Twilio's guide; neither knows that this is not a tenant.
Each exchange of the SDK is held against Microsoft's schema.
"""

from __future__ import annotations

import asyncio
import ssl

import httpx
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.claims_mapping_policy import ClaimsMappingPolicy
from msgraph.generated.models.extension_property import ExtensionProperty
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.reference_create import ReferenceCreate
from msgraph.generated.models.user import User
from msgraph.generated.service_principals.service_principals_request_builder import ServicePrincipalsRequestBuilder
from msgraph.generated.users.item.user_item_request_builder import UserItemRequestBuilder

from tests.emulator.contract import judge
from tests.emulator.process import ADMIN, SECRET, SENT, TENANT, Emulator
from tests.emulator.tenant import ADA, DEFINITION, FLEX, full_name


def _credential(emulator: Emulator, secret: str = SECRET, tenant: str = TENANT) -> ClientSecretCredential:
    return ClientSecretCredential(
        tenant, ADMIN, secret, authority=emulator.https, disable_instance_discovery=True, connection_verify=emulator.ca
    )


async def _judged(response: httpx.Response) -> None:
    content = await response.aread()
    request = response.request
    SENT.append((request.method, request.url.raw_path.decode()))
    path = request.url.raw_path.decode().removeprefix("/v1.0")
    # Names in the spelling of HTTP, not of httpx, which lowers them: the contract looks for ConsistencyLevel.
    headers = {key.decode(): value.decode() for key, value in request.headers.raw}
    judge(request.method, path, headers, request.content, response.status_code, dict(response.headers), content)


def _client(emulator: Emulator, paths: list[str]) -> GraphServiceClient:
    async def record(response: httpx.Response) -> None:
        paths.append(f"{response.request.method} {response.request.url.path} {response.status_code}")

    provider = AzureIdentityAuthenticationProvider(
        _credential(emulator), scopes=[f"{emulator.https}/.default"], allowed_hosts=["localhost"]
    )
    http = httpx.AsyncClient(
        verify=ssl.create_default_context(cafile=emulator.ca),
        event_hooks={"response": [_judged, record]},
        base_url=f"{emulator.https}/v1.0",
    )
    adapter = GraphRequestAdapter(provider, client=http)
    adapter.base_url = f"{emulator.https}/v1.0"
    return GraphServiceClient(request_adapter=adapter)


async def _guide(emulator: Emulator, client: GraphServiceClient) -> None:
    """Twilio's guide, step by step, and its reversal."""
    query = ServicePrincipalsRequestBuilder.ServicePrincipalsRequestBuilderGetQueryParameters(
        search='"displayName:Twilio Flex"', select=["id", "appId", "displayName"]
    )
    configuration = RequestConfiguration(query_parameters=query)
    configuration.headers.add("ConsistencyLevel", "eventual")
    listed = await client.service_principals.get(request_configuration=configuration)
    flex = next(item for item in listed.value if item.display_name == "Twilio Flex")
    assert (len(listed.value), flex.id) == (2, FLEX["id"])

    app = await client.applications_with_app_id(flex.app_id).get()
    properties = client.applications.by_application_id(app.id).extension_properties
    made = await properties.post(ExtensionProperty(name="languages", data_type="String", target_objects=["User"]))
    assert (made.name, made.is_multi_valued) == (full_name("languages"), False)

    user = client.users.by_user_id(ADA)
    await user.patch(User(additional_data={made.name: "en,de"}))
    select = UserItemRequestBuilder.UserItemRequestBuilderGetQueryParameters(select=["id", made.name])
    read = await user.get(request_configuration=RequestConfiguration(query_parameters=select))
    assert read.additional_data[made.name] == "en,de"

    policies = client.policies.claims_mapping_policies
    policy = await policies.post(ClaimsMappingPolicy(display_name="Flex claims", definition=[DEFINITION]))
    links = client.service_principals.by_service_principal_id(flex.id).claims_mapping_policies
    url = f"{emulator.https}/v1.0/policies/claimsMappingPolicies/{policy.id}"
    await links.ref.post(ReferenceCreate(odata_id=url))
    assert [linked.id for linked in (await links.get()).value] == [policy.id]

    await links.by_claims_mapping_policy_id(policy.id).ref.delete()
    assert (await links.get()).value == []
    await user.patch(User(additional_data={made.name: None}))
    await policies.by_claims_mapping_policy_id(policy.id).delete()
    await properties.by_extension_property_id(made.id).delete()
    with pytest.raises(ODataError) as refused:
        await policies.by_claims_mapping_policy_id(policy.id).get()
    assert (refused.value.response_status_code, refused.value.error.code) == (404, "Request_ResourceNotFound")


def test_msgraph_sdk_performs_the_guide_and_leaves_nothing(emulator: Emulator) -> None:
    before, paths = emulator.export(), list[str]()
    asyncio.run(_guide(emulator, _client(emulator, paths)))
    assert emulator.export() == before
    assert len(paths) == 14
    tokens = [request for request in emulator.requests() if request["path"].endswith("/token")]
    assert [request["status"] for request in tokens] == [200]


def test_azure_identity_gets_a_token_over_tls(emulator: Emulator) -> None:
    token = _credential(emulator).get_token(f"{emulator.http}/.default")
    SENT.extend((request["method"], request["path"]) for request in emulator.requests())
    answer = emulator.request("GET", "/v1.0/organization", None, {"Authorization": f"Bearer {token.token}"})
    assert answer.status == 200


@pytest.mark.parametrize(
    ("change", "words"),
    [({"secret": "wrong"}, "AADSTS7000215"), ({"tenant": "fabrikam.example"}, "AADSTS90002|Unable to get authority")],
)
def test_azure_identity_understands_a_refusal(emulator: Emulator, change: dict[str, str], words: str) -> None:
    with pytest.raises((ClientAuthenticationError, ValueError), match=words):
        _credential(emulator, **change).get_token(f"{emulator.http}/.default")
