"""The value baselines that one command meets, and what their ledgers say of each other.

Two baselines of one state may be of the same cell for a while: a user moves from one component of a program to another,
or a component has another name, without an alias. The engine makes the new baseline before it deletes the former one,
or beside it, so the new one may record this stack's own value as the one from before. Then only the former one knows
the true value, and must not go: the new ledger's prior value is one that the former one wrote. A provider process
serves one command, so module variables hold what the command has met.

Ledgers are kept packed, because a ledger is read only where another baseline of the same property restores."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from threading import RLock

from flexsaml.values import Ledger, LedgerEntry

from . import cells
from .base import Props, RefusedChange

_declared: dict[str, dict[str, Props]] = defaultdict(dict)
"""By id of the property, and by memory: the outputs of baselines that the program declares."""
_left: dict[tuple[str, str], list[LedgerEntry]] = defaultdict(list)
"""By id of the property and object id of the user: entries of cells that a baseline left, because they hold a value
that it did not write."""
_locks: dict[str, RLock] = defaultdict(RLock)


def forget_command() -> None:
    """Begin another command in the same process, as only tests do."""
    _declared.clear()
    _left.clear()


def lock_property(props: Props) -> RLock:
    """Held while a baseline reads and records, or restores: of two baselines of one property, the one is done first."""
    return _locks[props["extension"]]


def note_declared(outputs: Props, *, instead_of: Props | None = None) -> None:
    """Of a baseline that the program declares, as it is now. `instead_of`: its outputs before this command."""
    declared = _declared[outputs["extension"]]
    if instead_of:
        declared.pop(instead_of["__memory"], None)
    declared[outputs["__memory"]] = outputs


def find_misrecorded_users(props: Props, ledger: Ledger) -> set[str]:
    """Object ids of the users of this ledger of whom another baseline that the program declares has recorded a value of
    this ledger as the one from before. `props`: of the baseline of the ledger, with its memory from before."""
    misrecorded: set[str] = set()
    for memory, outputs in list(_declared[props["extension"]].items()):
        if memory == props["__memory"]:
            continue
        others = cells.unpack_cells_memory(outputs)[1].entries
        misrecorded |= {
            id_
            for id_, entry in ledger.entries.items()
            if id_ in others and others[id_].prior in entry.written and others[id_].prior != entry.prior
        }
    return misrecorded


def refuse_to_forget(full_name: str, users: str) -> RefusedChange:
    """Why the former baseline of these users, in words, neither restores nor goes, and what to do."""
    return RefusedChange(
        f"{full_name}: another baseline of this program has recorded this stack's value of {users} as the one from "
        "before, so this one, which knows the true one, is kept: declare them as before and run `pulumi up`; whoever "
        "moves to another component leaves the first one in a run before, and a component with another name or parent "
        "needs `aliases`"
    )


def note_left(props: Props, ledger: Ledger, object_ids: Iterable[str]) -> None:
    """These cells are left, and the ledger's entries go."""
    for id_ in object_ids:
        _left[props["extension"], id_].append(ledger.entries[id_])


def find_true_priors(props: Props, priors: Mapping[str, str]) -> dict[str, str]:
    """The values to restore, by object id: where another baseline wrote the prior value of this one, and has left the
    cell in this command because of this one's value, the other one's prior value."""
    return {id_: _find_true_prior(prior, _left.get((props["extension"], id_), [])) for id_, prior in priors.items()}


def _find_true_prior(prior: str, left: list[LedgerEntry]) -> str:
    earlier = next((entry for entry in left if prior in entry.written), None)
    if earlier is None:
        return prior
    return _find_true_prior(earlier.prior, [entry for entry in left if entry is not earlier])
