"""If this goes red, the example policy pack lets through a claim that is not on the list or a mass removal that nobody
approved, stops a stack that keeps to both, or prints a value.

The engine's CLI and the pack are the real ones. The language host that `tools/engine.py` can build is too old to start a
pack in Python, so a script starts it here: the CLI does that for a runtime for which it has no language host.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.engine.stack import ADA, Config, Stack
from tests.torture import PROJECT

UV = PROJECT / ".venv" / "bin" / "uv"
EXAMPLE = PROJECT / "examples" / "policy-pack"


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pack, in a virtual environment of its own, as a runtime called `script`."""
    directory = shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("pack") / "policy-pack")
    definition = directory / "PulumiPolicy.yaml"
    changed = definition.read_text(encoding="utf-8").replace("name: python", "name: script")
    assert changed != definition.read_text(encoding="utf-8")
    definition.write_text(changed, encoding="utf-8")
    python = directory / ".venv" / "bin" / "python"
    subprocess.run([UV, "venv", "-q", directory / ".venv"], check=True)
    subprocess.run([UV, "pip", "install", "-q", "--python", python, "-r", directory / "requirements.txt"], check=True)
    script = directory / "bin" / "pulumi-analyzer-policy-script"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec {python} -u {directory} "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return directory


RAW = {
    "ClaimsMappingPolicy": {
        "Version": 1,
        "IncludeBasicClaimSet": "true",
        "ClaimsSchema": [
            {"Source": "user", "ID": source, "SamlClaimType": name}
            for source, name in (
                ("userprincipalname", "nameid"),
                ("mail", "email"),
                ("displayname", "full_name"),
                ("assignedroles", "roles"),
                ("employeeid", "salary"),
            )
        ],
    }
}
SALARY = "the claim 'salary' is not allowed; allowed: nameid, email, full_name, roles, languages.stringarray, level.int"
REMOVAL = "flexsaml:allowRemoval lets 300 values be restored at once, and 0 are approved"
CASES: dict[str, tuple[Config, int, list[str]]] = {
    # changes of the configuration, values that are approved to be removed, violations
    "nothing of both": ({}, 0, []),
    "a claim that is not on the list": ({"claims.salary": "user.employeeid"}, 0, [SALARY]),
    "a raw definition with such a claim": ({"claims": None, "definition": json.dumps(RAW)}, 0, [SALARY]),
    "a mass removal": ({"allowRemoval": 300}, 0, [REMOVAL]),
    "an approved mass removal": ({"allowRemoval": 300}, 300, []),
}


@pytest.mark.parametrize(("changes", "approved", "violations"), CASES.values(), ids=CASES)
def test_a_preview_with_the_policy_pack(
    stack: Stack, pack: Path, tmp_path: Path, changes: Config, approved: int, violations: list[str]
) -> None:
    if salary := changes.get("claims.salary"):
        stack.config["claims"]["salary"] = salary
    stack.config |= {key: value for key, value in changes.items() if key != "claims.salary"}
    stack.config = {key: value for key, value in stack.config.items() if value is not None}
    config = json.loads((EXAMPLE / "policy-config.json").read_text(encoding="utf-8"))
    config["mass-removal"]["approved"] = approved
    (tmp_path / "approved.json").write_text(json.dumps(config), encoding="utf-8")
    stack.identity["PATH"] = f"{pack / 'bin'}{os.pathsep}{stack.environment['PATH']}"
    result = stack.run("preview", "--policy-pack", str(pack), "--policy-pack-config", str(tmp_path / "approved.json"))
    assert "flex-claims@v1.0.0" in result.output, "the pack did not run"
    reported = [violation for violation in (SALARY, REMOVAL) if violation in result.output]
    assert (result.code == 0, reported) == (not violations, violations), result.output
    assert stack.config["users"][ADA]["languages"] not in result.output
