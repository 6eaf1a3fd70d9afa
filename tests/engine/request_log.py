"""What the emulator's request log says about a command. A helper, not a test."""

from __future__ import annotations

import re

from tests.emulator.process import Emulator


def requests_of(emulator: Emulator) -> list[str]:
    """The logged calls as `METHOD /path/template`, without those for tokens; items of a batch are indented under it.

    Ids become {id}, the query is reduced to the names of its options, versions are left out.
    """
    templates = []
    for request in emulator.requests():
        path, _, query = request["path"].partition("?")
        if path.endswith("/oauth2/v2.0/token"):
            continue
        path = re.sub(r"^/v1\.0", "", path)
        path = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "{id}", path)
        path = re.sub(r"/users/[^/?]+", "/users/{id}", path)
        options = sorted(re.findall(r"\$\w+(?==)", query))
        shown = f"{request['method']} {path}{'?' + '&'.join(options) if options else ''}"
        templates.append(f"  {shown}" if request["in_batch"] else shown)
    return templates


def count_token_requests(emulator: Emulator) -> int:
    return sum(request["path"].endswith("/oauth2/v2.0/token") for request in emulator.requests())


def writes_in(requests: list[str]) -> list[str]:
    """Calls that change the tenant."""
    reads = ("POST /$batch", "POST /directoryObjects/getAvailableExtensionProperties")
    return [call.strip() for call in requests if not call.strip().startswith(("GET", *reads))]
