"""What an experiment is: a question, what is done, and how its answers differ. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.live.workbench import Workbench

Json = Any


class Undecided(Exception):
    """The experiment ended without an answer; the text is why."""


class NobodySignedIn(Undecided):
    """The person has left, so that no later question with a sign-in can be answered."""


@dataclass(frozen=True)
class Answer:
    """`confirms` and `contradicts`: rules of flexsaml/prediction/data/evidence.json; `dials`: the emulator's settings
    that play this answer."""

    means: str
    confirms: tuple[str, ...] = ()
    contradicts: tuple[str, ...] = ()
    dials: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """`answer`: a key of the experiment's answers. `observations` must name nobody: numbers, statuses, counts, words of
    Graph. `dials`: what was measured, in place of the answer's dials."""

    answer: str
    observations: Mapping[str, Json] = field(default_factory=dict)
    dials: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Experiment:
    """`run` ends within `seconds` of the workbench's clock. One that signs in needs a person at a browser."""

    question: str
    does: str
    answers: Mapping[str, Answer]
    run: Callable[[Workbench], Outcome]
    seconds: float = 300.0
    signs_in: bool = False


def waited_answers(what: str, dial: str) -> dict[str, Answer]:
    """Answers of an experiment that measures a wait: the dial counts requests that were too early."""
    return {
        "at-once": Answer(f"{what} at the first request", dials={dial: 0}),
        "later": Answer(f"{what} after a wait that was measured", dials={dial: 2}),
    }
