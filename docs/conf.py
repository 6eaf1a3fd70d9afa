"""The documentation site: `make docs`. Pages are the Markdown files of this directory, as a Git host shows them too; a
line `<!-- generated: NAME -->` in one of them is replaced by what `tools/reference.py` makes of the code."""

import sys
from pathlib import Path

from sphinx.application import Sphinx

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

from tools.reference import fill_in  # noqa: E402 - the checkout is on the path from here on

project = "flexsaml"
extensions = ["myst_parser"]
exclude_patterns = ["_build"]
myst_heading_anchors = 4
html_theme = "furo"
html_title = "flexsaml"
html_show_copyright = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options = {"navigation_with_keys": True}


def fill_in_page(_app: Sphinx, _page: str, source: list[str]) -> None:
    """`source` holds the text of the page, in one item that is replaced."""
    source[0] = fill_in(source[0])


def setup(app: Sphinx) -> None:
    app.connect("source-read", fill_in_page)
