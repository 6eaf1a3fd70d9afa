"""If this goes red, `pip install` of this project fails, shadows somebody's modules, or leaves out what a command
needs. A program that uses the wheel runs in `tests/engine/test_host_program.py`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from flexsaml.installation import advise_installation, read_version
from setup import move_imports
from tests.torture import PROJECT
from tests.wheel import build_sdist, build_wheel, copy_sources, pip


def run_python(wheel: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(wheel)}
    return subprocess.run(
        [sys.executable, *arguments], cwd=wheel, env=environment, capture_output=True, text=True, check=False
    )


def test_its_names_shadow_nobody(wheel: Path) -> None:
    assert {path.name for path in wheel.iterdir() if not path.name.endswith(".dist-info")} == {"flexsaml", "bin"}
    for room in ("components", "providers"):
        assert run_python(wheel, "-c", f"import {room}").returncode == 1


def test_every_module_can_be_imported(wheel: Path) -> None:
    modules = [
        ".".join(path.relative_to(wheel).with_suffix("").parts)
        for path in sorted((wheel / "flexsaml").rglob("*.py"))
        if path.stem not in ("__init__", "__main__")
    ]
    assert len(modules) > 80
    ended = run_python(wheel, "-c", "\n".join(f"import {module}" for module in modules))
    assert ended.returncode == 0, ended.stderr


HOST_PROGRAM = """
from flexsaml.components import FlexSamlClaims, FlexSamlClaimsArgs
flex = FlexSamlClaims("flex", FlexSamlClaimsArgs(service_principal=PRINCIPAL, claims={"email": "user.mail"}))
reveal_type(flex.service_principal_id)
"""


@pytest.mark.parametrize(
    ("principal", "status", "words"),
    [
        ('"Twilio Flex"', 0, 'Revealed type is "pulumi.output.Output[str]"'),
        ("5", 1, 'Argument "service_principal" to "FlexSamlClaimsArgs" has incompatible type "int"'),
    ],
)
def test_a_type_checker_knows_its_types(wheel: Path, tmp_path: Path, principal: str, status: int, words: str) -> None:
    program = tmp_path / "program.py"
    program.write_text(HOST_PROGRAM.replace("PRINCIPAL", principal), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(wheel)}  # of packages there, mypy reads those with py.typed only
    command = [sys.executable, "-m", "mypy", "--config-file=", "--strict", str(program)]
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (ended.returncode, words in ended.stdout) == (status, True), ended.stdout


def test_data_files_are_in_it(wheel: Path) -> None:
    for room, prefix in (("flexsaml", ""), ("components", "flexsaml"), ("providers", "flexsaml")):
        for path in (PROJECT / room).rglob("*"):
            if path.is_file() and path.suffix not in (".py", ".pyc", ".md"):
                assert (wheel / prefix / path.relative_to(PROJECT)).exists(), path


def test_the_console_script_is_the_module(wheel: Path) -> None:
    script = run_python(wheel, str(wheel / "bin" / "flexsaml"), "--help")
    module = run_python(wheel, "-m", "flexsaml", "--help")
    assert script.returncode == module.returncode == 0, script.stderr
    assert "adopt" in script.stdout
    version = run_python(wheel, str(wheel / "bin" / "flexsaml"), "--version")
    assert (version.returncode, version.stdout) == (0, f"{read_version()}\n")


def test_a_command_names_the_extra_that_it_lacks(wheel: Path) -> None:
    block = "import sys; sys.modules['lxml'] = None; from flexsaml.cli import main; sys.exit(main(['verify', 'x']))"
    ended = run_python(wheel, "-c", block)
    line = "verify: the package lxml is not installed; install flexsaml again with its extra `verify`, from where it came\n"
    assert (ended.returncode, ended.stderr) == (2, line)


@pytest.mark.parametrize(
    ("package", "advice"),
    [
        ("regex", "install flexsaml again with its extra `predict`, from where it came"),
        ("signxml", "install flexsaml again with its extra `verify`, from where it came"),
        ("requests", "install flexsaml again, from where it came"),
    ],
)
def test_what_is_missing_is_installed_with_the_wheel(package: str, advice: str) -> None:
    assert advise_installation(package, checkout=None) == advice
    assert advise_installation(package, PROJECT, in_environment=True) == "run `pip install -r requirements.txt`"


def test_who_forgot_the_virtual_environment_of_the_checkout_is_told_so(tmp_path: Path) -> None:
    assert "pip install" in advise_installation("requests", tmp_path, in_environment=False), "there is none"
    activate = tmp_path / ".venv" / "bin" / "activate"
    activate.parent.mkdir(parents=True)
    activate.touch()
    assert ". .venv/bin/activate" in advise_installation("requests", tmp_path, in_environment=False)
    assert "pip install" in advise_installation("requests", tmp_path, in_environment=True)


@pytest.mark.parametrize(
    ("written", "in_wheel"),
    [
        ("import providers\n", "from flexsaml import providers\n"),
        ("if 1:\n    from components.args import x\n", "if 1:\n    from flexsaml.components.args import x\n"),
        ("from providers import engine as e\n", "from flexsaml.providers import engine as e\n"),
        ('MODULES = {"adopt": "components.adopt"}\n', 'MODULES = {"adopt": "flexsaml.components.adopt"}\n'),
        ("from . import providers\n", "from . import providers\n"),
        ("path = root / 'components'\n", "path = root / 'components'\n"),
        ("providers_of_keys = 'components'\n", "providers_of_keys = 'components'\n"),
    ],
)
def test_imports_of_rooms_are_moved(written: str, in_wheel: str) -> None:
    assert move_imports(written) == in_wheel


@pytest.mark.parametrize(
    "written",
    [
        "import providers as p\n",
        "import os, components\n",
        "import providers.engine\n",
        "x('components.adopt')\n",
        "x('providers')\n",
        "x(name='providers')\n",
        "x(f'providers.{y}')\n",
    ],
)
def test_a_form_that_the_build_does_not_know_ends_it(written: str) -> None:
    with pytest.raises(ValueError, match="names of rooms outside the package"):
        move_imports(written)


def test_the_build_ends_at_such_a_module(tmp_path: Path) -> None:
    sources = copy_sources(tmp_path)
    (sources / "components" / "bad.py").write_text("import providers as p\n")
    ended = build_wheel(sources, tmp_path)
    assert ended.returncode != 0
    assert "components/bad.py: names of rooms outside the package: providers" in ended.stderr + ended.stdout


def test_a_module_deleted_since_the_last_build_is_not_in_it(tmp_path: Path) -> None:
    sources = copy_sources(tmp_path)
    leftover = sources / "build" / "lib" / "flexsaml" / "components" / "deleted.py"
    leftover.parent.mkdir(parents=True)
    leftover.touch()
    assert build_wheel(sources, tmp_path).returncode == 0
    (wheel,) = tmp_path.glob("*.whl")
    assert "flexsaml/components/deleted.py" not in ZipFile(wheel).namelist()


def test_the_sdist_builds_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    sdist = build_sdist(copy_sources(tmp_path), tmp_path)
    ended = build_wheel(sdist, tmp_path)
    assert ended.returncode == 0, ended.stderr
    (built,) = tmp_path.glob("*.whl")
    files = {path.relative_to(wheel).as_posix() for path in (wheel / "flexsaml").rglob("*") if path.is_file()}
    in_wheel = {name for name in ZipFile(built).namelist() if name.startswith("flexsaml/")}
    assert in_wheel == {name for name in files if "__pycache__" not in name}


def test_an_editable_installation_is_refused(tmp_path: Path) -> None:
    target = ("--no-deps", "--no-build-isolation", "--target", str(tmp_path / "installed"))
    ended = pip("install", *target, "--editable", str(copy_sources(tmp_path)))
    assert ended.returncode != 0
    assert "flexsaml has no editable installation; leave out -e" in ended.stderr + ended.stdout
