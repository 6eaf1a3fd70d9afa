"""If this goes red, an installation takes a package that nobody reviewed, or another version than the documents say."""

from __future__ import annotations

import re

import pytest

from tests.providers.process import PROJECT

LOCKS = {
    "requirements-install.lock": ("requirements-install.txt",),
    "requirements.lock": ("requirements.txt", "requirements-emulator.txt"),
    "requirements-dev.lock": (
        "requirements.txt",
        "requirements-emulator.txt",
        "requirements-docs.txt",
        "requirements-dev.txt",
    ),
}
REQUIREMENT = re.compile(r"(?m)^([A-Za-z0-9._-]+)==([^\s#;\\]+)((?:.*\\\n)*.*)")


def read_pins(name: str) -> dict[str, tuple[str, str]]:
    """Package in its canonical spelling to version and the rest of its lines."""
    pins = REQUIREMENT.findall((PROJECT / name).read_text("utf-8"))
    return {re.sub(r"[-_.]+", "-", package).lower(): (version, rest) for package, version, rest in pins}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_the_versions_of_the_readable_files_and_a_hash_for_each_package(lock: str) -> None:
    locked = read_pins(lock)
    for name in LOCKS[lock]:
        wanted = {package: version for package, (version, _) in read_pins(name).items()}
        assert wanted
        assert {package: locked[package][0] for package in wanted} == wanted, f"{name}: run `make lock`"
    assert [package for package, (_, rest) in locked.items() if "--hash=sha256:" not in rest] == []
    text = (PROJECT / lock).read_text("utf-8")
    assert len(re.findall(r"(?m)^[^\s#]", text)) == len(REQUIREMENT.findall(text)), "a line that is no pinned package"
    assert "://" not in text
