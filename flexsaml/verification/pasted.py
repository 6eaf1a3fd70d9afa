"""What somebody saved of a sign-in, down to the XML of the response. Pure. Accepted are the field SAMLResponse alone,
base64 or XML, and what browsers and SAML tracers export with it: a HAR file or another JSON, a request copied as cURL,
and the saved page that posts the form. All of it is hostile input: its size is limited first, and patterns take linear
time. Quirks: fields are pasted with their name and percent-encoding; Chrome's HAR has percent-encoded values, Firefox's
plain ones; shells on Windows save text as UTF-16 and escape with a caret."""

import base64
import html
import json
import re
from collections.abc import Iterator
from urllib.parse import unquote

from .checks import CannotVerify, ResponseRefused, fault

MAX_BYTES = 1_000_000  # as pasted; Entra's largest responses are a twentieth of that
_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_FIELD = "SAMLResponse"
COPY_FIELD = f"copy the complete value of the form field {_FIELD}"
_COPY_FROM_EXPORT = (
    "in the browser's developer tools, Network, choose the request to login.flex…/callback and copy the value of "
    f"{_FIELD} from its Payload"
)
_FORM_VALUE = re.compile(rf"(?<![A-Za-z0-9]){_FIELD}=([A-Za-z0-9+/=%^ \r\n]*)")
_BLANK_FOR_PLUS = re.compile(r"(?<=\S) (?=\S)")
_INPUT = re.compile(r"<input\b[^<>]*>", re.IGNORECASE)
_INPUT_NAME = re.compile(rf"""\bname\s*=\s*["']?{_FIELD}["'\s/>]""", re.IGNORECASE)
_INPUT_VALUE = re.compile(r"""\bvalue\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_PAGE = re.compile(rb"<(?:!doctype\s+html|html|head|body|form|input)\b", re.IGNORECASE)


def extract_xml(raw: bytes) -> bytes:
    """Raises `CannotVerify` if there is no response in it or several, `ResponseRefused` if it is too large."""
    if len(raw) > MAX_BYTES:
        raise ResponseRefused(fault("size", f"it is larger than {MAX_BYTES:,} bytes", _COPY_FROM_EXPORT))
    if raw[:2] in _UTF16_MARKS:  # saved by a shell's redirection
        raw = raw.decode("utf-16", "replace").encode("utf-8", "replace")
    raw = raw.removeprefix(_UTF8_MARK).strip()
    if not raw:
        raise CannotVerify("input", "is empty", f"paste the value of the form field {_FIELD}")
    if raw.startswith(b"<") and not _PAGE.search(raw[:1000]):
        return raw
    text = raw.decode("utf-8", "replace")
    kind, values = _find_values(text)
    if not kind:
        return _decode_value(text.strip("\"'"))
    distinct = list(dict.fromkeys(_strip_escapes(value) for value in values if value.strip()))
    if len(distinct) != 1:
        problem = f"{len(distinct)} different values of the field" if distinct else "no value of the field"
        raise CannotVerify("input", f"is {kind} with {problem} {_FIELD}", _COPY_FROM_EXPORT)
    return _decode_value(distinct[0])


def _find_values(text: str) -> tuple[str, list[str]]:
    """What kind of export it is, "" for a value alone, and the values of the field in it, as they stand there."""
    if text.startswith("<"):
        return "a saved page", list(_find_inputs(text))
    if text.startswith(("{", "[")):
        try:
            return "JSON", list(_find_in_json(json.loads(text)))
        except (ValueError, RecursionError):
            raise CannotVerify("input", "looks like JSON (a HAR file?) and is not", _COPY_FROM_EXPORT) from None
    if f"{_FIELD}=" in text:
        return "a request", _FORM_VALUE.findall(text)
    if text.startswith("curl "):
        return "a request", []
    return "", []


def _find_inputs(page: str) -> Iterator[str]:
    for tag in _INPUT.findall(page):
        value = _INPUT_VALUE.search(tag)
        if value and _INPUT_NAME.search(tag):
            yield html.unescape(next(filter(None, value.groups()), ""))


def _find_in_json(document: object) -> Iterator[str]:
    """A HAR's list of parameters and posted text; a tracer's pair of name and value; the field as a key."""
    waiting = [document]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            is_named = item.get("name") == _FIELD
            candidates = (item.get(_FIELD), item.get("value") if is_named else None)
            yield from (value for value in candidates if isinstance(value, str))
            waiting += item.values()
        elif isinstance(item, list):
            if len(item) == 2 and item[0] == _FIELD and isinstance(item[1], str):
                yield item[1]
            waiting += item
        elif isinstance(item, str):
            yield from _FORM_VALUE.findall(item)


def _strip_escapes(value: str) -> str:
    """The base64 of a field's value. Whoever decodes a form carelessly has blanks for its plus signs."""
    return "".join(_BLANK_FOR_PLUS.sub("+", unquote(value.replace("^", ""))).split())


def _decode_value(text: str) -> bytes:
    try:
        decoded = base64.b64decode("".join(unquote(text).split()), validate=True).removeprefix(_UTF8_MARK)
    except ValueError:
        raise CannotVerify("base64", "is neither base64 nor XML", COPY_FIELD) from None
    if not decoded.lstrip().startswith((b"<", *_UTF16_MARKS)):
        fix = f"copy the value of the form field {_FIELD}, not of SAMLRequest"
        raise CannotVerify("xml", "is base64, but does not contain XML", fix)
    return decoded.strip()
