"""If this goes red, docs/parity.md promises a behaviour that no test witnesses, or a dial is documented nowhere.

The table is read as users read it, and compared with the tests, routes and dials that exist. That each witness really
makes the requests its rows name is checked as it runs (conftest.py).
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from emulator.graph.routes import ROUTES
from tests.emulator.parity import ROWS, Row, is_driven
from tests.emulator.process import REPOSITORY, Emulator

TESTS = sorted(Path(__file__).parent.glob("test_*.py"))
MODULES = {path.name: ast.parse(path.read_text(encoding="utf-8")) for path in TESTS}
WITNESSES = [
    (name, node)
    for name, module in MODULES.items()
    for node in module.body
    if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
]
SKIPPING = {"skip", "skipif", "xfail", "importorskip"}
# Operations that are named beside Graph's routes: the token service, sign-in, pages, Flex, and what is not served.
OTHER_OPERATIONS = {
    "POST /$batch",
    "POST /{tenant}/oauth2/v2.0/token",
    "GET /{tenant}/federationmetadata/2007-06/federationmetadata.xml",
    "GET /metadata/endpoints",
    "POST /admin/sign-in",
    "GET /portal/{principal}",
    "POST /flex/login/callback",
    "GET /v1/Workspaces/{workspace}/Workers",
    "GET /v1/Workspaces/{workspace}/Workers/{worker}",
    "GET /v1/Workspaces/{workspace}/Activities",
    "GET /devices",
    "GET /users/{user}/photo",
    "GET /subscriptions",
    "PUT /users/{user}",
}


def skipping_words(node: ast.AST) -> set[str]:
    """The ways in which a test or a module may be skipped that occur in its code."""
    names = {child.attr for child in ast.walk(node) if isinstance(child, ast.Attribute)}
    return SKIPPING & (names | {child.id for child in ast.walk(node) if isinstance(child, ast.Name)})


def called_functions(node: ast.AST) -> set[str]:
    return {ast.unparse(child.func) for child in ast.walk(node) if isinstance(child, ast.Call)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.behaviour)
def test_every_behaviour_has_a_grade_and_a_witness_that_runs(row: Row) -> None:
    assert re.match(r"[ABCD]\b|–", row.grade)
    ((module, function),) = ((module, node) for module, node in WITNESSES if node.name == row.witness)
    assert not skipping_words(function), "a witness that is skipped witnesses nothing"
    assert not any(skipping_words(node) for node in MODULES[module].body if not isinstance(node, ast.FunctionDef))
    assert row.operations
    assert set(row.functions) <= called_functions(function)
    assert set(row.requests) <= ROUTES.keys() | OTHER_OPERATIONS


def test_the_table_is_not_empty_and_uncertain_rows_say_so() -> None:
    assert len(ROWS) > 60
    assert sum("dial" in row.grade for row in ROWS) > 10


@pytest.mark.parametrize(
    ("operation", "method", "path", "driven"),
    [
        ("PATCH /users/{user}", "PATCH", "/v1.0/users/ada%40contoso.example", True),
        ("PATCH /users/{user}", "PATCH", "/beta/users('ada@contoso.example')?$select=id", True),
        ("PATCH /users/{user}", "GET", "/v1.0/users/ada", False),
        ("PATCH /users/{user}", "PATCH", "/v1.0/users/ada/manager", False),
        ("GET /users", "GET", "/v1.0/users?$filter=mail eq '/'", True),
        ("GET /users", "GET", "/v1.0/users/$count", False),
        ("GET /applications/{application}", "GET", "/v1.0/applications(appId='1')", True),
        ("POST /{tenant}/oauth2/v2.0/token", "POST", "/contoso.example/oauth2/v2.0/token", True),
        ("POST /$batch", "POST", "/v1.0/$batch", True),
    ],
)
def test_requests_are_recognised(operation: str, method: str, path: str, driven: bool) -> None:
    assert is_driven(operation, [("DELETE", "/v1.0/groups/1"), (method, path)]) is driven


def test_every_dial_is_documented(emulator: Emulator) -> None:
    documented = (REPOSITORY / "docs" / "emulator.md").read_text(encoding="utf-8").partition("### Dials")[2]
    assert {dial for dial in emulator.admin("GET", "dials") if f"`{dial}`" not in documented} == set()
