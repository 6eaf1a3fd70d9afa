"""The reference pages of the documentation site, made from the code when the site is built: configuration keys,
resources, commands. `fill_in` replaces each line `<!-- generated: NAME -->` of a page. Nothing of it is in git."""

import argparse
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Mapping

import providers
from components import FlexSamlClaims, FlexSamlClaimsArgs
from flexsaml.cli import COMMANDS, load_module
from flexsaml.declaration import KEYS, Key
from providers import KINDS, provider_class

PLACE = re.compile(r"<!-- generated: ([a-z-]+) -->")
TYPE_PREFIX = "pulumi-python:dynamic/flexsaml:"
WIDTH = 100
_SHAPES = {bool: "true or false", int: "number", str: "text", list: "list", dict: "map"}


def fill_in(page: str) -> str:
    """The Markdown of a page with what the code gives in each marked place. Raises KeyError for an unknown name."""
    return PLACE.sub(lambda place: GENERATED[place[1]](), page)


def describe_configuration() -> str:
    """A table of every key of the stack configuration."""
    rows = [
        (f"`{key.name}`", key.meaning, key.type, _describe_default(key), f"`{key.argument}`" if key.argument else "")
        for key in KEYS.values()
    ]
    return _table(("key (`flexsaml:`)", "meaning", "type", "default", "in Python"), rows)


def describe_resources() -> str:
    """A section for the component and each resource: what it is, its inputs and outputs, what replaces it and which
    errors mean what."""
    return "\n\n".join([_describe_component(), *(_describe_resource(name) for name in sorted(KINDS))])


def describe_commands() -> str:
    """A section for each command, with the text of `--help`."""
    sections = []
    for name in sorted(COMMANDS):
        help_ = parser_of(name).format_help().rstrip()
        sections.append(f"## {name}\n\n```text\n{help_}\n```")
    return "\n\n".join(sections)


GENERATED: Mapping[str, Callable[[], str]] = {
    "configuration": describe_configuration,
    "resources": describe_resources,
    "commands": describe_commands,
}
"""Name of a place to what fills it."""


def parser_of(command: str) -> argparse.ArgumentParser:
    """The parser of `python -m flexsaml COMMAND`; `exit_on_error` is off."""
    parser = argparse.ArgumentParser(
        prog=f"python -m flexsaml {command}",
        description=COMMANDS[command],
        formatter_class=lambda prog: argparse.HelpFormatter(prog, width=WIDTH),
        exit_on_error=False,
    )
    load_module(command).arguments(parser)
    return parser


def _describe_default(key: Key) -> str:
    if key.default is None:
        return "required"
    if key.default in ("", {}):
        return ""
    return f"`{str(key.default).lower() if isinstance(key.default, bool) else key.default}`"


def _describe_component() -> str:
    texts = (inspect.getdoc(item) or "" for item in (FlexSamlClaims, FlexSamlClaims.__init__, FlexSamlClaimsArgs))
    return "\n\n".join(["## FlexSamlClaims", *texts, "Its arguments: [configuration keys](configuration.md)."])


def _describe_resource(name: str) -> str:
    kind, resource = provider_class(name).kind, getattr(providers, name)
    title, _, text = (inspect.getdoc(sys.modules[type(kind).__module__]) or "").partition("\n")
    title = title.removeprefix(f"{name}: ")
    inputs = [
        (f"`{argument}`", _SHAPES[type(shape.default)], "yes" if shape.required else "",
         "replaces the resource" if shape.replaces else "dropped after the check" if shape.transient
         else "computed" if shape.computed else "is no change" if shape.ignored else "updates it")
        for argument, shape in kind.arguments.items()
    ]  # fmt: skip
    outputs = [
        (f"`{output}`", _SHAPES[type(shape.default)], "yes" if output in kind.secret_outputs else "")
        for output, shape in kind.outputs.items()
    ]
    return "\n\n".join([
        f"## {name}",
        title[:1].upper() + title[1:],
        f"Type token: `{TYPE_PREFIX}{name}`",
        text.strip(),
        " ".join((inspect.getdoc(resource.__init__) or "").split()),
        _table(("input", "type", "required", "a change of it"), inputs),
        _table(("output", "type", "secret"), outputs) if outputs else "Outputs: the inputs, and nothing else.",
    ])  # fmt: skip


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table; a bar inside a cell is escaped."""
    lines = [[cell.replace("|", "\\|") for cell in row] for row in (head, *rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
