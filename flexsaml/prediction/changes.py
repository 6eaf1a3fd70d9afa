"""What another policy would change for one user: two predictions side by side. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from .confidence import UNKNOWN
from .predict import Prediction

NOT_SENT = "(not sent)"
UNTOLD = "(cannot be known)"


@dataclass(frozen=True)
class Change:
    """`where`: sign-in, NameID, format, attribute or worker; `before` and `after` as a person reads them."""

    where: str
    name: str
    before: object
    after: object


def changes(before: Prediction, after: Prediction) -> list[Change]:
    """In the order of a prediction; nothing for what stays as it is."""
    told = [Change("sign-in", "", _sign_in(before), _sign_in(after))]
    told.append(Change("NameID", "", before.name_id.value or UNTOLD, after.name_id.value or UNTOLD))
    told.append(Change("NameID format", "", before.name_id.format, after.name_id.format))
    told += _pairs("attribute", _attributes(before), _attributes(after), NOT_SENT)
    told += _pairs("worker", _worker(before), _worker(after), "(as it was)")
    return [one for one in told if one.before != one.after]


def _sign_in(one: Prediction) -> str:
    return "; ".join(one.findings) or ("cannot be known" if one.doubts else "works")


def _attributes(one: Prediction) -> dict[str, object]:
    return {
        line.name: UNTOLD if line.mark == UNKNOWN else list(line.values)
        for line in one.lines
        if line.sent or line.mark == UNKNOWN
    }


def _worker(one: Prediction) -> dict[str, object]:
    return {line.name: UNTOLD if line.mark == UNKNOWN else line.value for line in one.worker if not line.kept}


def _pairs(where: str, before: dict[str, object], after: dict[str, object], absent: str) -> list[Change]:
    return [Change(where, name, before.get(name, absent), after.get(name, absent)) for name in {**before, **after}]
