"""If this goes red, what somebody made by hand cannot be brought under the stack without deleting it first."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

from tests.engine.stack import BASE, PROJECT, Stack, writes
from tests.engine.stack import calls as listed


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


def test_a_whole_stack_is_imported_and_owned(stack: Stack, tmp_path: Path) -> None:
    """Made by one stack whose state is lost; the same configuration imports all of it."""
    before = stack.emulator.export()
    stack.up()
    made = stack.emulator.export()
    lost = stack.room / "state"
    lost.rename(stack.room / "lost")
    lost.mkdir()
    stack.init()
    assert stack.run("preview").code != 0, "what exists is never taken over silently"
    stack.emulator.clear()
    out = tmp_path / "import.json"
    found = adopt(stack, "--out", str(out))
    assert found.returncode == 0, found.stderr
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert "destroy deletes them" in found.stdout
    assert f"pulumi import --yes --file {out} --generate-code=false --protect=false" in found.stdout
    stack.ok("import", "--yes", "--file", str(out), "--generate-code=false", "--protect=false")
    stack.unchanged()
    stack.up()
    assert writes(listed(stack.emulator)) == []
    assert stack.emulator.export() == made
    stack.unchanged()
    stack.refresh()
    stack.unchanged()
    stack.destroy()
    assert stack.emulator.export() == before


def test_what_is_not_there_is_left_to_up(stack: Stack, tmp_path: Path) -> None:
    stack.tenant().make_property("languages")
    out = tmp_path / "import.json"
    found = adopt(stack, "--out", str(out), "--json")
    assert found.returncode == 0, found.stderr
    told = json.loads(found.stdout)
    assert "flex-languages" in told["found"]
    assert any("ClaimsMappingPolicy" in one for one in told["absent"])
    stack.ok("import", "--yes", "--file", str(out), "--generate-code=false", "--protect=false")
    stack.up()
    assert len(stack.tenant().properties()) == 1
    stack.unchanged()
    stack.destroy()
    assert stack.tenant().properties() == {}


def test_a_stack_with_resources_is_told_the_other_way(stack: Stack, tmp_path: Path) -> None:
    stack.up()
    found = adopt(stack, "--out", str(tmp_path / "never.json"))
    assert (found.returncode, found.stdout) == (2, "")
    assert "refer to a property by its full name instead" in found.stderr
    assert not (tmp_path / "never.json").exists()


def test_what_stands_in_the_way_is_one_line(stack: Stack, tmp_path: Path) -> None:
    cases = [
        ({"servicePrincipal": "Nobody"}, "no enterprise application is called 'Nobody'"),
        ({"claims": {}}, "claims: there are none"),
        ({"graphEndpoint": "http://127.0.0.1:9", "loginEndpoint": "http://127.0.0.1:9"}, "127.0.0.1:9"),
    ]
    for change, says in cases:
        stack.config = {**BASE, **change}
        found = adopt(stack, "--out", str(tmp_path / "never.json"))
        assert (found.returncode, found.stdout) == (2, "")
        assert says in found.stderr
        assert "Traceback" not in found.stderr
    assert not (tmp_path / "never.json").exists()
    stack.config = dict(BASE)
    refused = adopt(stack, "--out", str(tmp_path))
    assert refused.returncode == 2
    assert "Is a directory" in refused.stderr
    usage = subprocess.run([sys.executable, "-m", "flexsaml"], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert usage.returncode == 2
