"""Mutates good and bad texts and gives them to a command, in a process of its own. `python -m tests.badinput.fuzzer SEED
SECONDS` prints one JSON object: how many inputs, the slowest in seconds, the memory in MB, and what failed. A helper."""

from __future__ import annotations

import json
import random
import resource
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.badinput.surfaces import SURFACES, Outcome, expand, load_rows, predict_definition

FUZZED: dict[str, Callable[[str, Any, Path], Outcome]] = {
    **{name: SURFACES[name] for name in ("stack", "roster", "definition", "response", "metadata")},
    "prediction": predict_definition,
}
CORPUS = Path(__file__).parents[1] / "corpus"
_TOKENS = (
    "\0", "\x1b[31m", "\u202e", "\ufeff", "\n", "\r\n", "\t", "'", '"', "{", "}", "[", "]", "[" * 50, "<", ">", "&", "&#0;",
    "<!--", "-->", "<![CDATA[", "<?x?>", ":", "- ", "? ", "*a", "&a ", "!!set ", "!!binary ", "!!python/none ", "|\n", ">\n",
    "%", "%00", "\\", "\\u0000", "\udcff", "9" * 400, "1e999", "-0", ".nan", "null", "~", "9999-12-31T23:59:59.9999999Z", "=",
    ",", ";", "{1000}", "(a{1000}){1000}", "xmlns:x=''", "<null>", "extension_", "é", "\U0001f600", "  ",
)  # fmt: skip


def collect_seeds(surface: str) -> list[str]:
    """Texts to begin with: the rows of the table, and the corpus."""
    surface = "definition" if surface == "prediction" else surface
    texts = [expand(row["input"]) for row in load_rows(surface).values()]
    folders = {"definition": "policies", "response": "saml"}
    if surface in folders:
        files = sorted(path for path in (CORPUS / folders[surface]).rglob("*") if path.is_file())
        texts += [path.read_bytes().decode("utf-8", "surrogateescape") for path in files]
    return [text for text in texts if isinstance(text, str) and len(text) < 60_000] or [""]


def mutate(text: str, dice: random.Random, others: list[str]) -> str:
    """The text after one to six changes: tokens put in, pieces taken out, doubled, exchanged or spliced."""
    for _ in range(dice.randint(1, 6)):
        at, length = dice.randint(0, len(text)), dice.choice((0, 1, 2, 8, 64))
        piece = text[at : at + length]
        other = dice.choice(others)
        cut = dice.randint(0, len(other))
        changed = dice.choice(
            (
                text[:at] + dice.choice(_TOKENS) + text[at:],
                text[:at] + text[at + length :],
                text[:at] + piece * dice.choice((2, 3, 200)) + text[at + length :],
                text[:at] + dice.choice(_TOKENS) + text[at + length :],
                text[:at] + other[cut : cut + 200] + text[at:],
                text[:at],
            )
        )
        text = changed[:100_000]
    return text


def fuzz(seed: int, seconds: float, now: Callable[[], float] = time.monotonic) -> dict[str, Any]:
    """Fuzzes all surfaces in turn for that time; the same seed gives the same inputs."""
    dice = random.Random(seed)  # noqa: S311 - a seed repeats it
    failures, slowest, count, ends = list[str](), 0.0, 0, now() + seconds
    seeds = {surface: collect_seeds(surface) for surface in FUZZED}
    with tempfile.TemporaryDirectory() as folder:
        while now() < ends and len(failures) < 5:
            surface = list(FUZZED)[count % len(FUZZED)]
            text, began = mutate(dice.choice(seeds[surface]), dice, seeds[surface]), now()
            try:
                _status, lines = FUZZED[surface]("fuzzed", text, Path(folder))
                if not all(line.isprintable() for line in lines):
                    failures.append(f"{surface}: a line with control characters for {text!r}"[:2000])
            except BaseException:  # noqa: BLE001 - whatever it is, a user would meet it
                failures.append(f"{surface}: {traceback.format_exc()[-1500:]} for {text!r}"[:4000])
            slowest, count = max(slowest, now() - began), count + 1
    processes = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)  # patterns have one of their own
    largest = max(resource.getrusage(who).ru_maxrss for who in processes)
    memory = largest // (1024 if sys.platform == "linux" else 1024 * 1024)
    return {"seed": seed, "inputs": count, "slowest": round(slowest, 2), "megabytes": memory, "failures": failures}


if __name__ == "__main__":
    print(json.dumps(fuzz(int(sys.argv[1]), float(sys.argv[2]))))
