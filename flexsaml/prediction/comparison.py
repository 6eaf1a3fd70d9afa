"""A worker's attributes beside the prediction of its next sign-in. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .confidence import UNKNOWN
from .predict import Prediction

SAME, DIFFERS, MISSING, KEPT, UNTOLD, ELSEWHERE = (
    "same",
    "differs",
    "missing",
    "kept",
    "cannot be known",
    "not from sign-in",
)


@dataclass(frozen=True)
class Compared:
    """One attribute. `outcome`: differs and missing are differences; kept is what no sign-in sends any more."""

    name: str
    outcome: str
    predicted: object
    has: object
    why: str = ""

    @property
    def is_difference(self) -> bool:
        return self.outcome in (DIFFERS, MISSING)


def compared(prediction: Prediction, attributes: Mapping[str, Any]) -> list[Compared]:
    """The predicted attributes in their order, then what else the worker has. Channels are no attributes (F6)."""
    found = []
    channels = {
        f"channel.{channel}.{setting}" for channel, set_ in prediction.stored.channels.items() for setting in set_
    }
    for line in prediction.worker:
        if line.name in channels:
            continue
        has = attributes.get(line.name)
        if line.kept:
            outcome = KEPT
        elif line.mark == UNKNOWN:
            outcome = UNTOLD
        elif line.name not in attributes:
            outcome = MISSING
        else:
            outcome = SAME if _equal(line.value, has) else DIFFERS
        found.append(Compared(line.name, outcome, line.value, has, line.why))
    told = {one.name for one in found}
    found += [Compared(name, ELSEWHERE, None, value) for name, value in attributes.items() if name not in told]
    return found


def _equal(one: object, other: object) -> bool:
    """As JSON: 1, 1.0 and true are three things to a routing expression."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
