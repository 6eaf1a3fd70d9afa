"""Text that may not arrive as it was meant: characters that nobody sees and that signatures, parsers or comparisons
handle differently (J11 of the evidence: libraries of service providers fail on line breaks), and words that other
tools write for "no value", which Graph would store as text."""

import re
import unicodedata

_UNWRITABLE = "\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff"
NOT_IN_XML = re.compile(f"[{_UNWRITABLE}]")
"""Characters that JSON can carry and XML 1.0 cannot."""
_FRAGILE = re.compile(  # joiners are ordinary between letters that are not ASCII, as in Persian, and in emoji
    "[\t\n\r\x85\xa0\xad\u1680\u180e\u2000-\u200b\u200e\u200f\u2028-\u202f\u205f-\u2069\u3000\ufeff]|^ | $"
    f"|[{_UNWRITABLE}]|"
    "(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])"
)
_NULL_WORD = re.compile(r"\s*(?:<\s*null\s*>|\(null\)|\$?null|nil|none|undefined|#?n/a|nan)\s*", re.IGNORECASE)
_NAMES = {"\t": "a tab", "\n": "a line feed", "\r": "a carriage return", "\x85": "a next line", " ": "a blank"}


def describe_fragile_character(text: str) -> str:
    """The first such character, in words, with its place counted from 1; "" if there is none."""
    if text.isprintable() and text == text.strip(" "):  # every character of the pattern but the blank is unprintable
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
