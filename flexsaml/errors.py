"""The base of every error that a user can cause or meet. Everything else is a bug, and keeps its traceback."""

from .terminal_text import escape_controls


class UserError(Exception):
    """`str()` is one line: what was tried, on which object, what was answered, and what to do next. It may hold words
    of the tenant or of somebody's file, so control characters are escaped."""

    def __str__(self) -> str:
        return escape_controls(" ".join(self._describe().split()))

    def _describe(self) -> str:
        return super().__str__()
