"""docs/parity.md as data: the behaviours, and the operations that their witnesses must drive. A helper, not a test."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from tests.emulator.process import REPOSITORY


@dataclass(frozen=True)
class Row:
    behaviour: str
    grade: str
    operations: tuple[str, ...]  # "METHOD /template", or "function()"
    witness: str

    @property
    def functions(self) -> list[str]:
        return [operation.removesuffix("()") for operation in self.operations if operation.endswith("()")]

    @property
    def requests(self) -> list[str]:
        return [operation for operation in self.operations if not operation.endswith("()")]


def read_rows() -> list[Row]:
    rows = []
    for line in (REPOSITORY / "docs" / "parity.md").read_text(encoding="utf-8").splitlines():
        if re.match(r"\| (?!behaviour)\S", line):
            behaviour, grade, operations, witness = line.strip("| ").split(" | ")
            rows.append(Row(behaviour, grade, tuple(re.findall(r"`([^`]+)`", operations)), witness.strip("`")))
    return rows


ROWS = read_rows()


def is_driven(operation: str, sent: Iterable[tuple[str, str]]) -> bool:
    """Whether a request among `sent` (method, path with query) is one of "METHOD /template"; `{name}` is any segment."""
    method, _, template = operation.partition(" ")
    pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
    return any(method == sent_method and re.fullmatch(pattern, _plain(path)) for sent_method, path in sent)


def _plain(path: str) -> str:
    """The path without query and version, its keys as segments: `/v1.0/users('x')?$top=1` is `/users/x`."""
    bare = re.sub(r"^/(v1\.0|beta)(?=/)", "", unquote(path.partition("?")[0]))
    return re.sub(r"\((?:\w+=)?'(.*?)'\)", r"/\1", bare)
