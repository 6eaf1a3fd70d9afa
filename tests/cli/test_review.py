"""If this goes red, a reviewer reads something else than what a preview changes, sees a secret, or text from a tenant
becomes markup in a pull request. The previews were printed by engine 3.259, reduced to what the command reads."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from flexsaml.cli.review import read_preview, render, shorten, show
from flexsaml.errors import UserError
from tests.cli.command import ROOT, run
from tests.providers.process import packed

PREVIEWS = ROOT / "tests" / "cli" / "previews"
FULL = "extension_8f66597486ab539983f97492e2e5acec_languages"


def review(preview: Any) -> str:
    raw = preview if isinstance(preview, bytes) else json.dumps(preview).encode()
    return "\n".join(render(*read_preview(raw)))


def read(name: str) -> bytes:
    return (PREVIEWS / f"{name}.json").read_bytes()


def step(operation: str, kind: str, name: str = "flex-x", **inputs: Any) -> dict[str, Any]:
    state = {"type": f"pulumi-python:dynamic/flexsaml:{kind}", "inputs": inputs}
    states = {"oldState": state} if operation == "delete" else {"newState": state}
    return {"op": operation, "urn": f"urn:pulumi:dev::p::t::{name}", **states}


CASES: list[tuple[str, list[str]]] = [
    (
        "claims-and-users",
        [
            "### flexsaml: 4 to create, 4 to update",
            "Everybody who signs in to this application may get other claims, from the next sign-in on.",
            "**Claims of policy <code>flexsaml-dev Flex SAML claims</code>**",
            "| <code>languages.stringarray</code> | <code>extension.languages</code> | <code>user.department</code> |",
            "| <code>team</code> |  | <code>extension.team</code> |",
            "**Values of <code>languages</code>**: 2 added, 1 changed, 0 removed",
            "| <code>ada&#64;contoso.example</code> | <code>en,de</code> | <code>en,fr</code> |",
            "| <code>grace&#64;contoso.example</code> | not managed | <code>en</code> |",
            "- create ExtensionProperty <code>flex-team</code>",
            "- info: <code>agents.csv: 1 write</code>",
        ],
    ),
    (
        "users-removed",
        [
            "### flexsaml: 4 to update, 1 to delete",
            "3 users get other values, from the next sign-in on.",
            "| <code>grace&#64;contoso.example</code> | <code>en</code> | what was there before this stack |",
            "**Values of <code>team</code>**: 0 added, 0 changed, 1 removed",
        ],
    ),
    (
        "failed",
        [
            "### flexsaml: the preview failed",
            "- error: <code>flexsaml: servicePrincipal: no enterprise application is called 'Nobody'; give its exact "
            "display name, appId or object id &#91;principal-unknown&#93;; nothing of this component was changed</code>",
        ],
    ),
    (
        "made-secret",
        [
            "Users get other values, from the next sign-in on; which ones is secret.",
            "**Values of <code>languages</code>**: secret; users before: 1, after: 1",
        ],
    ),
    (
        "failed-without-a-reason",
        [
            "### flexsaml: the preview failed",
            "- error: <code>an unhandled error occurred: program exited with non-zero exit code: 3</code>",
        ],
    ),
    (
        "replaced",
        [
            "### flexsaml: 2 to update, 2 to replace",
            "- **replace** ExtensionProperty <code>flex-languages</code>",
            "- **replace** UserValueBaseline <code>flex-languages-before</code>",
            "| <code>ada&#64;contoso.example</code> | <code>en,de</code> | <code>true</code> |",
            "- warning: <code>extension 'languages' will be deleted and created again: sign-ins may miss its claims for "
            "minutes</code>",
        ],
    ),
    (
        "not-known-yet",
        [
            "### flexsaml: 6 to create",
            "The claims are not known before the update.",
            "**Values of <code>flex-team-before</code>**: secret; users before: 0, after: not known",
            "- create <code>pulumi-python:dynamic/test:EnterpriseApplication</code> <code>flex-application</code>",
        ],
    ),
]


@pytest.mark.parametrize(("name", "lines"), CASES, ids=[name for name, _ in CASES])
def test_what_a_reviewer_reads(name: str, lines: list[str]) -> None:
    text = review(read(name)).split("\n")
    assert [line for line in lines if line not in text] == []
    assert "- update TenantBaseline <code>flex-tenant</code>" in text or name != "claims-and-users"


def test_nothing_to_change() -> None:
    assert review({"steps": [step("same", "ClaimsMappingPolicy")]}) == "### flexsaml: nothing to change"


def test_what_is_lost_is_bold() -> None:
    steps = [step("replace", "ExtensionProperty", "flex-team"), step("delete", "PolicyAssignment", "flex-assignment")]
    text = review({"steps": [*steps, step("delete-replaced", "ExtensionProperty", "flex-team")]})
    assert "- **replace** ExtensionProperty <code>flex-team</code>\n- **delete** PolicyAssignment" in text
    assert text.startswith("### flexsaml: 1 to replace, 1 to delete\n")


def test_a_secret_claim_is_not_shown() -> None:
    text = review({"steps": [step("update", "ClaimsMappingPolicy", claims="[secret]", display_name="p")]})
    assert "The claims are secret." in text


def test_a_secret_claim_that_may_have_changed_is_named() -> None:
    changed = step("update", "ClaimsMappingPolicy", claims={"a": "[secret]", "b": "user.mail"}, display_name="p")
    text = review({"steps": [{**changed, "oldState": changed["newState"]}]})
    assert "| <code>a</code> | <code>&#91;secret&#93;</code> | <code>&#91;secret&#93;</code> |" in text
    assert "<code>b</code>" not in text


def definition(*sources: str) -> str:
    entries = [{"Source": "user", "ID": source, "SamlClaimType": "team"} for source in sources]
    return json.dumps({"ClaimsMappingPolicy": {"Version": 1, "ClaimsSchema": entries}})


def policy_with(before: str, after: str) -> dict[str, Any]:
    states = (step("update", "ClaimsMappingPolicy", claims={}, definition=text)["newState"] for text in (before, after))
    return {**step("update", "ClaimsMappingPolicy"), **dict(zip(("oldState", "newState"), states, strict=True))}


DEFINITIONS = {
    "an entry that changes": (
        definition("mail"),
        definition("department"),
        '\n         "Source": "user",\n-        "ID": "mail",\n+        "ID": "department",\n',
    ),
    "none before": ("", definition("mail"), '\n+        "ID": "mail",\n'),
    "a value that another resource gives": (
        "",
        definition("04da6b54-80e4-46f7-96ec-b56ff0331ba9"),
        '\n+        "ID": "(not known before the update)",\n',
    ),
    "a text that would end the block": ("", definition("\n```\n@all"), '\n+        "ID": "\\n```\\n@all",\n'),
    "a text that would control a terminal": ("", definition("\x1b\u202e"), '"ID": "\\u001b\\u202e",\n'),
    "a secret": (definition("mail"), "[secret]", "\n\nThe raw definition is secret."),
    "no JSON": (definition("mail"), "{", "\n\nThe raw definition differs, and is not JSON."),
}


@pytest.mark.parametrize(("before", "after", "shown"), DEFINITIONS.values(), ids=DEFINITIONS)
def test_what_differs_in_a_raw_definition(before: str, after: str, shown: str) -> None:
    text = review({"steps": [policy_with(before, after)]})
    assert shown in text
    assert "No claim differs" not in text
    fences = [line for line in text.split("\n") if line.startswith("```")]
    assert fences == (["```diff", "```"] if "The raw definition:" in text else [])


def test_a_raw_definition_that_is_the_same_is_not_shown() -> None:
    text = review({"steps": [policy_with(definition("mail"), definition("mail"))]})
    assert text.endswith("\n\nNo claim differs.")


def test_a_block_that_is_cut_is_closed() -> None:
    preview = json.dumps({"steps": [policy_with("", definition(*["mail"] * 100))]}).encode()
    lines = shorten(list(render(*read_preview(preview))), 1000)
    assert len("\n".join(lines)) <= 1000
    assert lines[-3:-1] == ["```", ""]
    assert lines[-1].endswith(" more lines_")


def test_of_resources_of_others_only_the_names_are_shown() -> None:
    state = {"type": "aws:s3:Bucket", "inputs": {"password": "x-1"}}
    steps = [{"op": op, "urn": f"u::{op}-bucket", "oldState": state, "newState": state} for op in ("create", "delete")]
    stack = {"op": "create", "urn": "u::s", "newState": {"type": "pulumi:pulumi:Stack"}}
    text = review({"steps": [stack, *steps, {**steps[0], "op": "same", "urn": "u::same"}]})
    assert text == (
        "### flexsaml: nothing to change\n\n**Resources of others in this stack**\n\n"
        "- **delete** <code>aws:s3:Bucket</code> <code>delete-bucket</code>\n"
        "- create <code>aws:s3:Bucket</code> <code>create-bucket</code>"
    )


def test_an_import_is_a_change() -> None:
    assert review({"steps": [step("import", "PolicyAssignment")]}).startswith("### flexsaml: 1 to import\n")


@pytest.mark.parametrize(
    "text",
    [
        "a|b",
        "`code`",
        "<img src=x>",
        "@everyone",
        "*bold*",
        "_it_",
        "[a](http://b)",
        "a\n# title",
        "\\|",
        "~~x~~",
        "https://b.example",
        "see www.b.example",
    ],
)
def test_text_is_neither_markup_nor_a_mention(text: str) -> None:
    shown = show(text).removeprefix("<code>").removesuffix("</code>")
    assert not set("|`<>@*_[]\\~\n!") & set(shown), shown
    assert "://" not in shown
    assert "www." not in shown
    cells = packed({"ada@contoso.example": text}, {})
    line = review({"steps": [step("create", "UserValueBaseline", full_name=FULL, __cells=cells, count=1)]}).split("\n")[
        -1
    ]
    assert line.count("|") == 4


def test_a_terminal_is_not_controlled() -> None:
    assert "\x1b" not in show("\x1b[31m")


def test_what_is_too_long_is_cut_between_lines() -> None:
    lines = [f"line {number}" for number in range(100)]
    short = shorten(lines, 300)
    assert len("\n".join(short)) <= 300
    kept = short[:-2]
    assert kept == lines[: len(kept)]
    assert short[-1] == f"_{100 - len(kept)} more lines_"
    assert shorten(lines, 10_000) == lines


def test_what_is_cut_are_rows_of_users() -> None:
    cells = packed({f"user{number}@contoso.example": "en" for number in range(200)}, {})
    steps = [step("create", "UserValueBaseline", full_name=FULL, __cells=cells, count=200)]
    findings = [{"severity": "error", "message": "error: too many removals"}]
    raw = json.dumps({"steps": [*steps, step("delete", "PolicyAssignment")], "diagnostics": findings}).encode()
    text = "\n".join(shorten(list(render(*read_preview(raw))), 2000))
    assert "more lines_" in text
    assert "- **delete** PolicyAssignment" in text
    assert "- error: <code>too many removals</code>" in text


@pytest.mark.parametrize("length", ["0", "-5", "199"])
def test_a_length_without_room_for_a_comment_is_refused(length: str) -> None:
    ended = run("review", str(PREVIEWS / "replaced.json"), f"--max-length={length}")
    assert (ended.status, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert f"--max-length {length}: too short for a comment; give at least 200" in ended.err


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"{}", b"null", b'{"steps": 5}', b'{"steps": [{}]}', b'{"steps": [5]}', b"Previewing update",
            b'{"steps": [], "diagnostics": [{}]}', b'{"steps": [{"op": "create", "urn": "u", "newState": 5}]}',
            b'{"steps": [{"op": "create", "urn": "u", "newState": {"type": "t", "inputs": [1]}}]}']
)  # fmt: skip
def test_what_is_no_preview_is_one_line(raw: bytes) -> None:
    with pytest.raises(UserError, match=r"^this is not what `pulumi preview --json` prints; give its whole output$"):
        read_preview(raw)


def test_the_previews_hold_no_path_of_a_machine() -> None:
    for path in Path(PREVIEWS).iterdir():
        assert re.search(r"/(home|root|tmp|Users)/", path.read_text("utf-8")) is None, path.name
