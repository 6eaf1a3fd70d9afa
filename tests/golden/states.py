"""The golden states: stacks that an earlier release made, with the tenant each belongs to. A helper, not a test.

A state is a directory beside this file:

    stack.yaml   the stack's configuration, without the tenant's address; secrets are encrypted under PASSPHRASE
    agents.csv   its roster, if it has one
    program.txt   its program, if it is another one than the project's `__main__.py`
    state.json   what `pulumi stack export` printed, with ADDRESS for the emulator's address, without times
    tenant.json  {"before": rows, "made": rows}: what the tenant holds besides `tenant.json` of this directory, before
                 anything was made, and when the state was exported

Rows are in the form of the emulator's export, which maps a kind ("users", ...) to its objects. An object with an id that
the common tenant has too names only the keys that differ. The states in `wheel/` are those of programs that use the
wheel: they refer to classes of `flexsaml.providers`, which this checkout does not have.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

DIRECTORY = Path(__file__).resolve().parent
NAMES = sorted(path.parent.name for path in DIRECTORY.glob("*/state.json"))
"""Of the states of the project's own stacks."""
PASSPHRASE = "test"
"""Of all states: what the engine tests set as PULUMI_CONFIG_PASSPHRASE. It protects nothing but made-up values."""
ADDRESS = "http://127.0.0.1:EMULATOR"

Json = dict[str, Any]
Rows = dict[str, list[Json]]


@dataclass(frozen=True)
class GoldenState:
    """One golden state, read from its directory."""

    name: str

    @property
    def directory(self) -> Path:
        return DIRECTORY / self.name

    def state(self, address: str = ADDRESS) -> str:
        """The text that `pulumi stack import` takes, for an emulator at this address."""
        return (self.directory / "state.json").read_text(encoding="utf-8").replace(ADDRESS, address)

    @property
    def roster(self) -> Path | None:
        file = self.directory / "agents.csv"
        return file if file.exists() else None

    @property
    def program(self) -> str:
        """The text of `program.txt`; "" for the project's own program."""
        file = self.directory / "program.txt"
        return file.read_text(encoding="utf-8") if file.exists() else ""

    @property
    def stack_file(self) -> str:
        """The text of `stack.yaml`."""
        return (self.directory / "stack.yaml").read_text(encoding="utf-8")

    @property
    def config(self) -> Json:
        """The configuration by key without its namespace."""
        keys: Json = yaml.safe_load(self.stack_file)["config"]
        return {key.removeprefix("flexsaml:"): value for key, value in keys.items()}

    @property
    def resources(self) -> list[Json]:
        """The dynamic resources in state, in the engine's order."""
        resources: list[Json] = json.loads(self.state())["deployment"]["resources"]
        return [resource for resource in resources if resource["type"].startswith("pulumi-python:dynamic/")]

    def tenant(self, moment: str) -> Rows:
        """The tenant "before" anything was made, or as the state belongs to it ("made"): a seed of the emulator."""
        rows: Rows = json.loads((self.directory / "tenant.json").read_text(encoding="utf-8"))[moment]
        return add_rows(common_tenant(), rows)


def common_tenant() -> Rows:
    tenant: Rows = json.loads((DIRECTORY / "tenant.json").read_text(encoding="utf-8"))
    return tenant


def add_rows(tenant: Rows, rows: Rows) -> Rows:
    """The tenant with these rows: keys of an object with a known id are replaced, other objects are added."""
    result = {kind: [dict(row) for row in objects] for kind, objects in tenant.items()}
    for kind, objects in rows.items():
        known = {row["id"]: row for row in result.setdefault(kind, []) if "id" in row}
        for row in objects:
            if row.get("id") in known:
                known[row["id"]].update(row)
            else:
                result[kind].append(row)
    return result


def rows_besides(tenant: Rows, export: Rows) -> Rows:
    """The rows for `add_rows` that turn `tenant` into `export`. Raises ValueError if something left the tenant."""
    result: Rows = {}
    for kind, objects in export.items():
        known = {row["id"]: row for row in tenant.get(kind, []) if "id" in row}
        missing = known.keys() - {row.get("id") for row in objects}
        if missing:
            raise ValueError(f"{kind}: {', '.join(sorted(missing))} left the tenant")
        changes = []
        for row in objects:
            old = known.get(row.get("id", ""), {})
            changed = {key: value for key, value in row.items() if key == "id" or old.get(key) != value}
            if changed.keys() - {"id"}:
                changes.append(changed)
        if changes:
            result[kind] = changes
    return result


def rows_as_text(rows: Rows) -> str:
    """JSON with one object on each line, so that a difference is read line by line."""
    tables = []
    for kind, objects in rows.items():
        lines = ",\n".join(f"  {json.dumps(row, ensure_ascii=False, sort_keys=True)}" for row in objects)
        tables.append(f" {json.dumps(kind)}: [\n{lines}\n ]" if objects else f" {json.dumps(kind)}: []")
    return "{\n" + ",\n".join(tables) + "\n}"
