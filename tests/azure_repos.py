"""The pull requests of an Azure Repos repository, as the pipeline of examples/ci asks for them. A helper."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "token of the run"


class PullRequests:
    """`threads` are those of each pull request; `states` its state by number."""

    def __init__(self) -> None:
        self.threads: list[dict[str, Any]] = []
        self.states: dict[str, str] = {}
        self.requests: list[tuple[str, str]] = []
        self.address = ""

    @property
    def environment(self) -> dict[str, str]:
        """What an agent gives to a step of the run of pull request 7."""
        return {
            "SYSTEM_COLLECTIONURI": f"{self.address}/",
            "SYSTEM_TEAMPROJECTID": "team",
            "BUILD_REPOSITORY_ID": "repo",
            "SYSTEM_PULLREQUEST_PULLREQUESTID": "7",
            "SYSTEM_ACCESSTOKEN": TOKEN,
        }

    def answer(self, method: str, path: list[str], body: Any) -> Any:
        """The answer to a request below `…/pullRequests/`; None for one that Azure Repos does not know."""
        if method == "GET" and len(path) == 1:
            return {"status": self.states[path[0]]}
        if method == "GET" and path[1:] == ["threads"]:
            return {"value": self.threads}
        if method == "POST" and path[1:] == ["threads"]:
            comments = [{"id": 1, **comment} for comment in body["comments"]]
            self.threads.append({"id": len(self.threads) + 1, "status": body["status"], "comments": comments})
            return self.threads[-1]
        if method == "PATCH" and path[1::2] == ["threads", "comments"]:
            thread = next(thread for thread in self.threads if str(thread["id"]) == path[2])
            comment = next(comment for comment in thread["comments"] if str(comment["id"]) == path[4])
            comment |= body
            return comment
        return None

    @classmethod
    @contextmanager
    def serve(cls) -> Iterator[PullRequests]:
        pulls = cls()

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                path, _, query = self.path.partition("?")
                start, _, rest = path.partition("/_apis/git/repositories/repo/pullRequests/")
                pulls.requests.append((self.command, rest))
                length = int(self.headers["Content-Length"] or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                is_allowed = self.headers["Authorization"] == f"Bearer {TOKEN}"
                is_known = (start, query) == ("/team", "api-version=7.1")
                answer = pulls.answer(self.command, rest.split("/"), body) if is_allowed and is_known else None
                self.send_response(200 if answer is not None else 404)
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            do_GET = do_POST = do_PATCH = handle_any

            def log_message(self, *_arguments: object) -> None:
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            pulls.address = f"http://127.0.0.1:{server.server_address[1]}"
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield pulls
            server.shutdown()
