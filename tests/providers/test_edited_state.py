"""If this goes red, a state that somebody edited, or a merge that went wrong in it, ends in a traceback in place of one
line that names the property.

Real states of every kind, each property damaged in every way, in every call that reads state.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flexsaml.errors import UserError
from flexsaml.values import pack
from providers import TENANT, Connection, provider_class
from tests.emulator.process import Emulator
from tests.providers.history import EXTENSIONS, History, make_rows
from tests.providers.miniature import Held
from tests.torture import add_figures, is_whole_run

GONE = object()
DAMAGES: dict[str, object] = {  # `make test` takes the first ten
    "missing": GONE,
    "a number": 5.0,
    "text": "x",
    "cut": "1:eF6",
    "a list": ["x"],
    "a list of numbers": [5.0],
    "a map": {"x": "y"},
    "a map of numbers": {"x": 5.0},
    "a map of maps": {"x": {"y": "z"}},
    "packed text of another shape": pack({"x": 5}),
    "packed lists": pack([["x"], "y", [5]]),
    "the table of a baseline": pack([["grace@contoso.example"], "", ["z"]]),
    "the table of a roster": pack([["grace@contoso.example"], "", [{"z": "z"}]]),
    "packed ids": pack(["AAAA", [5]]),
    "an empty map": {},
    "true": True,
    "no text": "",
    "an empty list": [],
}


def damage(props: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every property, and what is in it, in every way."""
    for path in _paths(props):
        for how, value in list(DAMAGES.items())[: None if is_whole_run() else 10]:
            damaged = copy.deepcopy(props)
            holder: Any = damaged
            for key in path[:-1]:
                holder = holder[key]
            if value is GONE:
                del holder[path[-1]]
            else:
                holder[path[-1]] = value
            yield f"{'.'.join(map(str, path))} is {how}", damaged


def _paths(value: object) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (key,)
        yield from ((key, *rest) for rest in _paths(item))


def call_all(provider: Any, held: Held, state: dict[str, Any], inputs: dict[str, Any]) -> Iterator[tuple[str, object]]:
    """Every call that is given state; what it raised, or None."""
    calls = {
        "check": lambda: provider.check(inputs, held.inputs),
        "diff": lambda: provider.diff(held.id, state, held.inputs),
        "update": lambda: provider.update(held.id, state, held.inputs),
        "read": lambda: provider.read(held.id, state),
        "delete": lambda: provider.delete(held.id, state),
    }
    for name, call in calls.items():
        try:
            call()
        except Exception as error:  # noqa: BLE001 - whatever it is, a user would meet it
            yield name, error
        else:
            yield name, None


@pytest.fixture
def states(emulator: Emulator, tmp_path: Path) -> Iterator[dict[str, Held]]:
    """One resource of each kind after an `up`. Then Graph refuses every write, so that all calls meet the same tenant."""
    history = History(emulator, tmp_path, make_rows(emulator), priors={("ada", "languages"): "x"})
    for name in EXTENSIONS:
        history.declare("ada", name)
        history.declare("grace", name, writer="roster")
    assert history.up().refusal == ""
    emulator.fault("refuse", "(POST|PATCH|DELETE)", "(users|applications|Policies|Policy)", status=403, times=-1)
    yield {held.kind: held for held in history.stack.state.values()}
    TENANT.configure(Connection())


@pytest.mark.torture
def test_an_edited_state_is_told_in_one_line(states: dict[str, Held]) -> None:
    assert len(states) == 7
    calls, refused, tracebacks = 0, 0, []
    for kind, held in states.items():
        provider = provider_class(kind)()
        outs, inputs = dict(damage(held.outs)), dict(damage(held.inputs))
        for how in outs:
            for call, error in call_all(provider, held, outs[how], inputs.get(how, held.inputs)):
                calls += 1
                refused += isinstance(error, UserError)
                if error is not None and (not isinstance(error, UserError) or "\n" in str(error)):
                    tracebacks.append(f"{kind}.{call}, {how}: {error!r}")
    assert tracebacks == []
    assert calls > 2500
    assert refused > calls / 3
    add_figures("edited-states", calls=calls, tracebacks=0)
