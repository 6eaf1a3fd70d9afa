"""Dials: behaviour of Graph on which nobody outside Microsoft can be sure, each with a friendly default. Every dial
stands for a behaviour of grade B, C or D in docs/parity.md, so that a client can be tried against both possibilities;
no setting is a fact about Graph. Delays are counted in requests, never in seconds: no test waits. Dials are set through
PATCH /admin/dials, kept in memory only, and return to their defaults after a restart or a reset."""

import re
from dataclasses import asdict, dataclass
from typing import Literal, get_args, get_type_hints

from emulator.types import Json


@dataclass
class Dials:
    """The dials in force. The whole emulator shares one object, so that a change takes effect at once."""

    read_lag: int = 0  # so many reads of a new policy, property or link do not see it
    stale_reads: int = 0  # after a PATCH, so many reads of the object show the state before it
    ref_lag: int = 0  # so many $ref POSTs that name a new policy answer 404
    delete_lag: int = 0  # after a DELETE, so many reads still show the object
    index_lag: int = 0  # so many filtered or searched lists do not know a new user, application or principal
    availability_delay: int = 0  # so many PATCHes of users or getAvailable calls do not know a new property
    lose_posted_property: int = 0  # so many property POSTs answer 201 and store nothing
    hidden_until_available: bool = True  # values that came back with their property read as unset until it is usable
    is_multi_valued_field: bool = True  # False: property bodies without isMultiValued, as recorded in 2021
    duplicate_extension_status: Literal[400, 409] = 400
    second_policy_status: Literal[400, 409, 204] = 400  # 204: it is assigned beside the first, which stays in force
    delete_assigned_policy: Literal["allow", "refuse"] = "allow"
    missing_link_delete: Literal[404, 400] = 404
    unset_extension: Literal["absent", "null"] = "absent"
    empty_string: Literal["accept", "refuse"] = "accept"
    batch_order: Literal["request", "reversed"] = "request"
    absent_claims_policy: Literal["not_found", "empty"] = "not_found"  # GET of a policy that was never set
    synced_user_extension: Literal["accept", "refuse"] = "accept"  # PATCH of an extension of an on-premises user
    doubtful_worker: Literal["accept", "refuse"] = "accept"  # unknown roles, several teams, too many characters
    transformations_key: Literal["both", "singular", "plural"] = "both"  # the spelling of the key that Graph accepts
    sign_in_lag: int = 0  # after a change of a policy or an assignment, so many sign-ins follow the state before it
    extension_under_id: Literal["nothing", "value"] = "nothing"  # what an extension's name under ID gives
    several_values: Literal["all", "first"] = "all"  # sent of a multi-valued extension that was made with Graph
    empty_value: Literal["sent", "left_out"] = "sent"  # an empty string in the assertion
    same_claim_type: Literal["all", "last"] = "all"  # values of several entries of a claim type
    over_fifty: Literal["first", "last", "all"] = "first"  # which entries count if there are more than fifty
    null_role: Literal["nothing", "empty"] = "nothing"  # what an assigned role without a text gives
    restricted_claim: Literal["left_out", "sent"] = "left_out"  # a restricted claim type of an entry
    basic_claims: Literal["four", "five"] = "four"  # whether the basic claim set has the display name too
    unspecified_name_id: Literal["configured", "pairwise"] = "configured"  # to a request for the format unspecified
    join_on_name_id: Literal["whole", "without_domain"] = "whole"  # Join of an address, on NameID
    regex_without_match: Literal["input", "nothing"] = "input"  # what RegexReplace gives then
    retry_after: str = "2"  # whole, fractional or "date"; refusals by the quota use the same form

    def change(self, patch: Json) -> None:
        """Set all dials that `patch` names, or none. Raises ValueError, in one line, for an unknown dial or value."""
        if not isinstance(patch, dict):
            raise ValueError("dials are set by a JSON object of dial names and values")
        for name, value in patch.items():
            _check(name, value)
        vars(self).update(patch)

    def reset(self) -> None:
        vars(self).update(vars(Dials()))

    def to_json(self) -> dict[str, Json]:
        return asdict(self)


_KINDS = get_type_hints(Dials)


def _check(name: str, value: Json) -> None:
    if name not in _KINDS:
        raise ValueError(f"there is no dial '{name}'; known are {', '.join(_KINDS)}")
    choices = get_args(_KINDS[name])
    kind = type(choices[0]) if choices else _KINDS[name]
    # `type` beside `in`: True == 1 would let a boolean pass for a number.
    if choices and (type(value) is not kind or value not in choices):
        raise ValueError(f"dial '{name}' takes one of {', '.join(map(str, choices))}")
    if name == "retry_after" and not (isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?|date", value)):
        raise ValueError('dial \'retry_after\' takes "2", "2.128" or "date"')
    if type(value) is not kind:
        raise ValueError(f"dial '{name}' takes a value of type {kind.__name__}")
    if type(value) is int and value < 0:
        raise ValueError(f"dial '{name}' counts requests and is at least 0")
