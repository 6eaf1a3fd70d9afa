"""The refusals of Entra's token service, as it words them: `AADSTS50146: This application …`, then ids and a time."""

import re


def read_refusal(text: str) -> tuple[str, str]:
    """The number, "" if there is none, and the words: one line, from the number on and without the ids."""
    numbered = re.search(r"AADSTS(\d+)", text)
    words = re.split(r"\s+(?:Trace ID|Timestamp|Correlation ID):", text[numbered.start() if numbered else 0 :])[0]
    line = next((line.strip() for line in words.splitlines() if line.strip()), "")
    return numbered[1] if numbered else "", line
