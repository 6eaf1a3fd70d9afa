"""If this goes red, `pulumi new` with a clone of this repository fails, or makes a project that cannot be previewed."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.emulator.process import Emulator
from tests.engine.stack import Checkout, Stack, seed
from tests.torture import PROJECT


class NewProject(Checkout):
    """A directory for `pulumi new`."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self.directory = directory


def test_a_project_of_another_name(emulator: Emulator, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    clone.mkdir()
    files = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=PROJECT, capture_output=True
    )
    subprocess.run(["tar", "--null", "-T", "-", "-cf", str(tmp_path / "clone.tar")], cwd=PROJECT, input=files.stdout)
    subprocess.run(["tar", "-xf", str(tmp_path / "clone.tar"), "-C", str(clone)], check=True)
    seed(emulator)
    stack = Stack(NewProject(tmp_path / "team"), emulator, tmp_path)
    stack.config_file.unlink()
    tenant = {"servicePrincipal": "Twilio Flex", "cloud": "loopback"}
    tenant |= {"graphEndpoint": emulator.http, "loginEndpoint": emulator.http}
    tenant["claims"] = '{"email": "user.mail", "full_name": "user.displayname", "roles": "user.assignedroles"}'
    settings = [word for name, value in tenant.items() for word in ("--plaintext", f"flexsaml:{name}={value}")]
    created = stack._run_once("new", str(clone), "--yes", "--name", "team-flex", "--generate-only")
    assert created.code == 0, created.output
    (stack.checkout.directory / ".venv").symlink_to(PROJECT / ".venv")
    assert "name: team-flex" in (stack.checkout.directory / "Pulumi.yaml").read_text("utf-8")
    for command in (["stack", "init", "dev"], ["config", "set-all", *settings], ["preview"]):
        ended = stack._run_once(*command)
        assert ended.code == 0, ended.output
    assert "FlexSamlClaims flex create" in ended.output
