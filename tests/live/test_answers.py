"""If this goes red, the live suite cannot tell two answers of a tenant apart, so that a volunteer's report would settle
nothing, or settle it wrongly."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from emulator.dials import Dials
from flexsaml.prediction import load_rules
from tests.emulator.process import Emulator
from tests.live.conftest import make_run
from tests.live.run import EXPERIMENTS

DOCUMENT = Path(__file__).parents[2] / "docs" / "live.md"
KINDS = get_type_hints(Dials)
Answers = dict[str, str | None]


def ask(emulator: Emulator, dials: dict[str, Any]) -> Answers:
    emulator.reset()
    emulator.dials(**dials)
    report = make_run(emulator).carry_out()
    assert report["left_behind"] == 0
    return {row["question"]: row["answer"] or row["undecided"] for row in report["answers"]}


def list_settings() -> dict[str, list[Any]]:
    """The dials that experiments decide, with the settings that their answers name."""
    settings: dict[str, list[Any]] = {}
    for experiment in EXPERIMENTS:
        for answer in experiment.answers.values():
            for dial, setting in answer.dials.items():
                if setting not in settings.setdefault(dial, []):
                    settings[dial].append(setting)
    return settings


def expect(dials: dict[str, Any]) -> Answers:
    """The answers of an emulator with these dials: of each question the answer that names its settings."""
    in_force = {**vars(Dials()), **dials}
    expected: Answers = {}
    for experiment in EXPERIMENTS:
        for name, answer in experiment.answers.items():
            fits = all(in_force[dial] == setting for dial, setting in answer.dials.items())
            if answer.dials and fits:
                expected.setdefault(experiment.question, name)
    return expected


@pytest.fixture(scope="module")
def by_default(process: Emulator) -> Answers:
    return ask(process, {})


FLIPS = [
    (dial, setting)
    for dial, settings in list_settings().items()
    for setting in settings
    if setting != getattr(Dials(), dial)
]


@pytest.mark.parametrize(("dial", "setting"), FLIPS)
def test_a_flipped_dial_turns_exactly_its_own_answers(
    process: Emulator, by_default: Answers, dial: str, setting: Any
) -> None:
    deciding = {
        experiment.question
        for experiment in EXPERIMENTS
        if any(dial in answer.dials for answer in experiment.answers.values())
    }
    answers = ask(process, {dial: setting})
    assert {question for question in answers if answers[question] != by_default[question]} == deciding
    assert expect({dial: setting}).items() <= answers.items()


@pytest.mark.parametrize("number", range(3))
def test_shuffled_dials_are_read_back(process: Emulator, number: int) -> None:
    chance = random.Random(number)  # noqa: S311 - the same shuffles in every run
    dials = {dial: chance.choice(settings) for dial, settings in list_settings().items()}
    assert expect(dials).items() <= ask(process, dials).items()


def test_every_answer_is_about_something_that_exists() -> None:
    for experiment in EXPERIMENTS:
        for answer in experiment.answers.values():
            assert {*answer.confirms, *answer.contradicts} <= set(load_rules())
            for dial, setting in answer.dials.items():
                assert setting in (get_args(KINDS[dial]) or (True, False) if KINDS[dial] is not int else (0, 2))


def test_the_document_lists_every_question_and_what_it_decides() -> None:
    rows = re.findall(
        r"(?m)^\| (`[a-z].*?) \| .* \| (.*?) \|$", DOCUMENT.read_text("utf-8").partition("## What it asks")[2]
    )
    for experiment in EXPERIMENTS:
        (decides,) = (decides for questions, decides in rows if f"`{experiment.question}`" in questions)
        answers = experiment.answers.values()
        assert {dial for answer in answers for dial in answer.dials} <= set(re.findall(r"`(\w+)`", decides))
        rules = {rule.partition(" ")[0] for answer in answers for rule in (*answer.confirms, *answer.contradicts)}
        assert rules == set(re.findall(r"\b([A-Z]\d*)\b", decides))


def test_the_answers_cover_every_setting_of_their_dials() -> None:
    for dial, settings in list_settings().items():
        choices = get_args(KINDS[dial]) or ((True, False) if KINDS[dial] is bool else (0, 2))
        assert set(settings) == set(choices), dial
