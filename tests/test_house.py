"""House rules that neither ruff, mypy nor import-linter knows. If this is red, a reader meets a name without meaning,
or a room is entered past its package.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
EMPTY_WORDS = {"one", "found", "seen", "told", "whole", "some", "look", "turn", "part"}
"""Words that fit any thing, and so name none."""
ROOMS = (
    "components",
    "providers",
    "flexsaml/claims",
    "flexsaml/cli",
    "flexsaml/declaration",
    "flexsaml/flex",
    "flexsaml/graph",
    "flexsaml/prediction",
    "flexsaml/preflight",
    "flexsaml/setup",
    "flexsaml/values",
    "flexsaml/verification",
    "emulator",
    "tools",
    "bench",
    "tests",
)
FILES = sorted(
    path for path in PROJECT.rglob("*.py") if not any(name.startswith(".") for name in path.relative_to(PROJECT).parts)
)


LONGEST = 400  # lines


def test_no_module_is_too_long_to_read_at_once() -> None:
    lengths = {path.relative_to(PROJECT).as_posix(): len(path.read_text("utf-8").splitlines()) for path in FILES}
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def room_of(module: str) -> str:
    """The room of a dotted module name, "" for none: `flexsaml.graph.users` is in `flexsaml.graph`."""
    names = [room.replace("/", ".") for room in ROOMS]
    return next((name for name in names if module == name or module.startswith(f"{name}.")), "")


def names_of_things(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and name of everything that a file names: variables, parameters, attributes, functions, classes."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr
        elif isinstance(node, ast.alias) and node.asname:
            yield 0, node.asname


def is_empty_word(name: str) -> bool:
    return name.strip("_").lower() in EMPTY_WORDS


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("one = 1", ["one"]),
        ("def _look(told): pass", ["_look", "told"]),
        ("class Turn: whole: int", ["Turn", "whole"]),
        ("[x for some in y]", ["some"]),
        ("import os as part", ["part"]),
        ("someone, tone, found_users = one.look(part=1)", []),
    ],
)
def test_the_words_are_recognised(source: str, names: list[str]) -> None:
    assert sorted(name for _, name in names_of_things(ast.parse(source)) if is_empty_word(name)) == sorted(names)


@pytest.mark.parametrize("room", [*ROOMS, "."])
def test_no_name_is_an_empty_word(room: str) -> None:
    """ "." is everything that lies in no room."""
    offenders = []
    for path in FILES:
        relative = path.relative_to(PROJECT).as_posix()
        lies_in = next((name for name in ROOMS if relative.startswith(f"{name}/")), ".")
        if lies_in != room:
            continue
        if is_empty_word(path.stem):
            offenders.append(relative)
        for line, name in names_of_things(ast.parse(path.read_text("utf-8"))):
            if is_empty_word(name):
                offenders.append(f"{relative}:{line}: {name}")
    assert not offenders, f"{len(offenders)} names:\n" + "\n".join(offenders)


def imported_modules(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and absolute name of every module imported from; relative imports stay in their room."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.lineno, node.module
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)


def test_a_room_is_entered_through_its_package() -> None:
    """A room's own tests may import its modules; nobody else may."""
    offenders = []
    for path in FILES:
        relative = path.relative_to(PROJECT)
        module = ".".join(relative.with_suffix("").parts)
        own = {
            room_of(module),
            room_of(module.removeprefix("tests.")),
            room_of(module.replace("tests.", "flexsaml.", 1)),
        }
        for line, name in imported_modules(ast.parse(path.read_text("utf-8"))):
            room = room_of(name)
            if room and room not in ("tests", "tools", "bench", "emulator") and name != room and room not in own:
                offenders.append(f"{relative.as_posix()}:{line}: {name}")
    assert not offenders, "\n".join(offenders)


PROGRAMS = ("__main__.py", "components/", "providers/", "flexsaml/", "emulator/", "tools/")
WAYS_OUT = {
    ("flexsaml/terminal_text.py", "print"),  # of cleaned lines and of JSON in ASCII
    ("components/inspection.py", "pulumi.log"),  # of findings, which are harmless as text
    ("components/inspection.py", "a text at exit"),  # of cleaned lines, to the engine
    ("flexsaml/graph/person.py", "logging"),  # silences a library
    ("flexsaml/graph/tokens.py", "logging"),  # silences a library
    ("flexsaml/prediction/pattern_evaluation.py", "print"),  # to the process that started it, through a pipe
    ("tools/engine.py", "print"),  # of a directory, exactly: a shell reads it
    ("emulator/__main__.py", "print"),  # cleans by itself, because it shares nothing
    ("emulator/http/server.py", "print"),  # of JSON in ASCII
}
"""Which files may put text on a terminal in another way than by `flexsaml.terminal_text`, and how."""


def ways_out(tree: ast.AST) -> Iterator[str]:
    """Everything by which a file could put text on the terminal without a function of this project."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in ("print", "input"):
            yield node.id
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in ("logging", "warnings"))
        elif isinstance(node, ast.ImportFrom) and node.module in ("logging", "warnings"):
            yield node.module
        elif isinstance(node, ast.Attribute):
            path = ast.unparse(node)
            if (
                path == "pulumi.log"
                or re.fullmatch(r"(sys\.)?(__)?(stdout|stderr)(__)?(\.buffer)?\.write(lines)?|os\.write", path)
                or re.fullmatch(r"traceback\.print_\w+", path)
            ):
                yield path
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("sys.exit", "SystemExit", "pulumi.RunError"):
            # A text would be printed: a status is a call, a number or a name.
            yield from ("a text at exit" for given in node.args if isinstance(given, (ast.JoinedStr, ast.BinOp)))


@pytest.mark.parametrize(
    ("source", "ways"),
    [
        ("print(x)", ["print"]),
        ("write = print", ["print"]),
        (
            "import sys\nsys.stderr.write(x); sys.stdout.buffer.write(x)",
            ["sys.stderr.write", "sys.stdout.buffer.write"],
        ),
        ("from sys import stdout\nstdout.write(x)", ["stdout.write"]),
        ("import logging", ["logging"]),
        ("from warnings import warn", ["warnings"]),
        ("pulumi.log.warn(x)", ["pulumi.log"]),
        ("traceback.print_exc()", ["traceback.print_exc"]),
        ("sys.exit(f'no {x}')", ["a text at exit"]),
        ("print_lines([x], sys.stderr); sys.exit(main()); file.write(x); sys.stdout.flush()", []),
    ],
)
def test_the_ways_to_a_terminal_are_recognised(source: str, ways: list[str]) -> None:
    assert sorted(ways_out(ast.parse(source))) == sorted(ways)


def test_text_leaves_a_program_through_one_place() -> None:
    """The place that cleans it; who finds another way writes to the terminal what a tenant's user chose."""
    ways = {
        (path.relative_to(PROJECT).as_posix(), way)
        for path in FILES
        if path.relative_to(PROJECT).as_posix().startswith(PROGRAMS)
        for way in ways_out(ast.parse(path.read_text("utf-8")))
    }
    assert ways == WAYS_OUT
