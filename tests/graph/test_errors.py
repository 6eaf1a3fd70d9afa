"""If this goes red, a user meets a wrong or unreadable reason for a refusal, and a write may be repeated or skipped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flexsaml.graph.errors import (
    Conflict,
    Forbidden,
    GraphError,
    Malformed,
    NoCredential,
    NotAvailable,
    NotFound,
    NotSent,
    Refused,
    ServerError,
    StillPending,
    Throttled,
    Unanswered,
    Unauthorized,
    refusal,
)

CORPUS = sorted((Path(__file__).parent.parent / "corpus" / "errors").glob("*.json"))

EXPECTED: dict[str, type[Refused]] = {
    "01-policy-invalid-definition-2020": Malformed,
    "02-policy-invalid-definition-current": Malformed,
    "03-policy-invalid-values": Malformed,
    "04-policy-definition-not-strings": Malformed,
    "05-policy-description-404": NotFound,
    "06-ref-not-allowed-v1-2020": Malformed,
    "07-ref-write-not-contained": Malformed,
    "08-policies-invalid-object-identifier": Malformed,
    "09-extension-not-available": NotAvailable,
    "10-extension-duplicate": Conflict,
    "11-not-found": NotFound,
    "12-ref-duplicate-member": Conflict,
    "13-ref-missing-member": NotFound,
    "14-sp-app-not-replicated": Malformed,
    "15-throttled": Throttled,
    "16-forbidden": Forbidden,
    "17-unsupported-query": Malformed,
    "18-stale-replica": NotFound,
    "19-identifier-uri-slash": Malformed,
    "20-upn-duplicate": Conflict,
    "21-parse-uri": Malformed,
    "22-onprem-attrs": Malformed,
    "30-signin-no-signing-key": Malformed,
    "31-signin-accept-mapped-audience": Malformed,
}


def graph_body(code: str, message: object = "words") -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


def test_every_recorded_body_has_an_expectation() -> None:
    assert [path.stem for path in CORPUS] == sorted(EXPECTED)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_recorded_body(path: Path) -> None:
    recorded = json.loads(path.read_text(encoding="utf-8"))
    error = refusal("PATCH", "/users/ada", recorded["status"], recorded["body"], headers=recorded["headers"])
    assert type(error) is EXPECTED[path.stem]
    text = str(error)
    assert "\n" not in text
    assert text.startswith(f"PATCH /users/ada: {recorded['status']} ")
    inner = recorded["body"]["error"]
    words = inner["message"] if isinstance(inner, dict) else recorded["body"]["error_description"]
    assert " ".join(words.split()) in text
    assert error.hint


CASES: list[tuple[str, int, object, type[Refused]]] = [
    ("duplicate with the other status", 409, graph_body("Request_MultipleObjectsWithSameKeyValue"), Conflict),
    ("conflict without a known code", 409, graph_body("Whatever"), Conflict),
    (
        "second policy as 400",
        400,
        graph_body(
            "Request_BadRequest",
            "A conflicting object with one or more of the specified property values is present in the directory.",
        ),
        Conflict,
    ),
    ("no body", 404, None, NotFound),
    ("body is a list", 400, [], Malformed),
    ("error is a list", 400, {"error": []}, Malformed),
    ("html from a gateway", 502, None, ServerError),
    ("500 with a code of a refusal", 500, graph_body("Request_ResourceNotFound"), ServerError),
    ("503", 503, graph_body("ServiceUnavailable"), ServerError),
    ("504", 504, graph_body("GatewayTimeout"), ServerError),
    ("request timeout", 408, None, ServerError),
    ("failed dependency", 424, None, ServerError),
    ("throttled without a code", 429, None, Throttled),
    ("token", 401, graph_body("InvalidAuthenticationToken", "Access token is empty."), Unauthorized),
    ("403 with an unknown code", 403, graph_body("AccessDenied"), Forbidden),
    ("method not allowed is of no finer kind", 405, graph_body("Request_BadRequest"), Refused),
    ("redirect", 302, None, Refused),
    (
        "odata.error",
        400,
        {"odata.error": {"code": "Request_BadRequest", "message": {"lang": "en", "value": "words"}}},
        Malformed,
    ),
    ("a text that only mentions a duplicate", 400, graph_body("Request_BadRequest", "exists"), Malformed),
    ("the not-available text on a 404 is no such thing", 404, graph_body("X", "not available: a."), NotFound),
]


@pytest.mark.parametrize(("status", "body", "kind"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_wire_to_class(status: int, body: object, kind: type[Refused]) -> None:
    assert type(refusal("POST", "/policies/claimsMappingPolicies", status, body)) is kind


def test_tree_says_how_far_a_call_got() -> None:
    assert issubclass(NoCredential, NotSent)
    for kind in (NotSent, Unanswered, Refused, StillPending):
        assert issubclass(kind, GraphError)
    assert not issubclass(Unanswered, NotSent)


def test_details_are_carried() -> None:
    body = {"error": {"code": "C", "message": {"value": "m"}, "innererror": {"request-id": "inner"}}}
    error = refusal("GET", "/users/a%23b?$filter=secret", 400, body, retry_after=3.0)
    assert (error.status, error.code, error.message) == (400, "C", "m")
    assert (error.request_id, error.retry_after) == ("inner", 3.0)
    assert error.operation == "GET /users/a#b"
    assert "secret" not in str(error)
    assert refusal("GET", "/x", 400, body, headers={"Request-Id": "outer"}).request_id == "outer"


ADVICE = [
    ("Property definition has an invalid value.", "check the claims of the policy"),
    ("Unable to update the specified properties for on-premises mastered Directory Sync objects", "mastered elsewhere"),
    (
        "Invalid value specified for property 'extension_x_age' of resource 'User'.",
        "does not fit the property's data type",
    ),
    ("Invalid object identifier 'x'.", "give an object id"),
    ("words", "check the value or name that was sent"),
]


@pytest.mark.parametrize(("message", "advice"), ADVICE)
def test_a_text_of_graph_gets_its_advice(message: str, advice: str) -> None:
    assert advice in str(refusal("PATCH", "/users/ada", 400, graph_body("Request_BadRequest", message)))


def test_message_of_many_lines_is_one_line() -> None:
    assert str(GraphError("GET /x", "first\n  second\r\n", "do\nthis")) == "GET /x: first second; do this"


@pytest.mark.parametrize(
    ("method", "path", "hint"),
    [
        ("POST", "/servicePrincipals/sp/claimsMappingPolicies/$ref", "unassign that one, then run the same command"),
        ("DELETE", "/servicePrincipals/sp/claimsMappingPolicies/pol/$ref", "somebody else may be changing"),
        ("PATCH", "/users/ada", "somebody else may be changing the same object; run the same command again"),
        ("POST", "/applications/app/extensionProperties", "choose another name, or import what exists already"),
    ],
)
def test_what_to_do_about_a_conflict_depends_on_what_was_tried(method: str, path: str, hint: str) -> None:
    assert hint in str(refusal(method, path, 409, graph_body("Request_MultipleObjectsWithSameKeyValue")))
