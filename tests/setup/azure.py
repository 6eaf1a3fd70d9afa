"""What `az rest` does with the arguments that printed steps use, against the emulator. A program for tests, called `az`."""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from argparse import ArgumentParser


def main() -> None:
    parser = ArgumentParser()
    parser.add_argument("rest")
    for name in ("--method", "--url", "--headers", "--body", "--query", "--output"):
        parser.add_argument(name)
    given = parser.parse_args()
    headers = {"Authorization": f"Bearer {os.environ['TOKEN']}"}
    if given.headers:
        name, value = given.headers.split("=")
        headers[name] = value
    body = given.body.encode() if given.body else None
    request = urllib.request.Request(given.url, body, headers, method=given.method)  # noqa: S310 - the emulator's
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        content = answer.read()
    if given.query:
        sys.stdout.write(f"{json.loads(content)[given.query]}\n")


main()
