"""`ledger`: what users held before this stack wrote, as a file. The stack's state holds the only copy of it: when the
state is lost, rolled back or destroyed, so is what only it knew. Read from `pulumi stack export --show-secrets`, which
needs the stack's passphrase or key; the tenant is not asked. The file can be read by its owner only, since it holds
what people have."""

import argparse
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flexsaml.errors import UserError
from flexsaml.json_values import load_json
from flexsaml.private_files import write_private_file
from flexsaml.pulumi_command import export_resources
from flexsaml.terminal_text import format_json, print_json, print_lines
from flexsaml.values import DataType, Ledger, LedgerEntry, RosterTable, unpack_memory

Row = dict[str, object]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="where the JSON file is written")
    parser.add_argument("--stack", default="", help="default: the selected stack")
    parser.add_argument("--json", action="store_true", help="print how many cells were written as JSON")


def run(given: argparse.Namespace) -> int:
    try:
        resources = export_resources(given.stack, "--show-secrets")
        cells = [row for resource in resources for row in _read_resource(resource)]
    except (ValueError, LookupError, TypeError, AttributeError, zlib.error) as problem:
        words = f"the state does not have the shape that this version writes ({type(problem).__name__})"
        raise UserError(f"{words}; nothing was written: export with the version that wrote it") from None
    write_private_file(given.out, format_json({"cells": cells}) + "\n")
    if given.json:
        print_json({"cells": len(cells), "file": str(given.out)})
        return 0
    values = "value of a user is" if len(cells) == 1 else "values of users are"
    print_lines([f"{len(cells):,} {values} in {given.out}, which its owner alone can read"])
    return 0


def _read_resource(resource: dict[str, Any]) -> Iterator[Row]:
    """The cells that one resource of a deployment records; none of a resource without a ledger."""
    kind, outputs = str(resource["type"]).rpartition(":")[2], resource.get("outputs") or {}
    if kind == "UserValueBaseline":
        outputs = {name: _reveal(value) for name, value in outputs.items()}
        object_ids, ledger = unpack_memory(outputs["__memory"], RosterTable.unpack(outputs["__cells"]).rows)
        data_type = DataType(outputs["data_type"], bool(outputs.get("multi_valued")))
        for user, id_ in sorted(object_ids.items()):
            if id_ in ledger.entries:
                yield _row(user, id_, outputs["full_name"], data_type, ledger.entries[id_])
    elif kind == "UserExtensionValue":  # of one without a baseline; of others it is empty
        outputs = {name: _reveal(value) for name, value in outputs.items()}
        for name, entry in sorted(Ledger.unpack(outputs["__memory"]).entries.items()):
            data_type = DataType.parse(outputs["types"].get(name, "String"))
            yield _row(outputs["user"], outputs["user_id"], name, data_type, entry)


def _row(user: str, user_id: str, extension: str, data_type: DataType, entry: LedgerEntry) -> Row:
    """Values as Graph takes them; null stands for one that was not set."""
    prior, *written = (data_type.to_wire(value) for value in (entry.prior, *entry.written))
    return {"user": user, "id": user_id, "extension": extension, "prior": prior, "written": written}


def _reveal(value: Any) -> Any:
    """A property as the engine exports it decrypted: a secret holds its JSON as text."""
    return load_json(value["plaintext"]) if isinstance(value, dict) and "plaintext" in value else value
