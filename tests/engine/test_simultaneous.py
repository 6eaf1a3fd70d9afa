"""If this goes red, two stacks that are made at the same moment undo each other's work, or own one thing together.

The first `up` is held at one of its requests until that of the second has ended. Afterwards both are destroyed, first
the one that read the tenant later, and the tenant is as before.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from subprocess import STDOUT, Popen

import pytest

from tests.engine.processes import wait_until
from tests.engine.stack import ADA, BASE, UP, Result, Stack
from tests.torture import add_figures, is_whole_run

HELD_AT = {
    "preflight": ("GET", "/claimsPolicy$"),
    "property": ("POST", "/extensionProperties$"),
    "value": ("PATCH", "^/users/"),
    "policy": ("POST", "^/policies/claimsMappingPolicies$"),
    "link": ("POST", r"/claimsMappingPolicies/\$ref$"),
}
TAKEN = "and is not this stack's: use its full name in place of 'languages'"
ASSIGNED = "the claims mapping policy 'flexsaml-second Flex SAML claims'"
SHARED = "1 user holds a value in it (ada@contoso.example): if another stack creates it at this moment"
CASES = {
    "one principal": {
        "preflight": (ASSIGNED, ""),
        "property": (ASSIGNED, ""),
        "policy": (ASSIGNED, ""),
        "link": ("another policy is assigned, and a service principal has only one", ""),
    },
    "one application": {"preflight": (TAKEN, ""), "property": ("", SHARED), "value": ("", ""), "link": ("", "")},
    "the same users": {"preflight": ("", ""), "value": ("", ""), "policy": ("", ""), "link": ("", "")},
}
"""What both stacks have, to where the first is held, to the line that refuses it ("": it succeeds) or that it shows."""
SHARE = (("one principal", "link"), ("one application", "property"))
"""What `make full` runs."""
CELLS = [
    (common, held) for common, cases in CASES.items() for held in cases if is_whole_run() or (common, held) in SHARE
]


@dataclass
class Running:
    """A command that runs beside the test; `result` is set when it has ended."""

    result: Result | None = None


@contextmanager
def held_up(stack: Stack, method: str, path: str) -> Iterator[Running]:
    """An `up` that is held at this request while the body of the statement runs, and then goes on to its end."""
    stack.write_config()
    stack.emulator.fault("hold", method, path, in_batch=True)
    log, running = stack.directory / "held.log", Running()
    with log.open("w") as output:
        command = Popen(
            stack.command(*UP), cwd=stack.checkout.directory, env=stack.environment, stdout=output, stderr=STDOUT
        )
    wait_until(
        lambda: any(fault["fired"] for fault in stack.emulator.faults()) or command.poll() is not None, 300, path
    )
    try:
        yield running
        assert command.poll() is None, f"the command was not held: {log.read_text()}"
    finally:
        stack.emulator.clear_faults()
        running.result = Result(command.wait(timeout=300), log.read_text())


def configure(first: Stack, second: Stack, common: str) -> None:
    tenant = first.tenant()
    if common == "one principal":
        second.config |= {"extensions": {"team": "String"}, "users": {ADA: {"team": "blue"}}}
        second.config["claims"] = {**BASE["claims"], "languages.stringarray": "extension.team"}
        return
    second.config["servicePrincipal"] = "Twilio Flex Staging"
    if common == "one application":
        second.config |= {"application": tenant.application["appId"], "users": {ADA: {"languages": "it"}}}
        return
    tenant.make_property("shared")
    tenant.write("ada", "before", "shared")
    full = tenant.full("shared")
    for stack, value in ((first, "first"), (second, "second")):
        stack.config |= {"extensions": {}, "users": {ADA: {full: value}}}
        stack.config["claims"] = {**BASE["claims"], "languages.stringarray": f"extension.{full}"}


@pytest.mark.long
@pytest.mark.torture
@pytest.mark.parametrize(("common", "held"), CELLS)
def test_two_stacks_at_once(stack: Stack, common: str, held: str) -> None:
    refusal, line = CASES[common][held]
    second = stack.second_stack("second")
    second.init()
    configure(stack, second, common)
    before = stack.emulator.export()
    add_figures("kills", **{"pairs_of_stacks_made_at_once": 1})
    with held_up(stack, *HELD_AT[held]) as running:
        made = second.run(*UP)
    first = running.result
    assert first
    # One of them may be refused, in one line; never both.
    assert [result.code for result in (first, made) if result.code] == [1] * bool(refusal or made.code)
    if refusal:
        assert any(refusal in error for error in first.errors()), first.output
    assert line in first.output
    assert "Traceback" not in first.output + made.output
    if not refusal:
        stack.assert_unchanged()
    later = stack if held in ("preflight", "property") else second  # whose baseline recorded what was there
    for each in (later, second if later is stack else stack):
        each.destroy()
    assert stack.emulator.export() == before
    add_figures("kills", **{"of_these_pairs_end_as_before": 1})
