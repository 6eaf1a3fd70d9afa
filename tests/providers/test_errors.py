"""If this goes red, a user meets a traceback instead of a sentence, or a maintainer a sentence instead of a traceback.

The server here is Pulumi's own: its module is executed as it is installed, all but its last line, which starts it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import grpc
import pulumi.dynamic
import pytest

from flexsaml.claims import InvalidDefinition
from flexsaml.errors import UserError
from flexsaml.graph import Conflict, NotFound
from flexsaml.values import InvalidRoster, InvalidValue, UnknownPackedFormat
from providers import Connection
from providers.dynamic import DynamicProvider, answer_user_errors_in_one_line
from providers.kinds.base import Argument, Kind, Props, RefusedChange
from providers.tenant import TENANT


class FakeContext:
    """What gRPC hands to the server; keeps the answer."""

    def __init__(self) -> None:
        self.details = ""

    def abort(self, code: grpc.StatusCode, details: str) -> None:
        assert code is grpc.StatusCode.UNKNOWN
        self.details = details


class FailingKind(Kind):
    """Its create does what the test says."""

    name = "Failing"
    description = "'{name}'"
    arguments: ClassVar = {"name": Argument()}

    def __init__(self, fail: Callable[[], Any]) -> None:
        self._fail = fail

    def create(self, directory: Any, inputs: Props) -> tuple[str, Props]:  # noqa: ARG002
        self._fail()
        return "", {}


@pytest.fixture(scope="module")
def server() -> dict[str, Any]:
    """The variables of Pulumi's server module, as a provider process has them after `configure`."""
    path = Path(pulumi.dynamic.__file__).with_name("__main__.py")
    source = path.read_text("utf-8").rstrip()
    assert source.endswith("\nmain()")
    variables: dict[str, Any] = {"__name__": "pulumi.dynamic.__main__"}
    exec(compile(source.removesuffix("main()"), path, "exec"), variables)  # noqa: S102
    answer_user_errors_in_one_line(variables)
    TENANT.configure(Connection("loopback"))
    return variables


def answer(server: dict[str, Any], fail: Callable[[], Any]) -> str:
    """What the engine is answered when a create fails like that."""

    class Failing(DynamicProvider):
        kind = FailingKind(fail)

    context = FakeContext()
    call = server["_abort_with_traceback"](lambda _self, request, _context: Failing().create(request))
    call(None, {"name": "ours"}, context)
    return context.details


def raises(error: BaseException) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    "error",
    [
        RefusedChange("it exists already"),
        InvalidValue("is longer than 256 characters"),
        InvalidDefinition("the definition is not JSON"),
        InvalidRoster(["agents.csv:3: no such column"]),
        UnknownPackedFormat("2"),
        Conflict("POST /x", status=409, code="Request_BadRequest", message="taken"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_a_user_can_meet_is_one_line(server: dict[str, Any], error: UserError) -> None:
    assert answer(server, raises(error)) == f"flexsaml: create Failing 'ours': {error}"


def test_an_object_that_is_gone_comes_with_what_to_do(server: dict[str, Any]) -> None:
    gone = NotFound("GET /users/x", status=404, code="Request_ResourceNotFound", message="gone")
    assert answer(server, raises(gone)).endswith("gone; if it was removed, run `pulumi refresh`, then `pulumi up`")


@pytest.mark.parametrize(
    ("fail", "last"),
    [
        (raises(KeyError("displaced")), "KeyError: 'displaced'"),
        (raises(ValueError("too many values to unpack")), "ValueError: too many values to unpack"),
        (lambda: json.loads("{"), "json.decoder.JSONDecodeError: Expecting property name"),
        (lambda: int("x"), "ValueError: invalid literal for int()"),
    ],
    ids=["KeyError", "ValueError", "JSONDecodeError", "int"],
)
def test_a_bug_keeps_its_traceback(server: dict[str, Any], fail: Callable[[], Any], last: str) -> None:
    lines = answer(server, fail).splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert any("test_errors.py" in line and "in create" in line for line in lines)
    assert lines[-1].startswith(last)


def test_a_bug_keeps_its_traceback_while_another_thread_refuses(server: dict[str, Any]) -> None:
    """The engine sends up to four calls at once. The refusal is answered between the bug and its answer."""
    bug_raised, refusal_answered = threading.Event(), threading.Event()
    answers: dict[str, str] = {}

    def fail_beside_a_refusal() -> None:
        try:
            raise KeyError("displaced")
        finally:
            bug_raised.set()
            assert refusal_answered.wait(10)

    def bug() -> None:
        answers["bug"] = answer(server, fail_beside_a_refusal)

    thread = threading.Thread(target=bug)
    thread.start()
    assert bug_raised.wait(10)
    answers["refusal"] = answer(server, raises(RefusedChange("it exists already")))
    refusal_answered.set()
    thread.join()
    assert answers["refusal"] == "flexsaml: create Failing 'ours': it exists already"
    assert answers["bug"].startswith("Traceback (most recent call last):\n")
    assert answers["bug"].endswith("KeyError: 'displaced'\n")


def test_another_program_s_tracebacks_are_left_alone() -> None:
    variables: dict[str, Any] = {"traceback": "its own"}
    answer_user_errors_in_one_line(variables)
    assert variables == {"traceback": "its own"}
