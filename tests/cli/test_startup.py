"""If this goes red, a command pays for libraries it does not use, or ends in a traceback when one is not installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import ROOT


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("modules", "unused"),
    [
        ("flexsaml.cli.verify, flexsaml.verification", {"pulumi", "regex", "requests"}),
        ("flexsaml.cli.predict, flexsaml.cli.worker, flexsaml.prediction", {"pulumi", "regex", "lxml", "signxml"}),
        ("flexsaml.flex", {"requests"}),
        ("components, providers", {"regex", "lxml", "signxml"}),
    ],
)
def test_nothing_is_imported_that_is_not_used(modules: str, unused: set[str]) -> None:
    process = run_python(f"import {modules}, sys; print(*sorted({unused!r} & set(sys.modules)))")
    assert (process.stdout.strip(), process.stderr) == ("", "")


@pytest.mark.parametrize(
    ("command", "package"),
    [
        ("verify", "lxml"),
        ("verify", "signxml"),
        ("verify", "cryptography"),
        ("verify", "yaml"),
        ("predict", "yaml"),
        ("predict", "requests"),
        ("worker", "yaml"),
        ("worker", "requests"),
    ],
)
def test_a_package_that_is_not_installed_is_one_line(command: str, package: str, tmp_path: Path) -> None:
    stack = tmp_path / "Pulumi.dev.yaml"
    stack.write_text("config:\n  flexsaml:servicePrincipal: Twilio Flex\n  flexsaml:claims: {email: user.mail}\n")
    user = {"verify": [str(stack)], "predict": ["--user", "a@x"], "worker": ["a@x"]}[command]
    arguments = ["flexsaml", command, *user, "--file", str(stack)]
    process = run_python(
        f"import sys; sys.modules[{package!r}] = None; sys.argv = {arguments!r}; "
        "from flexsaml.cli import main; sys.exit(main())"
    )
    line = f"{command}: the package {package} is not installed; run `pip install -r requirements.txt`\n"
    assert (process.returncode, process.stdout, process.stderr) == (2, "", line)


def test_a_missing_module_of_the_project_keeps_its_traceback() -> None:
    process = run_python(
        "import sys; sys.modules['flexsaml.verification'] = None; sys.argv = ['flexsaml', 'verify', '-']; "
        "from flexsaml.cli import main; sys.exit(main())"
    )
    assert "Traceback" in process.stderr
