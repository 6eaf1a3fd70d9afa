"""Make golden states: run real stacks with the code of a checkout, and keep their state and tenant as fixtures.

The engine has to be on PATH. From the repository:

    PATH="$(.venv/bin/python tools/engine.py):$PATH" .venv/bin/python -m tests.golden.make_states NAME...

The stacks run the code of this checkout; `--checkout DIRECTORY` names another one, for example a worktree of a
release (`git worktree add ../release v1.2.0`, with `.venv` linked into it). The emulated tenant and the helpers are
always those of this repository, so that the tests can read what was made.

A golden state is never made anew: it stands for the stacks that its release made. To keep a state of a later release,
add a function to STACKS under a new name (for example `roster_2`), and make that one. The states that are here were
made by the code of commit 6813ca4; `wheel/program` by the wheel of b88cf05, the first commit that builds one.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.emulator.process import SEED, Emulator
from tests.engine.host import HostProject
from tests.engine.stack import PROJECT, Checkout, Stack
from tests.golden.programs import HOST_PROGRAM, PROGRAM
from tests.golden.states import ADDRESS, DIRECTORY, Json, Rows, common_tenant, rows_as_text, rows_besides
from tests.wheel import install_wheel

CONNECTION = {"flexsaml:cloud", "flexsaml:graphEndpoint", "flexsaml:loginEndpoint"}
ENCRYPTION_SALT = "v1:Z29sZGVuISE=:v1:6goXKy5N+p4fyDYu:mO5SoBWu3ZfrN0i9MqM9aPBaoPAefg=="
"""The same for all states, so that a key is derived from PASSPHRASE once."""

REQUIRED_CLAIMS = [
    {
        "Source": "user",
        "ID": "userprincipalname",
        "SamlClaimType": "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier",
    },
    {"Source": "user", "ID": "mail", "SamlClaimType": "email"},
    {"Source": "user", "ID": "displayname", "SamlClaimType": "full_name"},
    {"Source": "user", "ID": "assignedroles", "SamlClaimType": "roles"},
]
Export = Rows
ADA, GRACE, LINUS = (f"{name}@contoso.example" for name in ("ada", "grace", "linus"))
SUSAN, ALAN = "susan@contoso.example", "alan@contoso.example"


def make_inline_users(stack: Stack) -> Export:
    """Every data type, null, a user by object id; values, claims and users changed by a second update."""
    before = stack.emulator.export()
    stack.config["extensions"] = {
        "languages": "String",
        "level": "Integer",
        "badge": "LargeInteger",
        "remote": "Boolean",
        "since": "DateTime",
        "key": "Binary",
        "skills": {"dataType": "String", "multiValued": True},
    }
    stack.config["includeBasicClaimSet"] = True
    stack.config["claims"] |= {
        "level": "extension.level",
        "skills": "extension.skills",
        "site": {"value": "vienna"},
        "number": {"source": "user", "id": "employeeid", "samlNameForm": "basic"},
    }
    stack.config["users"] = {
        ADA: {"languages": "en", "level": 3, "badge": "9007199254740993", "remote": True, "since": "2026-11-24"},
        GRACE: {"languages": "fr", "level": None, "skills": ["billing", "sales"]},
        LINUS: {"languages": "de"},
    }
    stack.up()
    susan = stack.tenant().user("susan")["id"]
    stack.config["users"] = {
        ADA: {**stack.config["users"][ADA], "languages": "en,de", "key": "AAEC"},
        GRACE: {"languages": "fr", "level": None, "skills": ["billing", "déjà vu"]},
        susan: {"languages": "es"},
    }
    del stack.config["claims"]["site"]
    stack.up()
    return before


def make_roster(stack: Stack) -> Export:
    """A multi-valued column, an existing extension with values in it, cells beside inline ones; changed once."""
    tenant = stack.tenant()
    tenant.make_property("team")
    team = tenant.full("team")
    tenant.write("ada", "red", "team")
    tenant.write("alan", "white", "team")
    before = stack.emulator.export()
    stack.config["extensions"] = {"languages": "String", "skills": {"dataType": "String", "multiValued": True}}
    stack.config["claims"] |= {"skills": "extension.skills", "team": f"extension.{team}"}
    stack.config["users"] = {ADA.upper(): {"languages": "en"}}
    stack.config["usersFile"] = "agents.csv"
    grace = tenant.user("grace")["id"]
    header = f"user,languages,skills,{team}\n"
    stack.checkout.write_roster(
        f'{header}{ADA},,"[""billing""]",blue\n{grace},"en,de",,blue\n{LINUS},<null>,,green\n{SUSAN},fr,,\n'
    )
    stack.up()
    stack.checkout.write_roster(
        f'{header}{ADA},,"[""billing"", ""sales""]",blue\n{grace},"en,fr",,yellow\n{LINUS},<null>,,green\n{ALAN},es,,blue\n'
    )
    stack.up()
    return before


def make_secret_users(stack: Stack) -> Export:
    """Values given as secrets, one of them over a value that was there; one changed by a second update."""
    tenant = stack.tenant()
    tenant.make_property("team")
    team = tenant.full("team")
    tenant.write("ada", "a private matter", "team")
    before = stack.emulator.export()
    stack.config["users"] = {}
    stack.set_secret(f'users["{ADA}"].languages', "hush")
    stack.set_secret(f'users["{ADA}"]["{team}"]', "whisper")
    stack.set_secret(f'users["{GRACE}"].languages', "murmur")
    stack.up()
    stack.set_secret(f'users["{ADA}"].languages', "hushed")
    stack.up()
    return before


def make_existing_extension(stack: Stack) -> Export:
    """Extensions of this application and of another one, by full name only; some users hold values in them."""
    tenant = stack.tenant()
    tenant.make_property("team")
    staging = next(
        application
        for application in stack.emulator.export()["applications"]
        if application["displayName"] == "Twilio Flex Staging"
    )
    body = {"name": "regions", "dataType": "String", "isMultiValued": True, "targetObjects": ["User"]}
    regions = tenant.do("POST", f"/applications/{staging['id']}/extensionProperties", body)["name"]
    team = tenant.full("team")
    tenant.write("ada", "red", "team")
    tenant.write("linus", "green", "team")
    tenant.do("PATCH", f"/users/{tenant.user('ada')['id']}", {regions: ["north"]})
    before = stack.emulator.export()
    stack.config["extensions"] = {}
    stack.config["claims"]["languages.stringarray"] = f"extension.{team}"
    stack.config["claims"]["regions"] = f"extension.{regions}"
    stack.config["users"] = {
        ADA: {team: "blue", regions: ["south", "west"]},
        GRACE: {team: "blue"},
        LINUS: {team: None},
    }
    stack.up()
    return before


def make_displaced_policy(stack: Stack) -> Export:
    """A raw definition takes over from a policy that was assigned by hand."""
    tenant = stack.tenant()
    tenant.make_property("team")
    team = tenant.full("team")
    tenant.write("grace", "red", "team")
    tenant.assign(tenant.make_policy("by hand"))
    before = stack.emulator.export()
    schema = [*REQUIRED_CLAIMS, {"Source": "user", "ExtensionID": team, "SamlClaimType": "team"}]
    stack.config["claims"] = {}
    stack.config["definition"] = definition_text(schema)
    stack.config["users"] |= {GRACE: {team: "blue"}}
    stack.config["policyName"] = "Flex, taken over"
    stack.config["replaceExisting"] = True
    stack.up()
    return before


def make_adopted_after_import(stack: Stack) -> Export:
    """Objects made by hand, imported with `adopt`; `pulumi up` has not run yet."""
    before = stack.emulator.export()
    tenant = stack.tenant()
    languages, team = tenant.full("languages"), tenant.full("team")
    tenant.make_property("languages")
    tenant.make_property("team")
    tenant.write("ada", "en,de")
    tenant.write("grace", "fr")
    tenant.write("grace", "blue", "team")
    tenant.write("linus", "de")
    schema = [
        {"Source": "user", "ExtensionID": languages, "SamlClaimType": "languages.stringarray"},
        {"Source": "user", "ExtensionID": team, "SamlClaimType": "team"},
        *REQUIRED_CLAIMS,
    ]
    body = {"displayName": "Flex, by hand", "definition": [definition_text(schema)]}
    tenant.assign(tenant.do("POST", "/policies/claimsMappingPolicies", body)["id"])
    stack.config["policyName"] = "Flex, by hand"
    stack.config["extensions"] = {"languages": "String", "team": "String"}
    stack.config["claims"]["team"] = "extension.team"
    stack.config["usersFile"] = "agents.csv"
    stack.checkout.write_roster(f"user,languages,team\n{GRACE},fr,blue\n{LINUS},de,\n")
    stack.write_config()
    import_file = stack.directory / "import.json"
    subprocess.run(
        [sys.executable, "-m", "flexsaml", "adopt", "--out", str(import_file)],
        cwd=stack.checkout.directory,
        env=stack.environment,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    stack.ok("import", "--yes", "--file", str(import_file), "--generate-code=false", "--protect=false")
    return before


def make_adopted(stack: Stack) -> Export:
    """The same after the `pulumi up` that records dependencies and secrets."""
    before = make_adopted_after_import(stack)
    stack.up()
    return before


def make_resources_alone(stack: Stack) -> Export:
    """A program that uses the resources without the component and without baselines; changed by a second update."""
    tenant = stack.tenant()
    team_id = tenant.make_property("team")
    tenant.write("ada", "red", "team")
    before = stack.emulator.export()
    program = PROGRAM.format(
        application_id=tenant.application["id"],
        app_id=tenant.application["appId"],
        principal_id=tenant.principal["id"],
        languages=tenant.full("languages"),
        team=tenant.full("team"),
        team_id=team_id,
    )
    stack.checkout.write_program(program.replace("blue", "green"))
    stack.up()
    stack.checkout.write_program(program)
    stack.up()
    return before


def make_wheel_program(stack: Stack) -> Export:
    """A program of another project that uses the wheel; a roster beside a value in the program; a displaced policy."""
    tenant = stack.tenant()
    tenant.assign(tenant.make_policy("by hand"))
    before = stack.emulator.export()
    stack.config = {}
    stack.checkout.write_roster(f"user,team\n{GRACE},blue\n{LINUS},green\n")
    stack.up()
    return before


STACKS: dict[str, Callable[[Stack], Export]] = {
    "inline_users": make_inline_users,
    "roster": make_roster,
    "secret_users": make_secret_users,
    "existing_extension": make_existing_extension,
    "displaced_policy": make_displaced_policy,
    "adopted_after_import": make_adopted_after_import,
    "adopted": make_adopted,
    "resources_alone": make_resources_alone,
    "wheel/program": make_wheel_program,
}
"""Name of a state to the function that makes the stack and returns the tenant's export from before.

For adopted stacks that is the tenant before somebody made the objects by hand: destroy deletes what was adopted.
"""


def definition_text(schema: list[Json]) -> str:
    """A definition as a person writes it, with blanks, and claims in no order."""
    policy = {"Version": 1, "IncludeBasicClaimSet": "false", "ClaimsSchema": schema}
    return json.dumps({"ClaimsMappingPolicy": policy})


def make_state(name: str, emulator: Emulator, checkout: Path, room: Path) -> None:
    """Run the stack in `room` and write the directory of the state."""
    emulator.seed(common_tenant())
    room.mkdir(parents=True)
    uses_wheel = name.startswith("wheel/")
    project = HostProject(room / "host", HOST_PROGRAM) if uses_wheel else Checkout(room / "checkout", project=checkout)
    (project.directory / "Pulumi.dev.yaml").write_text(f"encryptionsalt: {ENCRYPTION_SALT}\n", encoding="utf-8")
    stack = Stack(project, emulator, room)
    if uses_wheel:
        stack.identity = {"PYTHONPATH": str(install_wheel(room, checkout))}
    stack.init()
    before = STACKS[name](stack)
    write_state(DIRECTORY / name, stack, before)
    stack.destroy()
    if emulator.export() != before:
        raise SystemExit(f"{name}: the code that made this state does not restore the tenant")


def write_state(directory: Path, stack: Stack, before: Export) -> None:
    directory.mkdir(parents=True)
    common, made = common_tenant(), stack.emulator.export()
    moments = (("before", rows_besides(common, before)), ("made", rows_besides(common, made)))
    text = ",\n".join(f'"{moment}": {rows_as_text(rows)}' for moment, rows in moments)
    (directory / "tenant.json").write_text(f"{{\n{text}\n}}\n", encoding="utf-8")
    (directory / "state.json").write_text(portable_state(exported_state(stack), stack.emulator.http), encoding="utf-8")
    written = yaml.safe_load(stack.config_file.read_text(encoding="utf-8"))
    written["config"] = {key: value for key, value in written["config"].items() if key not in CONNECTION}
    (directory / "stack.yaml").write_text(yaml.safe_dump(written, sort_keys=False, allow_unicode=True), "utf-8")
    roster, program = (stack.checkout.directory / name for name in ("agents.csv", "__main__.py"))
    if roster.exists():
        shutil.copy(roster, directory)
    if not program.is_symlink():
        shutil.copy(program, directory / "program.txt")


def exported_state(stack: Stack) -> Json:
    state: Json = json.loads(stack.ok("stack", "export").output)
    return state


def portable_state(state: Json, address: str) -> str:
    """The text of the state without what differs between two machines: times, positions in source, the address."""
    deployment = state["deployment"]
    deployment["manifest"]["time"] = "0001-01-01T00:00:00Z"
    deployment.pop("metadata", None)
    for resource in deployment["resources"]:
        for key in ("created", "modified", "sourcePosition", "stackTrace"):
            resource.pop(key, None)
    return json_text(state, 4).replace(address, ADDRESS) + "\n"


def json_text(value: Any, levels: int, indent: str = "") -> str:
    """JSON with one entry on each line, down to so many levels; dependencies always stand on one line."""
    items: list[tuple[str, Any]] = []
    if isinstance(value, dict):
        items = [(f"{json.dumps(key)}: ", item) for key, item in value.items()]
    elif isinstance(value, list):
        items = [("", item) for item in value]
    if not items or levels < 0:
        return json.dumps(value, ensure_ascii=False)
    lines = [
        f"{indent} {key}{json_text(item, -1 if 'ependencies' in key else levels - 1, indent + ' ')}"
        for key, item in items
    ]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{opening}\n" + ",\n".join(lines) + f"\n{indent}{closing}"


def write_common_tenant(emulator: Emulator) -> None:
    """The built-in tenant as it is now, without clients and keys."""
    emulator.seed(json.loads(SEED.read_text(encoding="utf-8")))
    (DIRECTORY / "tenant.json").write_text(rows_as_text(emulator.export()) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", choices=sorted(STACKS), metavar="NAME", help=", ".join(STACKS))
    parser.add_argument("--checkout", type=Path, default=PROJECT, help="whose code runs (default: this one)")
    given = parser.parse_args()
    existing = [name for name in given.names if (DIRECTORY / name).exists()]
    if existing:
        raise SystemExit(f"{', '.join(existing)}: exists already; a golden state is never made anew")
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as room, Emulator(Path(room)) as emulator:
        if not (DIRECTORY / "tenant.json").exists():
            write_common_tenant(emulator)
        for name in given.names:
            print(name, flush=True)
            make_state(name, emulator, given.checkout.resolve(), Path(room) / name)


if __name__ == "__main__":
    main()
