"""If this goes red, a value that was written is waited for in vain, or one that was not passes for written."""

from __future__ import annotations

import pytest

from flexsaml.graph.models import same_value

SAME: list[tuple[object, object]] = [
    (None, None),
    ([], None),
    ("", ""),
    ("a", "a"),
    (5, 5),
    (5.0, 5),
    (False, False),
    (["b", "a"], ["a", "b"]),
    ("2024-05-06T07:08:09Z", "2024-05-06T09:08:09+02:00"),
    ("2024-05-06T07:08:09.1230000Z", "2024-05-06T07:08:09.123Z"),
    ("2024-05-06T07:08:00Z", "2024-05-06T07:08Z"),
    ("2024-05-06T07:08:09", "2024-05-06T07:08:09Z"),
    (9007199254740993, 9007199254740993),
]
DIFFERENT: list[tuple[object, object]] = [
    (None, ""),
    (None, 0),
    (None, False),
    (0, False),
    (1, True),
    ("1", 1),
    ("a", "A"),
    ("a", ["a"]),
    (["a"], ["a", "a"]),
    (["1"], [1]),
    ("2024-05-06T07:08:09Z", "2024-05-06T07:08:10Z"),
    ("2024-13-06T07:08:09Z", "2024-13-06T07:08:09+00:00"),
    (9007199254740993, 9007199254740992),
]


@pytest.mark.parametrize(("live", "wanted"), SAME)
def test_same(live: object, wanted: object) -> None:
    assert same_value(live, wanted)
    assert same_value(wanted, live)


@pytest.mark.parametrize(("live", "wanted"), DIFFERENT)
def test_different(live: object, wanted: object) -> None:
    assert not same_value(live, wanted)
    assert not same_value(wanted, live)
