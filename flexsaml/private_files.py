"""Files with people's data: written for their owner only, and read only where a regular file is."""

import os
import stat
import tempfile
from pathlib import Path

from flexsaml.errors import UserError

_KINDS = {
    stat.S_IFDIR: "a directory", stat.S_IFIFO: "a named pipe", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket", stat.S_IFLNK: "a symbolic link",
}  # fmt: skip


def read_regular_file(path: str | Path, max_bytes: int = -1) -> bytes:
    """The content, at most `max_bytes`. Raises OSError, with the reason as `strerror`, for what is no regular file: a
    named pipe or a terminal would be waited for without end, and a device never ends."""
    # Without O_NONBLOCK the open itself waits for the other end of a named pipe.
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        if problem := _describe_irregular(os.fstat(file.fileno())):
            raise OSError(0, problem)
        return file.read(max_bytes)


def check_writable(path: Path) -> None:
    """Raises `UserError` where `write_private_file` could not write: for whoever has to know it before a change."""
    _check_regular(path)
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise UserError(f"{path} is not written: {path.parent} is no directory in which files can be made")


def write_private_file(path: Path, text: str) -> None:
    """Write a file that only its owner can read, completely or not at all. What has the name already is replaced, with
    its permissions; a symbolic link, a device or a directory is refused, since the content would go elsewhere. Raises
    `UserError`."""
    unfinished = ""
    try:
        _check_regular(path)
        descriptor, unfinished = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # has mode 0600
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(unfinished, path)
        unfinished = ""
    except (OSError, ValueError) as problem:  # ValueError: a name that no file can have
        raise UserError(f"{path} is not written: {getattr(problem, 'strerror', None) or problem}") from None
    finally:
        if unfinished:
            os.unlink(unfinished)


def _check_regular(path: Path) -> None:
    if os.path.lexists(path) and (problem := _describe_irregular(path.lstat())):
        raise UserError(f"{path} is not written: {problem}; give the name of a new file")


def _describe_irregular(status: os.stat_result) -> str:
    """What it is instead of a regular file; "" for a regular file."""
    if stat.S_ISREG(status.st_mode):
        return ""
    return f"it is {_KINDS.get(stat.S_IFMT(status.st_mode), 'of another kind')}, not a regular file"
