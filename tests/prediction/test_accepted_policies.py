"""If this goes red, a policy that Graph accepts ends `predict` in a traceback."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from flexsaml.claims import NAME_ID, load_table
from flexsaml.prediction.comparison import compare_policies
from flexsaml.prediction.evidence import UNKNOWN
from tests.prediction.seeded import ADA, OWN, USERS, agent, predict_entries, target
from tests.prediction.test_statement_rules import RELEASED, RESTRICTED

_IDS = st.sampled_from(
    ["mail", "assignedroles", "groups", "netbiosname", "zzz", "othermail", "extensionattribute1", ""]
)
_TEXTS = st.sampled_from(["x", "email", "roles", "skill.int", "", NAME_ID, RELEASED, RESTRICTED, "channel.a.capacity"])
_ODD = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.lists(st.none(), max_size=2))
_ENTRY = st.fixed_dictionaries(
    {},
    optional={
        "Source": st.one_of(st.sampled_from(["user", "transformation", "company", "application", "zzz"]), _ODD),
        "ID": st.one_of(_IDS, _ODD),
        "ExtensionID": st.one_of(st.just(f"{OWN}team"), _ODD),
        "Value": _ODD,
        "SamlClaimType": st.one_of(_TEXTS, _ODD),
        "SAMLNameForm": _ODD,
        "TransformationID": st.sampled_from(["T", "t", "U", ""]),
    },
)
_TRANSFORMATION = st.fixed_dictionaries(
    {"ID": st.sampled_from(["T", "U"]), "TransformationMethod": st.sampled_from(["Join", "RegexReplace", "ToLowercase", "?"])},
    optional={
        "InputClaims": st.lists(
            st.fixed_dictionaries(
                {"ClaimTypeReferenceId": _IDS, "TransformationClaimType": st.sampled_from(["string1", "sourceClaim", "s"])},
                optional={"TreatAsMultiValue": _ODD},
            ),
            max_size=3,
        ),
        "InputParameters": st.one_of(
            _ODD,
            st.lists(
                st.fixed_dictionaries({"ID": st.sampled_from(["string2", "separator", "regex", "replacement"]), "Value": _ODD}),
                max_size=4,
            ),
        ),
    },
)  # fmt: skip
_VALUES = st.one_of(_ODD, st.lists(st.text(max_size=3), max_size=3))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(_ENTRY, max_size=8),
    st.lists(_TRANSFORMATION, max_size=3),
    st.fixed_dictionaries({name: _VALUES for name in ("mail", "otherMails", "accountEnabled", "displayName")}),
    st.fixed_dictionaries({f"{OWN}team": _VALUES}),
)
def test_every_policy_that_graph_accepts_gets_a_prediction(
    entries: list[Any], transformations: list[Any], properties: dict[str, Any], values: dict[str, Any]
) -> None:
    user = agent(ADA, properties={**USERS[ADA], **properties}, values=values)
    at = target(extensions={f"{OWN}team": "String"})
    prediction = predict_entries(*entries, user=user, at=at, ClaimsTransformation=transformations)
    restricted = load_table("restricted_claims")["saml"]
    for line in prediction.attributes:
        assert line.values or line.explanation
        assert not (line.values and line.confidence == UNKNOWN)
        assert line.name not in restricted or line.rules in (("S7",), ("S19",), ("S4",), ("S21",))
    assert compare_policies(prediction, prediction) == []
