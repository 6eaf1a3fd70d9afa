"""What a registration that exists already holds and this command would not make. Whoever may register applications can
make one with the name and the tag of `setup` and a credential of their own, so nothing in it proves who made it: it
gets rights only when its reader was shown who else can use it. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flexsaml.errors import UserError
from flexsaml.graph import ClientSecret, Registration

from .plan import Step, Wanted

_AUDIENCE = "AzureADMyOrg"


def list_unexpected(wanted: Wanted, own: Registration | None, identity_id: str) -> list[str]:
    """Each credential, owner and redirect URI that these options would not make. A client secret is always among them:
    its name proves nothing. `identity_id`: object id of who runs the command, who may own what they made."""
    if own is None:
        return []
    given = {wanted.certificate.key} if wanted.certificate else set()
    asked = {(item.issuer, item.subject, (wanted.audience,)) for item in wanted.federations}
    return [
        *_describe_credentials([key for key in own.keys if key.get("key") not in given], own.secrets),
        *(
            f"federated credential '{item.name}' ({item.subject} of {item.issuer})"
            for item in own.federated
            if (item.issuer, item.subject, item.audiences) not in asked
        ),
        *(f"{words} of its service principal" for words in _describe_credentials(
            own.principal_keys, own.principal_secrets
        )),
        *(f"owner {owner.name or 'without a name'} ({owner.id})" for owner in own.owners if owner.id != identity_id),
        *(f"redirect URI {uri}" for uri in own.redirects),
    ]  # fmt: skip


def check_adoption(own: Registration | None, steps: Sequence[Step], unexpected: Sequence[str], accepts: bool) -> None:
    """Raises `UserError` for a registration that other tenants can use, and, unless the reader `accepts` what is
    `unexpected`, for one that has it and would get rights."""
    if own is None:
        return
    words = f"the app registration '{own.display_name}' ({own.id}) exists"
    if own.audience != _AUDIENCE:
        audience = own.audience or "nothing"
        raise UserError(f"{words} with the audience {audience}, which setup never makes; use another --name")
    if unexpected and not accepts and any(step.gives_rights and not step.is_there for step in steps):
        advice = "remove in the portal what you do not know, then run it again with --accept-existing to keep the rest"
        raise UserError(f"{words} with what this command would not make: {'; '.join(unexpected)}; {advice}")


def _describe_credentials(keys: Sequence[Mapping[str, Any]], secrets: Sequence[ClientSecret]) -> Iterator[str]:
    for key in keys:
        yield f"certificate '{key.get('displayName') or ''}' (key {key.get('keyId')})"
    for secret in secrets:
        until = f", until {secret.ends:%Y-%m-%d}" if secret.ends else ""
        yield f"client secret '{secret.display_name}' (key {secret.key_id}{until})"
