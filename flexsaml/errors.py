"""The base of every error that a user can cause or meet. Everything else is a bug, and keeps its traceback."""


class UserError(Exception):
    """`str()` is one line: what was tried, on which object, what was answered, and what to do next."""
