"""If this goes red, `make down` ends a stranger's process, or a second `make up` wedges the first one's sandbox."""

from __future__ import annotations

import fcntl
import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ports import find_free_port
from tools.sandbox import Emulator, Failure, describe_failure, make_private, write_environment

FAKE = """
import http.server, json, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"status": "ok"}).encode())

http.server.HTTPServer(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
"""
"""Answers /health as the emulator does, on the port of `--port`."""


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    emulator = Emulator(tmp_path, (sys.executable, "-c", FAKE))
    yield emulator
    emulator.stop()


def is_running(directory: Path) -> bool:
    with (directory / "emulator.json").open() as record:
        try:
            fcntl.flock(record, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_a_second_start_finds_the_first_emulator_whatever_its_port(emulator: Emulator) -> None:
    first, second = find_free_port(), find_free_port()
    assert emulator.last_port() is None
    assert emulator.start(first) == first
    assert Emulator(emulator.directory, ("false",)).start(second) == first
    assert is_running(emulator.directory)
    emulator.stop()
    assert not is_running(emulator.directory)
    emulator.stop()  # nothing runs, nothing happens
    assert emulator.last_port() == first, "the next start asks for the same port"


def test_a_stale_record_stops_no_other_process(emulator: Emulator) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        (emulator.directory / "emulator.json").write_text(json.dumps({"pid": stranger.pid, "port": 1}))
        emulator.stop()
        port = find_free_port()
        assert emulator.start(port) == port, "a stale record does not stand for an emulator"
        emulator.stop()
        assert stranger.poll() is None
        stranger.communicate(b"\n")
        assert stranger.returncode == 0


def test_a_port_of_another_program_is_refused_in_one_line(
    emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> None:
    port = emulator.start(find_free_port())
    other = Emulator(tmp_path_factory.mktemp("other"), emulator.command)
    with pytest.raises(Failure, match=f"port {port} belongs to another program"):
        other.start(port)
    with pytest.raises(Failure, match="did not start: "):
        Emulator(other.directory, (sys.executable, "-c", "raise SystemExit('cannot listen')")).start(find_free_port())


def test_an_emulator_that_is_just_being_started_is_named(tmp_path: Path) -> None:
    with (tmp_path / "emulator.json").open("w") as record:
        fcntl.flock(record, fcntl.LOCK_EX)
        with pytest.raises(Failure, match="being started by another command"):
            Emulator(tmp_path).stop()


@pytest.mark.parametrize(
    ("lock", "is_advised"), [("sandbox/id.json", True), ("prod/id.json", False), ("sandbox/id.json.attrs", False)]
)
def test_a_lock_that_a_killed_run_left_is_named_with_its_remedy(tmp_path: Path, lock: str, is_advised: bool) -> None:
    """What the engine advises works in no shell but that of `.sandbox/env`."""
    file = tmp_path / ".pulumi" / "locks" / "organization" / "flexsaml" / lock
    file.parent.mkdir(parents=True)
    file.write_text("{}")
    words = describe_failure("pulumi up --yes", tmp_path)
    assert words.startswith("`pulumi up --yes` failed (see above)")
    assert ("`. .sandbox/env && pulumi cancel`" in words) is is_advised
    assert describe_failure("pulumi up", tmp_path / "absent") == "`pulumi up` failed (see above)"


@pytest.fixture
def umask() -> Iterator[None]:
    """Whatever the umask becomes, it is open before and as it was afterwards."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_a_stack_that_the_shell_selects_elsewhere_is_not_meant_in_the_sandbox(tmp_path: Path, shell: str) -> None:
    write_environment(tmp_path, "/bin", 8765)
    script = 'set -eu; . "$0"; . "$0"; echo "${PULUMI_STACK-none}"'
    environment = {"PATH": os.environ["PATH"], "PULUMI_STACK": "prod"}
    command = [shell, "-c", script, str(tmp_path / "env")]
    shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert shown.stdout == "none\n"


@pytest.mark.usefixtures("umask")
def test_what_the_sandbox_makes_is_for_its_owner_only(tmp_path: Path) -> None:
    directory = tmp_path / ".sandbox"
    for _ in range(2):
        make_private(directory)
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        directory.chmod(0o755)  # as an earlier version made it
    write_environment(directory, "/bin", 8765)
    assert stat.S_IMODE((directory / "env").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ['it\'s $(touch made) `x` "y"', "two\nlines\ttabs;touch made", "\\$HOME\\"])
def test_the_environment_file_survives_any_path(tmp_path: Path, name: str) -> None:
    directory = tmp_path / name
    directory.mkdir()
    expected = write_environment(directory, f"{directory}/bin", 8765)
    script = '. "$0"; exec "$1" -c "import os, json; print(json.dumps(dict(os.environ)))"'
    command = ["sh", "-c", script, str(directory / "env"), sys.executable]
    shell = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    variables = json.loads(shell.stdout)
    assert {name: variables[name] for name in expected} == expected
    assert os.listdir(tmp_path) == [directory.name]
