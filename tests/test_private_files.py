"""If this goes red, people's data is readable by others, is written through a link, or a command waits for ever."""

from __future__ import annotations

import errno
import os
import resource
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from flexsaml.errors import UserError
from flexsaml.private_files import read_regular_file, write_private_file


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


IRREGULAR: dict[str, tuple[Callable[[Path], None], str]] = {
    "a named pipe": (os.mkfifo, "it is a named pipe, not a regular file"),
    "a device": (lambda path: path.symlink_to("/dev/zero"), "it is a device, not a regular file"),
    # The system itself refuses to open these two:
    "a directory": (Path.mkdir, "Is a directory"),
    "a socket": (make_socket, os.strerror(errno.ENXIO)),
}
"""What has the name, how it is made, and why it is not read."""


@pytest.mark.parametrize("kind", IRREGULAR)
def test_only_a_regular_file_is_read(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket must be short
    make, reason = IRREGULAR[kind]
    make(Path("roster.csv"))
    with pytest.raises(OSError, match=r".*") as refused:
        read_regular_file("roster.csv")
    assert refused.value.strerror == reason


def test_a_link_to_a_regular_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "agents.csv").write_text("user")
    (tmp_path / "roster.csv").symlink_to("agents.csv")
    assert read_regular_file(tmp_path / "roster.csv") == b"user"
    assert read_regular_file(tmp_path / "roster.csv", 2) == b"us"


def test_a_new_file_and_one_that_others_could_read_become_private(tmp_path: Path) -> None:
    file = tmp_path / "import.json"
    before = os.umask(0)
    try:
        for text in ("a person's value", "another"):
            write_private_file(file, text)
            assert (stat.S_IMODE(file.stat().st_mode), file.read_text()) == (0o600, text)
            file.chmod(0o666)
    finally:
        os.umask(before)
    assert os.listdir(tmp_path) == ["import.json"]


@pytest.mark.parametrize("kind", ["a named pipe", "a directory", "a symbolic link"])
def test_what_would_take_the_content_elsewhere_is_refused(tmp_path: Path, kind: str) -> None:
    file, other = tmp_path / "import.json", tmp_path / "other"
    file.symlink_to(other) if kind == "a symbolic link" else IRREGULAR[kind][0](file)
    with pytest.raises(UserError, match=f"import.json is not written: it is {kind}, not a regular file; give"):
        write_private_file(file, "a person's value")
    assert not other.exists()
    assert os.listdir(tmp_path) == ["import.json"]


def test_a_full_disk_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    """A limit of the size of files stands for the full disk: both end a write in the middle."""
    file = tmp_path / "import.json"
    write_private_file(file, "whole")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(UserError, match=r"import\.json is not written: File too large"):
            write_private_file(file, "x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert file.read_text() == "whole"
    assert os.listdir(tmp_path) == ["import.json"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("absent/import.json", "No such file or directory"), ("a\0b", "embedded null (byte|character)")],
)
def test_a_name_that_cannot_be_written_is_one_line(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(UserError, match=f"is not written: .*{reason}"):
        write_private_file(tmp_path / name, "")
