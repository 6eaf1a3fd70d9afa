"""If this goes red, `predict` calls exact what the sandbox does one way or the other: a dial of it stands for each behaviour
that no document decides, so nothing that a dial changes may be certain.
"""

from __future__ import annotations

from typing import Any

import pytest

from flexsaml.claims import NAME_ID
from flexsaml.graph import Directory
from flexsaml.prediction.evidence import EXACT
from tests.emulator import signin
from tests.emulator.tenant import FLEX, Tenant, full_name
from tests.prediction.seeded import ADA, MANDATORY, user_entry
from tests.prediction.test_agreement import directory, predict, tenant

__all__ = ["directory", "tenant"]  # fixtures
UNMATCHED = {
    "ID": "T",
    "TransformationMethod": "RegexReplace",
    "InputClaims": [{"ClaimTypeReferenceId": "mail", "TransformationClaimType": "sourceClaim"}],
    "InputParameters": [{"ID": "regex", "Value": "^zzz"}, {"ID": "replacement", "Value": "y"}],
}
JOINED = {
    "ID": "J",
    "TransformationMethod": "Join",
    "InputClaims": [{"ClaimTypeReferenceId": "mail", "TransformationClaimType": "string1"}],
    "InputParameters": [{"ID": "string2", "Value": "contoso.example"}, {"ID": "separator", "Value": "@"}],
}
ROLE = {"Source": "user", "ID": "assignedroles", "SamlClaimType": "roles"}
ENTRIES: dict[str, list[dict[str, Any]]] = {  # what the dial changes
    "extension_under_id": [user_entry(full_name("several"))],
    "several_values": [{"Source": "user", "ExtensionID": full_name("several"), "SamlClaimType": "x"}],
    "empty_value": [{"Value": "", "SamlClaimType": "x"}],
    "same_claim_type": [user_entry("department"), user_entry("displayname")],
    "over_fifty": [{"Value": str(number), "SamlClaimType": f"c{number}"} for number in range(50)],
    "null_role": [ROLE],
    "restricted_claim": [user_entry("department", SamlClaimType="http://schemas.microsoft.com/identity/claims/acct")],
    "basic_claims": [],
    "join_on_name_id": [{"Source": "transformation", "ID": "j", "TransformationID": "J", "SamlClaimType": NAME_ID}],
    "regex_without_match": [{"Source": "transformation", "ID": "t", "TransformationID": "T", "SamlClaimType": "x"}],
}


@pytest.mark.parametrize(
    ("dial", "setting"),
    [
        ("extension_under_id", "value"),
        ("several_values", "first"),
        ("empty_value", "left_out"),
        ("same_claim_type", "last"),
        ("over_fifty", "last"),
        ("over_fifty", "all"),
        ("null_role", "empty"),
        ("restricted_claim", "sent"),
        ("basic_claims", "five"),
        ("join_on_name_id", "without_domain"),
        ("regex_without_match", "nothing"),
    ],
)
def test_nothing_is_exact_that_a_dial_changes(tenant: Tenant, directory: Directory, dial: str, setting: str) -> None:
    tenant.property("several", isMultiValued=True)
    assert tenant.patch({full_name("several"): ["a", "b"]}).status == 204
    if dial == "null_role":
        signin.patch_principal(tenant, appRoles=[{**role, "value": None} for role in FLEX["appRoles"]])
    entries = ENTRIES[dial]
    names = {entry["SamlClaimType"] for entry in entries}
    required = [entry for entry in MANDATORY if entry["SamlClaimType"] not in names]
    transformations = [UNMATCHED, JOINED]
    policy = signin.claims(*required, *entries, basic=dial == "basic_claims", ClaimsTransformation=transformations)
    signin.assign(tenant, policy)
    [prediction] = predict(directory, ADA)
    before = signin.issued(tenant.emulator, ADA)
    tenant.emulator.dials(**{dial: setting})
    after = signin.issued(tenant.emulator, ADA)
    changed = {name for name in {*before.values, *after.values} if before.values.get(name) != after.values.get(name)}
    exact = {line.name for line in prediction.attributes if line.confidence == EXACT}
    assert changed or before.name_id != after.name_id, "the dial is tried on something that it changes"
    assert not changed & exact
    assert before.name_id == after.name_id or prediction.name_id.confidence != EXACT
    fails = {name for name in ("email", "full_name", "roles") if not any(after.values.get(name, ()))}
    if prediction.verdict.confidence == EXACT:
        assert prediction.verdict.outcome == ("fails" if fails else "works")
