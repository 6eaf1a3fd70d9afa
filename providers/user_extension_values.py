"""The provider of `providers.kinds.user_extension_values`, under the name by which state refers to it."""

from .dynamic import DynamicProvider
from .kinds.user_extension_values import UserExtensionValuesKind


class UserExtensionValuesProvider(DynamicProvider):
    kind = UserExtensionValuesKind()
