"""Reads outputs of the claims stack, to write users' values by another tool, for example."""

import pulumi

stack = pulumi.Config().require("claimsStack")  # organization/project/stack; `organization` for a backend of your own
production = pulumi.StackReference(stack).require_output("production")
pulumi.export("attribute", production.apply(lambda outputs: outputs["extensions"]["languages"]))
