"""The stack: its configuration, the component, and what other stacks may read of it."""

import pulumi

from components import FlexSamlClaims, InvalidDeclaration, from_config, report

try:
    args = from_config(pulumi.Config("flexsaml"))
except InvalidDeclaration as found:
    raise report(found.problems) from None

flex = FlexSamlClaims("flex", args)

pulumi.export("servicePrincipalId", flex.service_principal_id)
pulumi.export("policyId", flex.policy_id)
pulumi.export("extensions", flex.extensions)
