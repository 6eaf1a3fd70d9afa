"""A resource kind without Pulumi: its arguments, and what it does in the tenant. Properties are plain dicts. A shell
(`providers.dynamic`, or a plugin) calls `check`, `diff`, `create`, `read`, `update` and `delete`, and replaces its
engine's stand-in for values that are not known yet by `UNKNOWN`. `check` and `diff` never touch the tenant and never
raise for mistakes of a user. Replacement is always delete-before-replace: names of extensions are unique and a
principal has one policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from flexsaml import graph
from flexsaml.errors import UserError
from flexsaml.values import IMPORT_EXPORT

Props = dict[str, Any]
Failures = dict[str, str]
"""Property name to reason; "" for a failure of several properties, or of a value that must not be printed."""


_SHAPES = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list", dict: "a map"}


class Unknown:
    """A value that another resource has yet to produce; only previews have it."""


UNKNOWN: Final = Unknown()


class RefusedChange(UserError):
    """A failure a user may meet, in one line: what was refused or failed, and what to do about it."""


class RecordedRefusal(RefusedChange):
    """Nothing of a create was carried out, and state records that: `inputs`, under `id_`. The next update replaces the
    record; its `delete` finds nothing in the tenant to delete."""

    def __init__(self, reason: str, id_: str, inputs: Props) -> None:
        super().__init__(reason)
        self.id_, self.inputs = id_, inputs


@dataclass(frozen=True)
class Argument:
    """One argument of a kind. Its type is that of `default`, which stands for an absent, null or empty value."""

    default: Any = ""
    required: bool = False  # an input must not be empty (it becomes part of a path, or a name); an output not absent
    replaces: bool = False  # a change of it replaces the object
    ignored: bool = False  # a change of it alone is no change
    computed: bool = False  # `check` computes it; no program gives it
    added_since: bool = False  # the state of an earlier version may lack it although it is computed
    transient: bool = False  # `check` judges it and drops it: what preflight saw, or what holds for one run
    items: tuple[type, ...] = (str,)  # what the items of a list or a map are

    def complete(self, given: object) -> Any:
        """The value as inputs hold it."""
        if isinstance(given, Unknown):
            return given
        if isinstance(self.default, (bool, int)):  # the engine hands numbers over as doubles
            return type(self.default)(given or self.default)  # type: ignore[call-overload]
        return given or type(self.default)(self.default)

    def find_damage(self, name: str, value: object) -> str:
        """What is wrong with the value in state of the property of that name; "" if nothing is."""
        wanted = type(self.default)
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        return _compare_shape(name, value, (wanted,)) or next(
            filter(None, (_compare_shape(f"{name}[{key!r}]", item, self.items) for key, item in items)), ""
        )


def _compare_shape(name: str, value: object, wanted: tuple[type, ...]) -> str:
    shape = "missing" if value is None else _SHAPES.get(type(value), "of an unknown shape")
    expected = [_SHAPES[type_] for type_ in wanted]
    return "" if isinstance(value, Unknown) or shape in expected else f"{name} in state is {shape}, not {expected[0]}"


class Kind:
    """What a shell needs to know of a resource kind, and what it calls. Objects have no fields."""

    name: ClassVar[str]
    description: ClassVar[str]
    """The object in a person's words, with names of inputs in braces; messages put it behind the kind's name."""
    arguments: ClassVar[Mapping[str, Argument]]  # in the order a person reads them
    outputs: ClassVar[Mapping[str, Argument]] = {}  # properties besides the inputs, once the object exists
    secret_outputs: ClassVar[tuple[str, ...]] = ()
    packed_from: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Input that crosses the engine as one string, to the arguments that `pack` makes it from."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs that state keeps."""
        return tuple(name for name, argument in self.arguments.items() if not argument.transient)

    def describe(self, props: Props) -> str:
        return self.description.format_map({name: text(props.get(name)) for name in self.inputs})

    def pack(self, name: str, arguments: Props) -> str:
        """The packed input of that name; `arguments` are those `packed_from` lists."""
        raise NotImplementedError

    def complete_state(self, props: Props, *, has_outputs: bool) -> Props:
        """Properties from state, {} if there is none; one that an earlier version did not have gets its default.
        Raises `RefusedChange` if somebody edited the state: what is missing or of another shape is named."""
        if not props:
            return {}
        shapes = {name: self.arguments[name] for name in self.inputs} | (dict(self.outputs) if has_outputs else {})
        completed = dict(props)
        for name, argument in shapes.items():
            is_needed = argument.required or argument.computed or name in self.packed_from
            if props.get(name) is None and (argument.added_since or not is_needed):
                completed[name] = argument.complete(None)
            elif damage := argument.find_damage(name, props.get(name)):
                raise RefusedChange(f"{self.name}: the property {damage}; {IMPORT_EXPORT}")
        return completed

    def secret_inputs(self, arguments: Props) -> set[str]:
        """Names of inputs that must be secret in state whatever the program says."""
        return set()

    def check(self, olds: Props, news: Props) -> tuple[Props, Failures]:
        """Inputs with every key present, equal intent giving equal inputs; and what is wrong with them. Pure. A kind
        calls this first: it fills in defaults and reports required arguments that are empty."""
        given = {name: argument for name, argument in self.arguments.items() if not argument.computed}
        inputs = {name: argument.complete(news.get(name)) for name, argument in given.items() if not argument.transient}
        empty = [name for name, argument in given.items() if argument.required and not inputs[name]]
        return inputs, {name: f"{self.name} needs a {name.replace('_', ' ')}, and it is empty" for name in empty}

    def diff(self, olds: Props, news: Props) -> set[str]:
        """Names of inputs whose meaning differs between old outputs and new inputs. Pure."""
        return {name for name in self.inputs if differs(olds.get(name), news.get(name))}

    def create(self, directory: graph.Directory, inputs: Props) -> tuple[str, Props]:
        """Create the object; its id and the outputs besides the inputs."""
        raise NotImplementedError

    def read(self, directory: graph.Directory, id_: str, outputs: Props) -> Props | None:
        """Outputs as the tenant has them now, None when the object is gone."""
        raise NotImplementedError

    def update(self, directory: graph.Directory, id_: str, olds: Props, news: Props) -> Props:
        """Update the object in place; the outputs besides the inputs."""
        return {name: olds[name] for name in self.outputs if name in olds}

    def delete(self, directory: graph.Directory, id_: str, outputs: Props) -> None:
        """Delete the object; one that is gone already is a success."""
        raise NotImplementedError

    def adopt(self, directory: graph.Directory, inputs: Props) -> tuple[str, Props] | None:
        """Id and outputs of the object that exists already for these inputs; None when there is none. Reads only."""
        raise NotImplementedError


def known(value: object) -> bool:
    """Whether a value has no `UNKNOWN` in it."""
    if isinstance(value, Mapping):
        return all(known(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return all(known(item) for item in value)
    return not isinstance(value, Unknown)


def drop_unknown_sightings(props: Props) -> Props:
    """Without the `seen_*` arguments that are not known: preflight has not looked at the tenant yet."""
    return {name: value for name, value in props.items() if known(value) or not name.lstrip("_").startswith("seen")}


def differs(old: object, new: object) -> bool:
    """Whether two property values differ or may differ."""
    return not known(old) or not known(new) or old != new


def text(value: object) -> str:
    """A property as text; "" for one that is absent or unknown."""
    return str(value) if value is not None and known(value) else ""
