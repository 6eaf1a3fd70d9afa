"""The certificates of a service principal with which Entra can sign (W9 of docs/sign-in.md, D): those whose private key
it has. Graph shows the private key as a key credential of its own, of usage Sign, and never the key itself. Prediction,
preflight and the commands about certificates all judge by this."""

from dataclasses import replace

from flexsaml.graph import PrincipalSnapshot


def keep_usable_keys(snapshot: PrincipalSnapshot) -> PrincipalSnapshot:
    """The snapshot without certificates that have no private key: they count as none, active or not."""
    return replace(snapshot, keys=tuple(key for key in snapshot.keys if key.can_sign))


def has_unusable_key(snapshot: PrincipalSnapshot) -> bool:
    """Whether the active certificate has no private key."""
    active = snapshot.find_active_key()
    return active is not None and not active.can_sign
