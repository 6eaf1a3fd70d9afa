"""Two comparisons of a prediction: with that of another policy, and with what the worker has in Flex. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .evidence import ORDER_RULES, UNKNOWN
from .predict import Prediction

SAME, DIFFERS, MISSING, KEPT, NOT_FROM_SIGN_IN = "same", "differs", "missing", "kept", "not from sign-in"
_ABSENT = {"sign-in": "", "NameID": "", "NameID format": "", "attribute": "(not sent)", "worker": "(keeps its value)"}
"""Where something may change, and what stands for its absence."""


@dataclass(frozen=True)
class PredictedChange:
    """`where`: sign-in, NameID, NameID format, attribute or worker; `before` and `after` as a user reads them."""

    where: str
    name: str
    before: object
    after: object


def compare_policies(before: Prediction, after: Prediction) -> list[PredictedChange]:
    """What another policy changes for one user, in the order of a prediction."""
    left, right = _flatten(before), _flatten(after)
    keys = sorted({**left, **right}, key=lambda key: list(_ABSENT).index(key[0]))
    changes = [PredictedChange(*key, left.get(key, _ABSENT[key[0]]), right.get(key, _ABSENT[key[0]])) for key in keys]
    return [change for change in changes if change.before != change.after]


def _flatten(prediction: Prediction) -> dict[tuple[str, str], object]:
    name_id = prediction.name_id
    values: dict[tuple[str, str], object] = {
        ("sign-in", ""): "; ".join(prediction.verdict.problems) or prediction.verdict.sentence,
        ("NameID", ""): name_id.value or "(unknown)",
        ("NameID format", ""): name_id.format,
    }
    for line in prediction.attributes:
        if line.values or line.unknown:
            values["attribute", line.name] = "(unknown)" if line.unknown else list(line.values)
    for setting in prediction.worker:
        if not setting.kept:
            values["worker", setting.name] = "(unknown)" if setting.unknown else setting.value
    return values


@dataclass(frozen=True)
class WorkerComparison:
    """One attribute of a worker. `outcome`: one of the five above, or UNKNOWN; differs and missing are differences."""

    name: str
    outcome: str
    predicted: object
    actual: object
    reason: str = ""

    @property
    def is_difference(self) -> bool:
        return self.outcome in (DIFFERS, MISSING)


def compare_worker(prediction: Prediction, attributes: Mapping[str, Any]) -> list[WorkerComparison]:
    """The predicted attributes in their order, then the worker's others. Channel settings are no attributes (F6)."""
    comparisons = []
    channels = {f"channel.{name}.{key}" for name, settings in prediction.update.channels.items() for key in settings}
    for line in (line for line in prediction.worker if line.name not in channels):
        actual = attributes.get(line.name)
        if line.kept:
            outcome = KEPT
        elif line.unknown:
            outcome = UNKNOWN
        elif line.name not in attributes:
            outcome = MISSING
        else:  # as JSON: 1, 1.0 and true are three different values for a routing expression
            has_order = not ORDER_RULES & set(line.evidence)
            texts = {_spell(value, has_order) for value in (line.value, actual)}
            outcome = SAME if len(texts) == 1 else DIFFERS
        comparisons.append(WorkerComparison(line.name, outcome, line.value, actual, line.explanation))
    compared = {comparison.name for comparison in comparisons}
    others = [name for name in attributes if name not in compared]
    return comparisons + [WorkerComparison(name, NOT_FROM_SIGN_IN, None, attributes[name]) for name in others]


def _spell(value: object, has_order: bool) -> str:
    """As JSON; of a list whose order nobody knows, the items in any order."""
    items = sorted(value, key=repr) if isinstance(value, list) and not has_order else value
    return json.dumps(items, sort_keys=True)
