"""If this goes red, what the stack declares is not what an agent signs in with, or a change does not reach Flex."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.engine.stack import ADA, Stack


def sign_in(stack: Stack) -> str:
    """What a browser does: the response is asked for and posted to Flex. Returns it."""
    flex = stack.tenant().principal
    answer = stack.emulator.admin("POST", "sign-in", {"user": ADA, "principal": flex["appId"]})
    flex_address = urlsplit(answer["acs"])
    form = urlencode({"SAMLResponse": answer["SAMLResponse"]}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    posted = stack.emulator.request("POST", f"{flex_address.path}?{flex_address.query}", form, headers)
    assert posted.status < 400, posted.content.decode()
    return str(answer["SAMLResponse"])


def command(stack: Stack, *arguments: str, given: str = "") -> tuple[int, dict[str, Any]]:
    """`python -m flexsaml … --json`, as a person types it beside the stack file."""
    stack.write_config()
    environment = {
        **stack.environment,
        "PYTHONPATH": str(stack.checkout.directory),
        "FLEXSAML_TASKROUTER_URL": stack.emulator.http,
    }
    finished = subprocess.run(
        [sys.executable, "-m", "flexsaml", *arguments, "--stack", stack.name, "--json"],
        cwd=stack.checkout.directory,
        env={key: value for key, value in environment.items() if not key.startswith("TWILIO_")},
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert finished.returncode in (0, 1), finished.stderr
    return finished.returncode, json.loads(finished.stdout)


def test_what_is_declared_arrives_in_flex_and_so_does_a_change(base_stack: Stack) -> None:
    stack = base_stack
    code, _ = command(stack, "predict", "--user", ADA)
    assert code == 0
    response = sign_in(stack)
    code, verdict = command(stack, "verify", "-", given=response)
    assert code == 0, verdict
    code, worker = command(stack, "worker", ADA)
    assert code == 0, worker
    assert '"de"' in json.dumps(worker)

    stack.config["users"] = {ADA: {"languages": "fr"}}
    stack.up()
    code, worker = command(stack, "worker", ADA)
    assert code == 1, "Flex hears of it at the next sign-in"
    sign_in(stack)
    code, worker = command(stack, "worker", ADA)
    assert code == 0, worker
    assert '"fr"' in json.dumps(worker)
    assert '"de"' not in json.dumps(worker)
