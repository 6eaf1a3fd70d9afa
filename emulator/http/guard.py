"""Keeps web pages of other sites away from the emulator, which every browser on this machine reaches too. A Host that
is no name of the emulator is refused, since a page could otherwise read answers by DNS rebinding. A page can also send
a request whose answer it does not see, and which is carried out: what a browser sends for another site is refused,
unless it is a read outside /admin. Programs name no site and are not concerned. SAML's POST binding reaches two
addresses from other sites by design: `/saml2` with a service provider's request, which shows a page (the choice of a
user there is guarded in `emulator/entra/saml`), and Flex with a signed response."""

import re

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from emulator import pages
from emulator.entra.saml import ACS_PATH

_NAMES = frozenset({"127.0.0.1", "localhost"})
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_SAML_BINDING = re.compile(rf"/[^/]+/saml2|{re.escape(ACS_PATH)}")


def guard(app: ASGIApp) -> ASGIApp:
    """The application, which then gets only requests that were meant for it."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (refusal := _refuse(Request(scope))):
            await refusal(scope, receive, send)
        else:
            await app(scope, receive, send)

    return guarded


def _refuse(request: Request) -> JSONResponse | None:
    for host in request.headers.getlist("host") or [""]:
        if re.sub(r":\d*$", "", host).lower() not in _NAMES:
            words = "The emulator answers only requests addressed to 127.0.0.1 or localhost."
            return _error(421, "MisdirectedRequest", words)
    path = request.scope["path"]
    is_harmless = request.method in _READS and not path.startswith("/admin")
    if pages.is_from_another_site(request) and not is_harmless and not _SAML_BINDING.fullmatch(path):
        words = f"{request.method} {path} was sent by a page of another site, and nothing was changed."
        return _error(403, "CrossSiteRequest", words)
    return None


def _error(status: int, code: str, words: str) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": words}}, status)
