"""The provider of `providers.kinds.tenant_baseline`, under the name by which state refers to it."""

from .dynamic import DynamicProvider
from .kinds.tenant_baseline import TenantBaselineKind


class TenantBaselineProvider(DynamicProvider):
    kind = TenantBaselineKind()
