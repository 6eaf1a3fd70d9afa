r"""If this goes red, `predict` shows for a RegexReplace what .NET would not give, or hangs on a pattern.

The expected texts follow .NET's documentation of each construct; no .NET was run.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flexsaml.prediction.patterns import MAX_TIMEOUTS, UnsupportedPattern, compile_pattern, replace_matches


@pytest.mark.parametrize(
    ("pattern", "replacement", "text", "expected"),
    [
        (r"acl_(?<group>\S{2})_.*", "{group}_Role", "acl_EU_agents", "EU_Role"),
        (r"@(?<domain>.+)", "@company.com", "ada@contoso.example", "ada@company.com"),
        (r"(?'g'a+)", "[{g}]", "caat", "c[aa]t"),
        ("a", "b", "aXa", "bXb"),  # every match
        ("z", "b", "abc", "abc"),  # none
        ("(?<g>x)?b", "<{g}>", "ab", "a<>"),  # a group that took no part is empty
        ("a", "{other}", "a", "{other}"),  # neither group nor input
        ("a", "{n}!", "a", "7!"),  # an input
        (r"b$", "x", "ab\n", "ax\n"),  # $ also before a last line feed
        (r"b\Z", "x", "ab\n", "ax\n"),
        (r"b\z", "x", "ab\n", "ab\n"),
        (r"^b", "x", "a\nb", "a\nb"),
        (r"(?m)^b", "x", "a\nb", "a\nx"),
        (r"(?i)B", "x", "b", "x"),
        (r"(?i:B)c", "x", "bc", "x"),
        (r"\d", "x", "٣", "x"),  # any digit of Unicode
        (r"\w+", "x", "größe", "x"),
        (r"\p{Lu}", "x", "aÄ", "ax"),
        (r"[^\p{L}]", "", "a-1", "a"),
        (r"[]a]", "x", "]", "x"),
        (r"[^]a]", "x", "]b", "]x"),
        ("[a[]", "x", "[", "x"),  # a bracket in a class is itself
        ("{", "x", "a{", "ax"),  # a brace that counts nothing is itself
        ("a{,3}", "x", "a{,3}", "x"),
        ("a{2,3}?", "x", "aaaa", "xx"),
        (r"(?<=a)b(?!c)", "x", "abc ab", "abc ax"),
        (r"(?>a+)b", "x", "aab", "x"),
        (r"(a)\1", "x", "aa", "x"),
        (r"(?<q>.)\k<q>", "x", "oo", "x"),
        (r"\x41\u00e4", "x", "Aä", "x"),
        (r"\e", "x", "\x1b", "x"),
        (r"\.", "x", "a.b", "axb"),
        ("a{9}b{9}c{9}d{9}e{9}f{9}", "x", "ab", "ab"),  # counts side by side do not multiply
        ("(?:ab{99}){9}|a", "x", "a", "x"),
        ("", "-", "ab", "-a-b-"),
    ],
)
def test_patterns_mean_what_they_mean_in_dot_net(pattern: str, replacement: str, text: str, expected: str) -> None:
    assert replace_matches(pattern, replacement, text, {"n": "7"})[0] == expected


@pytest.mark.parametrize(
    "pattern",
    [
        r"((a{1000}){1000}){1000}",  # gigabytes, once compiled
        "(?:(?:" + "[ab]c" * 780 + "){300}){300}",
        "(?:" + "|".join(f"word{number}" for number in range(400)) + "){999}",
        "(?:(?:a{0,100}b?){0,100}){0,100}",
        "(?:(?:(?:" + "(?<=a)" * 100 + "){2}){10}){10}",
        r"(?<open-close>x)",  # balancing groups
        r"(?<-open>x)",
        r"[a-z-[aeiou]]",  # class subtraction
        r"\p{IsGreek}",  # named blocks
        r"a(?i)b",  # options in the middle
        r"(?x) a b",
        r"(?n)(a)",
        r"(?(a)b|c)",  # alternation on a condition
        r"(?#comment)a",
        r"a++",  # possessive here, an error there
        r"a**",
        r"(?P<g>a)",  # Python's spelling
        r"(?|a|b)",  # Perl's
        r"(?R)",
        r"\R",
        r"\X",
        r"\K",
        r"\cA",
        r"\0",
        r"\12",
        r"(?<g>a)(b)\1",  # .NET numbers named groups last
        r"(?<1>a)",
        r"\k<missing>",
        r"(",
        r")",
        r"[a",
        "a\\",
        "(" * 2000 + ")" * 2000,
        "a" * 5000,
    ],
)
def test_what_only_dot_net_supports_is_refused(pattern: str) -> None:
    with pytest.raises(UnsupportedPattern):
        replace_matches(pattern, "x", "text", {})


@pytest.mark.parametrize("replacement", ["$1", "${g}", "$&", "$$"])
def test_a_dollar_in_the_replacement_is_documented_nowhere(replacement: str) -> None:
    with pytest.raises(UnsupportedPattern, match=r"\$"):
        replace_matches("(?<g>a)", replacement, "a", {})
    assert replace_matches("a", "5 $", "a", {})[0] == "5 $"


@pytest.mark.parametrize(
    ("pattern", "replacement", "inputs"),
    [("a", "x" * 1000, {}), ("a", "{b}", {"b": "x" * 1000}), ("(?<g>a)|", "{b}{b}", {"b": "x" * 60_000})],
)
def test_a_result_has_a_bounded_length(pattern: str, replacement: str, inputs: dict[str, str]) -> None:
    with pytest.raises(UnsupportedPattern, match="more than 100,000 characters"):
        replace_matches(pattern, replacement, "a" * 500, inputs)


def test_a_pattern_that_was_too_slow_is_not_tried_again() -> None:
    pattern = "(x+x+)+y"
    for _ in range(MAX_TIMEOUTS + 3):
        with pytest.raises(UnsupportedPattern, match="longer than"):
            replace_matches(pattern, "z", "x" * 5000, {})
    assert compile_pattern(pattern).timeouts == MAX_TIMEOUTS


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab(?<>{}[]\\^$.*+-|'dwPpZz01:=!,i", max_size=20), st.text(alphabet="ab\n1-", max_size=20))
def test_every_pattern_is_replaced_or_refused_in_one_line(pattern: str, text: str) -> None:
    message = ""
    try:
        replace_matches(pattern, "x", text, {})
    except UnsupportedPattern as problem:
        message = str(problem)
    assert "\n" not in message
