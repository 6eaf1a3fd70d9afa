"""If this goes red, what somebody made by hand cannot be brought under the stack without deleting it first."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

from tests.engine.request_log import requests_of, writes_in
from tests.engine.stack import ADA, BASE, PROJECT, Config, Stack


def adopt(stack: Stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    stack.write_config()
    return subprocess.run(
        [sys.executable, "-m", "flexsaml", "adopt", *arguments],
        cwd=stack.checkout.directory,
        env=stack.environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_all_that_a_stack_made_is_imported_and_owned(base_stack: Stack, tmp_path: Path) -> None:
    """Made by a stack whose state is lost; the same configuration imports all of it."""
    stack = base_stack
    tenant_with_objects = stack.emulator.export()
    (stack.directory / "state").rename(stack.directory / "lost")
    (stack.directory / "state").mkdir()
    stack.init()
    stack.refused("preview")  # what exists is never taken over silently
    stack.emulator.clear()
    import_file = tmp_path / "import.json"
    adopted = adopt(stack, "--out", str(import_file))
    assert adopted.returncode == 0, adopted.stderr
    assert stat.S_IMODE(import_file.stat().st_mode) == 0o600
    assert "destroy deletes them" in adopted.stdout
    start, _, names = adopted.stdout.partition("\n")[0].rpartition(": ")
    assert start == f"4 objects exist and are in {import_file}"
    assert sorted(names.split(", ")) == ["flex-ada@contoso.example", "flex-assignment", "flex-languages", "flex-policy"]
    assert "kept in state only: flex-tenant, flex-languages-before" in adopted.stdout
    assert "may leave extension properties behind in the tenant" in adopted.stdout
    assert "pulumi preview --diff   # shows no change\n" in adopted.stdout
    assert f"pulumi import --yes --file {import_file} --generate-code=false --protect=false" in adopted.stdout
    stack.ok("import", "--yes", "--file", str(import_file), "--generate-code=false", "--protect=false")
    stack.assert_unchanged()
    stack.up()
    assert writes_in(requests_of(stack.emulator)) == []
    assert stack.emulator.export() == tenant_with_objects
    stack.refresh()
    stack.assert_unchanged()
    stack.assert_destroy_restores_the_tenant()


def test_what_is_not_there_is_left_to_up(stack: Stack, tmp_path: Path) -> None:
    stack.tenant().make_property("languages")
    import_file = tmp_path / "import.json"
    adopted = adopt(stack, "--out", str(import_file), "--json")
    assert adopted.returncode == 0, adopted.stderr
    report = json.loads(adopted.stdout)
    assert "flex-languages" in report["found"]
    assert {"flex-policy", "flex-assignment"} <= set(report["absent"])
    stack.ok("import", "--yes", "--file", str(import_file), "--generate-code=false", "--protect=false")
    stack.up()
    assert len(stack.tenant().properties()) == 1
    stack.assert_unchanged()
    stack.destroy()
    assert stack.tenant().properties() == {}


def test_it_says_what_the_next_preview_shows(base_stack: Stack, tmp_path: Path) -> None:
    """What a lost state made, with another value declared, and with an extension that nobody has made."""
    stack, import_file = base_stack, tmp_path / "import.json"
    (stack.directory / "state").rename(stack.directory / "lost")
    (stack.directory / "state").mkdir()
    stack.init()
    stack.config["users"][ADA]["languages"] = "fr"
    stack.config["extensions"]["team"] = "String"
    adopted = adopt(stack, "--out", str(import_file))
    assert "these do not exist in the tenant: flex-team, flex-team-before\n" in adopted.stdout
    assert f"differ from what is declared: flex-{ADA}" in adopted.stdout
    assert "preview --diff   # creates what does not exist yet and updates what differs\n" in adopted.stdout
    stack.ok("import", "--yes", "--file", str(import_file), "--generate-code=false", "--protect=false")
    steps = json.loads(stack.preview("--json").output)["steps"]
    changed = {step["urn"].rsplit("::", 1)[-1]: step["op"] for step in steps if step["op"] != "same"}
    assert (changed.pop("flex-team"), changed.pop(f"flex-{ADA}")) == ("create", "update")


def test_a_stack_with_resources_is_told_to_refer_to_the_property(base_stack: Stack, tmp_path: Path) -> None:
    adopted = adopt(base_stack, "--out", str(tmp_path / "never.json"))
    assert (adopted.returncode, adopted.stdout) == (2, "")
    assert "refer to a property by its full name instead" in adopted.stderr
    assert not (tmp_path / "never.json").exists()


def test_what_stands_in_the_way_is_one_line(stack: Stack, tmp_path: Path) -> None:
    cases: list[tuple[Config, str]] = [
        ({"servicePrincipal": "Nobody"}, "no enterprise application is called 'Nobody'"),
        ({"claims": {}}, "claims: there are none"),
        ({"graphEndpoint": "http://127.0.0.1:9", "loginEndpoint": "http://127.0.0.1:9"}, "127.0.0.1:9"),
    ]
    for change, words in cases:
        stack.config = {**BASE, **change}
        adopted = adopt(stack, "--out", str(tmp_path / "never.json"))
        assert (adopted.returncode, adopted.stdout) == (2, "")
        assert words in adopted.stderr
        assert "Traceback" not in adopted.stderr
    assert not (tmp_path / "never.json").exists()
    stack.config = dict(BASE)
    into_a_directory = adopt(stack, "--out", str(tmp_path))
    assert into_a_directory.returncode == 2
    assert "it is a directory, not a regular file" in into_a_directory.stderr
    usage = subprocess.run([sys.executable, "-m", "flexsaml"], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert usage.returncode == 2
