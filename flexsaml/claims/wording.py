"""Other people's text in our messages: quoted on one line, compared with known words, listed. Used by every rule and by
whoever else tells a person about a stack file or a definition."""

import json
from collections.abc import Iterable
from functools import lru_cache

from flexsaml.terminal_text import escape_controls


def quote(value: object, limit: int = 90) -> str:
    """A value as one printable line in single quotes, cut after `limit` characters."""
    return f"'{escape(value, limit)}'"


def escape(value: object, limit: int = 90) -> str:
    """A value as one printable line, cut after `limit` characters. What is not text is shown as JSON."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    shown = escape_controls(text[: limit + 1])
    return f"{shown[:limit]}…" if len(shown) > limit else shown


@lru_cache(maxsize=4096)
def find_nearest(word: str, known: tuple[str, ...], cutoff: float = 0.7) -> str:
    """The known word most similar to `word`, ignoring case; "" if none of the first hundred is similar. `cutoff` is the
    least similarity, from 0 to 1. Long words are not compared, which would take long."""
    import difflib

    if len(word) > 80:
        return ""
    by_lower_case = {name.lower(): name for name in known[:100] if len(name) <= 80}
    matches = difflib.get_close_matches(word.lower(), list(by_lower_case), n=1, cutoff=cutoff)
    return by_lower_case[matches[0]] if matches else ""


def suggest(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """What to do about an unknown name: the known one that may have been meant, else `otherwise` or the list."""
    names = tuple(known)
    nearest = find_nearest(name, names, 0.6)
    return f"did you mean '{nearest}'?" if nearest else otherwise or f"write one of {', '.join(names)}"


def join_names(names: Iterable[str]) -> str:
    """Names with commas between them; after twelve an ellipsis."""
    shown = list(names)
    return ", ".join(shown[:12]) + (", …" if len(shown) > 12 else "")
