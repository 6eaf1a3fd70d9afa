"""The value baselines that one command meets, and what their ledgers say of each other.

Two baselines of one state may be of the same cell for a while: a user moves from one component of a program to another,
or a component has another name, without an alias. The engine makes the new baseline before it deletes the former one,
or beside it, so the new one may record this stack's own value as the one from before. Then only the former one knows
the true value, and must not go: the new ledger's prior value is one that the former one wrote. A provider process
serves one command, so module variables hold what the command has met.

Ledgers are kept packed, because a ledger is read only where another baseline of the same property restores."""

from __future__ import annotations

from collections import defaultdict
from threading import RLock

from flexsaml.values import Ledger, LedgerEntry

from . import cells
from .base import Props, RefusedChange

_declared: dict[str, dict[str, Props]] = defaultdict(dict)
"""By id of the property, and by memory: the outputs of baselines that the program declares."""
_ended: dict[str, dict[str, list[LedgerEntry]]] = defaultdict(lambda: defaultdict(list))
"""By id of the property, and by object id of the user: entries of cells that a baseline restores or leaves."""
_locks: dict[str, RLock] = {}


def forget_command() -> None:
    """Begin another command in the same process, as only tests do."""
    _declared.clear()
    _ended.clear()


def lock_property(props: Props) -> RLock:
    """Held while a baseline reads and records, or restores: of two baselines of one property, the one is done first."""
    return _locks.setdefault(props["extension"], RLock())


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


def note_ended(props: Props, ledger: Ledger) -> None:
    """The cells of this ledger are about to be restored or left."""
    for id_, entry in ledger.entries.items():
        _ended[props["extension"]][id_].append(entry)


def has_wrong_prior(outputs: Props) -> bool:
    """Whether a ledger that has ended wrote a value which this baseline has as one from before."""
    extension = outputs["extension"]
    if not _ended.get(extension):
        return False
    _, ledger = cells.unpack_cells_memory(outputs)
    return correct_priors(extension, ledger) != ledger


def correct_priors(extension: str, ledger: Ledger) -> Ledger:
    """The ledger with the true prior values, where a ledger that has ended wrote the ones that it has. `extension`: id
    of the property."""
    ended = _ended.get(extension)
    if not ended:
        return ledger
    return Ledger(
        {
            id_: LedgerEntry(_find_true_prior(entry.prior, ended.get(id_, [])), entry.written)
            for id_, entry in ledger.entries.items()
        }
    )


def _find_true_prior(prior: str, ended: list[LedgerEntry]) -> str:
    earlier = next((entry for entry in ended if prior in entry.written), None)
    if earlier is None:
        return prior
    return _find_true_prior(earlier.prior, [entry for entry in ended if entry is not earlier])
