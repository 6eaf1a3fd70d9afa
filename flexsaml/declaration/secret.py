"""A value that somebody marked secret."""

from __future__ import annotations

_UNKNOWN = object()


class Secret:
    """A value whose content must not be shown, or is encrypted and cannot be read.

    The engine hands over the content of an encrypted key, and a Python program knows what it wraps. In a stack file
    that is read without the engine the content is unknown. `repr` and `str` never show it.
    """

    __slots__ = ("_content",)

    def __init__(self, content: object) -> None:
        self._content = content

    @classmethod
    def unknown(cls) -> Secret:
        """A secret of which only the engine knows the content."""
        return cls(_UNKNOWN)

    @property
    def is_known(self) -> bool:
        return self._content is not _UNKNOWN

    def reveal(self) -> object:
        """The content. Raises ValueError if it is unknown."""
        if not self.is_known:
            raise ValueError("the content of this secret is unknown")
        return self._content

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._content == other._content

    def __hash__(self) -> int:
        return hash(Secret)

    def __repr__(self) -> str:
        return "[secret]"
