"""`adopt` writes a file for `pulumi import --file`, which makes what exists in the tenant this stack's own.

`pulumi import TYPE NAME ID` cannot import dynamic resources, because the engine would need a provider that it does not
know yet. With a file that has inputs and outputs, the engine does not ask a provider at all (tried). To find these
inputs, this command builds the component without an engine. The component registers the same children as in
`pulumi up`; the command looks each of them up in the tenant, and writes those that exist to the file. It reads the
stack's configuration through `pulumi config`, which decrypts secret values.

The stack owns what was imported, and destroy deletes it. Nobody knows what users held before, so their prior values are
recorded as unset. The command changes nothing in the tenant. It writes one file, which only its owner can read, because
it holds users' values. It refuses a stack that has resources already."""

import argparse
import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import pulumi
from pulumi.runtime import mocks, set_all_config

from flexsaml.claims import MAX_TEXT_BYTES
from flexsaml.cli import read_file
from flexsaml.declaration import declares_arguments, load_stack_keys
from flexsaml.errors import UserError
from flexsaml.graph import Directory
from flexsaml.json_values import load_json
from flexsaml.private_files import write_private_file
from flexsaml.project_file import read_project_name
from flexsaml.pulumi_command import export_resources, run_pulumi
from flexsaml.terminal_text import format_json, print_json, print_lines
from providers import Connection, provider_class

from .args import read_config
from .flex_saml_claims import FlexSamlClaims


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="where the import file is written")
    parser.add_argument("--stack", default="", help="default: the selected stack")
    what = "stack file with what is declared, for a program that gives the arguments itself"
    parser.add_argument("--file", default="", metavar="YAML", help=what)
    parser.add_argument("--component", default="flex", metavar="NAME", help="of the component in the program (flex)")
    parser.add_argument("--json", action="store_true", help="print what exists as JSON")


def run(given: argparse.Namespace) -> int:
    stack = given.stack or run_pulumi("stack", "--show-name").strip()
    _require_empty(stack)
    _load_configuration(stack)
    keys = _read_keys(given.file)
    try:
        adoption = _find_existing(stack, given.component, keys)
    except pulumi.RunError as problem:
        raise UserError(" ".join(str(problem).split())) from None
    write_private_file(given.out, format_json({"resources": adoption.resources}))
    types = {resource["name"]: resource["type"] for resource in adoption.resources if not resource.get("component")}
    if given.json:
        report = {"found": list(types), "absent": adoption.absent, "different": adoption.different}
        print_json({**report, "file": str(given.out)})
        return 0
    in_tenant = [name for name, type_ in types.items() if not type_.endswith("Baseline")]
    verb = "object exists and is" if len(in_tenant) == 1 else "objects exist and are"
    lines = [f"{len(in_tenant)} {verb} in {given.out}: {', '.join(in_tenant)}"]
    if len(types) > len(in_tenant):
        baselines = ", ".join(name for name in types if name not in in_tenant)
        lines.append(f"the file also has the baselines, which are kept in state only: {baselines}")
    if adoption.absent:
        lines.append(f"these do not exist in the tenant: {', '.join(adoption.absent)}")
    if adoption.different:
        lines.append(f"these exist, and differ from what is declared: {', '.join(adoption.different)}")
    preview = predict_preview(adoption.absent, adoption.different, given.file, given.component)
    lines += [
        "From the import on they belong to this stack: destroy deletes them, and clears users' values, because nobody "
        "knows what users held before.",
        f"  pulumi import --yes --file {given.out} --generate-code=false --protect=false",
        f"  pulumi preview --diff   # {preview}",
        f"  pulumi up && rm {given.out}   # records dependencies",
        "Run that `pulumi up` soon: until then users' values are unencrypted in state, and a destroy, which "
        "deletes everything at once, may leave extension properties behind in the tenant.",
    ]
    print_lines(lines)
    return 0


def predict_preview(absent: Sequence[str], different: Sequence[str], file: str, component: str) -> str:
    """What the first preview after the import shows. `absent` are resources that the tenant does not have, `different`
    those that it has with other properties than declared; `file` is the stack file that declares in the place of the
    program, "" without one, and `component` the name that the program must give its component."""
    changes = ["creates what does not exist yet"] if absent else []
    changes += ["updates what differs"] if different else []
    condition = f", if the program's component is called '{component}' and declares the same as {file}" if file else ""
    return (" and ".join(changes) or "shows no change") + condition


class _Recorder(mocks.Mocks):
    """Takes the engine's place: looks each resource up in the tenant instead of creating it. `resources` are those of
    the import file, `absent` the names of those that the tenant does not have, `different` of those that it has with
    other properties than declared."""

    def __init__(self, directory: Callable[[], Directory]) -> None:
        self.resources: list[dict[str, Any]] = []
        self.absent: list[str] = []
        self.different: list[str] = []
        self._directory = directory
        self._component = ""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        if not args.custom:
            self._component = args.name
            self.resources.append({"type": args.typ, "name": args.name, "component": True})
            return None, args.inputs
        given = {key: value for key, value in args.inputs.items() if not key.lstrip("_").startswith("seen")}
        kind = provider_class(args.typ.rsplit(":", 1)[-1]).kind
        inputs, _ = kind.check({}, given)
        existing = kind.adopt(self._directory(), inputs)
        if existing is None:
            self.absent.append(args.name)
            return "", inputs
        id_, outputs = existing
        if any(not kind.arguments[name].ignored for name in kind.diff(outputs, inputs)):
            self.different.append(args.name)
        outputs["__provider"] = given["__provider"]
        kept = {key: outputs[key] for key in (*kind.inputs, "__provider") if key in outputs}
        resource = {"type": args.typ, "name": args.name, "id": id_, "parent": self._component}
        self.resources.append({**resource, "inputs": kept, "outputs": outputs})
        return id_, outputs

    def call(self, args: mocks.MockCallArgs) -> NoReturn:
        raise NotImplementedError(f"the component calls no function of a provider ({args.token})")


def _read_keys(file: str) -> Mapping[str, object] | None:
    """What the file declares, None without one."""
    if not file:
        return None
    return load_stack_keys(read_file(file, MAX_TEXT_BYTES, "give a stack file"), file)


def _find_existing(stack: str, component: str, keys: Mapping[str, object] | None) -> _Recorder:
    """What of the component exists in the tenant. Raises `pulumi.RunError` as the component does."""
    directory = cache(Connection.from_config(pulumi.Config("flexsaml").get).directory)
    recorder = _Recorder(directory)

    # The keys are read inside `mocks.test`, because default names depend on its project and stack.
    def build() -> object:
        declared = read_config() if keys is None else keys
        if not declares_arguments(name for name in declared if name != "policyName"):  # `read_config` adds that key
            raise pulumi.RunError(
                "the stack configuration declares nothing, so its program gives the arguments itself: write them as "
                "keys of a stack file, and give it with --file, and the component's name in the program with "
                "--component"
            )
        return FlexSamlClaims(component, declared, directory=directory).policy_id

    with _open_event_loops():
        mocks.set_mocks(recorder, project=read_project_name(Path.cwd()), stack=stack, preview=False)
        mocks.test(build)()  # type: ignore[no-untyped-call]
    return recorder


@contextmanager
def _open_event_loops() -> Iterator[None]:
    """Opens an event loop for this thread and for each thread that registers a resource, and closes all at the end.
    Pulumi would open the loops that it misses and never close them, which can end in a traceback of asyncio."""
    loops: list[asyncio.AbstractEventLoop] = []

    def open_loop() -> None:
        loops.append(asyncio.new_event_loop())
        asyncio.set_event_loop(loops[-1])

    open_loop()
    try:
        with ThreadPoolExecutor(initializer=open_loop) as executor:
            loops[0].set_default_executor(executor)
            yield
    finally:
        for loop in loops:
            loop.close()


def _load_configuration(stack: str) -> None:
    """The stack's configuration becomes this program's, as if the engine ran it."""
    entries = load_json(run_pulumi("config", "--json", "--show-secrets", "--stack", stack))
    values = {key: entry["value"] for key, entry in entries.items() if "value" in entry}
    set_all_config(values, [key for key, entry in entries.items() if entry.get("secret")])


def _require_empty(stack: str) -> None:
    """An import adds resources and changes none, so an existing tenant baseline would not learn of them."""
    if any(not resource["type"].startswith("pulumi:") for resource in export_resources(stack)):
        raise UserError(
            f"stack '{stack}' has resources already, and adoption is for a stack without any: refer to a property "
            "by its full name instead, or run `pulumi destroy` first"
        )
