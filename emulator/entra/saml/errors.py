"""Refusals of a sign-in, as Entra numbers them: an AADSTS code, one line, and the status of the answer.

Numbers and words are those of Microsoft's error reference where docs/sign-in.md names them; docs/parity.md marks the
others D.
"""

from __future__ import annotations


class SignInError(Exception):
    """Why a sign-in is refused; `status` is 403 when the tenant forbids it, 400 when the request is mistaken."""

    def __init__(self, number: int, message: str, status: int = 400) -> None:
        super().__init__(f"AADSTS{number}: {message}")
        self.code = f"AADSTS{number}"
        self.message = " ".join(message.split())
        self.status = status


def unknown_tenant(tenant: str) -> SignInError:
    return SignInError(
        90002, f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID or domain.", 404
    )


def unknown_application(identifier: str, tenant: str, status: int = 400) -> SignInError:
    words = f"Application with identifier '{identifier}' was not found in the directory '{tenant}'."
    return SignInError(700016, words, status)


def unknown_user(name: str, tenant: str) -> SignInError:
    return SignInError(50034, f"The user account '{name}' does not exist in the directory '{tenant}'.")


def invalid_message(why: str) -> SignInError:
    return SignInError(75005, f"The request is not a valid Saml2 protocol message: {why}.")


def foreign_reply_url(url: str, identifier: str) -> SignInError:
    words = (
        f"The reply URL '{url}' specified in the request does not match the reply URLs configured for the "
        f"application '{identifier}'."
    )
    return SignInError(50011, words)


def principal_disabled(app_id: str, name: str) -> SignInError:
    return SignInError(7000112, f"Application '{app_id}' ({name}) is disabled.", 403)


def user_disabled() -> SignInError:
    return SignInError(50057, "The user account is disabled.", 403)


def not_assigned(name: str, app_id: str, user: str) -> SignInError:
    words = (
        f"Your administrator has configured the application {name} ('{app_id}') to block users unless they are "
        f"specifically granted ('assigned') access to the application. The signed in user '{user}' is blocked because "
        "they are not a direct member of a group with access, nor had access directly assigned by an administrator."
    )
    return SignInError(50105, words, 403)


def no_signing_key() -> SignInError:
    words = (
        "This application is required to be configured with an application-specific signing key. It is either not "
        "configured with one, or the key has expired or is not yet valid."
    )
    return SignInError(50146, words, 403)


def no_certificate() -> SignInError:
    return SignInError(500031, "Cannot find signing certificate configured.", 403)
