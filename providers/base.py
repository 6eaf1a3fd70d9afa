"""What all dynamic resources share: the shell between Pulumi's machinery and a resource's own words.

Pulumi calls `check`, `diff`, `create`, `read`, `update`, `delete` on an object it has unpickled; a
resource here fills in five small methods and three sets of names instead (see `Provider`). The shell

* keeps provider objects free of fields: what is pickled is a reference to the class and nothing else;
* strips `__provider`, and treats a changed reference as an update, so that a renamed class moves on;
* takes an Unknown as "may differ", never compares or prints it;
* turns every error a person can cause or meet into one line, and leaves the traceback to the others.

`check` and `diff` never touch the tenant and never raise for mistakes of a person. Replacement is
always delete-before-replace: names of extensions are unique and a principal has one policy.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from pulumi import contains_unknowns
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)
from pulumi.output import Unknown

from flexsaml.errors import UserError
from flexsaml.graph import GraphError
from flexsaml.values import UnknownPackedFormat

from . import engine
from .tenant import TENANT, Connection

if TYPE_CHECKING:
    from flexsaml.graph import Directory

Props = dict[str, Any]
Failures = dict[str, str]
"""Property name to reason; "" for a failure of the whole, or of a value that must not be printed."""


class RefusedChange(Exception):
    """Something this stack will not do, in one line that says what to do instead."""


class OneLine(Exception):
    """What Pulumi prints: its name and text stand for the whole traceback (see `_reported`)."""


OneLine.__module__, OneLine.__qualname__ = "builtins", "flexsaml"


class Provider(ResourceProvider):
    """A resource fills in the names and the methods below; the rest is the same for all kinds."""

    serialize_as_secret_always = False
    kind: ClassVar[str]
    inputs: ClassVar[tuple[str, ...]]
    """Every input that is kept, in the order people read it."""
    replaced_by: ClassVar[frozenset[str]] = frozenset()
    """Inputs whose change replaces the object."""
    ignored: ClassVar[frozenset[str]] = frozenset()
    """Inputs whose change alone means nothing."""
    required: ClassVar[tuple[str, ...]] = ()
    """Inputs that must not be empty: ids and names that become part of a path."""

    def label(self, props: Props) -> str:
        """The object in a person's words, for messages."""
        raise NotImplementedError

    def normalise(self, olds: Props, news: Props) -> tuple[Props, Failures]:
        """Equal intent to equal inputs, every key present; and what is wrong with them. Pure."""
        return news, {}

    def differing(self, olds: Props, news: Props) -> set[str]:
        """Names of inputs whose meaning differs between old outputs and new inputs. Pure."""
        return {key for key in self.inputs if differs(olds.get(key), news.get(key))}

    def make(self, directory: Directory, props: Props) -> tuple[str, Props]:
        """Create; the id and what is computed besides the inputs."""
        raise NotImplementedError

    def alter(self, directory: Directory, id_: str, olds: Props, news: Props) -> Props:
        """Update in place; what is computed besides the inputs."""
        return {key: value for key, value in olds.items() if key not in self.inputs}

    def look(self, directory: Directory, id_: str, props: Props) -> Props | None:
        """Outputs as the tenant has them now, None when the object is gone."""
        raise NotImplementedError

    def remove(self, directory: Directory, id_: str, props: Props) -> None:
        """Delete; an object that is gone already is a success."""
        raise NotImplementedError

    def adopt(self, directory: Directory, props: Props) -> tuple[str, Props] | None:
        """Id and outputs of the object that exists already for these inputs; None when there is none. Reads only."""
        raise NotImplementedError

    # What Pulumi calls.

    def configure(self, req: ConfigureRequest) -> None:
        engine.watch()
        # Full keys: the namespace stays `flexsaml` whatever the project is called.
        TENANT.configure(Connection.from_config(lambda key: req.config.get(f"flexsaml:{key}")))

    def check(self, _olds: Props, news: Props) -> CheckResult:
        try:
            inputs, failures = self.normalise(_own(_olds), _own(news))
        except UnknownPackedFormat as problem:
            return CheckResult(_own(news), [CheckFailure("", str(problem))])
        for name in self.inputs:
            if isinstance(news.get(name), Unknown):  # whatever was made of it: nothing is known yet
                inputs[name] = news[name]
                failures.pop(name, None)
        for name in self.required:
            if known(inputs.get(name)) and not text(inputs.get(name)):
                failures.setdefault(name, f"{self.kind} needs a {name.replace('_', ' ')}, and it is empty")
        return CheckResult(inputs, [CheckFailure(name, reason) for name, reason in failures.items()])

    def diff(self, _id: str, _olds: Props, _news: Props) -> DiffResult:
        changed = self.differing(_own(_olds), _own(_news)) - self.ignored
        moved = _olds.get("__provider") != _news.get("__provider")
        return DiffResult(
            changes=bool(changed) or moved,
            replaces=sorted(changed & self.replaced_by),
            delete_before_replace=True,
        )

    def create(self, props: Props) -> CreateResult:
        props = _own(props)
        with _reported(f"create {self.kind} {self.label(props)}"):
            id_, computed = self.make(_directory(), props)
            return CreateResult(id_, {**props, **computed})

    def update(self, _id: str, _olds: Props, _news: Props) -> UpdateResult:
        olds, news = _own(_olds), _own(_news)
        with _reported(f"update {self.kind} {self.label(news)}"):
            return UpdateResult({**news, **self.alter(_directory(), _id, olds, news)})

    def read(self, id_: str, props: Props) -> ReadResult:
        props = _own(props)
        with _reported(f"read {self.kind} {self.label(props)}"):
            live = self.look(_directory(), id_, props)
            if live is None:
                return ReadResult("", {})
            kept = {key: live[key] for key in self.inputs if key in live}
            return ReadResult(id_, live, kept)

    def delete(self, _id: str, _props: Props) -> None:
        props = _own(_props)
        with _reported(f"delete {self.kind} {self.label(props)}"):
            self.remove(_directory(), _id, props)


def differs(old: object, new: object) -> bool:
    """Whether two property values differ or may differ."""
    return contains_unknowns(old) or contains_unknowns(new) or old != new


def known(value: object) -> bool:
    return not contains_unknowns(value)


def text(value: object) -> str:
    """An input as text; "" for one that is absent or unknown."""
    return str(value) if value is not None and known(value) else ""


def _directory() -> Directory:
    """The tenant's; a cloud or endpoint that cannot be is a mistake in the stack configuration."""
    try:
        return TENANT.directory()
    except ValueError as problem:
        raise RefusedChange(f"{problem} (stack configuration)") from None


def _own(props: Mapping[str, Any]) -> Props:
    return {key: value for key, value in props.items() if key != "__provider"}


@contextmanager
def _reported(attempt: str) -> Iterator[None]:
    """Expected errors end as one line at the terminal; Pulumi would print a traceback.

    It prints `traceback.format_exc()`, which `sys.tracebacklimit = 0` shortens to the last line. The
    limit is the process's, so it is taken away again for an error nobody expected.
    """
    try:
        yield
    except (GraphError, RefusedChange, UserError, ValueError) as problem:
        if isinstance(problem, ValueError) and type(problem).__module__ == "builtins":
            sys.__dict__.pop("tracebacklimit", None)
            raise
        sys.tracebacklimit = 0
        raise OneLine(f"{attempt}: {problem}") from None
    except BaseException:
        sys.__dict__.pop("tracebacklimit", None)
        raise
