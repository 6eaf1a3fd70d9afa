"""Steps as commands of the Azure CLI, for bash: for whoever may do what this identity may not. Pure. What a command
gives and a later one names is kept in a shell variable."""

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping

from flexsaml.terminal_text import format_json

from .plan import REFERENCE, Step

_JSON = "--headers Content-Type=application/json"


def render_steps(steps: Iterable[Step], known: Mapping[str, str], graph_url: str) -> Iterator[str]:
    """One comment and one command or more for each step that is to be made. `known`: references and their values."""
    for step in steps:
        if not step.is_there:
            yield f"# {step.title}"
            yield from _render(step, known, f"{graph_url}/v1.0")


def _render(step: Step, known: Mapping[str, str], root: str) -> Iterator[str]:
    url, body = _quote(root + step.path, known), _quote(_dump(step.body), known)
    command = f"az rest --method {step.method} --url {url} {_JSON} --body {body}"
    if step.is_secret:
        yield f"{command} --query secretText --output tsv"
        return
    if not step.gives:
        yield command
        return
    (reference, key), *others = step.gives.items()
    name = _variable(reference)
    yield f"{name}=$({command} --query {key} --output tsv)"
    for other, other_key in others:
        made = _quote(f"{root}{step.path}/{reference}", known)
        yield f"{_variable(other)}=$(az rest --method GET --url {made} --query {other_key} --output tsv)"


def _dump(body: object) -> str:
    """JSON with references in it, whose NUL it would spell as an escape. What would command a CI system is escaped as
    JSON does it: a terminal's escape of it, made later, would be no JSON."""
    return re.sub(r"\\(u0000|.)", lambda escape: "\0" if escape[1] == "u0000" else escape[0], format_json(body, None))


def _variable(reference: str) -> str:
    return REFERENCE.sub(r"\1", reference)


def _quote(text: str, known: Mapping[str, str]) -> str:
    """One word for the shell, in which a variable stands for each reference that is not known."""
    for reference, value in known.items():
        text = text.replace(reference, value)
    pieces = REFERENCE.split(text)  # text, name, text, name, …
    words = [f'"${{{piece}}}"' if index % 2 else shlex.quote(piece) for index, piece in enumerate(pieces) if piece]
    return "".join(words)
