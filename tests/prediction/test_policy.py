"""If this goes red, `predict` takes a text for a policy that Graph would refuse."""

from __future__ import annotations

import pytest

from flexsaml.prediction.policy import UnusablePolicy, parse_policy


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "Graph refuses this policy"),
        ("no json", "Graph refuses this policy"),
        ("[]", "Graph refuses this policy"),
        ('{"ClaimsMappingPolicy":{"version":1}}', "Graph refuses .*Version"),
        ('{"ClaimsMappingPolicy":{"Version":"1"}}', "Graph probably refuses .*Version"),
        ('{"ClaimsMappingPolicy":{"Version":true}}', "Version"),
        ('{"ClaimsMappingPolicy":{"ClaimsSchema":[]}}', "Version"),
        ('{"value":[{"definition":["{}"]},{"definition":["{}"]}]}', "2 policies"),
        ('{"definition":["{}","{}"]}', "2 policies"),
    ],
)
def test_what_graph_refuses_is_not_predicted(text: str, why: str) -> None:
    with pytest.raises(UnusablePolicy, match=f"^name: .*{why}"):
        parse_policy(text, "name")
