"""A miniature of the engine in this process: the real component, provider classes and Graph client, on an emulated
tenant, with the order, failure and death of steps as Pulumi has them. A helper.

A program registers its resources as in `pulumi up`. A run settles each (create, update, replace, nothing), stops at the
first failure, and deletes what is no longer registered only after everything else succeeded. With targets, the other
resources keep their state and hand out its outputs. A run that is killed carried its last call out and recorded nothing
of it. What the engine does with options and targets was tried on the real one (`tests/engine/test_targets.py`,
`test_options.py`). No pause takes time."""

from __future__ import annotations

import asyncio
import csv
import logging
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

import pulumi
from pulumi.runtime import mocks
from pulumi.runtime.proto import resource_pb2

from components import FlexSamlClaims
from flexsaml.errors import UserError
from providers import TENANT, provider_class
from providers.kinds.base import UNKNOWN, RecordedRefusal
from providers.kinds.command_records import forget_command
from providers.kinds.extension_property import names_not_created
from tests.emulator.process import Emulator
from tests.providers.process import plain, struct

Props = dict[str, Any]
Program = Callable[[], object]
Cells = Mapping[str, Mapping[str, str]]
"""User's short name to extension's short name to value."""
_SECRET = "4dabf18193072939515e22adb298388d"
"""The key by which a secret property is recognised on the wire."""


_SILENT = logging.getLogger("miniature")
_SILENT.disabled = True


class Refusal(Exception):
    """The command failed with one line: `check` failed, a call raised a `UserError`, or the program did."""


class EngineRefuses(Refusal):
    """The engine ends the command by itself: a dependency was never made, or a resource is protected."""


class Killed(Exception):
    """The process was gone before its last call could be recorded."""


@dataclass
class Held:
    """One resource in state."""

    kind: str
    id: str
    inputs: Props
    outs: Props
    dependencies: dict[str, set[str]]
    """names of resources, by the input that has an output of theirs; "" of all"""
    awaits_creation: bool = False
    """deleted for a replacement whose creation failed; the engine forgets it, or creates it, and never deletes it"""


@dataclass
class Run:
    """What a command did."""

    settled: list[str] = field(default_factory=list)
    """names of resources that were recorded, or needed nothing"""
    changed: list[str] = field(default_factory=list)
    """names of resources that were created, updated, replaced or deleted, or that a refresh found changed"""
    refusal: str = ""


def make_provider(kind: str) -> Any:
    return provider_class(kind)()


@dataclass
class Miniature:
    """State, and the commands that change it."""

    state: dict[str, Held] = field(default_factory=dict)
    falsify: Callable[[Props], None] | None = None
    """changes what a program registers, for tests of tests"""
    make_provider: Callable[[str], Any] = make_provider
    """the provider of a kind; tests of tests give one that breaks a law"""
    protected: Collection[str] = ()
    """names of resources with `protect`; so the next two, with `retainOnDelete`, and with `ignoreChanges` of inputs"""
    retained: Collection[str] = ()
    ignored: Mapping[str, Collection[str]] = field(default_factory=dict)

    @property
    def managed(self) -> set[str]:
        """Names of the resources that exist as far as state tells."""
        return {name for name, held in self.state.items() if not held.awaits_creation}

    def up(self, program: Program, targets: Collection[str] | None = None, *, killed_at: int | str = 0) -> Run:
        """`targets`: names of resources; without, all. `killed_at`: the number of a step,
        from 1, or the name of its resource."""
        command = _Command(self, targets, killed_at)
        try:
            with ThreadPoolExecutor(1) as thread:  # Pulumi notes the stack of each registration, which is short there
                thread.submit(_run_program, program, command.settle).result()
            command.delete([name for name in self.state if name not in command.registered])
        except (Killed, Refusal, UserError, pulumi.RunError) as error:
            if not isinstance(command.failure, Killed | Refusal | None):
                raise command.failure from error  # a fault of the product, which Pulumi reports as a failed program
            return command.end(error)
        return command.run

    def refresh(self) -> Run:
        run = Run()
        for name, held in list(self.state.items()):
            if held.awaits_creation:
                continue
            try:
                live = self.make_provider(held.kind).read(held.id, held.outs)
            except UserError as problem:
                run.refusal = str(problem)
                return run
            if not live.id:
                del self.state[name]
                run.changed.append(name)
                continue
            outs, inputs = _cross(live.outs or {}), _cross(live.inputs or {})
            if outs != held.outs:
                run.changed.append(name)
            held.outs, held.inputs = outs, inputs
        return run

    def destroy(self, *, killed_at: int | str = 0) -> Run:
        command = _Command(self, None, killed_at)
        try:
            command.delete(list(self.state))
        except (Killed, Refusal) as error:
            return command.end(error)
        return command.run


@dataclass
class _Command:
    stack: Miniature
    targets: Collection[str] | None
    killed_at: int | str
    run: Run = field(default_factory=Run)
    registered: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    """names of resources that this command deleted for a replacement"""
    failure: Exception | None = None

    def __post_init__(self) -> None:
        names_not_created.clear()  # every command has a provider process of its own
        forget_command()

    @property
    def state(self) -> dict[str, Held]:
        return self.stack.state

    def settle(self, request: Any) -> Held | None:
        """Of one registered resource; None if it is skipped. After a failure no step begins."""
        if self.failure:
            raise self.failure
        try:
            return self._settle(request.name, request)
        except UserError as problem:
            self.failure = Refusal(str(problem))
        except Exception as error:  # noqa: BLE001 - `up` raises a fault of the product again
            self.failure = error
        raise self.failure

    def _settle(self, name: str, request: Any) -> Held | None:
        self.registered.add(name)
        held = None if name in self.deleted else self.state.get(name)
        if self.targets is not None and name not in self.targets:
            return held
        dependencies = {key: _names(value.urns) for key, value in request.propertyDependencies.items()}
        dependencies[""] = _names(request.dependencies)
        if missing := dependencies[""] - self.state.keys():
            raise EngineRefuses(f"{', '.join(sorted(missing))} was not specified in --target, and is needed")
        props, kind = _without_secrets(plain(request.object)), request.type.rpartition(":")[2]
        if self.stack.falsify:
            self.stack.falsify(props)
        if held:
            props |= {key: held.inputs[key] for key in self.stack.ignored.get(name, ()) if key in held.inputs}
        settled = Held(kind, "", {}, {}, dependencies)
        return self._step(name, held, settled, props)

    def _step(self, name: str, held: Held | None, settled: Held, props: Props) -> Held:
        provider = self.stack.make_provider(settled.kind)
        settled.inputs = _check(provider, held.inputs if held else {}, props)
        if held:
            verdict = provider.diff(held.id, held.outs, settled.inputs)
            if verdict.replaces or held.awaits_creation:
                self.delete([name, *self._replaced_with(name)], is_replacement=True)
                return self._step(name, None, settled, props)
            settled.id = held.id
            settled.outs = held.outs
            if verdict.changes:
                settled.outs = _cross(provider.update(held.id, held.outs, settled.inputs).outs or {})
                self._record(name)
        else:
            try:
                created = provider.create(settled.inputs)
            except RecordedRefusal as problem:  # recorded, and the command fails
                settled.id, settled.inputs, settled.outs = problem.id_, _cross(problem.inputs), _cross(problem.inputs)
                self._record(name)
                self._keep(name, settled)
                raise
            settled.id, settled.outs = str(created.id), _cross(created.outs or {})
            self._record(name)
        self.run.settled.append(name)
        self._keep(name, settled)
        return settled

    def _keep(self, name: str, settled: Held) -> None:
        if name in self.state and self.state[name].awaits_creation:
            del self.state[name]  # what is created stands behind what existed, also in the order of deletion
        self.state[name] = settled

    def delete(self, names: list[str], *, is_replacement: bool = False) -> None:
        """Dependents first, else the latest first. Dependents of what is replaced may stay: they are updated then."""
        if self.targets is not None:
            names = [name for name in names if name in self.targets]
        while names:
            name = next(name for name in reversed(self.state) if name in names and not self._dependents(name, names))
            if not is_replacement and (blocking := self._dependents(name, self.state)):
                raise EngineRefuses(f"{', '.join(blocking)} depends on {name}")
            if name in self.stack.protected:  # the others were deleted by then
                raise EngineRefuses(f"{name} is protected")
            held = self.state[name]
            if name not in self.stack.retained and not held.awaits_creation:
                try:
                    self.stack.make_provider(held.kind).delete(held.id, held.outs)
                except UserError as problem:
                    raise Refusal(str(problem)) from problem
            if not held.awaits_creation:
                self._record(name)
            if is_replacement:
                held.awaits_creation = True
                self.deleted.add(name)
            else:
                del self.state[name]
            names = [other for other in names if other != name]

    def end(self, error: Exception) -> Run:
        self.run.refusal = str(self.failure or error) or "killed"
        return self.run

    def _dependents(self, name: str, among: Collection[str]) -> list[str]:
        return [other for other in among if other in self.state and name in self.state[other].dependencies[""]]

    def _replaced_with(self, name: str) -> list[str]:
        """The resources that the engine deletes before this one, because they will be replaced as well."""
        replaced = [name]
        for other, held in self.state.items():
            unknown = {
                key: UNKNOWN
                for key, names in held.dependencies.items()
                if key in held.inputs and names.intersection(replaced)
            }
            kind = self.stack.make_provider(held.kind).kind
            changed = kind.diff(held.outs, {**held.inputs, **unknown}) if unknown else set()
            if any(kind.arguments[key].replaces for key in changed):
                replaced.append(other)
        return replaced[1:]

    def _record(self, name: str) -> None:
        if self.killed_at in (name, len(self.run.changed) + 1):
            raise Killed
        self.run.changed.append(name)


def _check(provider: Any, olds: Props, props: Props) -> Props:
    checked = provider.check(olds, props)
    inputs = _cross(checked.inputs)
    if checked.failures:
        raise Refusal("; ".join(failure.reason for failure in checked.failures))
    again = provider.check(olds, inputs).inputs
    assert _cross(again) == inputs, "check of checked inputs gives other inputs"
    return inputs


def _names(urns: Collection[str]) -> set[str]:
    return {urn.rpartition("::")[2] for urn in urns}


def _cross(props: Props) -> Props:
    """As they are after they crossed the engine: numbers are doubles and None is gone."""
    return plain(struct({key: value for key, value in props.items() if value is not None}))


def _without_secrets(value: Any) -> Any:
    """What a provider gets: the engine keeps to itself which properties are secret."""
    if isinstance(value, dict):
        if _SECRET in value:
            return _without_secrets(value["value"])
        return {key: _without_secrets(item) for key, item in value.items()}
    return [_without_secrets(item) for item in value] if isinstance(value, list) else value


class _NoMocks(mocks.Mocks):
    """Nothing is mocked: `_Monitor` answers."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        raise AssertionError(args.name)

    def call(self, args: mocks.MockCallArgs) -> Any:
        raise AssertionError(f"no function is called: {args.token}")


class _Monitor(mocks.MockMonitor):
    """What a program registers its resources with."""

    def __init__(self, settle: Callable[[Any], Held | None]) -> None:
        super().__init__(_NoMocks())
        self._settle = settle

    def RegisterResource(self, request: Any) -> Any:
        urn = self.make_urn(request.parent, request.type, request.name)
        if not request.custom:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        held = self._settle(request)
        if held is None:
            return resource_pb2.RegisterResourceResponse(urn=urn, unknown=True)
        return resource_pb2.RegisterResourceResponse(urn=urn, id=held.id, object=struct(held.outs))


class _InPlace(ThreadPoolExecutor):
    """Runs each registration at once, in the thread of the event loop: the same program has the same order of steps."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def _run_program(program: Program, settle: Callable[[Any], Held | None]) -> None:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.set_exception_handler(lambda *_: None)  # `_Command.failure` has it
    with closing(loop), _InPlace() as executor:
        loop.set_default_executor(executor)
        monitor = _Monitor(settle)
        mocks.set_mocks(monitor.mocks, "flexsaml", "dev", preview=False, logger=_SILENT, monitor=monitor)
        pulumi.runtime.test(program)()


def name_cells(cells: Cells, names: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """User principal name to the extension as a stack names it to value. `names`: short name to that one."""
    return {
        f"{user}@contoso.example": {names[short]: value for short, value in row.items()} for user, row in cells.items()
    }


def declare(
    emulator: Emulator,
    directory: Path,
    keys: Mapping[str, object],
    roster: Mapping[str, Mapping[str, str]],
    component: str = "flex",
) -> Program:
    """The program of these keys of a stack configuration, besides those that all stacks have, and of a roster by user
    and extension, whose file is in that directory."""
    claims = {
        "nameid": "user.userprincipalname",
        "email": "user.mail",
        "full_name": "user.displayname",
        "roles": "user.assignedroles",
    }
    common: dict[str, object] = {
        "servicePrincipal": "Twilio Flex",
        "replaceExisting": True,
        "cloud": "loopback",
        "graphEndpoint": emulator.http,
        "loginEndpoint": emulator.http,
    }
    if roster:
        columns = ["user", *sorted({name for row in roster.values() for name in row})]
        with (directory / "agents.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows({"user": user, **row} for user, row in roster.items())
        common["usersFile"] = str(directory / "agents.csv")
    all_claims = {**claims, **cast("dict[str, object]", keys["claims"])}
    return partial(build_component, component, {**common, **keys, "claims": all_claims})


def build_component(name: str, keys: Mapping[str, object]) -> object:
    return FlexSamlClaims(name, keys, directory=TENANT.directory).policy_id
