"""If this goes red, a killed emulator loses an answered write or keeps half of one: no `up` could resume.

SIGKILL around every write of the guide, restart on the same file, and the export compared.
"""

from __future__ import annotations

import http.client
import json
import os
import resource
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.emulator.browsing import FORM
from tests.emulator.process import ADMIN, REPOSITORY, SECRET, SEED, TENANT, Emulator
from tests.emulator.tenant import ABSENT, ADA, DEFINITION, FLEX, FLEX_APP, Tenant, full_name

NAME = full_name("languages")


def _writes(tenant: Tenant) -> list[Callable[[], object]]:
    """The guide's writes and their reversal, in order; ids are looked up when they are needed."""
    emulator = tenant.emulator

    def made(kind: str) -> str:
        return str(emulator.export()[kind][0]["id"])

    policies = "/policies/claimsMappingPolicies"
    return [
        tenant.post_property,
        lambda: tenant.patch({NAME: "en,de"}),
        tenant.post_policy,
        lambda: emulator.graph("PATCH", f"{policies}/{made('claimsMappingPolicies')}", {"displayName": "new"}),
        lambda: tenant.assign(made("claimsMappingPolicies")),
        lambda: tenant.unassign(made("claimsMappingPolicies")),
        lambda: emulator.graph("DELETE", f"{policies}/{made('claimsMappingPolicies')}"),
        lambda: tenant.patch({NAME: None}),
        lambda: emulator.graph(
            "DELETE", f"/applications/{FLEX_APP['id']}/extensionProperties/{made('extensionProperties')}"
        ),
    ]


@pytest.mark.parametrize("action", ["lose", "drop"])
def test_sigkill_at_every_write_keeps_all_of_it_or_none(tmp_path: Path, action: str) -> None:
    """`lose` is a kill just after the commit, `drop` just before it; the write is then repeated."""
    with Emulator(tmp_path / "reference") as reference, Emulator(tmp_path / "killed") as killed:
        untouched = reference.export()
        steps = list(zip(_writes(Tenant(reference)), _writes(Tenant(killed)), strict=True))
        for number, (wanted, cut) in enumerate(steps):
            before = killed.export()
            wanted()
            killed.fault(action, path="^/(users|applications|policies|servicePrincipals)/")
            with pytest.raises((ConnectionError, http.client.HTTPException)):
                cut()
            killed.kill()
            killed.start()
            if action == "drop":
                assert killed.export() == before, f"write {number} was half done"
                cut()
            assert killed.export() == reference.export() != before, f"write {number}"
        assert killed.export() == untouched


def test_tokens_ids_and_the_ca_survive_a_restart(tmp_path: Path) -> None:
    with Emulator(tmp_path / "restarted") as restarted, Emulator(tmp_path / "other") as other:
        ca = Path(restarted.ca).read_bytes()
        Tenant(restarted).property()
        restarted.stop()
        restarted.start()
        assert Path(restarted.ca).read_bytes() == ca
        assert restarted.graph("GET", f"/users/{ADA}").status == 200  # with the token from before
        Tenant(other).property()
        # The same calls after the same seed give the same ids, restarted or not.
        assert Tenant(restarted).policy() == Tenant(other).policy()
        assert restarted.export() == other.export()


def test_a_data_file_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    """The form of the file is frozen: sandboxes keep theirs over an update of the project."""
    seed = json.loads(SEED.read_text(encoding="utf-8"))
    policy = {"id": ABSENT[:-1] + "1", "displayName": "Flex claims", "definition": [DEFINITION]}
    languages = {
        "id": ABSENT[:-1] + "2",
        "applicationId": FLEX_APP["id"],
        "name": NAME,
        "dataType": "String",
        "isMultiValued": False,
        "targetObjects": ["User"],
        "isSyncedFromOnPremises": False,
    }
    link = {"servicePrincipalId": FLEX["id"], "policyId": policy["id"]}
    token = {"id": "old-token", "clientId": ADMIN, "expires": 9e9, "roles": ["User.Read.All"]}
    rows = [(kind, row["id"], row) for kind, kept in seed.items() for row in kept if "id" in row]
    rows += [("claimsMappingPolicies", policy["id"], policy), ("extensionProperties", languages["id"], languages)]
    rows += [("assignments", f"{FLEX['id']}/{policy['id']}", link), ("tokens", token["id"], token)]
    with sqlite3.connect(tmp_path / "tenant.db") as database:
        database.execute("CREATE TABLE rows (kind TEXT, id TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, id))")
        database.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
        database.executemany(
            "INSERT INTO rows VALUES (?, ?, ?)", [(kind, key, json.dumps(row)) for kind, key, row in rows]
        )
        meta = {"schema": "1", "seed": json.dumps(seed, sort_keys=True), "counters": '{"users": 4}'}
        database.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
    database.close()
    with Emulator(tmp_path) as emulator:
        export = emulator.export()
        assert [export["extensionProperties"], export["assignments"]] == [[languages], [link]]
        assert export["claimsMappingPolicies"] == [{**policy, "isOrganizationDefault": False}]
        assert len(export["users"]) == len(seed["users"])
        header = {"Authorization": "Bearer old-token"}
        assert emulator.request("GET", f"/v1.0/users/{ADA}", headers=header).status == 200


def test_the_data_file_and_the_port_are_each_one_emulators_own(tmp_path: Path) -> None:
    with Emulator(tmp_path) as emulator:
        port = emulator.http.rpartition(":")[2]
        for arguments in (["--data", str(emulator.data)], ["--port", port]):
            command = [sys.executable, "-m", "emulator", "--port", "0", "--tls-port", "0", *arguments]
            ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False)
            assert (ended.returncode, ended.stdout) == (2, "")
            assert ended.stderr.count("\n") == 1
            assert ended.stderr.startswith("emulator: cannot ")


@pytest.mark.parametrize("existing", [None, 0o644])
def test_its_files_are_readable_by_their_owner_only(tmp_path: Path, existing: int | None) -> None:
    directory = tmp_path / "new"
    if existing:
        with Emulator(directory) as emulator:
            emulator.data.chmod(existing)
    with Emulator(directory) as emulator:
        Tenant(emulator).property()
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in directory.iterdir()}
        assert modes == dict.fromkeys(("tenant.db", "tenant.db-wal", "ca.pem", "ca-key.pem"), 0o600)
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_a_link_in_the_place_of_the_data_file_is_not_followed(tmp_path: Path) -> None:
    """Said in one line that shows the name of the directory and does not obey it."""
    directory = tmp_path / "a\x1b[31m\nb"
    directory.mkdir()
    (directory / "tenant.db").symlink_to(directory / "elsewhere")
    command = [sys.executable, "-m", "emulator", "--port", "0", "--tls-port", "0", "--data", f"{directory}/tenant.db"]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 2
    shown = f"{tmp_path}/a\\x1b[31m\\nb/tenant.db"
    assert ended.stderr.startswith(f"emulator: cannot open the data file {shown}: [Errno ")
    assert ended.stderr.count("\n") == 1
    assert os.listdir(directory) == ["tenant.db"]


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits of another process are Linux's")
def test_on_a_full_disk_a_write_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    with Emulator(tmp_path) as emulator:
        tenant = Tenant(emulator)
        made = tenant.property()
        before = emulator.export()
        batch = {"requests": [{"id": "1", "method": "GET", "url": f"/users/{ADA}"}]}
        batch["requests"].append({"id": "2", "method": "DELETE", "url": f"/users/{ADA}"})
        with emulator.full_disk():
            refused = tenant.patch({made["name"]: "en"})
            answers = {
                answer["id"]: answer["status"] for answer in emulator.graph("POST", "/$batch", batch).json["responses"]
            }
            form = (
                f"grant_type=client_credentials&client_id={ADMIN}&client_secret={SECRET}&scope={emulator.http}/.default"
            )
            token = emulator.request("POST", f"/{TENANT}/oauth2/v2.0/token", form.encode(), FORM)
            with pytest.raises(RuntimeError, match="507"):
                emulator.reset()
        assert refused.status == token.status == 507
        assert "nothing was changed; make room on its disk" in refused.error[2]
        assert token.json["error"] == "InsufficientStorage"
        assert answers == {"1": 200, "2": 507}, "each item for itself"
        assert emulator.export() == before
        assert tenant.patch({made["name"]: "en"}).status == 204
        after = emulator.export()
        emulator.kill()
        emulator.start()
        assert emulator.export() == after


def test_sigterm_ends_it_cleanly_even_while_a_request_hangs(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path)
    emulator.start()
    emulator.token()
    emulator.fault("hang_before", "GET", "^/users$")
    connection = http.client.HTTPConnection(emulator.http.removeprefix("http://"), timeout=120)
    connection.request("GET", "/v1.0/users")
    while not any(fault["fired"] for fault in emulator.faults()):
        pass  # each call is a round trip
    assert emulator.stop() == 0
    connection.close()
