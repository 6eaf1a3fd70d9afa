"""If this goes red, a full disk, a project that cannot be written or a wrong clock loses what the stack recorded."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.emulator.process import Emulator
from tests.engine.stack import ADA, DESTROY, UP, SavedStack, Stack
from tests.engine.test_simultaneous import held_up
from tests.torture import is_whole_run

RETAIN = {"PULUMI_DIY_BACKEND_RETAIN_CHECKPOINTS": "true"}
DAY = 86_400


@contextmanager
def mounted(directory: Path, *options: str) -> Iterator[None]:
    """A mount at this directory, as `mount` takes its options; skips the test where this user may not mount."""
    mount = subprocess.run(["mount", *options, str(directory)], capture_output=True, text=True, check=False)
    if mount.returncode:
        pytest.skip(f"this user may not mount a file system: {mount.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(directory)], check=True)


def put_back_newest_whole_checkpoint(stack: Stack) -> None:
    """What README says for a checkpoint that a full disk has cut off."""
    stacks = stack.directory / "state" / ".pulumi" / "stacks" / "flexsaml"
    copies = [path for path in stacks.glob(f"{stack.name}.json*") if is_json(path)]
    newest = max(copies, key=lambda path: path.stat().st_mtime_ns)
    if newest.name != f"{stack.name}.json":
        shutil.copy(newest, stacks / f"{stack.name}.json")


def is_json(path: Path) -> bool:
    try:
        json.loads(path.read_text())
    except ValueError:
        return False
    return True


@pytest.mark.torture
@pytest.mark.skipif(not is_whole_run(), reason="the engine tries to save for half a minute")
@pytest.mark.parametrize("room", [12_000, 30_000, 60_000, 90_000])
def test_a_full_disk_while_state_is_saved(
    saved_empty_stack: SavedStack, emulator: Emulator, tmp_path: Path, room: int
) -> None:
    """The engine cuts the checkpoint off, and its `.bak` too; the copies that it retains when told to are whole."""
    saved = saved_empty_stack.open(emulator, tmp_path / "saved")
    state = tmp_path / "state"
    state.mkdir()
    with mounted(state, "-t", "tmpfs", "-o", "size=1m", "tmpfs"):
        shutil.copytree(saved.directory / "state", state, dirs_exist_ok=True)
        stack = Stack(saved.checkout, emulator, tmp_path, quick=True)
        stack.identity = RETAIN
        free = os.statvfs(state).f_bavail * os.statvfs(state).f_frsize
        (state / "ballast").write_bytes(b"x" * (free - room))
        assert "no space left on device" in stack.refused(*UP)
        (state / "ballast").unlink()
        put_back_newest_whole_checkpoint(stack)
        stack.ok("cancel", "--yes")
        stack.up()
        stack.assert_unchanged()
        stack.assert_destroy_restores_the_tenant()


@pytest.mark.torture
@pytest.mark.skipif(not is_whole_run(), reason="the write is looked for for half a minute")
@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits of another process are Linux's")
def test_a_full_disk_of_the_tenant_is_one_line(stack: Stack) -> None:
    full_disk = ExitStack()
    with held_up(stack, "POST", "^/policies/claimsMappingPolicies$") as running:
        full_disk.enter_context(stack.emulator.full_disk())
    full_disk.close()
    assert running.result
    assert running.result.code != 0
    refusals = [error for error in running.result.errors() if "507 InsufficientStorage" in error]
    assert refusals
    assert all("make room on its disk" in line for line in refusals)
    stack.up()
    stack.assert_unchanged()
    stack.assert_destroy_restores_the_tenant()


def test_a_project_directory_that_cannot_be_written(base_stack: Stack) -> None:
    """Every command works there: nothing of the program, the provider or the engine is written beside it."""
    stack, directory = base_stack, base_stack.checkout.directory
    stack.config["users"][ADA]["languages"] = "fr"
    stack.write_config()
    with mounted(directory, "--bind", str(directory)):
        subprocess.run(["mount", "-o", "remount,bind,ro", str(directory)], check=True)
        with pytest.raises(OSError, match="Read-only"):
            (directory / "new").touch()
        for command in (UP, DESTROY):
            ended = subprocess.run(
                stack.command(*command),
                cwd=directory,
                env=stack.environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert ended.returncode == 0, ended.stdout + ended.stderr
    assert stack.emulator.export() == stack.tenant_before


def test_a_clock_that_is_days_behind(stack: Stack) -> None:
    """The tenant's clock is a day ahead, then another: tokens and dates to wait until are Graph's, not this machine's."""
    emulator = stack.emulator
    emulator.advance(DAY)
    emulator.dials(retry_after="date")
    for method, path in (("PATCH", "^/users/"), ("POST", "/extensionProperties$"), ("POST", r"^/\$batch$")):
        emulator.fault("refuse", method, path, status=429)
    stack.up()
    assert [fault["fired"] for fault in emulator.faults()] == [1, 1, 1]
    emulator.advance(DAY)
    stack.assert_unchanged()
    stack.assert_destroy_restores_the_tenant()
