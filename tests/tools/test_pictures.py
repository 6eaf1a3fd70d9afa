"""If this goes red, a picture of the documents is out of date, asks a server for something, or makes a page slow.
Whether photographs and the recording are up to date is seen in the tutorial's test, `tests/engine/test_pages.py`."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tools.flow import draw_flow
from tools.pictures import PICTURES, record_terminal, select_lines

PRINTED = """Previewing update (sandbox):
 + pulumi:pulumi:Stack flexsaml-sandbox create
Updating (sandbox):
@ updating....

\x1b[32m+ \x1b[0m ExtensionProperty flex-languages creating (0s)
\x1b[32m+ \x1b[0m ExtensionProperty flex-languages \x1b[32mcreated\x1b[0m (0.03s)


Open http://127.0.0.1:54321/portal & sign in.
"""


def test_the_flow_is_the_one_that_the_script_draws() -> None:
    assert (PICTURES / "flow.svg").read_text("utf-8") == draw_flow(), "run `make pictures`"


def test_all_pictures_together_are_small() -> None:
    photographs = {"application.png", "who-signs-in.png", "sign-in-light.png", "sign-in-dark.png"}
    assert {path.name for path in PICTURES.iterdir()} == {"flow.svg", "terminal.svg", "shown.txt", *photographs}
    assert sum(path.stat().st_size for path in PICTURES.iterdir()) < 400_000


@pytest.mark.parametrize("picture", sorted(PICTURES.glob("*.svg")), ids=lambda path: path.name)
def test_a_drawing_is_well_formed_and_asks_no_server(picture: Path) -> None:
    text = picture.read_text("utf-8")
    ElementTree.fromstring(text)  # noqa: S314 - our own file
    assert re.findall(r"url\((?!#)|<script|<image|href=", text) == []


def test_the_recording_shows_the_update_without_its_progress() -> None:
    assert [re.sub("\x1b\\[[0-9;]*m", "", line) for line in select_lines(PRINTED)] == [
        "Updating (sandbox):",
        "",
        "+  ExtensionProperty flex-languages created (0.03s)",
        "",
        "Open http://127.0.0.1:8765/portal & sign in.",
    ]


def test_the_recording_is_an_svg_with_the_printed_text() -> None:
    recording = record_terminal(PRINTED)
    shown = " ".join(ElementTree.fromstring(recording).itertext()).replace("\xa0", " ")  # noqa: S314
    assert "flex-languages" in shown
    assert "& sign in" in shown
    assert "Previewing" not in shown
