r"""If this goes red, `predict` shows for a RegexReplace what .NET would not make of it, or hangs on a pattern.

The expected texts are what .NET's documentation says of each construct; no .NET was run.
"""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flexsaml.prediction.expressions import TIMEOUT, Unknowable, replace


@pytest.mark.parametrize(
    ("pattern", "replacement", "text", "found"),
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
        ("", "-", "ab", "-a-b-"),
    ],
)
def test_what_means_the_same_in_dot_net(pattern: str, replacement: str, text: str, found: str) -> None:
    assert replace(pattern, replacement, text, {"n": "7"}).text == found


@pytest.mark.parametrize(
    "pattern",
    [
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
def test_what_only_dot_net_knows_is_said_to_be_unknowable(pattern: str) -> None:
    with pytest.raises(Unknowable):
        replace(pattern, "x", "text", {})


@pytest.mark.parametrize("replacement", ["$1", "${g}", "$&", "$$"])
def test_a_dollar_in_the_replacement_is_documented_nowhere(replacement: str) -> None:
    with pytest.raises(Unknowable, match=r"\$"):
        replace("(?<g>a)", replacement, "a", {})
    assert replace("a", "5 $", "a", {}).text == "5 $"


def test_a_pattern_that_explodes_is_given_up_and_soon_not_tried_any_more() -> None:
    started = time.monotonic()
    for _ in range(1000):
        with pytest.raises(Unknowable, match="longer than"):
            replace("(x+x+)+y", "z", "x" * 5000, {})
    assert time.monotonic() - started < 50 * TIMEOUT


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab(?<>{}[]\\^$.*+-|'dwPpZz01:=!,i", max_size=20), st.text(alphabet="ab\n1-", max_size=20))
def test_no_pattern_does_more_than_answer_or_refuse(pattern: str, text: str) -> None:
    told = ""
    try:
        replace(pattern, "x", text, {})
    except Unknowable as problem:
        told = str(problem)
    assert "\n" not in told
