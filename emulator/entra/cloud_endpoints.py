"""/metadata/endpoints: the cloud as Azure Resource Manager would describe it to clients that discover their hosts.

Quirk: api-version 2022-09-01 answers an object, 2019-05-01 a list of clouds (B: how HashiCorp's Azure SDK reads them).
The description only covers the token service and Graph; there is no Resource Manager here.
"""

from __future__ import annotations

from urllib.parse import parse_qs

from emulator.messages import PLAIN_JSON, Reply
from emulator.types import Json


def describe_endpoints(origin: str, query: str) -> Reply:
    version = parse_qs(query).get("api-version", [""])[0]
    cloud = {
        "name": "EmulatedCloud",
        "authentication": {
            "audiences": [origin],
            "identityProvider": "AAD",
            "loginEndpoint": origin,
            "tenant": "common",
        },
        "microsoftGraphResourceId": f"{origin}/",
        "resourceManager": f"{origin}/",  # clients refuse a cloud without one; nothing is served there
    }
    if version == "2022-09-01":
        return Reply(200, cloud, content_type=PLAIN_JSON)
    if version == "2019-05-01":
        return Reply(200, [cloud], content_type=PLAIN_JSON)
    if not version:
        return _refusal(
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    words = f"The api-version '{version}' is invalid. The supported versions are '2022-09-01,2019-05-01'."
    return _refusal("InvalidApiVersionParameter", words)


def _refusal(code: str, message: str) -> Reply:
    error: Json = {"error": {"code": code, "message": message}}
    return Reply(400, error, content_type=PLAIN_JSON)
