"""If this goes red, an option of a resource, another name of the component or an older state loses what a person held
before, on the real engine. `tests/providers/test_options.py` runs each resource with each option; this shows that the
engine is as that test models it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.request_log import requests_of, writes_in
from tests.engine.stack import ADA, DESTROY, UP, Stack

pytestmark = pytest.mark.long

WRITER = f"flex-{ADA}"
PROGRAM = """
import pulumi
from components import FlexSamlClaims, read_config

def change(args):
    options = {options}.get(args.name)
    if options:
        merged = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(**options))
        return pulumi.ResourceTransformationResult(args.props, merged)

FlexSamlClaims({name!r}, read_config(), pulumi.ResourceOptions(transformations=[change]{more}))
"""


Options = dict[str, dict[str, object]]
"""Resource options by the name of the resource."""


def write_program(stack: Stack, options: Options | None = None, *, name: str = "flex", more: str = "") -> None:
    main = stack.checkout.directory / "__main__.py"
    main.unlink()
    main.write_text(PROGRAM.format(name=name, options=options or {}, more=more), encoding="utf-8")


@pytest.fixture
def values(base_stack: Stack) -> Stack:
    """A stack of an administrator's extension only, in which Ada held a value before; `up` wrote another one."""
    stack, tenant = base_stack, base_stack.tenant()
    stack.destroy()
    tenant.make_property("team")
    tenant.write("ada", "old", "team")
    stack.tenant_before = stack.emulator.export()
    stack.config |= {
        "extensions": {},
        "claims": {**stack.config["claims"], "languages.stringarray": f"extension.{tenant.full('team')}"},
        "users": {ADA: {tenant.full("team"): "red"}},
    }
    stack.up()
    return stack


def team(stack: Stack) -> object:
    return stack.tenant().value("ada", "team")


def test_protect(values: Stack) -> None:
    stack = values
    stack.config["users"][ADA] = {stack.tenant().full("team"): "blue"}
    write_program(stack, {"flex-tenant": {"protect": True}})
    stack.up()
    assert "protected" in stack.refused(*DESTROY)
    assert {"flex-tenant", "flex-policy", WRITER} & set(stack.resources()) == {"flex-tenant"}, "the others were deleted"
    write_program(stack)
    stack.up()
    stack.assert_destroy_restores_the_tenant()


def test_ignore_changes(values: Stack) -> None:
    """Of the writer: the value stays. Of the baseline: the writer refuses."""
    stack, full_name = values, values.tenant().full("team")
    stack.config["users"][ADA] = {full_name: "blue"}
    baseline = f"flex-{full_name}-before"
    write_program(stack, {baseline: {"ignore_changes": ["__cells"]}})
    assert "or drop --exclude or ignoreChanges" in stack.refused(*UP)
    assert team(stack) == "red"
    write_program(stack, {WRITER: {"ignore_changes": ["values"]}})
    stack.up()
    assert team(stack) == "red"
    write_program(stack)
    stack.up()
    assert team(stack) == "blue"
    stack.assert_destroy_restores_the_tenant()


def test_retain_on_delete(values: Stack) -> None:
    stack, full_name = values, values.tenant().full("team")
    write_program(stack, {WRITER: {"retain_on_delete": True}, "flex-policy": {"retain_on_delete": True}})
    stack.up()
    stack.assert_destroy_restores_the_tenant()
    write_program(stack, {f"flex-{full_name}-before": {"retain_on_delete": True}})
    stack.up()
    stack.destroy()
    assert team(stack) == "red", "nobody restored it, as the option says"


@pytest.mark.parametrize("command", ["--replace", "taint"])
def test_a_value_baseline_that_somebody_replaces(values: Stack, command: str) -> None:
    """Such a replacement does not ask the provider which of the two is done first."""
    stack = values
    baseline = f"flex-{stack.tenant().full('team')}-before"
    if command == "taint":
        stack.ok("state", "taint", stack.resources()[baseline]["urn"], "--yes")
    stack.ok(*UP, *(["--replace", f"**::{baseline}"] if command == "--replace" else []))
    stack.refresh()
    stack.up()
    assert team(stack) == "red"
    stack.assert_destroy_restores_the_tenant()


def test_another_name_of_the_component(values: Stack) -> None:
    stack = values
    stack.config["replaceExisting"] = True
    write_program(stack, name="main")
    stack.emulator.clear()
    assert "which flexsaml made: if this stack did, name the component" in stack.refused("preview")
    assert "which flexsaml made: if this stack did, name the component" in stack.refused(*UP)
    assert writes_in(requests_of(stack.emulator)) == []
    write_program(stack)
    stack.up()
    write_program(stack, name="main", more=", aliases=[pulumi.Alias(name='flex')]")
    stack.up()
    assert team(stack) == "red"
    stack.assert_destroy_restores_the_tenant()


def test_an_older_state(values: Stack, tmp_path: Path) -> None:
    stack, tenant, full_name = values, values.tenant(), values.tenant().full("team")
    tenant.write("grace", "older", "team")
    stack.tenant_before["users"] = [
        {**user, "values": {full_name: "older"}} if user["userPrincipalName"].startswith("grace") else user
        for user in stack.tenant_before["users"]
    ]
    older, newest = tmp_path / "older.json", tmp_path / "newest.json"
    stack.ok("stack", "export", "--file", str(older))
    stack.config["users"] = {ADA: {full_name: "blue"}, "grace@contoso.example": {full_name: "green"}}
    stack.up()
    stack.ok("stack", "export", "--file", str(newest))

    stack.ok("stack", "import", "--file", str(older))
    output = stack.up().output
    assert "1 user held the declared value before this stack wrote it (grace@contoso.example)" in output
    stack.destroy()
    assert (team(stack), tenant.value("grace", "team")) == ("old", "green"), "only the newest state knows Grace's value"

    stack.ok("stack", "import", "--file", str(newest))
    stack.assert_destroy_restores_the_tenant()


def test_an_older_state_from_before_an_extension(base_stack: Stack, tmp_path: Path) -> None:
    stack = base_stack
    older, newest = tmp_path / "older.json", tmp_path / "newest.json"
    stack.ok("stack", "export", "--file", str(older))
    stack.config["extensions"] = {"languages": "String", "skills": "String"}
    stack.config["users"][ADA]["skills"] = "billing"
    stack.up()
    stack.ok("stack", "export", "--file", str(newest))
    stack.ok("stack", "import", "--file", str(older))
    stack.emulator.clear()
    assert "import the newest export of that state first" in stack.refused(*UP)
    assert writes_in(requests_of(stack.emulator)) == []
    stack.ok("stack", "import", "--file", str(newest))
    stack.assert_unchanged()
    stack.assert_destroy_restores_the_tenant()
