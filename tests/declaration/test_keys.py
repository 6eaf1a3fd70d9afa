"""If this goes red, the engine, the documents and the program disagree about a key of the configuration."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from components import FlexSamlClaimsArgs
from flexsaml.declaration import KEYS, Key, parse_declaration

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = yaml.safe_load((ROOT / "Pulumi.yaml").read_text("utf-8"))
README = (ROOT / "README.md").read_text("utf-8")


def test_pulumi_new_asks_for_what_a_first_preview_needs() -> None:
    prompts = PROJECT["template"]["config"]
    given = {name.removeprefix("flexsaml:"): prompt.get("default", "Flex") for name, prompt in prompts.items()}
    declaration = parse_declaration(given, read_file=lambda _: b"")
    assert declaration.service_principal == "Flex"
    assert sorted(declaration.claims) == ["email", "full_name", "nameid", "roles"]


def test_the_project_may_have_any_name() -> None:
    """The engine refuses typed keys of the namespace `flexsaml` in a project of another name."""
    assert "config" not in PROJECT


@pytest.mark.parametrize(
    "key", [key for key in KEYS.values() if not key.name.endswith("Endpoint")], ids=lambda key: key.name
)
def test_the_readme_has_its_row(key: Key) -> None:
    """Endpoints are for the emulator only."""
    rows = [line for line in README.splitlines() if re.match(rf"\| .*`{key.name}`.* \|", line)]
    assert rows, key.name


def test_python_has_the_same_arguments() -> None:
    arguments = {field.name for field in fields(FlexSamlClaimsArgs)}
    assert arguments == {key.argument for key in KEYS.values() if key.argument}
    defaults = FlexSamlClaimsArgs(service_principal="x").to_keys()
    assert {key.name: key.default for key in KEYS.values() if key.argument and key.default is not None} == {
        name: value for name, value in defaults.items() if name != "servicePrincipal"
    }
