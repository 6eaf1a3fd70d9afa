"""If this goes red, the small Flex accepts a response it should refuse, or keeps other attributes than Twilio would.

The rules are F1 to F10 of docs/sign-in.md; refusals are provoked with responses of the sandbox itself, altered or sent to
the wrong place.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from emulator.flex.mapping import InvalidFormat, MissingAttributes, map_attributes
from tests.emulator import browsing, signin
from tests.emulator.process import SECRET, SEED, TENANT, Answer, Emulator
from tests.emulator.tenant import ADA, FLEX, STAGING, Tenant

CONNECTION = "JQ0123456789abcdef0123456789abcdef"
ACS = f"/flex/login/callback?connection={CONNECTION}"
ACCOUNT, WORKSPACE = f"AC{'0' * 32}", f"WS{'0' * 32}"
WORKERS = f"/v1/Workspaces/{WORKSPACE}/Workers"
GIVEN = {"email": ["a@b"], "full_name": ["A"], "roles": ["agent"]}
CLAIMS = (
    {"Source": "user", "ID": "mail", "SamlClaimType": "email"},
    {"Source": "user", "ID": "displayname", "SamlClaimType": "full_name"},
    {"Source": "user", "ID": "assignedroles", "SamlClaimType": "roles"},
)


def constant(value: str, name: str) -> dict[str, str]:
    return {"Value": value, "SamlClaimType": name}


def login(tenant: Tenant, *more: dict[str, str], user: str = ADA) -> browsing.Page:
    """The guide's claims and more, put in force, and the user signed in."""
    for policy in tenant.assigned():
        assert tenant.unassign(policy).status == 204
    signin.assign(tenant, signin.claims(*CLAIMS, *more))
    return browsing.sign_in(tenant.emulator, f"/{TENANT}/launch/{FLEX['appId']}", user)


def worker(emulator: Emulator) -> dict[str, Any]:
    """The only worker."""
    (row,) = emulator.export()["workers"]
    return dict(row)


# -- what is kept (pure) -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"team": ["blue"]}, {"team": "blue"}),
        ({"team": [""]}, {"team": ""}),
        ({"team": ["a", "b"]}, {"team": "a"}),
        ({"urn:x": ["a"], "http://schemas.example/y": ["b"]}, {}),
        ({"skill.int": ["-42"], "n.int": [str(2**53 - 1)]}, {"skill": -42, "n": 2**53 - 1}),
        ({"vip.boolean": ["TRUE"], "x.boolean": ["false"]}, {"vip": True, "x": False}),
        ({"a.stringarray": ["en, de ,fr"]}, {"a": ["en", "de", "fr"]}),
        ({"a.stringarray": ["en", "de,fr"]}, {"a": ["en", "de,fr"]}),
        ({"a.stringarray": [""], "b.intarray": [""]}, {"a": [], "b": []}),
        ({"a.intarray": ["1, 2"], "b.booleanarray": ["true,false"]}, {"a": [1, 2], "b": [True, False]}),
        ({"a.b.int": ["1"], "c.Int": ["1"], ".int": ["x"], "d.": ["1"]}, {"a.b": 1, "c.Int": "1", ".int": "x", "d.": "1"}),
        ({"s.string": ["1"]}, {"s": "1"}),
        ({"channel.a.b.capacity": ["x"]}, {"channel.a.b.capacity": "x"}),
        ({"contact_uri": ["client:own"]}, {"contact_uri": "client:own"}),
    ],
)  # fmt: skip
def test_what_a_worker_keeps(given: Mapping[str, list[str]], kept: dict[str, Any]) -> None:
    always = {"email": "a@b", "full_name": "A", "roles": ["agent"], "contact_uri": "client:ad_C3_A4_40x_y"}
    attributes = map_attributes(list({**GIVEN, **given}.items()), "adä@x_y").attributes
    assert json.dumps(attributes, sort_keys=True) == json.dumps({**always, **kept}, sort_keys=True)


@pytest.mark.parametrize(
    ("roles", "kept"),
    [
        (["admin"], ["admin"]),
        (["agent, supervisor"], ["agent", "supervisor"]),
        (["agent", "admin"], ["agent", "admin"]),
    ],
)
def test_roles_are_an_array_without_a_suffix(roles: list[str], kept: list[str]) -> None:
    assert map_attributes([*GIVEN.items(), ("roles", roles)], "a").attributes["roles"] == kept


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x.int", ""),
        ("x.int", "1.0"),
        ("x.int", " 1"),
        ("x.int", "+1"),
        ("x.int", "٣"),
        ("x.int", str(2**53)),
        ("x.int", "9" * 5000),
        ("x.boolean", "yes"),
        ("x.boolean", ""),
        ("x.intarray", "1,,2"),
        ("x.booleanarray", "true,1"),
        ("channel.voice.capacity", "many"),
        ("channel.voice.availability", ""),
    ],
)
def test_a_value_that_does_not_fit_refuses_the_sign_in(name: str, value: str) -> None:
    with pytest.raises(InvalidFormat, match=name):
        map_attributes([*GIVEN.items(), (name, [value])], "a")


@pytest.mark.parametrize("name", GIVEN)
@pytest.mark.parametrize("values", [None, [], [""], [" "], [","], ["", ""]])
def test_three_attributes_are_required(name: str, values: list[str] | None) -> None:
    given = {**GIVEN, name: values}
    with pytest.raises(MissingAttributes) as missing:
        map_attributes([(key, given_values) for key, given_values in given.items() if given_values is not None], "a")
    assert missing.value.names == (name,)


def test_a_required_attribute_with_a_suffix_counts_as_missing() -> None:
    given = [("email.string", ["a@x"]), *((name, values) for name, values in GIVEN.items() if name != "email")]
    with pytest.raises(MissingAttributes):
        map_attributes(given, "a")


def test_channels_are_set_and_not_kept_as_attributes() -> None:
    given = [*GIVEN.items(), ("channel.voice.capacity", ["2"]), ("channel.voice.availability", ["False"])]
    mapped = map_attributes(given, "a")
    assert mapped.channels == {"voice": {"capacity": 2, "availability": False}}
    assert not any("channel" in name for name in mapped.attributes)


# -- from page to worker -----------------------------------------------------------------------------------------------------


def test_a_value_changed_between_two_sign_ins_reaches_the_worker(tenant: Tenant) -> None:
    name = tenant.property()["name"]
    claim = {"Source": "user", "ExtensionID": name, "SamlClaimType": "languages.stringarray"}
    assert tenant.patch({name: "en, de"}).status == 204
    page = login(tenant, claim, constant("1", "urn:ignored"))
    assert (page.status, "A worker was created." in page.text) == (200, True)
    first = worker(tenant.emulator)
    assert first["attributes"] == {
        "contact_uri": "client:ada_40contoso_2Eexample",
        "email": ADA,
        "full_name": "Ada Lovelace",
        "languages": ["en", "de"],
        "roles": ["agent"],
    }
    assert tenant.patch({name: "fr"}).status == 204
    page = login(tenant, claim)
    assert "The worker was updated: languages." in page.text
    second = worker(tenant.emulator)
    assert (second["id"], second["attributes"]["languages"]) == (first["id"], ["fr"])
    assert tenant.patch({name: None}).status == 204
    assert "The worker has the same attributes as before." in login(tenant, claim).text, "Entra leaves out a null"
    assert worker(tenant.emulator) == second


def test_flex_itself_asks_for_a_sign_in(tenant: Tenant) -> None:
    signin.assign(tenant, signin.claims(*CLAIMS))
    front = browsing.visit(tenant.emulator, "/flex")
    (link,) = (link for link in front.links if CONNECTION in link)
    assert browsing.sign_in(tenant.emulator, link, ADA).status == 200
    front = browsing.visit(tenant.emulator, "/flex")
    assert ADA in front.text
    (link,) = (link for link in front.links if "/workers/" in link)
    assert '"full_name": "Ada Lovelace"' in browsing.visit(tenant.emulator, link).text
    for path in ("/flex/login?connection=JQx", "/flex/login", "/flex/workers/WKx"):
        assert browsing.visit(tenant.emulator, path).status == 404


def test_an_absent_attribute_keeps_its_value_and_an_empty_one_clears_it(tenant: Tenant) -> None:
    login(tenant, constant("blue", "team"), constant("x", "site"), constant("a", "list.stringarray"))
    login(tenant, constant("", "site"), constant("", "list.stringarray"))
    attributes = worker(tenant.emulator)["attributes"]
    assert [attributes[name] for name in ("team", "site", "list")] == ["blue", "", []]


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (constant("Agent", "roles"), "A role is none of Flex's."),
        (constant("blue,red", "team_member.stringarray"), "team_member has several teams."),
        (constant("x" * 4100, "note"), "4096 are allowed"),
        (constant("wfo.full_access", "note"), ""),
    ],
)
def test_what_flex_may_refuse_is_a_dial(tenant: Tenant, entry: dict[str, str], why: str) -> None:
    claims = [claim for claim in CLAIMS if claim["SamlClaimType"] != entry["SamlClaimType"]]
    signin.assign(tenant, signin.claims(*claims, entry))
    path = f"/{TENANT}/launch/{FLEX['appId']}"
    assert browsing.sign_in(tenant.emulator, path, ADA).status == 200
    tenant.emulator.dials(doubtful_worker="refuse")
    page = browsing.sign_in(tenant.emulator, path, ADA)
    assert (page.status == 400) == bool(why)
    assert why in page.text.replace("&#39;", "'")


def test_errors_are_shown_and_change_nothing(tenant: Tenant) -> None:
    login(tenant, constant("5", "skill.int"))
    before = worker(tenant.emulator)
    page = login(tenant, constant("five", "skill.int"), constant("new", "team"))
    assert page.status == 400
    assert "400 Error invalid attribute format" in page.text
    assert "skill.int" in page.text
    assert worker(tenant.emulator) == before
    assert "invalid attribute format" in browsing.visit(tenant.emulator, "/flex").text
    assert tenant.patch({"mail": None}).status == 204
    page = login(tenant)
    assert (page.status, "45050: Authentication error - Missing User Attributes" in page.text) == (400, True)
    assert "Missing or empty: email." in page.text
    assert worker(tenant.emulator) == before
    assert tenant.patch({"mail": ADA}).status == 204
    assert login(tenant).status == 200
    assert "Last sign-in failed" not in browsing.visit(tenant.emulator, "/flex").text


def test_workers_outlive_a_kill_and_end_with_a_reset(tmp_path: Path) -> None:
    with Emulator(tmp_path) as emulator:
        tenant = Tenant(emulator)
        assert login(tenant).status == 200
        encoded = signin.ask(emulator, ADA).json["SAMLResponse"]
        assert post(emulator, encoded).status == 200
        before = emulator.export()
        emulator.kill()
        emulator.start()
        assert emulator.export() == before
        assert "accepted before" in post(emulator, encoded).text, "a restart forgets no assertion"
        emulator.seed(before)
        assert emulator.export() == before
        emulator.seed(json.loads(SEED.read_text(encoding="utf-8")))
        assert emulator.export()["workers"] == []


# -- what is refused ---------------------------------------------------------------------------------------------------


def post(emulator: Emulator, response: str, acs: str = ACS) -> browsing.Page:
    return browsing.Page(signin.deliver(emulator, response, acs))


def changed(old: str, new: str, count: int = -1) -> Callable[[str], str]:
    def change(encoded: str) -> str:
        text = base64.b64decode(encoded).decode()
        assert old in text
        return base64.b64encode(text.replace(old, new, count).encode()).decode()

    return change


def without(element: str, which: int) -> Callable[[str], str]:
    """Drop the first (0) or the last element of this name."""

    def change(encoded: str) -> str:
        text = base64.b64decode(encoded).decode()
        begins = text.find(f"<{element} ") if which == 0 else text.rfind(f"<{element} ")
        ends = text.find(f"</{element}>", begins) + len(f"</{element}>")
        return base64.b64encode((text[:begins] + text[ends:]).encode()).decode()

    return change


def wrapped(encoded: str) -> str:
    """The signed response, kept unchanged inside a forged one."""
    text = base64.b64decode(encoded).decode()
    evil = text.replace("Ada Lovelace", "Eve").replace(
        "<samlp:Status>", f"<samlp:Extensions>{text}</samlp:Extensions><samlp:Status>", 1
    )
    return base64.b64encode(evil.encode()).decode()


@pytest.mark.parametrize(
    ("alter", "why"),
    [
        (lambda _: "", "it is not a Response"),
        (lambda _: "%", "it is not base64"),
        (lambda _: base64.b64encode(b"<a/>").decode(), "it is not a Response"),
        (changed("<samlp:Response", "<!DOCTYPE x><samlp:Response", 1), "it is not a Response"),
        (changed("Ada Lovelace", "Eve"), "the signature of the response is not by"),
        (without("ds:Signature", 0), "the response is not signed"),
        (without("ds:Signature", 1), "the signature of the response is not by"),
        (changed("rsa-sha256", "hmac-sha256"), "signed in a way that is not accepted"),
        (changed("xmlenc#sha256", "xmldsig#sha1"), "signed in a way that is not accepted"),
        (changed('URI="#_', 'URI="#x'), "covers something else"),
        (wrapped, "exactly one assertion"),
    ],
)  # fmt: skip
def test_a_response_that_was_tampered_with_is_refused(tenant: Tenant, alter: Callable[[str], str], why: str) -> None:
    signin.assign(tenant, signin.claims(*CLAIMS))
    good = signin.ask(tenant.emulator, ADA).json["SAMLResponse"]
    page = post(tenant.emulator, alter(good))
    assert (page.status, why in page.text) == (400, True), page.text
    assert tenant.emulator.export()["workers"] == []
    assert post(tenant.emulator, good).status == 200


def test_a_response_is_accepted_once_in_time_and_where_it_was_sent(tenant: Tenant) -> None:
    emulator = tenant.emulator
    signin.assign(tenant, signin.claims(*CLAIMS))
    first, second = (signin.ask(emulator, ADA).json["SAMLResponse"] for _ in range(2))
    elsewhere = signin.ask(emulator, ADA, acs="http://127.0.0.1:9/acs").json["SAMLResponse"]
    staging = STAGING["servicePrincipalNames"][0].removeprefix("urn:flex:")
    assert post(emulator, first).status == 200
    for page, why in [
        (post(emulator, first), "accepted before"),
        (post(emulator, elsewhere), "its destination is"),
        (post(emulator, second, ACS.replace(CONNECTION, staging)), "not by a certificate of the application"),
        (post(emulator, second, ACS.replace(CONNECTION, "JQnone")), "no connection"),
    ]:
        assert (page.status in (400, 404), why in page.text) == (True, True), page.text
    emulator.advance(3600)
    assert "it has expired" in post(emulator, second).text
    assert "Last sign-in failed" in browsing.visit(emulator, "/flex").text


# -- TaskRouter --------------------------------------------------------------------------------------------------------


def get(emulator: Emulator, path: str, user: str = ACCOUNT, password: str = SECRET) -> Answer:
    given = base64.b64encode(f"{user}:{password}".encode()).decode()
    return emulator.request("GET", path, headers={"Authorization": f"Basic {given}"})


def test_workers_are_listed_without_attributes_and_read_with_them(tenant: Tenant) -> None:
    login(tenant)
    login(tenant, user="susan@contoso.example")
    listed = get(tenant.emulator, WORKERS, f"SK{'a' * 32}").json
    assert listed["meta"].keys() == {
        "first_page_url", "key", "next_page_url", "page", "page_size", "previous_page_url", "url",
    }  # fmt: skip
    assert (listed["meta"]["key"], listed["meta"]["next_page_url"]) == ("workers", None)
    assert [row["attributes"] for row in listed["workers"]] == [None, None]
    (row,) = get(tenant.emulator, f"{WORKERS}?FriendlyName={quote(ADA)}").json["workers"]
    body = get(tenant.emulator, f"{WORKERS}/{row['sid']}").json
    assert body["friendly_name"] == ADA
    assert body["url"] == f"{tenant.emulator.http}{WORKERS}/{row['sid']}"
    assert json.loads(body["attributes"])["roles"] == ["agent"]
    assert get(tenant.emulator, f"{WORKERS}?FriendlyName=nobody").json["workers"] == []
    for path in (WORKERS.removesuffix("/Workers"), f"{WORKERS}{row['sid']}", f"{WORKERS}/"):
        assert get(tenant.emulator, path).json["code"] == 20404


def test_workers_are_paged(tenant: Tenant) -> None:
    for upn in (ADA, "susan@contoso.example", "alan@contoso.example"):
        login(tenant, user=upn)
    path, names = f"{WORKERS}?PageSize=2", []
    while path:
        page = get(tenant.emulator, path).json
        names += [row["friendly_name"] for row in page["workers"]]
        path = (page["meta"]["next_page_url"] or "").removeprefix(tenant.emulator.http)
    assert names == [ADA, "susan@contoso.example", "alan@contoso.example"]


@pytest.mark.parametrize(
    ("path", "user", "password", "status", "code"),
    [
        (WORKERS, ACCOUNT, "wrong", 401, 20003),
        (WORKERS, f"AC{'1' * 32}", "sandbox", 401, 20003),
        (f"{WORKERS}/WK{'0' * 32}", ACCOUNT, "sandbox", 404, 20404),
        (WORKERS.replace("WS0", "WS1"), ACCOUNT, "sandbox", 404, 20404),
        (f"/v1/Workspaces/{WORKSPACE}/Activities", ACCOUNT, "sandbox", 404, 20404),
        (f"{WORKERS}?PageSize=x", ACCOUNT, "sandbox", 400, 20001),
        (f"{WORKERS}?PageSize=0", ACCOUNT, "sandbox", 400, 20001),
    ],
)
def test_taskrouter_refuses_as_twilio_does(
    emulator: Emulator, path: str, user: str, password: str, status: int, code: int
) -> None:
    answer = get(emulator, path, user, password)
    assert answer.status == answer.json["status"] == status
    assert answer.json["code"] == code
    assert answer.json["more_info"] == f"https://www.twilio.com/docs/errors/{code}"


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer x"}, {"Authorization": "Basic %"}])
def test_taskrouter_wants_basic_authentication(emulator: Emulator, header: dict[str, str]) -> None:
    answer = emulator.request("GET", WORKERS, headers=header)
    assert (answer.status, answer.json["code"], answer.headers["www-authenticate"][:5]) == (401, 20003, "Basic")
