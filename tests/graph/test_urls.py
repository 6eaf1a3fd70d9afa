"""If this goes red, a name that a user typed reaches another object, or opens a query of its own."""

from __future__ import annotations

import pytest

from flexsaml.graph.urls import InvalidReference, is_guid, literal, search_phrase, segment, user_path, with_query

USERS = [
    ("ada@contoso.example", "/users/ada@contoso.example"),
    ("ada_x#EXT#@contoso.example", "/users/ada_x%23EXT%23@contoso.example"),
    ("$ada@contoso.example", "/users('$ada@contoso.example')"),
    ("$o'neil@contoso.example", "/users('$o''neil@contoso.example')"),
    ("a+b@contoso.example", "/users/a%2Bb@contoso.example"),
    ("../applications", "/users/..%2Fapplications"),
    ("a?$select=id", "/users/a%3F%24select%3Did"),
]


@pytest.mark.parametrize(("reference", "path"), USERS)
def test_user_path(reference: str, path: str) -> None:
    assert user_path(reference) == path


def test_segment_opens_nothing() -> None:
    assert segment("a/b?c#d e") == "a%2Fb%3Fc%23d%20e"


@pytest.mark.parametrize("text", ["", ".", ".."])
def test_what_names_no_object_is_refused(text: str) -> None:
    with pytest.raises(InvalidReference, match="names no object"):
        user_path(text)


def test_query_uses_no_plus_for_spaces() -> None:
    query = with_query("/x", {"$filter": f"displayName eq {literal('O' + chr(39) + 'Neil & + co')}", "$top": 5})
    assert query == "/x?$filter=displayName%20eq%20'O''Neil%20%26%20%2B%20co'&$top=5"
    assert with_query("/x", None) == "/x"


def test_search_phrase_escapes() -> None:
    assert search_phrase("displayName", 'a "b" \\c') == '"displayName:a \\"b\\" \\\\c"'


@pytest.mark.parametrize(
    ("text", "guid"),
    [
        ("11111111-1111-4111-8111-11111111111a", True),
        ("11111111111141118111111111111111", False),
        ("{11111111-1111-4111-8111-111111111111}", False),
        ("11111111-1111-4111-8111-111111111111\n", False),
        ("Twilio Flex", False),
    ],
)
def test_is_guid(text: str, guid: bool) -> None:
    assert is_guid(text) is guid
