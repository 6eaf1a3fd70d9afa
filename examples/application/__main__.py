"""The enterprise application and its claims in one program. README.md names what changes with `pulumi_azuread`."""

import pulumi
from enterprise_application import EnterpriseApplication
from flexsaml.components import FlexSamlClaims, FlexSamlClaimsArgs

application = EnterpriseApplication("application", pulumi.Config().get("displayName") or "Flex of this program")
flex = FlexSamlClaims(
    "flex",
    FlexSamlClaimsArgs(
        service_principal=application.principal_id,
        policy_name=pulumi.Output.concat(application.display_name, " claims"),
        claims={
            "nameid": "user.userprincipalname",
            "email": "user.mail",
            "full_name": "user.displayname",
            "roles": {"value": "agent"},
            "team": "extension.team",
            "application_id": {"value": application.client_id},
        },
        extensions={"team": "String"},
        users={"ada@contoso.example": {"team": "red"}},
    ),
)
pulumi.export("principal", flex.service_principal_id)
