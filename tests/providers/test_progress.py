"""If this goes red, the person at the terminal does not learn how far thousands of writes are."""

from __future__ import annotations

from itertools import pairwise

import pytest

from flexsaml.graph import Progress
from providers.progress import duration, first_names, progress_line, progress_reporter


def progress(done: int, **more: object) -> Progress:
    return Progress(**{"done": done, "total": 10_000, "failed": 0, "rate": 20.0, "refusals": 0, "left": 300.0, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (progress(4020), "5 min left, 4,020 of 10,000 users, 20 a second (agents.csv)"),
        (progress(0, rate=0.0, left=None), "0 of 10,000 users, 0 a second (agents.csv)"),
        (
            progress(9999, failed=3, refusals=2, left=1.0),
            "1 s left, 9,999 of 10,000 users, 20 a second, 3 failed, Graph asked to wait 2 times (agents.csv)",
        ),
    ],
)
def test_a_line_of_progress(state: Progress, words: str) -> None:
    assert progress_line("agents.csv", state) == words


def test_live_lines_every_second_and_one_that_stays_every_minute() -> None:
    clock, said = [0.0], list[tuple[float, bool]]()

    def say(_message: str, *, ephemeral: bool = False) -> None:
        said.append((clock[0], ephemeral))

    report = progress_reporter("agents.csv", say, lambda: clock[0])
    for tenth in range(1, 1300):
        clock[0] = tenth / 10
        report(progress(tenth))
    assert [moment for moment, ephemeral in said if not ephemeral] == [60.0, 120.0]
    live = [moment for moment, ephemeral in said if ephemeral]
    assert len(live) == 127
    assert all(later - sooner >= 0.99 for sooner, later in pairwise(live))


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (89.4, "89 s"), (350, "6 min"), (4850, "81 min"), (49_850, "13 h 51 min")]
)
def test_durations_as_a_person_says_them(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_the_first_names_stand_for_the_rest() -> None:
    assert first_names(["a", "b"]) == "a, b"
    assert first_names(["a", "b", "c", "d"]) == "a, b, c, …"
