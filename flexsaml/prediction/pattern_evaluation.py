"""The evaluation of a translated pattern by the `regex` library. Also a program of its own, which `pattern_process`
starts: it reads one request per line and answers it, within limits that the operating system keeps. It imports nothing
of the project, so that it starts at once."""

import json
import re
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any

TIMEOUT = 0.1  # seconds for one value, which the library keeps
MAX_SECONDS = 1.0  # of processor time for one value, with the compilation of its pattern
MAX_RESULT = 100_000  # characters of a value
RESULT_TOO_LONG = f"it gives a value of more than {MAX_RESULT:,} characters"
TOO_LARGE = "the pattern takes too much memory"
_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


class UnsupportedPattern(ValueError):
    """Why it is unknown what .NET makes of a pattern."""


def evaluate_pattern(pattern: str, replacement: str, text: str, inputs: Mapping[str, str]) -> tuple[str, int]:
    """`text` with every match replaced, and how many; `{name}` is a named group or an input. Raises
    `UnsupportedPattern`."""
    length = 0

    def measure(text: str) -> str:
        nonlocal length
        length += len(text)
        if length > MAX_RESULT:
            raise UnsupportedPattern(RESULT_TOO_LONG)
        return text

    def expand(match: Any) -> str:
        groups = match.groupdict(default="")
        measure(replacement)
        return _PLACEHOLDER.sub(lambda name: measure(groups.get(name[1], inputs.get(name[1], name[0]))), replacement)

    try:
        replaced, matches = _compile(pattern).subn(expand, text, timeout=TIMEOUT)
    except TimeoutError:
        raise UnsupportedPattern(f"the pattern takes longer than {TIMEOUT} s") from None
    except RecursionError:
        raise UnsupportedPattern("the pattern is nested too deep") from None
    except MemoryError:
        raise UnsupportedPattern(TOO_LARGE) from None
    return str(replaced), matches


@lru_cache(maxsize=64)
def _compile(pattern: str) -> Any:
    import regex  # only if a policy has such a transformation

    try:
        return regex.compile(pattern, regex.V0, cache_pattern=False)
    except (regex.error, OverflowError) as problem:
        raise UnsupportedPattern(f"the pattern cannot be evaluated: {problem}") from None


def _limit_memory(size: int) -> None:
    """In bytes, where the system has such a limit."""
    import resource  # not everywhere

    for name, most in (("RLIMIT_DATA", size), ("RLIMIT_CORE", 0)):
        with suppress(AttributeError, ValueError, OSError):
            resource.setrlimit(getattr(resource, name), (most, most))


def _answer(request: str) -> dict[str, object]:
    try:
        text, matches = evaluate_pattern(*json.loads(request))
    except UnsupportedPattern as refused:
        return {"refused": str(refused)}
    except MemoryError:
        return {"refused": TOO_LARGE}
    return {"text": text, "matches": matches}


def _serve(size: str, path: str) -> None:
    """Until the requests end. One that takes more than `MAX_SECONDS` of processor time ends the process by SIGPROF.
    `path`: where packages are, as JSON."""
    for stream in (sys.stdin, sys.stdout):  # half a surrogate pair may be in any text
        stream.reconfigure(encoding="utf-8", errors="surrogatepass")  # type: ignore[union-attr]
    sys.path[:] = json.loads(path)
    import regex  # noqa: F401 - before memory is limited

    _limit_memory(int(size))
    print("ready", flush=True)
    for request in sys.stdin:
        signal.setitimer(signal.ITIMER_PROF, MAX_SECONDS)
        answer = json.dumps(_answer(request), ensure_ascii=False)
        signal.setitimer(signal.ITIMER_PROF, 0)
        print(answer, flush=True)


if __name__ == "__main__":
    _serve(*sys.argv[1:])
