"""If this goes red, a document sends its reader to a file that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.documents.pages import DOCUMENTS, PROJECT, name_of

_NAMED = re.compile(r"`((?:tests|flexsaml|providers|components|emulator|tools|bench)/[\w./-]+)`")
_LINKED = re.compile(r"\]\((?!https?:|#)([^)#]+)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_file_that_a_document_names_is_there(document: Path) -> None:
    text = document.read_text("utf-8")
    named = [PROJECT / name for name in _NAMED.findall(text)]
    linked = [document.parent / name for name in _LINKED.findall(text)]
    assert [str(path) for path in (*named, *linked) if not path.exists()] == []
