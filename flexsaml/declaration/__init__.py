"""What a stack asks for: one parser and validator for the engine's configuration, a stack file and Python arguments.

    declaration = parse_declaration(keys, read_file=lambda name: Path(name).read_bytes())

`keys` maps the names of `KEYS` to what was written: text or JSON text (the engine), maps and scalars (a stack file, a
Python program), with a `Secret` where the content is encrypted or must not be shown. Pure: files come through
`read_file`."""

from typing import TYPE_CHECKING, Any

from .keys import KEYS, Key, Secret, declares_arguments, find_meant_key
from .model import Declaration, InvalidDeclaration, describe_problem
from .parse import RULE, parse_declaration, read_declaration

if TYPE_CHECKING:
    from .lint import lint_declaration, lint_stack
    from .stack_yaml import load_stack_keys, read_stack_yaml

__all__ = [
    "KEYS", "RULE", "Declaration", "InvalidDeclaration", "Key", "Secret", "declares_arguments", "describe_problem",
    "find_meant_key", "lint_declaration", "lint_stack", "load_stack_keys", "parse_declaration", "read_declaration",
    "read_stack_yaml",
]  # fmt: skip

# They need the rules of lint, and PyYAML:
_LAZY = {
    "lint_declaration": "lint", "lint_stack": "lint", "load_stack_keys": "stack_yaml", "read_stack_yaml": "stack_yaml",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_LAZY[name]}", __name__), name)
