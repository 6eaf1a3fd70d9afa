"""Patterns are evaluated where they cannot harm: one whose steps are few in this process, every other in a process of
its own, which has little time and memory and is ended when it takes longer. Who writes a policy is not who runs
`predict`, and no analysis of a pattern tells for sure what an engine needs for it."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, cast

from . import pattern_evaluation
from .pattern_evaluation import MAX_SECONDS, TOO_LARGE, UnsupportedPattern, evaluate_pattern
from .patterns import DOLLAR, count_steps, translate_pattern

MAX_STEPS = 1_000_000  # of a pattern that is evaluated in this process: at most some 10 ms
MOST_SECONDS = 5.0  # for all patterns of a prediction together
SECONDS_FOR_EACH = 0.002  # in addition for each evaluation, because the sign-ins of all users may be predicted
_DEADLINE = 20.0  # seconds for an answer on a busy machine; the process ends itself after one of processor time
_MEMORY = 200_000_000  # bytes
_ENDED = "the process that evaluated it was ended"


class PatternProcess:
    """Evaluates the patterns of one prediction. The process is started by the first pattern that needs it. A pattern
    that ended the process is not tried again. `seconds`: for all patterns together; `memory`: bytes that the process
    may have for its data."""

    def __init__(
        self,
        *,
        seconds: float = MOST_SECONDS,
        memory: int = _MEMORY,
        clock: Callable[[], float] = time.monotonic,
        interpreter: str = sys.executable,
    ) -> None:
        self._seconds, self._memory, self._clock, self._interpreter = seconds, memory, clock, interpreter
        self._process: subprocess.Popen[bytes] | None = None
        self._refused: dict[str, str] = {}

    def __enter__(self) -> PatternProcess:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._end()

    @property
    def pid(self) -> int | None:
        """Of the process, None while there is none."""
        return self._process.pid if self._process else None

    def replace_matches(self, pattern: str, replacement: str, text: str, inputs: Mapping[str, str]) -> tuple[str, int]:
        """`text` with every match replaced, and how many. Raises `UnsupportedPattern`."""
        if DOLLAR.search(replacement):
            raise UnsupportedPattern("it is not documented what Entra makes of a $ in the replacement")
        translated = translate_pattern(pattern)
        if pattern in self._refused:
            raise UnsupportedPattern(self._refused[pattern])
        if self._seconds <= 0:
            raise UnsupportedPattern(f"the patterns of the policy take longer than {MOST_SECONDS:.0f} s in all")
        before, request = self._clock(), (translated.text, replacement, text, dict(inputs))
        try:
            is_short = count_steps(translated, len(text)) <= MAX_STEPS
            return evaluate_pattern(*request) if is_short else self._ask(pattern, request)
        finally:
            self._seconds -= self._clock() - before - SECONDS_FOR_EACH

    def _ask(self, pattern: str, request: object) -> tuple[str, int]:
        """The answer of the process. Raises `UnsupportedPattern`, also if there is none; then the process has ended."""
        process = self._process
        try:
            process = process or self._start()
            cast("IO[bytes]", process.stdin).write(
                f"{json.dumps(request, ensure_ascii=False)}\n".encode("utf-8", "surrogatepass")
            )
            cast("IO[bytes]", process.stdin).flush()
            answer: dict[str, Any] = json.loads(self._read_line(process).decode("utf-8", "surrogatepass"))
        except (OSError, ValueError) as problem:
            self._end()
            reason = f"the pattern cannot be evaluated in a process of its own: {problem}"
            if process:
                is_slow = isinstance(problem, TimeoutError) or process.returncode == -signal.SIGPROF
                reason = f"the pattern takes longer than {MAX_SECONDS:.0f} s" if is_slow else TOO_LARGE
            self._refused[pattern] = f"{reason}; {_ENDED}" if process else reason
            raise UnsupportedPattern(self._refused[pattern]) from None
        if "refused" in answer:
            raise UnsupportedPattern(answer["refused"])
        return answer["text"], answer["matches"]

    def _read_line(self, process: subprocess.Popen[bytes]) -> bytes:
        """Raises TimeoutError; what is not a whole line is no answer."""
        output = cast("IO[bytes]", process.stdout).fileno()
        ends, line = self._clock() + _DEADLINE, b""
        while not line.endswith(b"\n"):
            if not select.select([output], [], [], max(0.0, ends - self._clock()))[0]:
                raise TimeoutError
            piece = os.read(output, 1 << 16)
            if not piece:
                return b""
            line += piece
        return line

    def _start(self) -> subprocess.Popen[bytes]:
        """The process: isolated, for it needs no settings of Python's; it finds packages where this one does."""
        path = json.dumps([place or str(Path.cwd()) for place in sys.path])
        self._process = subprocess.Popen(
            [self._interpreter, "-I", pattern_evaluation.__file__, str(self._memory), path],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        if self._read_line(self._process) != b"ready\n":
            raise ValueError("it does not start")
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process:
            with suppress(subprocess.TimeoutExpired):  # one that is ending tells why
                process.wait(0.2)
            process.kill()
            process.communicate()
