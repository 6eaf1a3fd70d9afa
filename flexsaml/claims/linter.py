"""Lint: what is wrong, or will not do what it seems to, in a claims mapping policy.

Graph accepts almost any definition and answers a broken one with one sentence that names nothing; the rest shows at
sign-in, as an absent claim or a refused login. `lint` says it before. `RULES` is the whole list, in two profiles:
`entra` holds for any policy, `flex` adds what Twilio Flex needs. What the service is known to have accepted is a
warning at most. No tenant has confirmed any rule; each carries the grade of its evidence. Pure: no network, and the
only files read are the tables beside this module.
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
from .rules import Context, Rule
from .rules_document import told

PROFILES = ("entra", "flex")

MOST = 50
"""Findings of one rule that are told one by one."""

_ED = "A: entra-docs reference-claims-customization"
_GD = "A: Graph reference, claimsMappingPolicy"
_TW = "A: Twilio, Configuring SSO and IdP in Flex"
_OURS = "D: our inference"

RULES: tuple[Rule, ...] = (
    Rule("json", "error", "entra", "A: graph-docs#9650", told("json"), "The text is JSON."),
    Rule("encoding", "error", "entra", "A: RFC 8259", told("encoding"), "The text is UTF-8."),
    Rule("byte-order-mark", "warning", "entra", "A: RFC 8259", told("byte-order-mark"), "No byte order mark."),
    Rule("size", "error", "entra", _OURS, told("size"), "At most 1,000,000 bytes; more is not looked at."),
    Rule("nesting", "error", "entra", _OURS, told("nesting"), "Not nested deeper than any policy is."),
    Rule("duplicate-key", "error", "entra", "A: RFC 8259", told("duplicate-key"), "No key twice in one object."),
    Rule("wrong-type", "error", "entra", _GD, document.wrong_type),
    Rule("root", "error", "entra", _GD, told("root"), "Everything stands in `ClaimsMappingPolicy`."),
    Rule(
        "definition-array", "error", "entra", "A: msgraph-sdk-powershell#3227", told("definition-array"),
        "A request's `definition` is an array of one string.",
    ),
    Rule("double-encoded", "error", "entra", _GD, told("double-encoded"), "The definition is encoded once."),
    Rule(
        "raw-line-break", "error", "entra", "A: graph-docs#9732", told("raw-line-break"),
        "No raw line break inside a JSON string.",
    ),
    Rule(
        "line-break", "warning", "entra", "D: inferred from graph-docs#9732", told("line-break"),
        "A definition sent as a string is one line.",
    ),
    Rule(
        "description-sent", "warning", "entra", "A: graph-docs#17907", told("description-sent"),
        "A request does not send `description`.",
    ),
    Rule(
        "organization-default", "warning", "entra", _GD, told("organization-default"),
        "`isOrganizationDefault` is not true.",
    ),
    Rule("version", "error", "entra", "A: azure-docs#57565", document.version),
    Rule("basic-claim-set-value", "error", "entra", _GD, document.basic_claim_set_value),
    Rule("basic-claim-set-missing", "info", "entra", _OURS, document.basic_claim_set_missing),
    Rule("key-misspelt", "error", "entra", _ED, document.key_misspelt),
    Rule("key-unknown", "warning", "entra", _ED, document.key_unknown),
    Rule("key-case", "warning", "entra", "A: azure-docs#57565, for Version", document.key_case),
    Rule("white-space", "warning", "entra", "A: azure-docs#9453", document.white_space),
    Rule("empty-schema", "warning", "entra", _OURS, document.empty_schema),
    Rule("too-many-claims", "warning", "entra", _GD, document.too_many_claims),
    Rule("group-filter", "warning", "entra", _ED, document.group_filter),
    Rule("needs-signing-key", "warning", "entra", _ED, document.needs_signing_key),
    Rule("no-source", "error", "entra", _ED, sources.no_source),
    Rule("several-sources", "error", "entra", _ED, sources.several_sources),
    Rule("source-incomplete", "error", "entra", _ED, sources.source_incomplete),
    Rule("source-unknown", "error", "entra", _ED, sources.source_unknown),
    Rule("constant-source", "error", "entra", "C: terraform-provider-azuread#1724", sources.constant_source),
    Rule("id-unknown", "warning", "entra", _ED + ", hamilton#224", sources.id_unknown),
    Rule("id-undocumented", "info", "entra", "C: published policies", sources.id_undocumented),
    Rule("extension-in-id", "warning", "entra", "A: azure-docs#97317", extensions.extension_in_id),
    Rule("extension-name", "error", "entra", "A: Graph reference, extensionProperty", extensions.extension_name),
    Rule("extension-placeholder", "warning", "entra", _OURS, extensions.extension_placeholder),
    Rule(
        "extension-application-case", "warning", "entra", "A: entra-docs schema-extensions",
        extensions.extension_application_case,
    ),
    Rule("extension-source", "warning", "entra", "A: entra-docs schema-extensions", extensions.extension_source),
    Rule("extension-case", "error", "entra", "A: entra-docs schema-extensions", extensions.extension_case),
    Rule("extension-unknown", "warning", "entra", _OURS, extensions.extension_unknown),
    Rule("multi-valued", "warning", "entra", _ED + "; D for the outcome", extensions.multi_valued),
    Rule("single-value-emitted", "info", "entra", _ED, sources.single_value_emitted),
    Rule("custom-claims-provider", "warning", "entra", _ED, sources.custom_claims_provider),
    Rule("feeds-nothing", "warning", "entra", _ED, claims.feeds_nothing),
    Rule("restricted-saml-claim", "warning", "entra", _ED + "; D for the outcome", claims.restricted_saml_claim),
    Rule(
        "restricted-saml-claim-signing-key", "warning", "entra", _ED, claims.restricted_saml_claim_signing_key,
    ),
    Rule("restricted-jwt-claim", "warning", "entra", _ED, claims.restricted_jwt_claim),
    Rule("nameid-source", "warning", "entra", _ED, claims.nameid_source),
    Rule("nameid-transformation", "warning", "entra", _ED, claims.nameid_transformation),
    Rule("nameid-format", "warning", "entra", "A: terraform-provider-azuread#1115", claims.nameid_format),
    Rule("name-form", "warning", "entra", _ED, claims.name_form),
    Rule("duplicate-claim", "error", "entra", _OURS, claims.duplicate_claim),
    Rule("duplicate-claim-case", "warning", "entra", _OURS, claims.duplicate_claim_case),
    Rule(
        "transformations-key", "warning", "entra", "A: entra-docs#121 against azure-docs#90732",
        transformations.transformations_key,
    ),
    Rule("too-many-transformations", "warning", "entra", _GD, transformations.too_many_transformations),
    Rule("transformation-incomplete", "error", "entra", _ED, transformations.transformation_incomplete),
    Rule("transformation-method", "warning", "entra", _ED, transformations.transformation_method),
    Rule("transformation-inputs", "warning", "entra", _ED, transformations.transformation_inputs),
    Rule("transformation-outputs", "warning", "entra", _ED, transformations.transformation_outputs),
    Rule("transformation-reference", "warning", "entra", _ED, transformations.transformation_reference),
    Rule("reference-case", "warning", "entra", _OURS, transformations.reference_case),
    Rule("transformation-undefined", "error", "entra", _ED, transformations.transformation_undefined),
    Rule("transformation-source", "warning", "entra", _ED, transformations.transformation_source),
    Rule("transformation-unused", "warning", "entra", _OURS, transformations.transformation_unused),
    Rule("flex-required", "error", "flex", _TW, flex.flex_required),
    Rule("flex-namespace", "warning", "flex", _TW, flex.flex_namespace),
    Rule("flex-jwt-only", "warning", "flex", _TW, flex.flex_jwt_only),
    Rule("flex-nameid-missing", "warning", "flex", "D: the default of Entra", flex.flex_nameid_missing),
    Rule("flex-basic-claim-set", "info", "flex", _TW, flex.flex_basic_claim_set),
    Rule("suffix-case", "error", "flex", _TW, types.suffix_case),
    Rule("suffix-unknown", "warning", "flex", _TW, types.suffix_unknown),
    Rule("typed-source", "error", "flex", _TW, types.typed_source),
    Rule("typed-value", "error", "flex", _TW, types.typed_value),
    Rule("untyped-source", "info", "flex", _TW, types.untyped_source),
    Rule("contact-uri", "warning", "flex", _TW, flex.contact_uri),
    Rule("image-url", "warning", "flex", _OURS, flex.image_url),
    Rule("channel-attribute", "warning", "flex", _TW, flex.channel_attribute),
    Rule("team-attribute", "warning", "flex", _TW, flex.team_attribute),
    Rule("hyphen-value", "warning", "flex", "A: Twilio, TaskRouter worker attributes", flex.hyphen_value),
    Rule("flex-roles", "warning", "flex", _TW, flex.flex_roles),
    Rule("null-keeps-old", "info", "flex", _TW, flex.null_keeps_old),
)  # fmt: skip

LEVEL = {rule.name: rule.level for rule in RULES}
RULE_NAMES = tuple(LEVEL)

_PLACE = re.compile(r"(?:value\[(\d+)\] )?(ClaimsSchema|ClaimsTransformations?)\[(\d+)\]")


def lint(text: str | bytes, *, profile: str = "entra", context: Context | None = None) -> list[Finding]:
    """The findings on a definition, with their default levels, in the order of the document.

    `text` is a definition, the same as a JSON string, or a request body or answer with one. Never raises for any
    text; raises ValueError for an unknown profile.
    """
    if profile not in PROFILES:
        raise ValueError(f"profile '{profile}' is none of {', '.join(PROFILES)}")
    known = context or Context()
    chosen = [rule for rule in RULES if rule.profile in ("entra", profile)]
    findings: list[Finding] = []
    for one in read_policies(text):
        found = [finding for rule in chosen for finding in _findings(rule, one, known)]
        findings += sorted(found, key=_place)
    return findings


def _findings(rule: Rule, one: Document, context: Context) -> list[Finding]:
    """Rules are generators: what nobody would read is not even looked for."""
    found = [Finding(rule.name, rule.level, *words) for words in islice(rule.check(one, context), MOST + 1)]
    if len(found) > MOST:
        found[MOST] = Finding(rule.name, rule.level, "definition", f"more than {MOST} of the same kind, not told")
    return found


def _place(finding: Finding) -> tuple[int, int]:
    found = _PLACE.match(finding.where)
    return (0, 0) if not found else (1 if found[2] == "ClaimsSchema" else 2, int(found[3]))
