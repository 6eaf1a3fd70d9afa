"""Microsoft's published schema as a judge of single exchanges. A helper, not a test.

The contract is tests/contract: graph-subset.openapi.json for shapes, graph-subset.csdl.xml for the properties that are
never null; tests/contract/README.md says where both come from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree

from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse

from emulator.tenant.records import WRITABLE

CONTRACT = Path(__file__).resolve().parents[1] / "contract"
# What the emulator answers and the contract does not know, by name; anything else it does not know fails the test.
NOT_IN_CONTRACT = {
    r"(GET|PATCH|DELETE) /users\('.*'\).* \d+": "the quoted key form of /users/{id}",
    r"POST /servicePrincipals/[^/]+/claimsMappingPolicies 400": "no such operation: what Graph refuses without $ref",
    r"POST /[0-9a-f-]{36}/servicePrincipals/.* 400": "no such path: what Graph refuses with a tenant id",
    r"(POST|DELETE) /servicePrincipals/[^/]+/appRoleAssign(edTo|ments).* \d+": "the contract has its GET only",
    r"POST /applications/[^/]+/(add|remove)Password \d+": "the contract has no actions of applications",
    r"\S+ /applications/[^/]+/federatedIdentityCredentials(/[^/]+)? \d+": "the contract has their type only",
    r"\S+ /oauth2PermissionGrants.* \d+": "the contract has their type only",
    r"(POST|DELETE) /groups/[^/]+/members/.* \d+": "the contract has its GET only",
    r"POST /servicePrincipals/[^/]+/addTokenSigningCertificate \d+": "the contract has no actions of service principals",
    r"POST /users/[^/]+/(get|check)MemberGroups \d+": "the contract has no actions of users",
    r"GET /servicePrincipals/[^/]+/(oauth2PermissionGrants|appRoleAssignments) \d+": "the contract has no such lists",
    r"GET /me \d+": "the contract has no singletons",
    r"\S+ \S+ 5\d\d": "the contract describes answers up to 4XX",
}
# Properties that the schema calls non-null and that v1.0 nevertheless leaves out of an answer without $select.
LEFT_OUT = {
    "application": {"logo"},  # a stream, never inside the JSON
    "user": {  # the reference page of user: only eleven properties are returned by default
        *("assignedLicenses", "assignedPlans", "birthday", "deviceEnrollmentLimit", "hireDate", "otherMails"),
        *("provisionedPlans", "proxyAddresses"),
    },
}


@cache
def contract() -> OpenAPI:
    return OpenAPI.from_file_path(str(CONTRACT / "graph-subset.openapi.json"))


@dataclass(frozen=True)
class SchemaType:
    """A type of the CSDL, its base types included: the properties that are never null, and the types of all."""

    non_null: frozenset[str]
    types: dict[str, str]  # property -> type, without the namespace


@cache
def schema_types() -> dict[str, SchemaType]:
    edm = "{http://docs.oasis-open.org/odata/ns/edm}"
    root = ElementTree.parse(CONTRACT / "graph-subset.csdl.xml").getroot()  # noqa: S314 - our own file
    elements = {
        element.attrib["Name"]: element for tag in ("EntityType", "ComplexType") for element in root.iter(f"{edm}{tag}")
    }

    def read(name: str) -> SchemaType:
        base = elements[name].get("BaseType", "").removeprefix("graph.")
        inherited = read(base) if base in elements else SchemaType(frozenset(), {})
        properties = elements[name].findall(f"{edm}Property")
        non_null = {prop.attrib["Name"] for prop in properties if prop.get("Nullable") == "false"}
        types = {
            prop.attrib["Name"]: re.sub(r"Collection\(|graph\.|\)", "", prop.attrib["Type"]) for prop in properties
        }
        return SchemaType(inherited.non_null | non_null, {**inherited.types, **types})

    return {name: read(name) for name in elements}


def type_of_answer(context: str) -> str:
    """The type that an `@odata.context` names: `…#users/$entity` answers a user, `…#Collection(extensionProperty)` …"""
    name = context.partition("#")[2].removesuffix("/$entity").rpartition("/")[2]
    named = re.fullmatch(r"Collection\((?:microsoft\.graph\.)?(\w+)\)", name)
    return named[1] if named else re.sub(r"ies$", "y", name) if name.endswith("ies") else name.removesuffix("s")


def missing_properties(
    type_name: str, row: dict[str, Any], select: Collection[str] = (), path: str = ""
) -> Iterator[str]:
    """The properties that the schema calls non-null and that are absent or null, in nested objects too."""
    schema = schema_types()[type_name]
    expected = schema.non_null & set(select) if select else schema.non_null - LEFT_OUT.get(type_name, set())
    yield from (f"{path}{name}" for name in sorted(expected) if row.get(name) is None)
    for name, value in row.items():
        nested_type = schema.types.get(name, "")
        if nested_type in schema_types():
            for nested in value if isinstance(value, list) else [value]:
                if nested is not None:
                    yield from missing_properties(nested_type, nested, path=f"{path}{name}.")


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
    bare, _, query = path.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    if status in (200, 201) and response_body[:1] == b"{":
        body = json.loads(response_body)
        select = [name for name in options.get("$select", "").split(",") if name]
        if "@odata.context" in body:
            spelt = type_of_answer(
                body["@odata.context"]
            )  # of oauth2PermissionGrants the type is oAuth2PermissionGrant
            type_name = {name.lower(): name for name in schema_types()}.get(spelt.lower(), spelt)
            rows = body.get("value", [body]) if type_name in schema_types() else []
            missing = sorted({name for row in rows for name in missing_properties(type_name, row, select)})
            assert not missing, f"{method} {path} -> {status}: a {type_name} lacks {', '.join(missing)}"
    if any(re.fullmatch(listed, f"{method} {path} {status}") for listed in NOT_IN_CONTRACT):
        return
    request = MockRequest(
        "http://graph.local",
        method.lower(),
        f"/v1.0{unquote(bare)}",
        args=options,
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


def derive_types() -> dict[str, dict[str, str]]:
    """What emulator/tenant/types.json must hold, beside what is of beta: the types of all properties that can be written there, and of what is
    inside them."""
    edm = "{http://docs.oasis-open.org/odata/ns/edm}"
    root = ElementTree.parse(CONTRACT / "graph-subset.csdl.xml").getroot()  # noqa: S314 - our own file
    elements = {
        element.attrib["Name"]: {prop.attrib["Name"]: prop for prop in element.findall(f"{edm}Property")}
        for tag in ("EntityType", "ComplexType")
        for element in root.iter(f"{edm}{tag}")
    }

    def spell(prop: ElementTree.Element) -> str:
        written = prop.attrib["Type"]
        name = re.sub(r"Collection\(|graph\.|Edm\.|\)", "", written)
        return (
            f"{name}[]" if written.startswith("Collection") else name + ("" if prop.get("Nullable") == "false" else "?")
        )

    types: dict[str, dict[str, str]] = {}
    waiting: list[str] = []
    for resource, names in WRITABLE.items():
        entity = resource[0].lower() + resource[1:]
        if entity in elements:
            types[resource] = {name: spell(elements[entity][name]) for name in sorted(names)}
            waiting += types[resource].values()
    while waiting:
        name = re.sub(r"\[\]|\?", "", waiting.pop())
        if name in elements and name not in types:
            types[name] = {prop: spell(element) for prop, element in sorted(elements[name].items())}
            waiting += types[name].values()
    return dict(sorted(types.items()))
