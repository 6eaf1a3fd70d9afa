"""If this goes red, a name or a format that stands in users' state has changed: a type, a class, a property, a packed
string. Without the engine; `tests/engine/test_golden_states.py` shows that whole stacks still work."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from typing import Any

import dill
import pytest
import yaml
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from flexsaml.values import RosterTable, unpack
from providers import KINDS, provider_class
from tests.golden.states import NAMES, PASSPHRASE, GoldenState

Props = dict[str, Any]

SECRET = "4dabf18193072939515e22adb298388d"
"""The key by which the engine recognises an encrypted value in state."""

RESOURCES = [(name, resource) for name in NAMES for resource in GoldenState(name).resources]
PACKED = [(name, resource) for name, resource in RESOURCES if "__cells" in resource["outputs"]]


def name_of(parameter: str | Props) -> str:
    """A state's name, or a resource's, in the name of a test."""
    return parameter if isinstance(parameter, str) else str(parameter["urn"].rsplit("::", 1)[-1])


@pytest.mark.parametrize(("name", "resource"), RESOURCES, ids=name_of)
def test_the_class_in_state_is_the_one_of_its_type(name: str, resource: Props) -> None:  # noqa: ARG001
    provider = dill.loads(base64.b64decode(resource["inputs"]["__provider"]))  # noqa: S301
    assert type(provider) is provider_class(kind_of(resource))


@pytest.mark.parametrize(("name", "resource"), RESOURCES, ids=name_of)
def test_every_property_in_state_is_one_of_its_kind(name: str, resource: Props) -> None:  # noqa: ARG001
    kind = provider_class(kind_of(resource)).kind
    inputs = set(kind.inputs)
    assert resource["inputs"].keys() - {"__provider"} <= inputs
    assert resource["outputs"].keys() - {"__provider"} <= inputs | set(kind.outputs)


ADDED_SINCE = ("__recorded_ids",)
"""Inputs that the states of earlier releases do not have; their default is no change."""


def test_no_other_input_may_be_absent_from_a_state() -> None:
    """What is absent counts as edited away, if `check` computes it."""
    kinds = [provider_class(name).kind for name in KINDS]
    absent = {name for kind in kinds for name, argument in kind.arguments.items() if argument.added_since}
    assert absent == set(ADDED_SINCE)


@pytest.mark.parametrize(("name", "resource"), RESOURCES, ids=name_of)
def test_the_same_inputs_are_no_change(name: str, resource: Props) -> None:
    provider = provider_class(kind_of(resource))()
    inputs, outputs = decrypted(name, resource["inputs"]), decrypted(name, resource["outputs"])
    checked = provider.check(inputs, inputs)
    assert not checked.failures
    since = {key: "" for key in ADDED_SINCE if key in provider.kind.inputs}
    assert checked.inputs == {**since, **{key: value for key, value in inputs.items() if key != "__provider"}}
    difference = provider.diff(resource["id"], outputs, {**checked.inputs, "__provider": inputs["__provider"]})
    assert (difference.changes, difference.replaces) == (False, [])


@pytest.mark.parametrize(("name", "resource"), PACKED, ids=name_of)
def test_packed_cells_are_users_id_prefixes_and_cells(name: str, resource: Props) -> None:
    for properties in (decrypted(name, resource["inputs"]), decrypted(name, resource["outputs"])):
        users, id_prefixes, cells = unpack(properties["__cells"])
        assert len(users) == len(id_prefixes.split(" ")) == len(cells) == properties["count"]
        table = RosterTable.unpack(properties["__cells"])
        assert properties["sha256"] in (table.digest(), "[secret]")
        assert unpack(table.pack()) == [users, id_prefixes, cells]


@pytest.mark.parametrize(("name", "resource"), PACKED, ids=name_of)
def test_packed_memory_is_an_object_id_and_a_ledger_for_each_user(name: str, resource: Props) -> None:
    outputs = decrypted(name, resource["outputs"])
    ids, ledger = unpack(outputs["__memory"])
    assert len(base64.b64decode(ids)) == 16 * outputs["count"]
    assert len(ledger) == outputs["count"]
    for entry in ledger:
        if resource["type"].endswith(":UserValueBaseline"):
            prior, written = entry
            assert isinstance(prior, str)
            assert written == sorted(written)
        else:
            assert entry is None, "a writer behind baselines remembers nothing"


def test_packed_memory_of_a_writer_without_baseline_is_a_ledger_for_each_extension() -> None:
    name = "resources_alone"
    writer = next(resource for resource in GoldenState(name).resources if kind_of(resource) == "UserExtensionValue")
    ledger = unpack(decrypted(name, writer["outputs"])["__memory"])
    team = "extension_8f66597486ab539983f97492e2e5acec_team"
    assert ledger[team] == ["red", ["blue", "green"]], "the value before, and both that this stack wrote"


def test_secrets_are_encrypted_in_the_fixture() -> None:
    """The values that `make_states.py` gives as secrets, and what a user held before."""
    secrets = ("hush", "whisper", "murmur", "private matter")
    golden = GoldenState("secret_users")
    fixture = golden.state() + golden.stack_file
    assert [secret for secret in secrets if secret in fixture] == []
    decrypted_text = json.dumps([decrypted("secret_users", resource["inputs"]) for resource in golden.resources])
    assert "hushed" in decrypted_text


def kind_of(resource: Props) -> str:
    return str(resource["type"].rsplit(":", 1)[-1])


def decrypted(name: str, properties: Props) -> Props:
    """The properties as a provider gets them."""
    key = key_of(yaml.safe_load(GoldenState(name).stack_file)["encryptionsalt"])

    def decrypt(value: Any) -> Any:
        if isinstance(value, dict) and SECRET in value:
            _, nonce, ciphertext = value["ciphertext"].split(":")
            return json.loads(AESGCM(key).decrypt(base64.b64decode(nonce), base64.b64decode(ciphertext), None))
        if isinstance(value, dict):
            return {name: decrypt(item) for name, item in value.items()}
        return [decrypt(item) for item in value] if isinstance(value, list) else value

    result: Props = decrypt(properties)
    return result


@cache
def key_of(encryption_salt: str) -> bytes:
    """The key that the engine derives from the passphrase: PBKDF2 with SHA-256, a million times (read in its source)."""
    salt = base64.b64decode(encryption_salt.split(":")[1])
    return hashlib.pbkdf2_hmac("sha256", PASSPHRASE.encode(), salt, 1_000_000, 32)
