"""Lint: what is wrong in a claims mapping policy, or will not do what it seems to.

Graph accepts almost any definition, and answers a broken one with one sentence that names nothing; the rest shows at
sign-in, as an absent claim or a refused login. `lint` reports it before. `RULES` is the complete list, in two
profiles: `entra` holds for any policy, `flex` adds what Twilio Flex needs. What the service is known to have accepted
is a warning at most. No tenant has confirmed any rule; each has the grade of its evidence. No network is used.
"""

from __future__ import annotations

import re
from itertools import islice

from flexsaml.findings import Finding

from . import rules_claims as claims
from . import rules_document as document
from . import rules_extensions as extensions
from . import rules_flex as flex
from . import rules_flex_types as types
from . import rules_sources as sources
from . import rules_transformations as transformations
from .reading import Document, read_policies
from .rules import Context, Rule, context_rule, document_rule, entry_rule, reader_rule, transformation_rule

MAX_FINDINGS = 50
"""Findings of one rule about one policy; more are reported in one."""

_ENTRA = "A: entra-docs reference-claims-customization"
_EXTENSIONS = "A: entra-docs schema-extensions"
_GRAPH = "A: Graph reference, claimsMappingPolicy"
_TWILIO = "A: Twilio, Configuring SSO and IdP in Flex"
_INFERENCE = "D: our inference"

RULES: dict[str, tuple[Rule, ...]] = {
    "entra": (
        reader_rule("json", "error", "A: graph-docs#9650", "The text is JSON."),
        reader_rule("encoding", "error", "A: RFC 8259", "The text is UTF-8."),
        reader_rule("byte-order-mark", "warning", "A: RFC 8259", "The text has no byte order mark."),
        reader_rule("size", "error", _INFERENCE, "The text has at most 1,000,000 bytes; more is not read."),
        reader_rule("nesting", "error", _INFERENCE, "The text is nested at most 16 levels deep."),
        reader_rule("duplicate-key", "error", "A: RFC 8259", "An object has each key once."),
        document_rule("error", _GRAPH, document.wrong_type),
        reader_rule("root", "error", _GRAPH, "The policy is the value of `ClaimsMappingPolicy`."),
        reader_rule(
            "definition-array", "error", "A: msgraph-sdk-powershell#3227",
            "The `definition` of a request is an array of one string.",
        ),
        reader_rule("double-encoded", "error", _GRAPH, "The definition is encoded once."),
        reader_rule("raw-line-break", "error", "A: graph-docs#9732", "A JSON string has no raw line break."),
        reader_rule(
            "line-break", "warning", "D: inferred from graph-docs#9732", "A definition sent as a string is one line.",
        ),
        reader_rule("description-sent", "warning", "A: graph-docs#17907", "A request does not send `description`."),
        reader_rule("organization-default", "warning", _GRAPH, "`isOrganizationDefault` is not true."),
        document_rule("error", "A: azure-docs#57565", document.version),
        document_rule("error", _GRAPH, document.basic_claim_set_value),
        document_rule("info", _INFERENCE, document.basic_claim_set_missing),
        document_rule("error", _ENTRA, document.key_misspelt),
        document_rule("warning", _ENTRA, document.key_unknown),
        document_rule("warning", "A: azure-docs#57565, for Version", document.key_case),
        document_rule("warning", "A: azure-docs#9453", document.white_space),
        document_rule("warning", _INFERENCE, document.empty_schema),
        document_rule("warning", _GRAPH, document.too_many_claims),
        document_rule("warning", _ENTRA, document.group_filter),
        document_rule("warning", _ENTRA, document.needs_signing_key),
        entry_rule("error", _ENTRA, sources.no_source),
        entry_rule("error", _ENTRA, sources.several_sources),
        entry_rule("error", _ENTRA, sources.source_incomplete),
        entry_rule("error", _ENTRA, sources.source_unknown),
        entry_rule("error", "C: terraform-provider-azuread#1724", sources.constant_source),
        entry_rule("warning", f"{_ENTRA}, hamilton#224", sources.id_unknown),
        entry_rule("info", "C: published policies", sources.id_undocumented),
        entry_rule("warning", "A: azure-docs#97317", extensions.extension_in_id),
        entry_rule("error", "A: Graph reference, extensionProperty", extensions.extension_name),
        entry_rule("warning", _INFERENCE, extensions.extension_placeholder),
        entry_rule("warning", _EXTENSIONS, extensions.extension_application_case),
        entry_rule("warning", _EXTENSIONS, extensions.extension_source),
        context_rule("error", _EXTENSIONS, extensions.extension_case),
        context_rule("warning", _INFERENCE, extensions.extension_unknown),
        context_rule("warning", f"{_ENTRA}; D for the outcome", extensions.multi_valued),
        entry_rule("info", _ENTRA, sources.single_value_emitted),
        entry_rule("warning", _ENTRA, sources.custom_claims_provider),
        document_rule("warning", _ENTRA, claims.feeds_nothing),
        entry_rule("warning", f"{_ENTRA}; D for the outcome", claims.restricted_saml_claim),
        entry_rule("warning", _ENTRA, claims.restricted_saml_claim_signing_key),
        entry_rule("warning", _ENTRA, claims.restricted_jwt_claim),
        entry_rule("warning", _ENTRA, claims.nameid_source),
        document_rule("warning", _ENTRA, claims.nameid_transformation),
        entry_rule("warning", "A: terraform-provider-azuread#1115", claims.nameid_format),
        entry_rule("warning", _ENTRA, claims.name_form),
        document_rule("error", _INFERENCE, claims.duplicate_claim),
        document_rule("warning", _INFERENCE, claims.duplicate_claim_case),
        document_rule("warning", "A: entra-docs#121 against azure-docs#90732", transformations.transformations_key),
        document_rule("warning", _GRAPH, transformations.too_many_transformations),
        transformation_rule("error", _ENTRA, transformations.transformation_incomplete),
        transformation_rule("warning", _ENTRA, transformations.transformation_method),
        transformation_rule("warning", _ENTRA, transformations.transformation_inputs),
        document_rule("warning", _ENTRA, transformations.transformation_outputs),
        document_rule("warning", _ENTRA, transformations.transformation_reference),
        document_rule("warning", _INFERENCE, transformations.reference_case),
        document_rule("error", _ENTRA, transformations.transformation_undefined),
        entry_rule("warning", _ENTRA, transformations.transformation_source),
        document_rule("warning", _INFERENCE, transformations.transformation_unused),
    ),
    "flex": (
        document_rule("error", _TWILIO, flex.flex_required),
        entry_rule("warning", _TWILIO, flex.flex_namespace),
        entry_rule("warning", _TWILIO, flex.flex_jwt_only),
        document_rule("warning", "D: the default of Entra", flex.flex_nameid_missing),
        document_rule("info", _TWILIO, flex.flex_basic_claim_set),
        entry_rule("error", _TWILIO, types.suffix_case),
        entry_rule("warning", _TWILIO, types.suffix_unknown),
        context_rule("error", _TWILIO, types.typed_source),
        context_rule("error", _TWILIO, types.typed_value),
        context_rule("info", _TWILIO, types.untyped_source),
        entry_rule("warning", _TWILIO, flex.contact_uri),
        context_rule("warning", _INFERENCE, flex.image_url),
        entry_rule("warning", _TWILIO, flex.channel_attribute),
        entry_rule("warning", _TWILIO, flex.team_attribute),
        context_rule("warning", "A: Twilio, TaskRouter worker attributes", flex.hyphen_value),
        context_rule("warning", _TWILIO, flex.flex_roles),
        context_rule("info", _TWILIO, flex.null_keeps_old),
    ),
}  # fmt: skip
"""Profile to its rules."""
PROFILES = tuple(RULES)
RULE_NAMES = tuple(rule.name for rules in RULES.values() for rule in rules)

_PLACE = re.compile(r"(?:value\[\d+\] )?(ClaimsSchema|ClaimsTransformations?)\[(\d+)\]")


def lint(text: str | bytes, *, profile: str = "entra", context: Context | None = None) -> list[Finding]:
    """The findings on a definition, with their default levels, in the order of the document.

    `text` is a definition, the same as a JSON string, or a request body or answer with one. Never raises for any
    text; raises ValueError for an unknown profile.
    """
    if profile not in PROFILES:
        raise ValueError(f"profile '{profile}' is none of {', '.join(PROFILES)}")
    rules = RULES["entra"] if profile == "entra" else RULES["entra"] + RULES[profile]
    findings: list[Finding] = []
    for policy in read_policies(text):
        of_policy = [finding for rule in rules for finding in _apply(rule, policy, context or Context())]
        findings += sorted(of_policy, key=_position)
    return findings


def _apply(rule: Rule, policy: Document, context: Context) -> list[Finding]:
    """Checks are generators, so a rule stops as soon as it has enough findings."""
    violations = islice(rule.check(policy, context), MAX_FINDINGS + 1)
    findings = [Finding(rule.name, rule.level, *violation) for violation in violations]
    if len(findings) > MAX_FINDINGS:
        message = f"there are more than {MAX_FINDINGS} of these; the others are not listed"
        findings[MAX_FINDINGS] = Finding(rule.name, rule.level, "definition", message)
    return findings


def _position(finding: Finding) -> tuple[int, int]:
    """The document comes first, then the entries, then the transformations."""
    match = _PLACE.match(finding.where)
    return (0, 0) if not match else (1 if match[1] == "ClaimsSchema" else 2, int(match[2]))
