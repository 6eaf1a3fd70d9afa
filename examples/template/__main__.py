"""The stack: its configuration, the component, and what other stacks may read of it."""

import pulumi
from flexsaml.components import FlexSamlClaims, read_config

flex = FlexSamlClaims("flex", read_config())

pulumi.export("servicePrincipalId", flex.service_principal_id)
pulumi.export("policyId", flex.policy_id)
pulumi.export("extensions", flex.extensions)
