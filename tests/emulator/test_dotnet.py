"""If this goes red, a RegexReplace gives another text than .NET would, where the sandbox claims to know."""

from __future__ import annotations

import pytest

from emulator.entra.saml import dotnet


@pytest.mark.parametrize(
    ("pattern", "replacement", "text", "expected"),
    [
        (r"acl_(?<group>\S{2})_.*", "{group}_Role", "acl_EU_agents", "EU_Role"),
        (r"(?'a'b)", "[{a}]", "abc", "a[b]c"),
        (r"@(?<d>.+)$", "", "ada@x.example\n", "ada\n"),
        (r"a\Z", "b", "a\n", "b\n"),
        (r"a\z", "b", "a\n", "a\n"),
        (r"^a", "b", "a\na", "b\na"),
        (r"(?m)^a$", "b", "a\na", "b\nb"),
        (r"(?i)ADA", "x", "Ada", "x"),
        (r"\d+", "#", "a٣b4", "a#b#"),
        (r"\w+", "x", "é ü", "x x"),
        (r"x*", "-", "abxd", "-a-b--d-"),
        (r"(a)|(?<n>b)", "<{n}>", "ab", "<><b>"),
        (r"(?<x>a)\k<x>", "{x}", "aa", "a"),
        (r"(a)\1", "x", "aa", "x"),
        (r"a{,2}", "x", "a{,2}", "x"),
        (r"[]a]", "x", "]a", "xx"),
        (r"\p{Lu}", "x", "aB", "ax"),
        (r"\u0041\x42\e", "x", "AB\x1b", "x"),
        (r"(?<=a)b(?!c)", "x", "abab c abc", "axax c abc"),
        (r"z", "{y} 5 $", "z", "{y} 5 $"),
        # Patterns that only .NET has, or that mean something else there.
        (r"(", "", "a", None),
        (r"((a{1000}){1000}){1000}", "", "a", None),  # gigabytes, once compiled
        ("(?:(?:" + "[ab]c" * 780 + "){300}){300}", "", "a", None),
        ("(?:" + "|".join(f"word{number}" for number in range(400)) + "){999}", "", "a", None),
        ("a{9}b{9}c{9}d{9}e{9}f{9}|a", "x", "a", "x"),  # counts side by side do not multiply
        ("a", "{b}" * 60, "a" * 500, None),  # a result without end
        (r"(z)", "$1", "z", None),
        (r"(?<z>z)", "${z}", "z", None),
        (r"(?<o>a)(?<c-o>b)", "", "ab", None),
        (r"\p{IsGreek}", "", "a", None),
        (r"a(?i)b", "", "aB", None),
        (r"(?n)(a)", "", "a", None),
        (r"[a-z-[aeiou]]", "", "b", None),
        (r"a++", "", "aa", None),
        (r"(?P<x>a)", "", "a", None),
        (r"(?R)", "", "a", None),
        (r"(?<x>a)(b)\1", "", "abb", None),
        (r"\Qa\E", "", "a", None),
        (r"[[:alpha:]]", "", "a", None),
        (r"(?(a)b|c)", "", "b", None),
    ],
)  # fmt: skip
def test_what_a_pattern_does(pattern: str, replacement: str, text: str, expected: str | None) -> None:
    assert dotnet.replace(pattern, replacement, text, {"b": "x" * 99}) == expected


def test_a_pattern_that_backtracks_without_end_gives_nothing() -> None:
    """Without the bound this test would not end."""
    assert dotnet.replace(r"(a|a)*$", "", "a" * 60 + "b", {}) is None
