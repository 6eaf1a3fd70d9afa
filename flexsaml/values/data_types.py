"""Data types of directory extensions, and canonical values.

A canonical value is the one text form in which a value is stored and compared. The engine carries it and state holds
it; it becomes typed JSON only on the wire, because the engine turns every number into a double (9007199254740993 would
lose its last digit).

    String         the text itself               Integer, LargeInteger   decimal digits
    Boolean        "true" / "false"              DateTime                UTC, "2026-11-24T08:00:00Z"
    Binary         base64, with padding          multi-valued            a JSON array of canonical elements
    null           "<null>" (clears the cell; a roster file writes it the same way)

What a user held before this stack comes back exactly, whatever it is: text longer than 256 characters, the text
"<null>", a date in another spelling. Where no canonical value gives the same JSON back, the JSON itself is kept, behind
U+FFFE, which no canonical value contains.

Limits are those of the reference page of extensionProperty (grade A): 256 characters, 256 bytes, 32 and 64 bits; on a
multi-valued extension they hold for each value."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from datetime import datetime, timezone

from flexsaml.errors import UserError
from flexsaml.json_values import load_json
from flexsaml.yaml_scalars import is_made_of_unquoted_text

NULL = "<null>"
MAX_VALUES = 100  # extension values that one object holds, over all applications (A)
_JSON = "\ufffe"  # before the JSON of a live value that no canonical value gives back
DATA_TYPES = ("Binary", "Boolean", "DateTime", "Integer", "LargeInteger", "String")
_UNSENDABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # outside XML 1.0's Char
_BITS = {"Integer": 32, "LargeInteger": 64}
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d)?)(?:\.(\d+))?)?\s*([Zz]|[+-]\d\d:?\d\d)?(?: UTC)?")

Scalar = str | int | bool


class InvalidValue(UserError):
    """A value that does not fit its data type. The text follows the name of the cell and never repeats the value."""


@dataclass(frozen=True)
class DataType:
    """`dataType` and `isMultiValued` of an extension property."""

    name: str
    multi_valued: bool = False

    def __post_init__(self) -> None:
        if self.name not in DATA_TYPES:
            raise InvalidValue(f"data type '{self.name}' is not one of {', '.join(DATA_TYPES)}")

    def __str__(self) -> str:
        return f"{self.name}[]" if self.multi_valued else self.name

    @classmethod
    def parse(cls, text: str) -> DataType:
        """The inverse of `str`: "String" or "String[]"."""
        return cls(text.removesuffix("[]"), text.endswith("[]"))

    def canonical(self, value: object) -> str:
        """The canonical value of what a person writes in YAML, CSV or Python; a canonical value stays as it is. Raises
        `InvalidValue`."""
        if value in (None, NULL):
            return NULL
        if not self.multi_valued:
            return _spell(self.name, value)
        if isinstance(value, str) and value.startswith("["):
            try:
                value = load_json(value)
            except ValueError:
                raise InvalidValue("is multi-valued: write a list (this is not a JSON array)") from None
        if not isinstance(value, (list, tuple)):
            raise InvalidValue("is multi-valued: write a list")
        return json.dumps([_spell(self.name, item) for item in value], ensure_ascii=False)

    def count_values(self, canonical: str) -> int:
        """How many of the `MAX_VALUES` extension values that an object may hold this cell takes."""
        if canonical == NULL:
            return 0
        return len(json.loads(canonical)) if self.multi_valued else 1

    def to_wire(self, canonical: str) -> object:
        """The JSON value that Graph takes for a canonical value."""
        if canonical == NULL:
            return None
        if canonical.startswith(_JSON):
            return json.loads(canonical.removeprefix(_JSON))
        if self.multi_valued:
            return [_typed(self.name, item) for item in json.loads(canonical)]
        return _typed(self.name, canonical)

    def from_wire(self, value: object) -> str:
        """The canonical value of what Graph answered; a cell that is unset or empty is "<null>". A live value that does
        not fit its data type is kept as JSON: it then differs from every canonical value, and nothing raises."""
        if value is None or (self.multi_valued and value == []):
            return NULL
        try:
            return _keep_json(value) if value == NULL else self.canonical(value)
        except InvalidValue:
            return _keep_json(value)

    def exact_from_wire(self, value: object) -> str:
        """The same, where it also matters that `to_wire` gives exactly this JSON back: the canonical value if it does,
        else the JSON."""
        text = self.from_wire(value)
        gives_it_back = text == NULL or json.dumps(self.to_wire(text)) == json.dumps(value)
        return text if gives_it_back else _keep_json(value)

    def means_same(self, value: str, other: str) -> bool:
        """Whether two values as `canonical`, `from_wire` or `exact_from_wire` give them mean the same. The order of a
        multi-valued value is no difference: that the service keeps it is not promised (D)."""
        return value == other or self._meaning(value) == self._meaning(other)

    def _meaning(self, value: str) -> object:
        text = self.from_wire(self.to_wire(value)) if value.startswith(_JSON) else value
        return sorted(json.loads(text)) if self.multi_valued and text.startswith("[") else text


def _keep_json(value: object) -> str:
    return _JSON + json.dumps(value, sort_keys=True)


def _spell(name: str, value: object) -> str:
    """The canonical value of a scalar. Raises `InvalidValue`."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # the engine hands numbers over as doubles
    if name == "Boolean":
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str) and value.strip().lower() in ("true", "false"):
            return value.strip().lower()
        raise InvalidValue("is a Boolean: write true or false")
    if name in _BITS:
        return _integer(name, value)
    if name == "DateTime":
        return _moment(str(value))
    if not isinstance(value, (str, int, float)):
        raise InvalidValue(f"is a {name}: write text in quotes")
    if is_made_of_unquoted_text(value):
        raise InvalidValue(f"is a {name}, and this is what YAML makes of unquoted text: write it in quotes")
    text = str(value)
    if name == "Binary":
        return _binary(text)
    if len(text) > 256:
        raise InvalidValue(f"has {len(text)} characters; a String extension holds at most 256")
    if unsendable := _UNSENDABLE.search(text):
        raise InvalidValue(
            f"contains the character U+{ord(unsendable[0]):04X}, which XML, and so a SAML assertion, cannot contain"
        )
    return text


def _integer(name: str, value: object) -> str:
    if isinstance(value, bool) or not re.fullmatch(r"[+-]?[0-9]{1,20}", str(value).strip()):
        raise InvalidValue(f"is {'an' if name == 'Integer' else 'a'} {name}: write a whole number")
    number, bits = int(str(value)), _BITS[name]
    if not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
        raise InvalidValue(f"is outside the {bits}-bit range of {name}")
    return str(number)


def _moment(text: str) -> str:
    """ISO 8601 in UTC without trailing zeros; a date alone means midnight, no offset means UTC."""
    match = _DATE.fullmatch(text.strip())
    if not match:
        raise InvalidValue("is a DateTime: write ISO 8601, for example 2026-11-24T08:00:00Z")
    day, clock, fraction, offset = match.groups()
    clock = f"{clock or '00:00'}:00"[:8]
    offset = "+00:00" if offset in (None, "Z", "z") else offset
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{offset[:3]}:{offset[-2:]}").astimezone(timezone.utc)
    except (ValueError, OverflowError):
        raise InvalidValue("is a DateTime: this date or time does not exist") from None
    fraction = (fraction or "").rstrip("0")
    return moment.replace(tzinfo=None).isoformat() + (f".{fraction}" if fraction else "") + "Z"


def _binary(text: str) -> str:
    try:
        raw = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidValue("is Binary: write base64") from None
    if len(raw) > 256:
        raise InvalidValue(f"has {len(raw)} bytes; a Binary extension holds at most 256")
    return base64.b64encode(raw).decode("ascii")


def _typed(name: str, canonical: str) -> Scalar:
    if name in _BITS:
        return int(canonical)
    return canonical == "true" if name == "Boolean" else canonical
