"""Microsoft's published schema as a judge of single exchanges. A helper, not a test.

The contract is tests/contract/graph-subset.openapi.json; tests/contract/README.md says where it comes from.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl, unquote

from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse

CONTRACT = Path(__file__).resolve().parents[1] / "contract" / "graph-subset.openapi.json"
# What the emulator answers and the contract does not know, by name; anything else it does not know fails the test.
NOT_IN_CONTRACT = {
    r"(GET|PATCH|DELETE) /users\('.*'\).* \d+": "the quoted key form of /users/{id}",
    r"POST /servicePrincipals/[^/]+/claimsMappingPolicies 400": "no such operation: what Graph refuses without $ref",
    r"POST /[0-9a-f-]{36}/servicePrincipals/.* 400": "no such path: what Graph refuses with a tenant id",
    r"(POST|DELETE) /servicePrincipals/[^/]+/appRoleAssignedTo.* \d+": "the contract has its GET only",
    r"(POST|DELETE) /groups/[^/]+/members/.* \d+": "the contract has its GET only",
    r"\S+ \S+ 5\d\d": "the contract describes answers up to 4XX",
}


@cache
def contract() -> OpenAPI:
    return OpenAPI.from_file_path(str(CONTRACT))


def judge(
    method: str,
    path: str,
    request_headers: dict[str, str],
    request_body: bytes | None,
    status: int,
    response_headers: dict[str, str],
    response_body: bytes,
) -> None:
    """Raises AssertionError when the exchange breaks the contract, or is unknown to it and not listed above.

    `path` starts behind the version and carries the query. A request that Graph refused may be ill on purpose: then
    only the answer is judged.
    """
    if any(re.fullmatch(listed, f"{method} {path} {status}") for listed in NOT_IN_CONTRACT):
        return
    bare, _, query = path.partition("?")
    request = MockRequest(
        "http://graph.local",
        method.lower(),
        f"/v1.0{unquote(bare)}",
        args=dict(parse_qsl(query, keep_blank_values=True)),
        headers=request_headers,
        data=request_body,
        content_type="application/json",
    )
    response = MockResponse(
        response_body,
        status_code=status,
        headers=response_headers,
        content_type=response_headers.get("content-type", "application/json").partition(";")[0],
    )
    try:
        if status < 400:
            contract().validate_request(request)
        contract().validate_response(request, response)
    except OpenAPIError as error:
        causes = [str(error), repr(error.__cause__)]
        raise AssertionError(f"{method} {path} -> {status} breaks the contract: {' '.join(causes)[:800]}") from error
