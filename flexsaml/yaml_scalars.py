"""What YAML makes of unquoted text, and the engine hands over: `0123` is the number 83, `1_000` the number 1000, and
`2024-01-02` the text of a date in Go's form (tried on engine 3.259). What was written cannot be told from it."""

import re

_GO_TIME = re.compile(r"\d{4,}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? [+-]\d{4} (?:UTC|[+-]\d{4})")
_SHORTEST = len("2024-01-02 00:00:00 +0000 UTC")  # asked first, because most values of large rosters are shorter


def is_made_of_unquoted_text(value: object) -> bool:
    """Whether a value that should be text is a number, a boolean, or a date as go-yaml reads it."""
    return not isinstance(value, str) or (len(value) >= _SHORTEST and _GO_TIME.fullmatch(value) is not None)
