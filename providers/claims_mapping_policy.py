"""The provider of `providers.kinds.claims_mapping_policy`, under the name by which state refers to it."""

from .dynamic import DynamicProvider
from .kinds.claims_mapping_policy import ClaimsMappingPolicyKind


class ClaimsMappingPolicyProvider(DynamicProvider):
    kind = ClaimsMappingPolicyKind()
