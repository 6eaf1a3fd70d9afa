"""The one interface of a sign-in, and how it is driven: by a person at a browser (browser.py), or over HTTP through the
form of the emulator, which asks for no password."""

from __future__ import annotations

import base64
import re
import secrets
import zlib
from dataclasses import dataclass
from datetime import datetime, timezone
from html.parser import HTMLParser
from typing import Protocol
from urllib.parse import urlencode, urljoin
from xml.sax.saxutils import escape, quoteattr

import requests

from tests.live.experiment import Undecided
from tests.live.scratch import Scratch

_REQUEST = (
    '<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID={id} Version="2.0" IssueInstant={time} '
    'AssertionConsumerServiceURL={acs}><Issuer xmlns="urn:oasis:names:tc:SAML:2.0:assertion">{issuer}</Issuer>'
    "</samlp:AuthnRequest>"
)


class SignIn(Protocol):
    def sign_in(self, scratch: Scratch, seconds: float) -> str:
        """The SAMLResponse (base64) of the scratch application for its user. Raises Undecided when there is none in
        time, or when Entra refuses the sign-in."""


def build_request_url(login: str, tenant_id: str, scratch: Scratch, relay_state: str) -> str:
    """Where a browser goes to sign in to the scratch application."""
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    names = {"id": quoteattr(f"_{secrets.token_hex(16)}"), "time": quoteattr(now), "acs": quoteattr(scratch.reply_url)}
    deflater = zlib.compressobj(wbits=-15)
    packed = deflater.compress(_REQUEST.format(**names, issuer=escape(scratch.identifier)).encode()) + deflater.flush()
    query = {"SAMLRequest": base64.b64encode(packed).decode(), "RelayState": relay_state}
    return f"{login}/{tenant_id}/saml2?{urlencode({**query, 'login_hint': scratch.agent.upn})}"


class Form(HTMLParser):
    """The first form of a page: where it goes, and its hidden fields."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action, self.fields = "", dict[str, str]()
        self._forms = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._forms += 1
            self.action = self.action or given.get("action", "")
        elif tag == "input" and self._forms == 1 and given.get("type") == "hidden":
            self.fields[given.get("name", "")] = given.get("value", "")


@dataclass
class FormSignIn:
    """Fills in the emulator's form."""

    session: requests.Session
    login: str
    tenant_id: str

    def sign_in(self, scratch: Scratch, seconds: float) -> str:
        url, timeout = build_request_url(self.login, self.tenant_id, scratch, ""), min(max(seconds, 1.0), 30.0)
        asked = self._read_form(self.session.get(url, timeout=timeout))
        posted = self.session.post(
            urljoin(url, asked.action), {**asked.fields, "user": scratch.agent.upn}, timeout=timeout
        )
        return self._read_form(posted).fields["SAMLResponse"]

    def _read_form(self, answer: requests.Response) -> Form:
        if answer.status_code != 200:
            code = re.search(r"AADSTS\d+", answer.text)
            raise Undecided(f"the sign-in was refused: {code[0] if code else answer.status_code}")
        return Form(answer.text)
