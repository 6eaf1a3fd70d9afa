"""Two policies for stacks with flexsaml. What is allowed stands in `policy-config.json`, which other people review than
those who change a stack. A message names claims and numbers, and no value of a user."""

import json
from collections.abc import Mapping

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
)

TYPES = "pulumi-python:dynamic/flexsaml:"


def validate_claims(args: ResourceValidationArgs, report_violation: ReportViolation) -> None:
    if args.resource_type == f"{TYPES}ClaimsMappingPolicy":
        allowed = args.get_config()["names"]
        for name in list_claim_names(args.props):
            if name not in allowed:
                report_violation(f"the claim '{name}' is not allowed; allowed: {', '.join(allowed)}")


def list_claim_names(props: Mapping[str, object]) -> list[str]:
    """Of the claims, or of a raw definition, whose entries have a name for SAML, for JWT, or both."""
    if not props.get("definition"):
        return list(props["claims"])
    entries = json.loads(props["definition"])["ClaimsMappingPolicy"].get("ClaimsSchema", [])
    names = [entry.get(key) for entry in entries for key in ("SamlClaimType", "JwtClaimType")]
    return list(dict.fromkeys(filter(None, names)))


def validate_removal(args: ResourceValidationArgs, report_violation: ReportViolation) -> None:
    # The engine hands the configuration of the stack to the dynamic provider, where policies see it.
    if args.resource_type == "pulumi:providers:pulumi-python":
        allowed, approved = int(args.props.get("flexsaml:allowRemoval") or 0), int(args.get_config()["approved"])
        if allowed > approved:
            report_violation(
                f"flexsaml:allowRemoval lets {allowed} values be restored at once, and {approved} are approved"
            )


POLICIES: list[Policy] = [
    ResourceValidationPolicy(
        name="allowed-claims",
        description="A stack declares claims of the list only.",
        config_schema=PolicyConfigSchema({"names": {"type": "array", "items": {"type": "string"}}}, ["names"]),
        validate=validate_claims,
    ),
    ResourceValidationPolicy(
        name="mass-removal",
        description="allowRemoval, which lets many values be restored at once, takes an approval.",
        config_schema=PolicyConfigSchema({"approved": {"type": "integer", "minimum": 0, "default": 0}}),
        validate=validate_removal,
    ),
]
PolicyPack("flex-claims", POLICIES, enforcement_level=EnforcementLevel.MANDATORY)
