"""Short and full names of extensions; a short name that looks like the beginning of a full one stays short."""

import pytest

from flexsaml.claims import build_full_name, is_full_name, owner_app_id, short_name

APP_ID = "0A1B2C3D-4e5f-6071-8293-a4b5c6d7e8f9"
PREFIX = "extension_0a1b2c3d4e5f60718293a4b5c6d7e8f9_"
OTHER_FULL_NAME = f"extension_{'f' * 32}_team"

FULL_NAMES = (
    ("team", f"{PREFIX}team"),
    ("extension_points", f"{PREFIX}extension_points"),
    ("extension_", f"{PREFIX}extension_"),
    (f"extension_{'f' * 31}_team", f"{PREFIX}extension_{'f' * 31}_team"),
    (f"extension_{'F' * 32}_team", f"{PREFIX}extension_{'F' * 32}_team"),  # Graph writes the appId in lower case
    (f"extension_{'f' * 32}", f"{PREFIX}extension_{'f' * 32}"),
    (OTHER_FULL_NAME, OTHER_FULL_NAME),
    (f"{PREFIX}team", f"{PREFIX}team"),
)


@pytest.mark.parametrize(("name", "full_name"), FULL_NAMES)
def test_a_name_becomes_full_unless_it_is(name: str, full_name: str) -> None:
    assert build_full_name(APP_ID, name) == full_name
    assert is_full_name(name) == (name == full_name)
    if name != full_name:
        assert (short_name(full_name), owner_app_id(full_name)) == (name, APP_ID.lower())


@pytest.mark.parametrize("name", ["team", "extension_points", ""])
def test_a_short_name_has_no_owner(name: str) -> None:
    for function in (owner_app_id, short_name):
        with pytest.raises(ValueError, match="is not the full name"):
            function(name)
