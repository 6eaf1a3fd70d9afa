"""If this goes red, docs/reliability.md attributes counts to a commit on which they were not measured, or passes counts
of older code off as those of the code as it is."""

from __future__ import annotations

import json

import pytest

from tests.torture import is_same_code, list_outdated, publish

DOCUMENT = """Text.

<!-- figures of kills -->
<!-- end -->

<!-- figures of contract -->
| | count |
|---|---:|
| requests | 10 |

Measured at commit 0ld0.
<!-- end -->
"""


def run_on(*commits: str) -> str:
    return "".join(json.dumps({"commit": commit, "figures": {"all_kills": 1_000}}) + "\n" for commit in commits)


def test_a_section_that_ran_is_summed_with_its_commit_and_others_stay() -> None:
    published = publish(DOCUMENT, {"kills": run_on("abc1", "abc1")})
    table = "| | count |\n|---|---:|\n| all kills | 2,000 |\n\nMeasured at commit abc1.\n"
    assert published == DOCUMENT.replace("<!-- figures of kills -->\n", f"<!-- figures of kills -->\n{table}")


def test_a_section_that_ran_on_two_commits_is_not_published() -> None:
    with pytest.raises(ValueError, match="kills ran on abc1 and abc2"):
        publish(DOCUMENT, {"kills": run_on("abc1", "abc2")})


@pytest.mark.parametrize(
    ("changed", "outdated"),
    [
        ([], []),
        (["providers/dynamic.py"], ["kills: changed since abc1: providers/dynamic.py"]),
        (["emulator/dials.py", "emulator/pace.py"], ["contract: changed since 0ld0: emulator/dials.py and 1 more"]),
        (["docs/index.md"], []),
    ],
)
def test_a_table_is_outdated_when_the_code_it_measures_changed(changed: list[str], outdated: list[str]) -> None:
    document = publish(DOCUMENT, {"kills": run_on("abc1")})

    def list_changes(_commit: str, directories: tuple[str, ...]) -> list[str]:
        return [file for file in changed if file.startswith(directories)]

    assert list_outdated(document, list_changes) == outdated


def test_a_table_without_a_commit_is_outdated() -> None:
    assert list_outdated(DOCUMENT, lambda *_: []) == ["kills: no commit is named"]


CODE = '''"""Module."""
class Kind:
    """Class."""

    limit: int = 3
    """attribute"""

    def read(self) -> str:
        """Function."""
        return "text"  # comment
'''


@pytest.mark.parametrize(
    ("edit", "is_same"),
    [
        (("Function.", "Another sentence."), True),
        (('    """attribute"""\n', ""), True),
        (("# comment", "# why"), True),
        (("= 3", "= 4"), False),
        (('"text"', '"another"'), False),
        (("read", "get"), False),
    ],
)
def test_comments_and_docstrings_are_no_code(edit: tuple[str, str], is_same: bool) -> None:
    assert is_same_code(CODE, CODE.replace(*edit)) is is_same
