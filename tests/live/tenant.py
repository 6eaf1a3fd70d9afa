"""Which tenant a live run may touch: the one that was named, that the credential belongs to, and that is small."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from flexsaml.errors import UserError
from flexsaml.graph import Client, Clock, Cloud, Directory, GraphError, credentials

MOST_USERS = 25
"""A tenant with more is taken for one that people work in."""
_NOBODY = "no credential was found"


class Skipped(Exception):
    """There is nothing to run; the text is why, and what would change that."""


class RefusedTenant(UserError):
    """The suite does not touch this tenant."""


def choose_tenant(given: Sequence[str]) -> tuple[str, bool]:
    """The tenant's id in lower case, and whether it was given twice. Raises Skipped without one, RefusedTenant for two
    that differ."""
    tenants = [tenant.strip().lower() for tenant in given if tenant.strip()]
    if not tenants:
        raise Skipped("no tenant is named; `make live TENANT=ID` runs it on a tenant to throw away (docs/live.md)")
    if len(set(tenants)) > 1:
        raise RefusedTenant(f"--tenant names {' and '.join(sorted(set(tenants)))}: one run has one tenant")
    return tenants[0], len(tenants) > 1


def connect(where: Cloud, tenant_id: str, clock: Clock) -> tuple[Client, Directory]:
    """To the tenant of the credential in the environment. Raises Skipped without a credential, RefusedTenant if it
    belongs to another tenant."""
    tokens = credentials(where, clock=clock)
    client = Client(where, tokens, clock=clock)
    directory = Directory(client)
    try:
        identity = directory.identity()
    except GraphError as problem:
        raise explain(problem) from None
    if identity is None or identity.tenant_id.lower() != tenant_id:
        theirs = identity.tenant_id if identity else "unknown"
        raise RefusedTenant(f"--tenant names {tenant_id}, and the credential belongs to {theirs}: nothing was changed")
    return client, directory


def check_size(client: Client, tenant_id: str, *, is_sure: bool) -> None:
    """Raises RefusedTenant for a tenant of more than `MOST_USERS` users, unless somebody is sure."""
    listed = client.pages("/users", params={"$select": "id", "$top": MOST_USERS + 1})
    if not is_sure and len(list(islice(listed, MOST_USERS + 1))) > MOST_USERS:
        raise RefusedTenant(
            f"tenant {tenant_id} has more than {MOST_USERS} users, so people may work in it: nothing was changed; "
            "name it twice if it is one to throw away"
        )


def read_domain(client: Client, tenant_id: str) -> str:
    """The initial domain of the tenant, in which users can be made."""
    organization = next(iter(client.pages("/organization")))
    if str(organization["id"]).lower() != tenant_id:
        raise RefusedTenant(f"Graph answers for tenant {organization['id']}, not for {tenant_id}: nothing was changed")
    domains = sorted(organization["verifiedDomains"], key=lambda domain: not domain.get("isInitial"))
    return str(domains[0]["name"])


def explain(problem: GraphError) -> Exception:
    """Skipped if there is no credential at all; a credential that is refused stays an error."""
    return Skipped(f"{_NOBODY}; {problem.hint}") if problem.words == _NOBODY else problem
