"""If this goes red, a roster is read as something else than it says, or its mistakes are reported one at a time."""

from __future__ import annotations

import pytest

from flexsaml.values import DataType, InvalidRoster, InvalidValue, read_roster

FULL = "extension_" + "0" * 32 + "_team"


def type_of(name: str) -> DataType | None:
    if name == FULL:
        return None
    kinds = {"languages": DataType("String"), "level": DataType("Integer"), "tags": DataType("String", True)}
    if name not in kinds:
        raise InvalidValue("is not an extension")
    return kinds[name]


@pytest.mark.parametrize(
    ("text", "users"),
    [
        ("user,languages\nada@x,en\n", {"ada@x": {"languages": "en"}}),
        ("\ufeffuser,languages\nada@x,en", {"ada@x": {"languages": "en"}}),
        ("user;languages;level\r\nada@x;en,de;3\r\n", {"ada@x": {"languages": "en,de", "level": "3"}}),
        ("user\tlanguages\nada@x\ten,de\n", {"ada@x": {"languages": "en,de"}}),
        ('UPN,languages\nada@x,"en,de"\n', {"ada@x": {"languages": "en,de"}}),
        ("user,languages,level\nada@x,,3\nbob@x,,\n", {"ada@x": {"level": "3"}, "bob@x": {}}),
        ("user,languages\nada@x,<null>\n", {"ada@x": {"languages": "<null>"}}),
        ('user,tags\nada@x,"[""a"",""b""]"\n', {"ada@x": {"tags": '["a", "b"]'}}),
        ("user,languages\n\nada@x,en\n , \n", {"ada@x": {"languages": "en"}}),
        (f"user,{FULL}\nada@x,0042\n", {"ada@x": {FULL: "0042"}}),
        ("user,level\nada@x, 007 \n", {"ada@x": {"level": "7"}}),
        ('user,languages\nada@x,"en\nde"\n', {"ada@x": {"languages": "en\nde"}}),
        ("user,languages\nжанна@x,рус\n", {"жанна@x": {"languages": "рус"}}),
        ("user,languages\n", {}),
    ],
)
def test_a_roster_file_is_read_as(text: str, users: dict[str, dict[str, str]]) -> None:
    assert read_roster(text.encode(), type_of).users == users


@pytest.mark.parametrize(
    ("raw", "problems"),
    [
        (b"", ["line 1: the first column is missing; it must be `user`, then one column for each extension"]),
        (b"name,languages\n", ["line 1: the first column is 'name'; it must be `user`, then one column for each extension"]),
        (b"user\nada@x\n", ["line 1: there is no column for an extension"]),
        (b"user,skills,languages,languages\n", ["line 1: column 'skills' is not an extension", "line 1: column 'languages' appears twice"]),
        (
            b"user,level\nada@x,high\nbob@x,1\nAda@X,2\n,3\ncy@x,1,2\n",
            [
                "line 2: level is an Integer: write a whole number",
                "line 4: Ada@X is already on line 2; keep one of the two",
                "line 5: the user is missing",
                "line 6: has 3 cells, but the header has 2; quote cells that contain commas",
            ],
        ),
        (b"user,languages\nada@x,en\nbob@x,fran\xe7ais\n", ["line 3: byte 0xe7 is not UTF-8; save the file as CSV UTF-8"]),
        ("user,languages\n".encode("utf-16"), ["line 1: the file is UTF-16; save it as CSV UTF-8"]),
        (b'user,languages\nada@x,en\nbob@x,"en\n', ["line 3: a quote is opened and never closed"]),
        (b'user,"languages\nada@x,en\n', ["line 1: a quote is opened and never closed"]),
        (b'user,languages\nada@x,"' + b"en\n" * 60_000, ["line 2: a cell has more than 131,072 characters; is there a quote that is never closed?"]),
        (b'user,languages\nada@x,"en"x\n', ["line 2: text follows a closing quote; a quote inside a cell must be written twice"]),
        (b"user,languages\nada x,en\n", ["line 2: 'ada x' is neither a user principal name nor an object id"]),
        (b"user,languages\n../groups@x,e\x01n\nbob@x,e\x01n\n", ["line 2: '../groups@x' is neither a user principal name nor an object id", "line 3: languages contains the character U+0001, which XML, and so a SAML assertion, cannot contain"]),
        (b"user,languages\nada@x,en\nbob@x,e\x00n\n", ["line 3: contains the character U+0000, as no text does; save the file as CSV UTF-8"]),
        (b'user,languages\nada@x,"en\nde"\nbob@x,x,y\n', ["line 4: has 3 cells, but the header has 2; quote cells that contain commas"]),
    ],
)  # fmt: skip
def test_all_mistakes_are_reported_together_with_their_lines(raw: bytes, problems: list[str]) -> None:
    with pytest.raises(InvalidRoster) as raised:
        read_roster(raw, type_of)
    assert raised.value.problems == problems


def test_many_mistakes_are_counted_after_the_first_twenty() -> None:
    rows = "".join(f"user{number}@x,high\n" for number in range(50))
    with pytest.raises(InvalidRoster) as raised:
        read_roster(f"user,level\n{rows}".encode(), type_of)
    assert len(raised.value.problems) == 21
    assert raised.value.problems[-1] == "and 30 more"
