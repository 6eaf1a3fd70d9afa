"""The pages of the sandbox: HTML from templates, the headers that keep them harmless, and their style sheet. Everything
that comes from a request or the tenant is escaped by the template engine."""

import json
import math
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

_DIRECTORY = Path(__file__).parent
_LAST = 253402300799  # the last second that Python knows; that of .NET is rounded up to the next one
_TEMPLATES = Environment(
    loader=FileSystemLoader(_DIRECTORY / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


def _breakable(text: str) -> Markup:
    """A long name may break after its slashes and underscores; it is escaped first."""
    broken = str(escape(text))
    for separator in "/_":
        broken = broken.replace(separator, f"{separator}<wbr>")
    return Markup(broken)  # noqa: S704 - escaped above


_TEMPLATES.filters["breakable"] = _breakable
_TEMPLATES.filters["json"] = lambda value, indent: json.dumps(value, indent=indent, sort_keys=True, ensure_ascii=False)
_TEMPLATES.filters["day"] = lambda epoch: (
    f"{datetime.fromtimestamp(min(epoch, _LAST), timezone.utc):%Y-%m-%d}" if math.isfinite(epoch) else "without a date"
)
# With `no-referrer` a browser would send `Origin: null` with the pages' own forms.
_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cache-Control": "no-store"}
MAX_FORM = 2_000_000  # bytes; a posted SAMLResponse is far below


def routes() -> list[BaseRoute]:
    return [Mount("/assets", app=StaticFiles(directory=_DIRECTORY / "static"))]


def render_page(template: str, status: int = 200, *, posts_to: str = "", **values: object) -> HTMLResponse:
    """A page; `posts_to` is the only foreign address to which its form may be sent."""
    target = urlsplit(posts_to)
    forms = f"'self' {target.scheme}://{target.netloc}" if target.netloc else "'self'"
    sources = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'"
    policy = f"{sources}; form-action {forms}; base-uri 'none'; frame-ancestors 'none'"
    headers = {"Content-Security-Policy": policy, **_HEADERS}
    text = _TEMPLATES.get_template(template).render(values)
    return HTMLResponse(text.encode("utf-8", "replace"), status, headers)  # a policy may name half a surrogate pair


def render_problem(title: str, message: str, status: int) -> HTMLResponse:
    """What went wrong, in one line."""
    return render_page("problem.html", status, title=title, message=message)


def read_origin(request: Request) -> str:
    """Scheme and host as the caller named them."""
    return f"{request.url.scheme}://{request.headers['host']}"


def is_from_another_site(request: Request) -> bool:
    """Whether a browser sends this for a page of another origin. Programs send neither of the two headers."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")  # none: the person typed the address
    return request.headers.get("origin", read_origin(request)) != read_origin(request)


async def read_form(request: Request) -> Mapping[str, str]:
    """A posted form, empty when it is too large or not one."""
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_FORM:
                return {}
    except ClientDisconnect:
        return {}
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=50))
    except ValueError:
        return {}
