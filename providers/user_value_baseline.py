"""The provider of `providers.kinds.user_value_baseline`, under the name by which state refers to it."""

from .dynamic import DynamicProvider
from .kinds.user_value_baseline import UserValueBaselineKind


class UserValueBaselineProvider(DynamicProvider):
    kind = UserValueBaselineKind()
