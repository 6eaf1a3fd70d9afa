"""If this goes red, a program waits for the tenant longer than it must, or ends without the reason why it cannot."""

from __future__ import annotations

import pytest
from pulumi.runtime import set_all_config

from components import start_early
from flexsaml.errors import UserError
from tests.emulator.process import Emulator


@pytest.fixture
def config(emulator: Emulator) -> dict[str, str]:
    return {
        "flexsaml:cloud": "loopback",
        "flexsaml:graphEndpoint": emulator.http,
        "flexsaml:loginEndpoint": emulator.http,
        "flexsaml:servicePrincipal": "Twilio Flex",
    }


def test_sign_in_and_search_are_done_before_the_component_asks(config: dict[str, str], emulator: Emulator) -> None:
    set_all_config(config)
    directory = start_early()()
    paths = [request["path"].partition("?")[0] for request in emulator.requests()]
    assert paths == ["/contoso.example/oauth2/v2.0/token", "/v1.0/servicePrincipals"]
    directory.find_service_principal("Twilio Flex")
    assert len(emulator.requests()) == 2


def test_a_program_names_a_principal_that_its_configuration_does_not(
    config: dict[str, str], emulator: Emulator
) -> None:
    set_all_config({key: value for key, value in config.items() if key != "flexsaml:servicePrincipal"})
    directory = start_early("Twilio Flex")()
    asked = len(emulator.requests())
    directory.find_service_principal("Twilio Flex")
    assert len(emulator.requests()) == asked


def test_an_unknown_principal_is_reported_by_the_component_not_here(config: dict[str, str]) -> None:
    set_all_config({**config, "flexsaml:servicePrincipal": "Nobody"})
    directory = start_early()()
    with pytest.raises(UserError, match="Nobody"):
        directory.find_service_principal("Nobody")


def test_a_cloud_that_does_not_exist_is_an_error_where_the_directory_is_used(config: dict[str, str]) -> None:
    set_all_config({**config, "flexsaml:cloud": "moon"})
    directory = start_early()
    with pytest.raises(UserError, match="moon"):
        directory()
