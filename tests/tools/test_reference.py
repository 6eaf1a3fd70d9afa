"""If this goes red, a reference page says something else of a key, a resource or a command than the code does."""

from __future__ import annotations

import pytest

from flexsaml.cli import COMMANDS
from tools.reference import GENERATED, describe_commands, describe_configuration, describe_resources, fill_in


def section_of(name: str, text: str) -> str:
    return next(section for section in text.split("\n## ") if section.removeprefix("## ").startswith(f"{name}\n"))


@pytest.mark.parametrize("row", [
    "| `servicePrincipal` | The enterprise application: exact display name, appId or object id. "
    "| string | required | `service_principal` |",
    "| `preflight` | Whether preview inspects users, policies and properties of the tenant; permissions are always judged. "
    "| boolean | `true` | `preflight` |",
    "| `tenantId` | The tenant; by default that of the credential. | string |  |  |",
])  # fmt: skip
def test_a_key_has_its_type_its_default_and_its_name_in_python(row: str) -> None:
    assert row in describe_configuration().splitlines()


@pytest.mark.parametrize(("resource", "line"), [
    ("ExtensionProperty", "| `data_type` | text |  | replaces the resource |"),
    ("ExtensionProperty", "| `full_name` | text |  | replaces the resource |"),
    ("ExtensionProperty", "| `recorded` | map |  | dropped after the check |"),
    ("ClaimsMappingPolicy", "| `display_name` | text | yes | updates it |"),
    ("ClaimsMappingPolicy", "The policy that tells Entra which claims to put into a SAML assertion."),
    ("ClaimsMappingPolicy", "Outputs: the inputs, and nothing else."),
    ("UserExtensionValue", "| `__memory` | text | yes |"),
    ("FlexSamlClaims", "Its arguments: [configuration keys](configuration.md)."),
    ("PolicyAssignment", "Type token: `pulumi-python:dynamic/flexsaml:PolicyAssignment`"),
])  # fmt: skip
def test_a_resource_has_its_inputs_its_outputs_and_what_replaces_it(resource: str, line: str) -> None:
    assert line in section_of(resource, describe_resources()).splitlines()


def test_a_resource_says_what_each_answer_of_graph_means() -> None:
    section = section_of("PolicyAssignment", describe_resources())
    assert "409: another policy is\n  assigned. 403: the permission is missing" in section


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_the_text_of_its_help(command: str) -> None:
    section = section_of(command, describe_commands())
    assert f"usage: python -m flexsaml {command}" in section
    assert "-h, --help" in section


def test_a_marked_place_is_filled_and_the_rest_stays() -> None:
    page = fill_in("# Keys\n\n<!-- generated: configuration -->\n\nThe end.\n")
    assert page == f"# Keys\n\n{describe_configuration()}\n\nThe end.\n"
    assert fill_in("# Nothing <!-- to fill in -->\n") == "# Nothing <!-- to fill in -->\n"


def test_an_unknown_place_is_an_error() -> None:
    with pytest.raises(KeyError):
        fill_in("<!-- generated: nothing -->")
    assert sorted(GENERATED) == ["commands", "configuration", "resources"]
