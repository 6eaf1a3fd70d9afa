"""One sign-in: who may, what is issued, and where it is sent.

Quirks tamed: a user without an assignment is let in by none but the groups they are a direct member of (A); an assigned
policy wants a signing key of the application's own, or acceptMappedClaims (A for OpenID Connect, D for SAML). Twilio's
own reply URL cannot be reached from here: the sandbox delivers to its small Flex, same connection.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

from emulator.clock import Clock
from emulator.entra.saml import errors, keys, policy, response, statement
from emulator.entra.saml.requests import AuthnRequest
from emulator.entra.saml.subject import Subject
from emulator.tenant import users
from emulator.tenant.records import ServicePrincipal, User
from emulator.tenant.store import Store

ACS_PATH = "/flex/login/callback"
# Narrow on purpose: what a URL library takes for loopback, a browser may read as another host ("http://evil\\@127.0.0.1").
_LOOPBACK = re.compile(r"https?://(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?(?:[/?][!-~]*)?")


@dataclass(frozen=True)
class Issued:
    """A response on its way to `acs`."""

    xml: bytes
    acs: str

    @property
    def encoded(self) -> str:
        return base64.b64encode(self.xml).decode()


class SignIn:
    """Signs users of one tenant in."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self._clock = clock

    # -- what the addresses name ----------------------------------------------------------------------------------

    def check_tenant(self, tenant: str) -> None:
        if tenant.lower() not in {self.store.tenant_id, *self.store.domains}:
            raise errors.unknown_tenant(tenant)

    def principal(self, key: str, status: int = 400) -> ServicePrincipal:
        """By appId or object id."""
        by_app = self.store.principal_app_ids.get(key.lower(), "")
        found = self.store.service_principals.get(by_app) or self.store.service_principals.get(key.lower())
        if found is None:
            raise errors.unknown_application(key, self.store.tenant_id, status)
        return found

    def principal_of(self, request: AuthnRequest) -> ServicePrincipal:
        for one in self.store.service_principals.values():
            if request.issuer in one.attributes.get("servicePrincipalNames", ()):
                return one
        raise errors.unknown_application(request.issuer, self.store.tenant_id)

    def user(self, key: str) -> User:
        found = users.locate(self.store, key.strip())
        if found is None:
            raise errors.unknown_user(key, self.store.tenant_id)
        return found

    # -- the sign-in ----------------------------------------------------------------------------------------------

    def acs(self, principal: ServicePrincipal, wanted: str, origin: str) -> str:
        """Where the response goes: the wanted address if it may be, else the principal's first."""
        configured = [str(url) for url in principal.attributes.get("replyUrls") or ()]
        if wanted and wanted not in configured:
            if not _LOOPBACK.fullmatch(wanted):
                raise errors.foreign_reply_url(wanted, principal.app_id)
            return wanted
        chosen = wanted or (configured[0] if configured else "")
        if not chosen:
            raise errors.foreign_reply_url("(none)", principal.app_id)
        connection = parse_qs(urlsplit(chosen).query).get("connection", [""])[0]
        return f"{origin}{ACS_PATH}?{urlencode({'connection': connection})}" if connection else chosen

    def check_allowed(self, principal: ServicePrincipal, user: User) -> None:
        """Raises SignInError with the first reason why not."""
        name = principal.display_name
        if principal.attributes.get("accountEnabled") is False:
            raise errors.principal_disabled(principal.app_id, name)
        if user.attributes.get("accountEnabled") is False:
            raise errors.user_disabled()
        needs_assignment = principal.attributes.get("appRoleAssignmentRequired") is True
        if needs_assignment and not Subject(self.store, principal, user).is_assigned():
            raise errors.not_assigned(name, principal.app_id, user.upn)

    def issue(self, principal: ServicePrincipal, user: User, acs: str, request: AuthnRequest | None = None) -> Issued:
        self.check_allowed(principal, user)
        certificate = keys.signing(principal, self._clock.now())
        assigned = self.assigned_policy(principal)
        if assigned and certificate is None and not self._accepts_mapped_claims(principal):
            raise errors.no_signing_key()
        told = statement.issued(
            Subject(self.store, principal, user),
            assigned,
            has_key=certificate is not None,
            requested_format=request.name_id_format if request else "",
        )
        signs = certificate or keys.any_valid(principal, self._clock.now())
        pem = keys.private_key(self.store, signs) if signs else None
        if signs is None or pem is None or not signs.der:
            raise errors.no_certificate()
        envelope = response.Envelope(
            issuer=self.issuer,
            audience=self._audience(principal, request),
            acs=acs,
            now=self._clock.utc(),
            response_id=f"_{self.store.new_id('samlResponses')}",
            assertion_id=f"_{self.store.new_id('samlAssertions')}",
            in_response_to=request.id if request else "",
        )
        self.store.commit()  # the counters: no restart issues an id again
        return Issued(response.signed(told, envelope, pem, signs.der), acs)

    @property
    def issuer(self) -> str:
        return f"https://sts.windows.net/{self.store.tenant_id}/"

    def assigned_policy(self, principal: ServicePrincipal) -> policy.ClaimsPolicy | None:
        links = [link for link in self.store.links.values() if link.service_principal_id == principal.id]
        found = self.store.policies.get(links[0].policy_id) if links else None
        return policy.read(found.definition) if found else None

    def _accepts_mapped_claims(self, principal: ServicePrincipal) -> bool:
        application = self.store.applications.get(self.store.app_ids.get(principal.app_id, ""))
        return bool(application and (application.attributes.get("api") or {}).get("acceptMappedClaims"))

    @staticmethod
    def _audience(principal: ServicePrincipal, request: AuthnRequest | None) -> str:
        names = principal.attributes.get("servicePrincipalNames") or [principal.app_id]
        return request.issuer if request else str(names[0])
