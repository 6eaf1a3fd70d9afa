"""If this goes red, a user who left the tenant stays in the state of a stack that no longer declares them."""

from __future__ import annotations

import pytest

from tests.providers.process import ProviderProcess, packed
from tests.providers.test_check_and_diff import BASELINE, FULL, IDS, VALUES


@pytest.mark.parametrize("kind", ["UserValueBaseline", "UserExtensionValues"])
def test_a_user_who_is_gone_leaves_when_the_configuration_drops_them(provider: ProviderProcess, kind: str) -> None:
    """The program gives the same table in both runs: preflight takes a user out who is not in the tenant."""
    base, cell = (BASELINE, "en") if kind == "UserValueBaseline" else (VALUES, {FULL: "en"})
    both, ada_only = packed(dict.fromkeys(IDS, cell), IDS), packed({"Ada@contoso.example": cell}, IDS)
    state = provider.checked(kind, {**base, "__cells": both})
    state = provider.checked(kind, {**base, "__cells": ada_only, "seen_missing": {"grace@contoso.example": ""}}, state)
    assert state["count"] == 2, "what they hold is left as it is"
    assert provider.checked(kind, state, state) == state
    state = provider.checked(kind, {**base, "__cells": ada_only}, state)
    assert state["count"] == 1
    assert provider.checked(kind, state, state) == state
