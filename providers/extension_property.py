"""The provider of `providers.kinds.extension_property`, under the name by which state refers to it."""

from .dynamic import DynamicProvider
from .kinds.extension_property import ExtensionPropertyKind


class ExtensionPropertyProvider(DynamicProvider):
    kind = ExtensionPropertyKind()
