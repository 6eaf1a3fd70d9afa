"""An application and its service principal, as a dynamic resource for programs without a provider for Entra. It
connects to the tenant as flexsaml does. A create that fails half-way leaves the application in the tenant, and nothing
in state."""

from typing import Any

import pulumi
from pulumi import dynamic

from flexsaml.graph import Client, cloud, credentials

Props = dict[str, Any]


class Provider(dynamic.ResourceProvider):
    serialize_as_secret_always = False

    def configure(self, req: dynamic.ConfigureRequest) -> None:
        get = req.config.get
        where = cloud(
            get("flexsaml:cloud") or "public",
            graph_endpoint=get("flexsaml:graphEndpoint") or "",
            login_endpoint=get("flexsaml:loginEndpoint") or "",
        )
        self.client = Client(where, credentials(where, get("flexsaml:tenantId") or ""))

    def create(self, props: Props) -> dynamic.CreateResult:
        application = self.client.write("POST", "/applications", {"displayName": props["display_name"]})
        tags = ["WindowsAzureActiveDirectoryIntegratedApp"]  # the portal lists it among the enterprise applications
        body = {"appId": application["appId"], "preferredSingleSignOnMode": "saml", "tags": tags}
        principal = self.client.write("POST", "/servicePrincipals", body)
        ids = {"application_id": application["id"], "client_id": application["appId"]}
        return dynamic.CreateResult(principal["id"], {**props, **ids, "principal_id": principal["id"]})

    def diff(self, _id: str, _olds: Props, _news: Props) -> dynamic.DiffResult:
        replaces = ["display_name"] if _olds["display_name"] != _news["display_name"] else []
        return dynamic.DiffResult(changes=bool(replaces), replaces=replaces, delete_before_replace=True)

    def delete(self, _id: str, _props: Props) -> None:
        self.client.write("DELETE", f"/servicePrincipals/{_id}")
        self.client.write("DELETE", f"/applications/{_props['application_id']}")


class EnterpriseApplication(dynamic.Resource, module="platform", name="EnterpriseApplication"):
    display_name: pulumi.Output[str]
    application_id: pulumi.Output[str]
    client_id: pulumi.Output[str]
    principal_id: pulumi.Output[str]

    def __init__(self, name: str, display_name: str) -> None:
        unknown = dict.fromkeys(("application_id", "client_id", "principal_id"))
        super().__init__(Provider(), name, {"display_name": display_name, **unknown})
