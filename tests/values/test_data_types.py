"""If this goes red, a value reaches Graph in another form than the person wrote, or a preview sees a change
where there is none (or none where there is one)."""

import json

import pytest

from flexsaml.values import NULL, DataType, InvalidValue, Ledger

FITS = [
    # type, as written, canonical, on the wire
    ("String", "en,de", "en,de", "en,de"),
    ("String", "", "", ""),
    ("String", "0123", "0123", "0123"),
    ("String", "no", "no", "no"),
    ("String", "x" * 256, "x" * 256, "x" * 256),
    ("String", None, NULL, None),
    ("Boolean", True, "true", True),
    ("Boolean", "False", "false", False),
    ("Boolean", False, "false", False),
    ("Integer", 0, "0", 0),
    ("Integer", 3.0, "3", 3),
    ("Integer", "-2147483648", "-2147483648", -2147483648),
    ("Integer", "+7", "7", 7),
    ("LargeInteger", "9007199254740993", "9007199254740993", 9007199254740993),
    ("DateTime", "2026-11-24", "2026-11-24T00:00:00Z", "2026-11-24T00:00:00Z"),
    ("DateTime", "2026-11-24T09:00:00+01:00", "2026-11-24T08:00:00Z", "2026-11-24T08:00:00Z"),
    ("DateTime", "2026-11-24T08:00:00.5000000Z", "2026-11-24T08:00:00.5Z", "2026-11-24T08:00:00.5Z"),
    ("DateTime", "2026-11-24 00:00:00 +0000 UTC", "2026-11-24T00:00:00Z", "2026-11-24T00:00:00Z"),  # without quotes
    ("DateTime", "2026-11-24T08:00", "2026-11-24T08:00:00Z", "2026-11-24T08:00:00Z"),
    ("Binary", "AAE=", "AAE=", "AAE="),
    ("String[]", ["en", "de"], '["en", "de"]', ["en", "de"]),
    ("Integer[]", [1.0, "2"], '["1", "2"]', [1, 2]),
    ("String[]", [], "[]", []),
]

DOES_NOT_FIT = [
    ("String", "x" * 257, "257 characters"),
    ("String", True, "write it in quotes"),
    ("String", 83, "write it in quotes"),
    ("String", 83.0, "write it in quotes"),
    ("String", "2024-01-02 00:00:00 +0000 UTC", "write it in quotes"),
    ("String[]", ["en", 5], "write it in quotes"),
    ("Binary", 12345678, "write it in quotes"),
    ("String", ["en"], "text in quotes"),
    ("Boolean", "yes", "true or false"),
    ("Boolean", 1, "true or false"),
    ("Integer", "2147483648", "32-bit range"),
    ("Integer", 3.5, "whole number"),
    ("Integer", True, "whole number"),
    ("Integer", "٣", "whole number"),
    ("LargeInteger", "9223372036854775808", "64-bit range"),
    ("DateTime", "24.11.2026", "ISO 8601"),
    ("DateTime", "2026-02-30", "does not exist"),
    ("Binary", "not base64!", "base64"),
    ("Binary", "A" * 344 + "AAA=", "260 bytes"),
    ("String[]", "en", "write a list"),
    ("String[]", "[en", "JSON array"),
    ("String[]", ["x" * 257], "257 characters"),
    ("String", "before\x00after", r"the character U\+0000, which XML, and so a SAML assertion, cannot contain"),
    ("String[]", ["fine", "half \ud83d"], r"U\+D83D"),
]


@pytest.mark.parametrize(("kind", "written", "canonical", "wire"), FITS)
def test_a_value_has_one_spelling_and_comes_back_from_the_wire(
    kind: str, written: object, canonical: str, wire: object
) -> None:
    data_type = DataType.parse(kind)
    assert data_type.canonical(written) == canonical
    assert data_type.canonical(canonical) == canonical, "checking twice must change nothing"
    assert data_type.to_wire(canonical) == wire
    assert type(data_type.to_wire(canonical)) is type(wire), "1 is not True on the wire"
    expected = NULL if wire is None or wire == [] else canonical
    assert data_type.from_wire(wire) == expected


@pytest.mark.parametrize(("kind", "written", "why"), DOES_NOT_FIT)
def test_what_does_not_fit_is_refused_without_repeating_it(kind: str, written: object, why: str) -> None:
    with pytest.raises(InvalidValue, match=why) as refusal:
        DataType.parse(kind).canonical(written)
    assert str(written)[:40] not in str(refusal.value) or len(str(written)) < 5


LIVE: list[tuple[str, object]] = [
    ("String", "before\x0bafter"),
    ("String", "\ufffe"),
    ("String", '\ufffe"a"'),
    ("String", "<null>"),
    ("String", '"<null>"'),
    ("String", "x" * 257),
    ("String", "half \ud83d"),
    ("String", " spaces "),
    ("String", ""),
    ("String", 7),
    ("String", ["a"]),
    ("String", "[1, 2]"),
    ("Integer", "many"),
    ("Integer", "5"),
    ("Integer", 5.0),
    ("Integer", 2**40),
    ("LargeInteger", 9007199254740993),
    ("Boolean", "true"),
    ("Boolean", 1),
    ("DateTime", "0001-01-01T00:00:00Z"),
    ("DateTime", "2026-11-24T08:00:00.0000000Z"),
    ("DateTime", "2026-11-24T09:00:00+01:00"),
    ("DateTime", "9999-12-31T23:59:59.9999999Z"),
    ("DateTime", "9999-12-31T23:59:59-01:00"),
    ("DateTime", "2026-11-24"),
    ("DateTime", "tomorrow"),
    ("Binary", "AAE="),
    ("Binary", "not base64!"),
    ("String[]", ["b", "a", "b"]),
    ("String[]", ["<null>", "a\x0b"]),
    ("String[]", "[not a list"),
    ("String[]", '["text"]'),
    ("String[]", ["a", None]),
    ("DateTime[]", ["2026-11-24T08:00:00.0000000Z"]),
]


@pytest.mark.parametrize(("kind", "wire"), LIVE)
def test_whatever_a_user_held_comes_back_exactly(kind: str, wire: object) -> None:
    data_type = DataType.parse(kind)
    kept = data_type.exact_from_wire(wire)
    assert json.dumps(data_type.to_wire(kept)) == json.dumps(wire)
    assert kept != NULL
    assert data_type.means_same(kept, data_type.from_wire(wire))
    ledger = Ledger().before_write({"ada": kept}, {"ada": NULL})
    assert Ledger.unpack(ledger.pack()).restoration({"ada": NULL}).priors == {"ada": kept}


def test_a_date_of_the_year_1_has_four_digits() -> None:
    assert DataType("DateTime").from_wire("0001-01-01T00:00:00Z") == "0001-01-01T00:00:00Z"


SAME: list[tuple[str, object, object, bool]] = [
    ("String", "a", "a", True),
    ("String", "a", "A", False),
    ("String", '["a","b"]', '["b","a"]', False),
    ("String", "<null>", None, False),
    ("String[]", ["a", "b"], ["b", "a"], True),
    ("String[]", ["a", "b", "b"], ["b", "a"], False),
    ("String[]", [], None, True),
    ("Integer[]", [10, 9], [9, 10], True),
    ("DateTime", "2026-11-24T08:00:00.0000000Z", "2026-11-24T08:00:00Z", True),
    ("DateTime", "2026-11-24T08:00:00.0000000Z", "2026-11-24T08:00:01Z", False),
    ("DateTime", "not a date", None, False),
]


@pytest.mark.parametrize(("kind", "live", "other", "same"), SAME)
def test_order_and_spelling_of_a_live_value_are_no_difference(
    kind: str, live: object, other: object, same: bool
) -> None:
    data_type = DataType.parse(kind)
    value = data_type.exact_from_wire(live)
    assert data_type.means_same(value, data_type.from_wire(other)) is same
    assert data_type.means_same(value, value)


@pytest.mark.parametrize("name", ["string", "Text", "", "Strin"])
def test_an_unknown_data_type_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(InvalidValue, match="LargeInteger"):
        DataType(name)


@pytest.mark.parametrize(
    ("kind", "canonical", "count"),
    [
        ("String", "en,de", 1),
        ("String", "", 1),
        ("String", NULL, 0),
        ("String[]", '["a", "b"]', 2),
        ("String[]", "[]", 0),
    ],
)
def test_a_cell_counts_as_many_values_as_it_holds(kind: str, canonical: str, count: int) -> None:
    assert DataType.parse(kind).count_values(canonical) == count
