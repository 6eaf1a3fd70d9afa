"""If this goes red, `python -m flexsaml review` does not read what this engine prints."""

from __future__ import annotations

from tests.cli.command import run
from tests.engine.stack import ADA, Stack


def test_a_preview_as_a_comment(base_stack: Stack) -> None:
    base_stack.config["users"] = {ADA: {"languages": "en,fr"}}
    file = base_stack.directory / "preview.json"
    file.write_text(base_stack.preview("--json").output, encoding="utf-8")
    ended = run("review", str(file))
    assert (ended.status, ended.err) == (0, "")
    assert "| <code>ada&#64;contoso.example</code> | <code>en,de</code> | <code>en,fr</code> |" in ended.out
    assert "1 user gets other values, from the next sign-in on." in ended.out
