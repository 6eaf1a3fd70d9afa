"""If this goes red, the documentation site is not built: a link leads nowhere, a page is in no list of contents, or a
reference page is empty.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from flexsaml.cli import COMMANDS
from flexsaml.declaration import KEYS
from providers import KINDS
from tests.documents.pages import DOCS

pytestmark = pytest.mark.skipif(sys.version_info < (3, 11), reason="Sphinx needs Python 3.11")


def build(source: Path, target: Path) -> subprocess.CompletedProcess[str]:
    """What `make docs` runs."""
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-c", str(DOCS), str(source), str(target)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site")
    built = build(DOCS, target)
    assert built.returncode == 0, built.stderr
    return target


@pytest.mark.parametrize(("page", "names"), [
    ("configuration", KEYS),
    ("resources", KINDS),
    ("options", COMMANDS),
])  # fmt: skip
def test_a_reference_page_names_all_that_the_code_has(site: Path, page: str, names: dict[str, object]) -> None:
    text = (site / "reference" / f"{page}.html").read_text("utf-8")
    assert [name for name in names if name not in text] == []
    assert "generated:" not in text


def test_the_search_knows_words_of_every_kind_of_page(site: Path) -> None:
    index = (site / "searchindex.js").read_text("utf-8")
    assert [word for word in ("aadsts50105", "roster", "displac", "allowremov") if word not in index] == []


def test_a_broken_page_is_refused(tmp_path: Path) -> None:
    broken = "See [a page](nowhere.md) and [a heading](#elsewhere). ![a picture](nothing.png)"
    (tmp_path / "index.md").write_text(f"# Page\n\n{broken}\n", encoding="utf-8")
    (tmp_path / "other.md").write_text("# Other\n", encoding="utf-8")
    built = build(tmp_path, tmp_path / "_build")
    assert built.returncode != 0
    for complaint in ("nowhere.md", "elsewhere", "nothing.png", "isn't included in any toctree"):
        assert complaint in built.stderr
