"""Pages fetched from the emulator, their forms filled in and sent, without a browser. A helper, not a test."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urlsplit

from tests.emulator.process import Answer, Emulator

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass
class Form:
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class Page(HTMLParser):
    """What a visitor can use of a page: its text, forms and links."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer
        self.text = ""
        self.tags: list[str] = []
        self.links: list[str] = []
        self.forms: list[Form] = []
        self.lang = ""
        self.feed(answer.content.decode())

    @property
    def status(self) -> int:
        return self.answer.status

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        self.tags.append(tag)
        if tag == "html":
            self.lang = given.get("lang", "")
        elif tag == "form":
            self.forms.append(Form(given["action"]))
        elif tag == "input":
            self.forms[-1].fields[given["name"]] = given.get("value", "")
        elif tag == "button" and "name" in given:
            self.forms[-1].buttons.append((given["name"], given["value"]))
        elif tag == "a":
            self.links.append(given["href"])

    def handle_data(self, data: str) -> None:
        self.text += data


def visit(emulator: Emulator, url: str) -> Page:
    """A page, redirects of this emulator followed."""
    answer = emulator.request("GET", _path(emulator, url))
    while answer.status in (302, 303):
        answer = emulator.request("GET", _path(emulator, answer.headers["location"]))
    return Page(answer)


def send(emulator: Emulator, form: Form, **more: str) -> Page:
    body = urlencode({**form.fields, **more}).encode()
    return Page(emulator.request("POST", _path(emulator, form.action), body, FORM))


def sign_in(emulator: Emulator, start: str, user: str) -> Page:
    """From a page that asks who signs in to the page of Flex that follows."""
    issued = send(emulator, visit(emulator, start).forms[0], user=user)
    return send(emulator, issued.forms[0]) if issued.status == 200 else issued


def _path(emulator: Emulator, url: str) -> str:
    assert not urlsplit(url).netloc or url.startswith(emulator.http), url
    return url.removeprefix(emulator.http)
