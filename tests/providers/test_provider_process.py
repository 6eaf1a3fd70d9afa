"""If this goes red, the provider's process hides an unexpected error, shows a secret or a prior value, or outlives its engine."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.emulator.process import ADMIN, SECRET
from tests.engine.processes import wait_until
from tests.engine.stack import Tenant
from tests.providers.conftest import config
from tests.providers.process import FakeEngine, ProviderProcess, Refused
from tests.providers.test_lifecycle import policy_inputs, value_inputs


def test_an_unexpected_error_keeps_its_traceback(provider: ProviderProcess) -> None:
    inputs = policy_inputs(provider)
    provider.create("ClaimsMappingPolicy", inputs)
    with pytest.raises(Refused, match="flexsaml: create"):  # sets the limit that hides tracebacks
        provider.create(
            "ClaimsMappingPolicy", {**inputs, "display_name": "x" * 3, "definition": "", "claims": {"a": "b"}}
        )
    with pytest.raises(Refused, match="Traceback"):
        provider.create("ClaimsMappingPolicy", {})


def test_a_provider_leaves_with_its_engine(tenant: Tenant) -> None:
    engine = FakeEngine()
    process = ProviderProcess(config(tenant.emulator), engine.address)
    policy_inputs(process)
    assert process.process.poll() is None
    engine.stop()
    wait_until(lambda: process.process.poll() is not None, 5, "the provider to end by itself")
    process.stop()


def test_it_is_found_from_the_project_directory_only(tenant: Tenant, engine: FakeEngine, tmp_path: Path) -> None:
    """README: run every command in the project's directory."""
    process = ProviderProcess(config(tenant.emulator), engine.address, cwd=tmp_path)
    with pytest.raises(Refused, match="No module named 'providers'"):
        process.check("PolicyAssignment", {})
    process.stop()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"flexsaml:cloud": "moon"}, "cloud: 'moon' is not one of public"),
        ({"flexsaml:graphEndpoint": "http://graph.example"}, "not http(s) on a loopback host"),
    ],
)
def test_a_wrong_connection_is_one_line_on_destroy_too(
    tenant: Tenant, engine: FakeEngine, wrong: dict[str, str], said: str
) -> None:
    """The program does not run on destroy and refresh, so its validator cannot speak."""
    process = ProviderProcess({**config(tenant.emulator), **wrong}, engine.address)
    with pytest.raises(Refused) as refused:
        process.delete("PolicyAssignment", "a/b", {"service_principal_id": "a", "policy_id": "b", "displaces": []})
    process.stop()
    (line,) = str(refused.value).strip().splitlines()
    assert said in line


def test_without_an_engine_there_is_no_watch(tenant: Tenant) -> None:
    process = ProviderProcess(config(tenant.emulator), "no-address")
    policy_inputs(process)
    with pytest.raises(subprocess.TimeoutExpired):
        process.process.wait(timeout=2)  # a watch would have ended it after one second
    process.stop()


def test_neither_token_nor_secret_nor_prior_value_leaves_the_process(tenant: Tenant, engine: FakeEngine) -> None:
    secret = {**os.environ, "FLEXSAML_SANDBOX_CLIENT": ADMIN, "FLEXSAML_SANDBOX_SECRET": SECRET}
    process = ProviderProcess(config(tenant.emulator), engine.address, env=secret)
    tenant.make_property("languages")
    tenant.write("ada", "prior-of-ada")
    value_id, value = process.create("UserExtensionValue", value_inputs(process, tenant, "en"))
    policy_id, policy = process.create("ClaimsMappingPolicy", policy_inputs(process))
    tenant.write("ada", "stranger-value")
    read = process.read("UserExtensionValue", value_id, value)
    process.delete("UserExtensionValue", value_id, value)
    process.delete("ClaimsMappingPolicy", policy_id, policy)
    everything = f"{engine.lines}{value}{policy}{read}" + process.stop()
    assert any("changed by others and is left as it is" in line for line in engine.lines)
    for hidden in (SECRET, "eyJ", "Bearer", "prior-of-ada", "stranger-value"):
        assert hidden not in everything, hidden
