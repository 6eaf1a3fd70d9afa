"""If this goes red, a registration gets rights although somebody else can use it, or one that `setup` made is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from flexsaml.errors import UserError
from flexsaml.graph import ClientSecret, FederatedCredential, Owner
from flexsaml.setup.adoption import check_adoption, list_unexpected
from flexsaml.setup.plan import Step
from tests.setup.test_plan import CERTIFICATE, MADE, NOW, REPOSITORY, WANTED

ME = "object id of who runs setup"
ASKED = FederatedCredential("any name", REPOSITORY.issuer, REPOSITORY.subject, (WANTED.audience,))
OWN = replace(MADE, secrets=(), federated=(ASKED,), owners=(Owner(ME, "me"),), audience="AzureADMyOrg")
KEY = {"displayName": "x", "keyId": "1", "key": "QQ=="}
SECRET = ClientSecret("2", "y", NOW)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, []),
        ({"secrets": (SECRET,)}, ["client secret 'y' (key 2, until 2026-06-01)"]),
        ({"keys": (*OWN.keys, KEY)}, ["certificate 'x' (key 1)"]),
        ({"keys": ({**KEY, "displayName": f"flexsaml {CERTIFICATE.thumbprint}"},)}, [
            f"certificate 'flexsaml {CERTIFICATE.thumbprint}' (key 1)",
        ]),
        ({"federated": (replace(ASKED, audiences=("api://other",)),)}, [
            f"federated credential 'any name' ({ASKED.subject} of {ASKED.issuer})",
        ]),
        ({"federated": (replace(ASKED, issuer="https://other"),)}, [
            f"federated credential 'any name' ({ASKED.subject} of https://other)",
        ]),
        ({"principal_keys": (KEY,), "principal_secrets": (SECRET,)}, [
            "certificate 'x' (key 1) of its service principal",
            "client secret 'y' (key 2, until 2026-06-01) of its service principal",
        ]),
        ({"owners": (Owner(ME, "me"), Owner("o", ""))}, ["owner without a name (o)"]),
        ({"redirects": ("https://other/",)}, ["redirect URI https://other/"]),
    ],
    ids=[
        "nothing", "secret", "key", "key with the right name", "audience", "issuer", "of the service principal", "owner",
        "redirect URI",
    ],
)  # fmt: skip
def test_what_these_options_would_not_make_is_named(change: dict[str, Any], words: list[str]) -> None:
    assert list_unexpected(WANTED, replace(OWN, **change), ME) == words


def test_whoever_cannot_be_named_owns_nothing() -> None:
    assert list_unexpected(WANTED, OWN, "") == [f"owner me ({ME})"]


@pytest.mark.parametrize(
    ("gives_rights", "is_there", "accepts", "audience", "refusal"),
    [
        (True, False, False, "AzureADMyOrg", "with what this command would not make: a; b; "),
        (True, False, True, "AzureADMyOrg", ""),
        (True, True, False, "AzureADMyOrg", ""),
        (False, False, False, "AzureADMyOrg", ""),
        (True, False, True, "AzureADMultipleOrgs", "the audience AzureADMultipleOrgs"),
        (False, True, True, "", "the audience nothing"),
    ],
)
def test_rights_are_not_given_unseen(
    gives_rights: bool, is_there: bool, accepts: bool, audience: str, refusal: str
) -> None:
    steps = [Step("x", "x", "POST", "/x", {}, is_there=is_there, gives_rights=gives_rights)]
    own = replace(OWN, audience=audience)
    check_adoption(None, steps, [], accepts)
    if refusal:
        with pytest.raises(UserError, match=refusal):
            check_adoption(own, steps, ["a", "b"], accepts)
    else:
        check_adoption(own, steps, ["a", "b"], accepts)
