r"""If this goes red, `predict` shows for a RegexReplace what .NET would not give, or hangs on a pattern.

The expected texts follow .NET's documentation of each construct; no .NET was run.
"""

from __future__ import annotations

import os
import re
import resource
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flexsaml.prediction.pattern_evaluation import UnsupportedPattern, evaluate_pattern
from flexsaml.prediction.pattern_process import MAX_STEPS, PatternProcess
from flexsaml.prediction.patterns import count_steps, translate_pattern


@pytest.fixture(scope="module")
def patterns() -> Iterator[PatternProcess]:
    with PatternProcess() as process:
        yield process


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
def test_patterns_mean_what_they_mean_in_dot_net(
    patterns: PatternProcess, pattern: str, replacement: str, text: str, expected: str
) -> None:
    replaced = patterns.replace_matches(pattern, replacement, text, {"n": "7"})
    assert replaced[0] == expected
    assert replaced == evaluate_pattern(translate_pattern(pattern).text, replacement, text, {"n": "7"}), "where it runs"


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
def test_what_only_dot_net_supports_is_refused(patterns: PatternProcess, pattern: str) -> None:
    with pytest.raises(UnsupportedPattern):
        patterns.replace_matches(pattern, "x", "text", {})


@pytest.mark.parametrize("replacement", ["$1", "${g}", "$&", "$$"])
def test_a_dollar_in_the_replacement_is_documented_nowhere(patterns: PatternProcess, replacement: str) -> None:
    with pytest.raises(UnsupportedPattern, match=r"\$"):
        patterns.replace_matches("(?<g>a)", replacement, "a", {})
    assert patterns.replace_matches("a", "5 $", "a", {})[0] == "5 $"


@pytest.mark.parametrize(
    ("pattern", "replacement", "inputs"),
    [("a", "x" * 1000, {}), ("a", "{b}", {"b": "x" * 1000}), ("(?<g>a)|", "{b}{b}", {"b": "x" * 60_000})],
)
def test_a_result_has_a_bounded_length(
    patterns: PatternProcess, pattern: str, replacement: str, inputs: dict[str, str]
) -> None:
    with pytest.raises(UnsupportedPattern, match="more than 100,000 characters"):
        patterns.replace_matches(pattern, replacement, "a" * 500, inputs)


@pytest.mark.parametrize(
    ("pattern", "length", "is_short"),
    [
        ("@.*$", 100, True),
        (r"^(?<name>[^@]+)@(?<domain>.+)$", 30, True),
        (r"^acl_(?<group>\S{2})_.*", 100, True),
        (r"\s+|_", 1000, False),
        ("a" * 100, 1000, True),
        (r"^(.*)_(.*)_(.*)$", 30, False),
        (r"^(.*)_(.*)$", 1000, False),
        ("(a+)+", 1, False),
        ("(?:a|b)*", 1, False),
        ("(?:a{9}){9}", 1, False),
        ("(?:ab)?c", 100, True),
        ("(a|a)" * 30 + "b", 30, False),  # two to the power of 30, without a quantifier
        ("a{9999}", 100, False),
        (r"(a)\1", 1, False),
        (r"(?<q>a)\k<q>", 1, False),
        ("(?=a)a", 1, False),
        ("(?<=a)b", 1, False),
        ("(?>a)b", 1, False),
    ],
)
def test_only_patterns_of_few_steps_are_evaluated_in_this_process(pattern: str, length: int, is_short: bool) -> None:
    assert (count_steps(translate_pattern(pattern), length) <= MAX_STEPS) is is_short
    with PatternProcess() as process:
        process.replace_matches(pattern, "x", "a" * length, {})
        assert (process.pid is None) is is_short


HUNGRY = {
    "exponential": ("(x+x+)+[yz]", "x" * 5000),
    "overlapping alternatives": ("(?:a|aa)+[bc]", "a" * 5000),
    "polynomial": ("a*a*a*a*a*a*a*[bc]", "a" * 50_000),
    "alternatives without a quantifier": ("(a|a|a|a)" * 60 + "[bc]", "a" * 5000),
    "counts": ("((a{1000}){1000}){1000}", "a"),
    "counts of a long part": ("(?:(?:" + "[ab]c" * 780 + "){300}){300}", "a"),
    "counts of alternatives": ("(?:" + "|".join(f"word{number}" for number in range(400)) + "){9999}", "a"),
    "counts in counts": ("(?:(?:a{0,100}b?){0,100}){0,100}[cd]", "a" * 50_000),
    "a reference": (r"(\w+)\1+$", "ab" * 40_000 + "!"),
    "looking ahead": (r"(?!(?:a|aa)+$)(?:a|aa)+[bc]", "a" * 90_000),
    "looking behind": ("(?:(?<=.*)a)*[bc]", "a" * 90_000),
    "many groups": ("()" * 1900 + "(?:(?>.))*[xy]", "a" * 100_000),
    "nested groups": ("(" * 1900 + "a" + ")" * 1900, "a"),
}


@pytest.mark.parametrize("name", HUNGRY)
def test_a_pattern_takes_little_time_and_memory_or_is_unknown(name: str) -> None:
    pattern, text = HUNGRY[name]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with PatternProcess() as process:
        with pytest.raises(UnsupportedPattern, match=r"the pattern takes|too deep"):
            process.replace_matches(pattern, "z", text, {})
        status = Path(f"/proc/{process.pid}/status")
        if status.exists():  # it has not ended, and this is Linux
            [peak] = re.findall(r"VmHWM:\s+(\d+) kB", status.read_text())
            assert int(peak) < 300_000
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2  # with the start of the process


HUNGRY_FOR_TIME = ("(?:" + "|".join(f"word{number}" for number in range(400)) + "){9999}", "x", "a")


def test_a_pattern_that_ended_the_process_is_not_tried_again_and_others_are() -> None:
    """With so much memory that time ends first, on a fast machine too."""
    with PatternProcess(memory=4_000_000_000) as process:
        assert process.replace_matches("(?:a|b)+", "x", "ab", {}) == ("x", 1)
        first = process.pid
        for _ in range(2):
            with pytest.raises(
                UnsupportedPattern, match="takes longer than 1 s; the process that evaluated it was ended"
            ):
                process.replace_matches(*HUNGRY_FOR_TIME, {})
            assert process.pid is None
        assert process.replace_matches("(?:a|b)+", "x", "ab", {}) == ("x", 1)
        assert process.pid not in (None, first)


def test_the_patterns_of_a_prediction_have_a_bounded_time_in_all() -> None:
    """The clock moves by a second at each look: two evaluations take more than the two seconds there are."""
    ticks = count()
    with PatternProcess(seconds=2, clock=lambda: float(next(ticks))) as process:
        assert process.replace_matches("a", "x", "ab", {}) == ("xb", 1)
        assert process.replace_matches("a", "x", "ab", {}) == ("xb", 1)
        assert process.replace_matches("a", "x", "ab", {}) == ("xb", 1)  # two thousandths are added for each
        with pytest.raises(UnsupportedPattern, match="take longer than 5 s in all"):
            process.replace_matches("a", "x", "ab", {})


def test_the_process_ends_with_the_prediction() -> None:
    with PatternProcess() as process:
        process.replace_matches("(?:a|b)+", "x", "ab", {})
        pid = process.pid
        assert pid
    assert process.pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize(("name", "words"), [("absent", ".*absent"), ("true", "it does not start")])
def test_without_a_process_a_pattern_is_unknown(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "true").write_text("#!/bin/sh\n")
    (tmp_path / "true").chmod(0o700)
    with PatternProcess(interpreter=str(tmp_path / name)) as process:
        with pytest.raises(UnsupportedPattern, match=f"cannot be evaluated in a process of its own: {words}"):
            process.replace_matches("(?:a|b)+", "x", "ab", {})
        assert process.replace_matches("a", "x", "ab", {}) == ("xb", 1)


def test_half_a_surrogate_pair_comes_back(patterns: PatternProcess) -> None:
    assert patterns.replace_matches("(?:a|b)+", "\ud800", "a\udfff", {}) == ("\ud800\udfff", 1)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab(?<>{}[]\\^$.*+-|'dwPpZz01:=!,i", max_size=20), st.text(alphabet="ab\n1-", max_size=20))
def test_every_pattern_is_replaced_or_refused_in_one_line(patterns: PatternProcess, pattern: str, text: str) -> None:
    message = ""
    try:
        patterns.replace_matches(pattern, "x", text, {})
    except UnsupportedPattern as problem:
        message = str(problem)
    assert "\n" not in message
