"""Open points that only an assertion answers: each puts a policy in force, signs in, and reads the attributes."""

from __future__ import annotations

from functools import partial

from flexsaml.graph import Refused
from tests.live.experiment import Answer, Experiment, Outcome, Undecided
from tests.live.scratch import ROLE
from tests.live.workbench import Workbench, constants, transformed

_XMLSOAP = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
_NAME_ID = f"{_XMLSOAP}nameidentifier"
_BASIC = {f"{_XMLSOAP}{name}" for name in ("name", "givenname", "surname", "emailaddress")}
_RESTRICTED = "http://schemas.microsoft.com/2012/01/devicecontext/claims/ismanaged"
_FILLERS = 60
_MAIL = {"Source": "user", "ID": "mail"}
_DISPLAY_NAME = {"Source": "user", "ID": "displayname"}


def measure_policy(bench: Workbench) -> Outcome:
    """The first policy of the run is assigned here; the second reading is of a change."""
    bench.observe()
    assigned = bench.waits[-1]
    bench.observe()
    changed = bench.waits[-1]
    observations = {
        "seconds_after_assignment": round(assigned.seconds, 1),
        "seconds_after_change": round(changed.seconds, 1),
    }
    early = max(assigned.early, changed.early)
    return Outcome("later" if early else "at-once", {**observations, "too_early": early}, {"sign_in_lag": early})


def try_transformation_keys(bench: Workbench) -> Outcome:
    verdicts = {}
    for spelling, key in (("plural", "ClaimsTransformations"), ("singular", "ClaimsTransformation")):
        upper = bench.transform("ToUppercase", {"displayname": "sourceClaim"}, {})
        try:
            assertion = bench.observe(_DISPLAY_NAME, transformed("live_upper"), transformation=upper, key=key)
        except Refused as refused:
            verdicts[spelling] = f"{refused.status} {refused.message}"
            continue
        works = assertion.values.get("live_upper") == [bench.scratch.mark.upper()]
        verdicts[spelling] = "works" if works else "accepted, without effect"
        if works:
            bench.transformations_key = key
    working = [spelling for spelling, verdict in verdicts.items() if verdict == "works"]
    return Outcome({0: "neither", 1: working[0] if working else ""}.get(len(working), "both"), verdicts)


def read_extension_under_id(bench: Workbench) -> Outcome:
    name = bench.make_extension("live_text")
    bench.write_values({name: "live"})
    assertion = bench.observe(
        {"Source": "user", "ID": name, "SamlClaimType": "live_id"},
        {"Source": "user", "ExtensionID": name, "SamlClaimType": "live_extension"},
    )
    if assertion.values.get("live_extension") != ["live"]:
        raise Undecided("ExtensionID did not give the value either")
    return _choose({"nothing": None, "value": ["live"]}, assertion.values.get("live_id"))


def read_several_values(bench: Workbench) -> Outcome:
    name = bench.make_extension("live_several", multi_valued=True)
    bench.write_values({name: ["live1", "live2", "live3"]})
    values = bench.observe({"Source": "user", "ExtensionID": name, "SamlClaimType": "live_several"}).values.get(
        "live_several", []
    )
    if sorted(values) == ["live1", "live2", "live3"]:
        return Outcome("all", {"in_order": values == sorted(values)})
    observations = {"values": len(values), "is_first": values == ["live1"]}
    return Outcome({0: "nothing", 1: "one"}.get(len(values), "other"), observations)


def read_empty_string(bench: Workbench) -> Outcome:
    name = bench.make_extension("live_empty")
    if refused := bench.refusal("PATCH", f"/users/{bench.scratch.agent.id}", {name: ""}):
        return Outcome("refused", {"status": refused.status, "code": refused.code, "message": refused.message})
    assertion = bench.observe({"Source": "user", "ExtensionID": name, "SamlClaimType": "live_empty"})
    return _choose({"left-out": None, "sent": [""]}, assertion.values.get("live_empty"))


def read_same_claim_type(bench: Workbench) -> Outcome:
    twice = constants([("live_twice", "first"), ("live_twice", "last")])
    try:
        values = bench.observe(*twice).values.get("live_twice")
    except Refused as refused:
        return Outcome("refused", {"status": refused.status, "message": refused.message})
    return _choose({"all": ["first", "last"], "last": ["last"], "first": ["first"]}, values)


def read_over_fifty(bench: Workbench) -> Outcome:
    """Two marks are entries too, so that 62 compete for 50 places."""
    fillers = constants((f"live_{number}", str(number)) for number in range(_FILLERS))
    try:
        values = bench.observe(*fillers).values
    except Refused as refused:
        return Outcome("refused", {"status": refused.status, "message": refused.message})
    sent = [number for number in range(_FILLERS) if f"live_{number}" in values]
    first, last = list(range(49)), list(range(_FILLERS - 49, _FILLERS))
    answers = {"first": first, "last": last, "all": list(range(_FILLERS))}
    answer = next((name for name, numbers in answers.items() if sent == numbers), "other")
    return Outcome(answer, {"sent": len(sent), "lowest": min(sent, default=-1), "highest": max(sent, default=-1)})


def read_null_role(bench: Workbench) -> Outcome:
    values = bench.observe({"Source": "user", "ID": "assignedroles", "SamlClaimType": "live_roles"}).values.get(
        "live_roles"
    )
    if ROLE not in (values or ()):
        raise Undecided("the role with a text was not sent either")
    return _choose({"nothing": [ROLE], "empty": ["", ROLE]}, sorted(values or ()))


def read_restricted_claim(bench: Workbench) -> Outcome:
    try:
        values = bench.observe(*constants([(_RESTRICTED, "live")])).values.get(_RESTRICTED)
    except Refused as refused:
        return Outcome("refused", {"status": refused.status, "message": refused.message})
    return _choose({"left-out": None, "sent": ["live"]}, values)


def read_basic_claims(bench: Workbench) -> Outcome:
    bench.require_mail()
    without = set(bench.observe().values)
    added = {name for name in set(bench.observe(basic=True).values) - without if not name.startswith("live_")}
    answer = "four" if added == _BASIC else "more" if added > _BASIC else "other"
    return Outcome(answer, {"names": sorted(added), "always": sorted(name for name in without if "live_" not in name)})


def read_regex_without_match(bench: Workbench) -> Outcome:
    parameters = {"regex": "^live-never-matches$", "replacement": "live"}
    replace = bench.transform("RegexReplace", {"displayname": "sourceClaim"}, parameters)
    matching = {**replace, "InputParameters": [{"ID": "regex", "Value": "^.*$"}, replace["InputParameters"][1]]}
    if _read_transformed(bench, _DISPLAY_NAME, matching) != ["live"]:
        raise Undecided("RegexReplace with a match did not give the replacement either")
    return _choose(
        {"input": [bench.scratch.mark], "nothing": None, "replacement": ["live"]},
        _read_transformed(bench, _DISPLAY_NAME, replace),
    )


def read_join_on_name_id(bench: Workbench) -> Outcome:
    mail = bench.require_mail()
    join = bench.transform("Join", {"mail": "string1"}, {"string2": bench.domain, "separator": "@"})
    if _read_transformed(bench, _MAIL, join) != [f"{mail}@{bench.domain}"]:
        raise Undecided("Join in an attribute did not give the joined text")
    name_id = bench.observe(_MAIL, transformed(_NAME_ID), transformation=join).name_id
    local_name = mail.partition("@")[0]
    answers = {"whole": f"{mail}@{bench.domain}", "without-domain": f"{local_name}@{bench.domain}"}
    answer = next((answer for answer, text in answers.items() if text.lower() == name_id.lower()), "other")
    return Outcome(answer, {"has_at_sign": "@" in name_id, "length": len(name_id)})


def _read_transformed(bench: Workbench, source: dict[str, str], transformation: dict[str, object]) -> list[str] | None:
    return bench.observe(source, transformed("live_text"), transformation=transformation).values.get("live_text")


def _choose(answers: dict[str, list[str] | None], values: list[str] | None) -> Outcome:
    """The answer of these values; `other`, with their number and lengths, if none has them."""
    answer = next((name for name, expected in answers.items() if expected == values), "other")
    return Outcome(answer, {"values": len(values or ()), "lengths": [len(value) for value in values or ()]})


_OTHER = Answer("none of these: see the observations")
_ask = partial(Experiment, seconds=1800, signs_in=True)  # a change of a policy is followed after minutes

ASSERTION_EXPERIMENTS = (
    _ask(
        "policy-in-force-after",
        "assigns a policy, then changes it, and signs in until the assertion follows",
        {
            "at-once": Answer("the first sign-in follows it", dials={"sign_in_lag": 0}),
            "later": Answer("sign-ins follow it after a wait that was measured", dials={"sign_in_lag": 2}),
        },
        measure_policy,
        seconds=3600,
    ),
    _ask(
        "transformations-key",
        "puts a transformation under ClaimsTransformation, then under ClaimsTransformations",
        {
            "both": Answer("either spelling works", dials={"transformations_key": "both"}),
            "singular": Answer("only ClaimsTransformation works", dials={"transformations_key": "singular"}),
            "plural": Answer("only ClaimsTransformations works", dials={"transformations_key": "plural"}),
            "neither": Answer("neither works", contradicts=("T",)),
        },
        try_transformation_keys,
    ),
    _ask(
        "extension-under-id",
        "sends an extension under ID, and beside it under ExtensionID",
        {
            "nothing": Answer("ID gives nothing", confirms=("S10 extension",), dials={"extension_under_id": "nothing"}),
            "value": Answer(
                "ID gives the value", contradicts=("S10 extension",), dials={"extension_under_id": "value"}
            ),
            "other": _OTHER,
        },
        read_extension_under_id,
    ),
    _ask(
        "several-values",
        "sends an extension that was made with Graph and has three values",
        {
            "all": Answer("all are sent", confirms=("S13 several",), dials={"several_values": "all"}),
            "one": Answer("one is sent", contradicts=("S13 several",), dials={"several_values": "first"}),
            "nothing": Answer("none is sent", contradicts=("S13 several", "S13 one")),
            "other": _OTHER,
        },
        read_several_values,
    ),
    _ask(
        "empty-string",
        "writes an empty string to an extension and sends it",
        {
            "refused": Answer("Graph refuses it as a value", dials={"empty_string": "refuse"}),
            "sent": Answer(
                "an empty value is sent", confirms=("S6",), dials={"empty_string": "accept", "empty_value": "sent"}
            ),
            "left-out": Answer(
                "the attribute is left out",
                contradicts=("S6",),
                dials={"empty_string": "accept", "empty_value": "left_out"},
            ),
            "other": _OTHER,
        },
        read_empty_string,
    ),
    _ask(
        "same-claim-type",
        "sends two constants under one claim type",
        {
            "all": Answer("both are sent, in their order", confirms=("S18",), dials={"same_claim_type": "all"}),
            "last": Answer("the last is sent", contradicts=("S18",), dials={"same_claim_type": "last"}),
            "first": Answer("the first is sent", contradicts=("S18",)),
            "refused": Answer("Graph refuses the policy", contradicts=("S18",)),
            "other": _OTHER,
        },
        read_same_claim_type,
    ),
    _ask(
        "over-fifty",
        "sends 62 constants",
        {
            "first": Answer("the first 50 are sent", confirms=("S4", "S4 first"), dials={"over_fifty": "first"}),
            "last": Answer("the last 50 are sent", contradicts=("S4 first",), dials={"over_fifty": "last"}),
            "all": Answer("all are sent", contradicts=("S4", "S4 first"), dials={"over_fifty": "all"}),
            "refused": Answer("Graph refuses the policy", contradicts=("S4 first",)),
            "other": _OTHER,
        },
        read_over_fifty,
    ),
    _ask(
        "null-role",
        "sends the roles of a user who has a role with a text and a role without",
        {
            "nothing": Answer(
                "the role without a text gives nothing", confirms=("S12 null",), dials={"null_role": "nothing"}
            ),
            "empty": Answer("it gives an empty value", contradicts=("S12 null",), dials={"null_role": "empty"}),
            "other": Answer("it gives something else", contradicts=("S12 null",)),
        },
        read_null_role,
    ),
    _ask(
        "restricted-claim",
        "sends a constant under a restricted claim type",
        {
            "left-out": Answer("it is left out", confirms=("S7 left out",), dials={"restricted_claim": "left_out"}),
            "sent": Answer("it is sent", contradicts=("S7", "S7 left out"), dials={"restricted_claim": "sent"}),
            "refused": Answer("Graph refuses the policy", contradicts=("S7 left out",)),
            "other": _OTHER,
        },
        read_restricted_claim,
    ),
    _ask(
        "basic-claims",
        "signs in with and without IncludeBasicClaimSet",
        {
            "four": Answer(
                "it adds name, given name, surname and mail", confirms=("S20",), dials={"basic_claims": "four"}
            ),
            "more": Answer("it adds more than these four", contradicts=("S20",), dials={"basic_claims": "five"}),
            "other": Answer("it does not add these four", contradicts=("S20",)),
        },
        read_basic_claims,
    ),
    _ask(
        "regex-without-match",
        "sends the result of RegexReplace whose pattern does not match",
        {
            "input": Answer("the input stays", confirms=("T4 no match",), dials={"regex_without_match": "input"}),
            "nothing": Answer(
                "nothing is sent", contradicts=("T4 no match",), dials={"regex_without_match": "nothing"}
            ),
            "replacement": Answer("the replacement is sent", contradicts=("T4 no match",)),
            "other": Answer("something else is sent", contradicts=("T4 no match",)),
        },
        read_regex_without_match,
    ),
    _ask(
        "join-on-nameid",
        "joins an address of another domain and a verified domain, as an attribute and on NameID",
        {
            "whole": Answer(
                "the address is joined as it is", confirms=("N4 domain",), dials={"join_on_name_id": "whole"}
            ),
            "without-domain": Answer(
                "it loses its domain first", contradicts=("N4 domain",), dials={"join_on_name_id": "without_domain"}
            ),
            "other": Answer("the NameID is something else", contradicts=("N4 domain",)),
        },
        read_join_on_name_id,
    ),
)
