"""Text that may be shown: the one place that cleans every line on its way to a terminal or a CI log."""

import re

_CI_COMMAND = re.compile(r"#(?=#(?:vso)?\[)|^(?=\s*::)")


def escape_controls(text: str) -> str:
    """The text as one line that can neither move the cursor nor command a CI system. Escaped are control and format
    characters (line breaks, escape sequences, text direction, zero width), every blank but the ordinary one, lone
    surrogates, and what GitHub Actions (`::` at the beginning) and Azure Pipelines (`##[`, `##vso[`) take for commands.
    Letters and symbols of all languages stay."""
    shown = text
    if not text.isprintable():
        shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    return _CI_COMMAND.sub(lambda command: r"\x23" if command[0] else "\\", shown)
