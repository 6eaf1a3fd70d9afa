"""Processes killed at a chosen moment of a command. A helper, not a test."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.engine.processes import descendants, is_alive, wait_until
from tests.engine.stack import Result, Stack

VICTIMS = ("CLI", "provider", "program", "emulator", "interrupt")
"""Who gets SIGKILL; with `interrupt` the CLI gets SIGINT, as Ctrl-C sends it, and then the request is answered."""
_COMMAND_LINES = {
    "provider": r"-m pulumi\.dynamic\s",
    "program": r"/pulumi-language-python-exec\s",
    "host": r"/pulumi-language-python\s",
}
_SECONDS_TO_FOLLOW = 20
"""Provider and program notice within 1.5 s that their engine is gone; a loaded machine takes longer."""


@dataclass(frozen=True)
class Moment:
    """A request of a command: the first with this method and path, or a later one; items of a $batch count too."""

    method: str
    path: str
    skip: int = 0
    is_carried_out: bool = True
    """Whether the kill follows the write, before it is answered, or precedes it."""


def kill_at(
    stack: Stack, arguments: tuple[str, ...], moment: Moment, victim: str = "CLI", *, seconds_for_host: float = 0
) -> Result:
    """Run a command, and kill the victim when this request has arrived. Returns when provider and program have ended,
    which they must do by themselves; a lock that was left behind is removed. The language host of a killed CLI is
    killed too, unless there is time for it to end by itself."""
    stack.write_config()
    emulator = stack.emulator
    action = "hold" if victim == "interrupt" else "hang" if moment.is_carried_out else "hang_before"
    emulator.fault(action, moment.method, moment.path, skip=moment.skip, in_batch=True)
    log = stack.directory / "killed.log"
    command = _start(stack, arguments, log)
    _wait_for_a_fault(stack, command, str(moment))
    assert command.poll() is None, f"the command ended before {moment}: {log.read_text()}"
    below = descendants(command.pid)
    processes = {name: [pid for pid, line in below if re.search(text, line)] for name, text in _COMMAND_LINES.items()}
    assert processes["provider"], "no provider process was found"
    assert processes["host"], "no language host was found"
    if victim == "interrupt":
        command.send_signal(signal.SIGINT)
        wait_until(lambda: "^C received" in log.read_text(), 60, "the CLI to be interrupted")
        emulator.clear_faults()
    elif victim == "emulator":
        emulator.kill()
        emulator.start()
    else:
        for pid in [command.pid] if victim == "CLI" else processes[victim]:
            os.kill(pid, signal.SIGKILL)
    if victim == "program":
        emulator.clear_faults()  # the engine waits until its steps have ended
    code = command.wait(timeout=300)
    _wait_for_the_end(processes["provider"] + processes["program"], _SECONDS_TO_FOLLOW)
    emulator.clear_faults()
    if victim == "CLI":
        if not seconds_for_host:
            for pid in processes["host"]:
                os.kill(pid, signal.SIGKILL)
        _wait_for_the_end(processes["host"], seconds_for_host or _SECONDS_TO_FOLLOW)
        stack.ok("cancel", "--yes")
    return Result(code, log.read_text())


def interrupt_wait(stack: Stack, arguments: tuple[str, ...], interrupts: int, seconds: float) -> Result:
    """Run a command that meets a fault which makes it wait, and send the CLI SIGINT so many times. It and all that it
    started must have ended within so many seconds."""
    stack.write_config()
    log = stack.directory / "interrupted.log"
    command = _start(stack, arguments, log)
    _wait_for_a_fault(stack, command, "a fault")
    below = [pid for pid, _ in descendants(command.pid)]
    for number in range(interrupts):
        command.send_signal(signal.SIGINT)
        wait_until(
            lambda: log.read_text().count("^C received") > number or command.poll() is not None,  # noqa: B023
            seconds, f"interrupt {number + 1} to arrive",
        )  # fmt: skip
    try:
        code = command.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        command.kill()
        command.wait()
        raise AssertionError(f"runs on {seconds} s after {interrupts} interrupts: {log.read_text()}") from None
    _wait_for_the_end(below, _SECONDS_TO_FOLLOW)
    return Result(code, log.read_text())


def _start(stack: Stack, arguments: tuple[str, ...], log: Path) -> subprocess.Popen[bytes]:
    with log.open("w") as output:
        return subprocess.Popen(
            stack.command(*arguments),
            cwd=stack.checkout.directory,
            env=stack.environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def _wait_for_a_fault(stack: Stack, command: subprocess.Popen[bytes], what: str) -> None:
    wait_until(
        lambda: any(fault["fired"] for fault in stack.emulator.faults()) or command.poll() is not None, 300, what
    )


def _wait_for_the_end(pids: list[int], seconds: float) -> None:
    wait_until(lambda: not any(map(is_alive, pids)), seconds, f"{pids} to end")
