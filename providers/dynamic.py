"""The shell that makes a kind a Pulumi dynamic resource: a provider class and a resource class. Pulumi serializes the
provider object into state and unpickles it in a server process of its own. Hence a provider object has no fields: what
state keeps is a reference to the class, `providers.<module>:<Kind>Provider`, nothing else. The shell strips that
reference (`__provider`) from properties, and counts a changed one as an update, so that a renamed class moves on."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any, ClassVar

import pulumi
from pulumi import dynamic
from pulumi.output import Unknown as PulumiUnknown

from flexsaml import graph
from flexsaml.errors import UserError
from flexsaml.graph import InvalidCloud, NotFound
from flexsaml.terminal_text import escape_controls

from . import engine, provider_class
from .kinds.base import UNKNOWN, Kind, Props, RecordedRefusal, RefusedChange, Unknown, drop_unknown_sightings
from .lifting import lift
from .tenant import TENANT, Connection


class DynamicProvider(dynamic.ResourceProvider):
    """What Pulumi calls, in terms of the kind."""

    serialize_as_secret_always = False
    kind: ClassVar[Kind]

    def configure(self, req: dynamic.ConfigureRequest) -> None:
        engine.watch()
        answer_user_errors_in_one_line(vars(sys.modules["__main__"]))
        # Full keys: the namespace stays `flexsaml` whatever the project is called.
        TENANT.configure(Connection.from_config(lambda key: req.config.get(f"flexsaml:{key}")))

    def check(self, _olds: Props, news: Props) -> dynamic.CheckResult:
        try:
            given = drop_unknown_sightings(_from_pulumi(news))
            inputs, failures = self.kind.check(self._from_state(_olds, has_outputs=False), given)
        except UserError as problem:
            inputs, failures = _from_pulumi(news), {"": str(problem)}
        failures = {name: escape_controls(reason) for name, reason in failures.items()}
        return dynamic.CheckResult(_to_pulumi(inputs), [dynamic.CheckFailure(*failure) for failure in failures.items()])

    def diff(self, _id: str, _olds: Props, _news: Props) -> dynamic.DiffResult:
        arguments, changed = (
            self.kind.arguments,
            self.kind.diff(self._from_state(_olds, has_outputs=False), _from_pulumi(_news)),
        )
        is_moved = _olds.get("__provider") != _news.get("__provider")
        return dynamic.DiffResult(
            changes=is_moved or any(not arguments[name].ignored for name in changed),
            replaces=sorted(name for name in changed if arguments[name].replaces),
            delete_before_replace=True,
        )

    def create(self, props: Props) -> dynamic.CreateResult:
        inputs = _from_pulumi(props)
        with self._attempt("create", inputs):
            try:
                id_, computed = self.kind.create(_directory(), inputs)
            except RecordedRefusal as problem:
                problem.inputs |= {key: value for key, value in props.items() if key == "__provider"}
                raise
            return dynamic.CreateResult(id_, {**inputs, **computed})

    def update(self, _id: str, _olds: Props, _news: Props) -> dynamic.UpdateResult:
        olds, news = self._from_state(_olds), _from_pulumi(_news)
        with self._attempt("update", news):
            return dynamic.UpdateResult({**news, **self.kind.update(_directory(), _id, olds, news)})

    def read(self, id_: str, props: Props) -> dynamic.ReadResult:
        outputs = self._from_state(props)
        with self._attempt("read", outputs):
            live = self.kind.read(_directory(), id_, outputs)
            if live is None:
                return dynamic.ReadResult("", {})
            return dynamic.ReadResult(id_, live, {name: live[name] for name in self.kind.inputs if name in live})

    def delete(self, _id: str, _props: Props) -> None:
        outputs = self._from_state(_props)
        with self._attempt("delete", outputs):
            self.kind.delete(_directory(), _id, outputs)

    def _from_state(self, props: Mapping[str, Any], *, has_outputs: bool = True) -> Props:
        """Properties that a former run wrote. Raises `RefusedChange` if somebody edited them since."""
        return self.kind.complete_state(_from_pulumi(props), has_outputs=has_outputs)

    @contextmanager
    def _attempt(self, verb: str, props: Props) -> Iterator[None]:
        """Say in a user's error what was tried, and on which object."""
        try:
            yield
        except UserError as problem:
            line = f"{verb} {self.kind.name} {self.kind.describe(props)}: {problem}"
            if isinstance(problem, NotFound):
                line += "; if it was removed, run `pulumi refresh`, then `pulumi up`"
            if isinstance(problem, RecordedRefusal):
                raise RecordedRefusal(line, problem.id_, problem.inputs) from problem
            raise RefusedChange(line) from problem


class DynamicResource(dynamic.Resource):
    """Base of the typed resource classes: arguments as a program gives them become what crosses the engine."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__(module="flexsaml", name=cls.__name__)

    def __init__(self, given: Mapping[str, Any]) -> None:
        """`given`: the `locals()` of a typed constructor: `resource_name`, `opts` and the arguments of the kind."""
        provider = provider_class(type(self).__name__)()
        kind = provider.kind
        props: Props = {}
        for name, argument in kind.arguments.items():
            if name in kind.packed_from:
                props[name] = lift(partial(kind.pack, name), {key: given[key] for key in kind.packed_from[name]})
            else:
                props[name] = None if argument.computed else given[name]
        for name in kind.secret_inputs(dict(given)):
            props[name] = pulumi.Output.secret(props[name])
        props |= dict.fromkeys(kind.outputs)  # Pulumi resolves outputs only of properties that were named
        secret = pulumi.ResourceOptions(additional_secret_outputs=list(kind.secret_outputs))
        self._given = {**props}
        super().__init__(provider, given["resource_name"], props, pulumi.ResourceOptions.merge(secret, given["opts"]))


def _directory() -> graph.Directory:
    """The tenant's; a cloud or endpoint that cannot be is a mistake in the stack configuration."""
    try:
        return TENANT.directory()
    except InvalidCloud as problem:
        raise RefusedChange(f"flexsaml:{problem}") from None


def _from_pulumi(props: Mapping[str, Any]) -> Props:
    """Properties without the reference to the provider, and with `UNKNOWN` for Pulumi's stand-in."""
    own = {key: value for key, value in props.items() if key != "__provider"}
    return _replaced(own, PulumiUnknown, UNKNOWN)  # type: ignore[no-any-return]


def _to_pulumi(props: Props) -> Props:
    return _replaced(props, Unknown, pulumi.UNKNOWN)  # type: ignore[no-any-return]


def _replaced(value: Any, kind: type, stand_in: object) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(item, kind, stand_in) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, kind, stand_in) for item in value]
    return stand_in if isinstance(value, kind) else value


def _format_error() -> str:
    """The error that is being handled: one line if a user may meet it, else its traceback."""
    _, error, trace = sys.exc_info()
    if isinstance(error, RecordedRefusal) and trace:
        context = trace.tb_frame.f_locals["context"]  # of the server's function, which no provider method gets
        engine.record_failed_create(context, error.id_, error.inputs, str(error))
    return f"flexsaml: {error}" if isinstance(error, UserError) else traceback.format_exc()


def answer_user_errors_in_one_line(server: dict[str, Any]) -> None:
    """Make Pulumi's provider server answer a `UserError` with its one line; every other error keeps its traceback. The
    server (`pulumi/dynamic/__main__.py`) answers any exception with `traceback.format_exc()`, which no exception can
    shorten by itself. So the name `traceback` in that module is bound to an object whose `format_exc` is
    `_format_error`. The answer depends on the error alone; `sys.tracebacklimit` would hold for all of the server's
    threads. `server`: the module's variables; those of any other program lack the function and stay as they are."""
    if "_abort_with_traceback" in server:
        server["traceback"] = SimpleNamespace(format_exc=_format_error)
