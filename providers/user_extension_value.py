"""The provider of `providers.kinds.user_extension_value`, under the name by which state refers to it."""

from .dynamic import DynamicProvider
from .kinds.user_extension_value import UserExtensionValueKind


class UserExtensionValueProvider(DynamicProvider):
    kind = UserExtensionValueKind()
