"""The stack: its configuration, the component, and what other stacks may read of it."""

import pulumi

from components import start_early

directory = start_early()  # goes on beside the next import, which takes as long

from components import FlexSamlClaims, read_config  # noqa: E402

flex = FlexSamlClaims("flex", read_config(), directory=directory)

pulumi.export("servicePrincipalId", flex.service_principal_id)
pulumi.export("policyId", flex.policy_id)
pulumi.export("extensions", flex.extensions)
