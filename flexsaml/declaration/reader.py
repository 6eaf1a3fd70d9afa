"""Reads single keys of a declaration and collects what is wrong with them."""

import re
from collections.abc import Mapping
from operator import itemgetter

from flexsaml.claims import escape, quote, suggest
from flexsaml.findings import Finding
from flexsaml.json_values import load_json

from .keys import KEYS, Secret, find_meant_key

RULE = "stack-file"
"""The rule of everything that is wrong with a declaration itself; it is always an error."""


class KeyReader:
    """The keys as written, opened one at a time. A mistake becomes a finding, and the key its default."""

    def __init__(self, keys: Mapping[str, object]) -> None:
        self._keys = keys
        self._misnamed: set[str] = set()
        """Keys that were written in another namespace or misspelt. That is their one finding: they are not missing."""
        self.findings: list[Finding] = []
        self.secret_keys: set[str] = set()
        """Keys in which something, however deep, is a `Secret`: what comes from them is encrypted in state."""
        self.hidden_keys: set[str] = set()
        """Those of them that are secret as a whole: no message shows anything of their content."""
        self.encrypted: list[str] = []
        """Paths of secrets of unknown content (in a stack file, only the engine can read them)."""
        self.secret_texts: set[str] = set()
        """Texts of known secrets, of three characters or more: `Declaration.mask` takes them out of messages."""

    def report(self, where: str, message: str, fix: str = "") -> None:
        self.findings.append(Finding(RULE, "error", escape(where, 150), message, fix))

    def report_unknown_keys(self) -> None:
        for name in self._keys:
            if name in KEYS:
                continue
            meant = find_meant_key(name)
            if meant:
                self._misnamed.add(meant)
            if name.rpartition(":")[2] in KEYS:
                self.report(name, "belongs to flexsaml", f"write flexsaml:{meant}")
            else:
                self.report(name, "unknown key", suggest(meant or name, KEYS))

    def is_misnamed(self, key: str) -> bool:
        """Whether it was written in another namespace or misspelt."""
        return key in self._misnamed

    def has(self, key: str) -> bool:
        """Whether anything was written, be it wrong, misnamed or encrypted."""
        if key in self._misnamed:
            return True
        value = self._keys.get(key)
        value = value.reveal() if isinstance(value, Secret) and value.is_known else value
        return isinstance(value, Secret) or value not in (None, "", {}, "{}" if KEYS[key].type == "object" else "")

    def read_text(self, key: str) -> str:
        """ "" if it is absent or encrypted."""
        value = self._open(key, self._keys.get(key))
        if value is None or isinstance(value, Secret):
            return ""
        if _is_structure(_decode_json(value)):
            self.report(key, f"must be text, not {_kind_of(_decode_json(value))}")
            return ""
        return _as_text(value).strip()

    def read_flag(self, key: str) -> bool:
        text, default = self.read_text(key).lower(), bool(KEYS[key].default)
        if text not in ("", "true", "false"):
            self.report(key, f"must be true or false, not {self.quote(key, text)}")
            return default
        return text == "true" if text else default

    def read_count(self, key: str) -> int:
        text = self.read_text(key) or "0"
        if not re.fullmatch(r"[0-9]{1,9}", text):
            self.report(key, f"must be a whole number, not {self.quote(key, text)}")
            return 0
        return int(text)

    def read_map(self, key: str) -> dict[str, object]:
        """Names to what was written for them, secrets in it opened; {} if it is absent, encrypted or no map."""
        try:
            value = _decode_json(self._open(key, self._keys.get(key)))
            if value in (None, "") or isinstance(value, Secret):
                return {}
            if not isinstance(value, Mapping):
                self.report(key, f"must be a map, not {_kind_of(value)}")
                return {}
            opened = self._open_nested(key, key, value)
        except RecursionError:
            self.report(key, "is nested too deeply")
            return {}
        assert isinstance(opened, dict)  # noqa: S101 - of a map
        return opened

    def read_definition(self) -> str | Mapping[str, object]:
        value = self._open("definition", self._keys.get("definition"))
        if isinstance(value, Mapping):
            opened = self._open_nested("definition", "definition", value)
            return {} if contains_unknown_secret(opened) or not isinstance(opened, dict) else opened
        return "" if value is None or isinstance(value, Secret) else _as_text(value)

    def quote(self, key: str, text: object) -> str:
        """The text for a message; of a hidden key only that it is secret."""
        return "[secret]" if key in self.hidden_keys else quote(text, 40)

    def is_readable(self, key: str) -> bool:
        """Whether the names in a map are known: it is not encrypted or misnamed, and has no finding as a whole."""
        return (
            key not in self._misnamed
            and key not in self.encrypted
            and not any(finding.where == key for finding in self.findings)
        )

    def _open(self, key: str, value: object, path: str = "") -> object:
        """The content of a secret; a secret of unknown content is returned as it is. Both are recorded."""
        if not isinstance(value, Secret):
            return value
        self.secret_keys.add(key)
        if not value.is_known:
            self.encrypted.append(path or key)
            return value
        content = value.reveal()
        if not path:
            self.hidden_keys.add(key)
        if isinstance(content, str) and len(content) > 2 and not _is_structure(_decode_json(content)):
            self.secret_texts.add(content)
        return content

    def _open_nested(self, key: str, path: str, value: object) -> object:
        value = self._open(key, value, path)
        if isinstance(value, Mapping):  # sorted, as the engine hands maps over
            entries = sorted(((_as_text(name), item) for name, item in value.items()), key=itemgetter(0))
            return {name: self._open_nested(key, f"{path}.{name}", item) for name, item in entries}
        if isinstance(value, (list, tuple)):
            return [self._open_nested(key, f"{path}[{index}]", item) for index, item in enumerate(value)]
        return value


def contains_unknown_secret(value: object) -> bool:
    """Whether the value is or holds a secret of unknown content."""
    if isinstance(value, Mapping):
        return any(map(contains_unknown_secret, value.values()))
    return any(map(contains_unknown_secret, value)) if isinstance(value, list) else isinstance(value, Secret)


def _decode_json(value: object) -> object:
    """What the engine and `pulumi config set` hand over as JSON text; other text stays."""
    if not isinstance(value, str) or not value.strip():
        return value
    try:
        return load_json(value)
    except ValueError:
        return value


def _is_structure(value: object) -> bool:
    return isinstance(value, (Mapping, list, tuple))


def _kind_of(value: object) -> str:
    kinds = {bool: "true or false", (int, float): "a number", Mapping: "a map", (list, tuple): "a list"}
    return next((words for types, words in kinds.items() if isinstance(value, types)), "text")  # type: ignore[arg-type]


def _as_text(value: object) -> str:
    """A scalar as the engine hands it over: `true`, `12`, `1` for 1.0."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
