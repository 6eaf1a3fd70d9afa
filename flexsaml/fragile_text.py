"""Text that may not arrive as it was meant: characters that nobody sees and that signatures, parsers or comparisons
handle differently (J11 of the evidence: libraries of service providers fail on line breaks), and words that other
tools write for "no value", which Graph would store as text."""

import re
import unicodedata

_UNWRITABLE = "\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff"
NOT_IN_XML = re.compile(f"[{_UNWRITABLE}]")
"""Characters that JSON can carry and XML 1.0 cannot."""
_BLANK = "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u2800\u3164\uffa0"  # nothing is seen of these letters and marks
_BROKEN = "\ufffd"  # what programs put in place of bytes that they cannot read
_FRAGILE = re.compile(  # joiners are ordinary between letters that are not ASCII, as in Persian, and in emoji
    "[\t\n\r\x7f-\xa0\xad\u061c\u1680\u180e\u2000-\u200b\u200e\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufff9-\ufffb]"
    f"|^ | $|[{_BLANK}{_BROKEN}]|[{_UNWRITABLE}]|"
    "(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])"
)
_NULL_WORD = re.compile(
    r"[\W_]*(?:null|nil|none|undefined|n/a|n\.a|nan)[\W_]*|\\N|#(?:ref|value|name|num|div/0)[!?]", re.IGNORECASE
)
_NAMES = {"\t": "a tab", "\n": "a line feed", "\r": "a carriage return", "\x85": "a next line", " ": "a blank"}


def describe_fragile_character(text: str) -> str:
    """The first such character, in words, with its place counted from 1; "" if there is none."""
    if text.isascii() and text.isprintable() and text == text.strip(" "):
        return ""
    match = _FRAGILE.search(text)
    if not match:
        return ""
    character = match[0]
    name = _NAMES.get(character) or unicodedata.name(character, "a character").lower()
    at = match.start() + 1
    place = "its beginning" if at == 1 else "its end" if at == len(text) else f"character {at}"
    return f"{name} (U+{ord(character):04X}) at {place}"


def is_null_word(text: str) -> bool:
    """Whether the text nearly is `<null>`, or is what other tools write for it."""
    return text != "<null>" and _NULL_WORD.fullmatch(text) is not None
