"""If this goes red, a value that the user marked secret, or that somebody held before, can be read in what a command
prints, in the plan, in state or in another file of the engine, also behind the packing of a roster."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterator
from contextlib import suppress

from tests.engine.stack import ADA, DESTROY, UP, Stack

CANARIES = {
    "an inline value": "canary-inline-value",
    "a changed inline value": "canary-second-value",
    "a value of the roster": "canary-roster-value",
    "a constant claim": "canary-constant",
    "what Ada held before": "canary-prior-of-ada",
    "what Linus held before": "canary-prior-of-linus",
    "what a stranger wrote since": "canary-of-a-stranger",
}
_PACKED = re.compile(r"1:(eJ[A-Za-z0-9+/=]{8,}|eF[A-Za-z0-9+/=]{8,}|eN[A-Za-z0-9+/=]{8,}|eA[A-Za-z0-9+/=]{8,})")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{24,}={0,2}")


def read_layers(text: str) -> Iterator[str]:
    """The text, and what is packed or written in base64 inside of it."""
    yield text
    for packed in _PACKED.findall(text):
        with suppress(ValueError, zlib.error):
            yield zlib.decompress(base64.b64decode(packed)).decode(errors="replace")
    for encoded in _BASE64.findall(text):
        with suppress(ValueError):
            yield base64.b64decode(encoded + "=" * (-len(encoded) % 4)).decode(errors="replace")


def find_canaries(text: str) -> list[str]:
    layers = list(read_layers(text))
    return [what for what, canary in CANARIES.items() if any(canary in layer for layer in layers)]


def test_the_hunt_finds_what_is_packed_or_encoded() -> None:
    packed = base64.b64encode(zlib.compress(b'["canary-roster-value"]')).decode()
    assert find_canaries(f'{{"x": "1:{packed}"}}') == ["a value of the roster"]
    assert find_canaries(base64.b64encode(b"......canary-constant......").decode()) == ["a constant claim"]
    assert find_canaries("nothing") == []


def test_no_secret_and_no_former_value_can_be_read_anywhere(stack: Stack) -> None:
    tenant, directory = stack.tenant(), stack.checkout.directory
    tenant.make_property("team")
    team = tenant.full("team")
    tenant.write("ada", CANARIES["what Ada held before"], "team")
    tenant.write("linus", CANARIES["what Linus held before"], "team")
    (directory / "agents.csv").write_text(f"user,{team}\nlinus@contoso.example,{CANARIES['a value of the roster']}\n")
    stack.config["users"] = {ADA: {}}
    stack.set_secret(f'users["{ADA}"].{team}', CANARIES["an inline value"])
    stack.set_secret("claims.site.value", CANARIES["a constant claim"])
    stack.set_secret("usersFile", "agents.csv")

    outputs: dict[str, str] = {}

    def keep(name: str, output: str) -> None:
        outputs[name] = output

    plan = directory / "plan.json"
    keep("preview", stack.ok("preview").output)
    keep("preview --diff", stack.ok("preview", "--diff").output)
    keep("preview --json", stack.ok("preview", "--json").output)
    keep("preview --save-plan", stack.ok("preview", "--save-plan", str(plan)).output)
    keep("the plan", plan.read_text("utf-8"))
    keep("up --debug", stack.ok(*UP, "--debug").output)
    assert tenant.value("linus", "team") == CANARIES["a value of the roster"]
    keep("up --diff", stack.ok(*UP, "--diff").output)
    stack.set_secret(f'users["{ADA}"].{team}', CANARIES["a changed inline value"])
    echo = f"Invalid value '{CANARIES['a changed inline value']}' for property."
    stack.emulator.fault("refuse", "PATCH", "/users/", status=400, message=echo)
    keep("up refused", stack.refused(*UP, "--diff"))
    stack.emulator.clear_faults()
    keep("up again", stack.ok(*UP).output)
    tenant.write("ada", CANARIES["what a stranger wrote since"], "team")
    keep("refresh --diff", stack.ok("refresh", "--yes", "--skip-preview", "--diff").output)
    keep("stack export", stack.ok("stack", "export").output)
    keep("stack --show-urns", stack.ok("stack", "--show-urns").output)
    for path in sorted(stack.directory.rglob("*")):
        if path.is_file() and {"state", "home"} & set(path.relative_to(stack.directory).parts):
            keep(str(path.relative_to(stack.directory)), path.read_bytes().decode("utf-8", "replace"))
    keep("destroy --diff", stack.ok(*DESTROY, "--diff").output)
    leaks = {name: canaries for name, text in outputs.items() if (canaries := find_canaries(text))}
    assert leaks == {}
