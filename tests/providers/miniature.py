"""A miniature of the engine for provider classes in this process: order, failure and death as Pulumi has them. A helper.

A run goes through the declared resources in order, stops at the first failure, and deletes what is no longer declared
only after everything else succeeded. A run that is killed carried its last call out and recorded nothing of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flexsaml.errors import UserError
from providers import provider_class

Props = dict[str, Any]
Declared = dict[str, tuple[str, Props]]
"""Name to kind and inputs, in the order of their dependencies."""


@dataclass
class Held:
    """One resource in state."""

    kind: str
    id: str
    inputs: Props
    outs: Props


class Killed(Exception):
    """The process was gone before its last call could be recorded."""


class FakeStack:
    """State, and the commands that change it."""

    def __init__(self) -> None:
        self.state: dict[str, Held] = {}
        self._left = 0

    def up(self, declared: Declared, *, killed_at: int = 0) -> list[str]:
        """Names whose step was recorded or needed none; `killed_at` counts the calls that may write, from 1."""
        self._left, done = killed_at, []
        try:
            for name, (kind, props) in declared.items():
                self._settle(name, kind, props)
                done.append(name)
            for name in [name for name in reversed(self.state) if name not in declared]:
                self._delete(name)
        except (Killed, UserError):
            pass
        return done

    def refresh(self) -> None:
        for name, held in list(self.state.items()):
            live = provider_class(held.kind)().read(held.id, held.outs)
            if live.id:
                self.state[name] = Held(held.kind, live.id, live.inputs or {}, live.outs or {})
            else:
                del self.state[name]

    def destroy(self, *, killed_at: int = 0) -> None:
        self._left = killed_at
        try:
            for name in list(reversed(self.state)):
                self._delete(name)
        except Killed:
            pass

    def _settle(self, name: str, kind: str, props: Props) -> None:
        provider, held = provider_class(kind)(), self.state.get(name)
        checked = provider.check(held.inputs if held else {}, props)
        assert checked.failures == []
        inputs = checked.inputs
        if held is None:
            made = provider.create(inputs)
            self._record()
            self.state[name] = Held(kind, made.id, inputs, made.outs or {})
            return
        verdict = provider.diff(held.id, held.outs, inputs)
        assert verdict.replaces == []
        if verdict.changes:
            outs = provider.update(held.id, held.outs, inputs).outs or {}
            self._record()
            self.state[name] = Held(kind, held.id, inputs, outs)

    def _delete(self, name: str) -> None:
        held = self.state[name]
        provider_class(held.kind)().delete(held.id, held.outs)
        self._record()
        del self.state[name]

    def _record(self) -> None:
        self._left -= 1
        if self._left == 0:
            raise Killed
