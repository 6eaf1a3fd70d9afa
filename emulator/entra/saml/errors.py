"""Refusals of a sign-in, as Entra numbers them: an AADSTS code, a line of words, and the status of the answer.

Numbers and words are those of Microsoft's error reference where docs/sign-in.md names them; docs/parity.md marks the
others D.
"""

from __future__ import annotations

_WORDS = {
    50011: (
        "The reply URL '{}' specified in the request does not match the reply URLs configured for the application '{}'."
    ),
    50034: "The user account '{}' does not exist in the directory '{}'.",
    50057: "The user account is disabled.",
    50105: (
        "Your administrator has configured the application {} ('{}') to block users unless they are specifically "
        "granted ('assigned') access to the application. The signed in user '{}' is blocked because they are not a "
        "direct member of a group with access, nor had access directly assigned by an administrator."
    ),
    50146: (
        "This application is required to be configured with an application-specific signing key. It is either not "
        "configured with one, or the key has expired or is not yet valid."
    ),
    75005: "The request is not a valid Saml2 protocol message: {}.",
    90002: "Tenant '{}' not found. Check to make sure you have the correct tenant ID or domain.",
    500031: "Cannot find signing certificate configured.",
    700016: "Application with identifier '{}' was not found in the directory '{}'.",
    750054: "SAMLRequest or SAMLResponse must be present as query string parameters.",
    7000112: "Application '{}' ({}) is disabled.",
}
_STATUSES = {50057: 403, 50105: 403, 50146: 403, 90002: 404, 500031: 403, 7000112: 403}  # 403: the tenant forbids it


class SignInError(Exception):
    """Why a sign-in is refused; `names` fill in the words of this number."""

    def __init__(self, number: int, *names: str, status: int = 0) -> None:
        self.code = f"AADSTS{number}"
        self.message = " ".join(_WORDS[number].format(*names).split())
        self.status = status or _STATUSES.get(number, 400)
        super().__init__(f"{self.code}: {self.message}")
