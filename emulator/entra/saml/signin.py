"""A sign-in: who may sign in, what is issued, and where it is sent. Quirks: where assignment is required, the user, or
a group they are a direct member of, must be assigned (A); an assigned policy requires a signing key of the
application's own, or acceptMappedClaims (A for OpenID Connect, D for SAML). Twilio's own reply URL cannot be reached
from here: the sandbox delivers to its own Flex, with the same `connection` parameter."""

import base64
import re
from urllib.parse import parse_qs, urlencode, urlsplit

from emulator.clock import TenantClock
from emulator.entra.saml import documents, policy, statement
from emulator.entra.saml.requests import AuthnRequest, SignInError
from emulator.entra.saml.subject import Subject
from emulator.tenant import users
from emulator.tenant.policies import find_policy_in_force
from emulator.tenant.principals import find_by_name
from emulator.tenant.records import PrincipalRecord, UserRecord
from emulator.tenant.store import Store

ACS_PATH = "/flex/login/callback"
# Narrow on purpose: a browser may read another host in a URL that a library takes for loopback ("http://evil\\@127.0.0.1").
_LOOPBACK = re.compile(r"https?://(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?(?:[/?][!-~]*)?")


def build_flex_acs(origin: str, connection: str) -> str:
    """The assertion consumer service of the sandbox's own Flex."""
    return f"{origin}{ACS_PATH}?{urlencode({'connection': connection})}"


class SignIn:
    """Signs users of one tenant in."""

    def __init__(self, store: Store, clock: TenantClock) -> None:
        self.store = store
        self._clock = clock

    @property
    def issuer(self) -> str:
        return f"https://sts.windows.net/{self.store.tenant_id}/"

    def check_tenant(self, tenant: str) -> None:
        if tenant.lower() not in {self.store.tenant_id, *self.store.domains}:
            raise SignInError(90002, tenant)

    def find_principal(self, key: str, status: int = 400) -> PrincipalRecord:
        """By appId or object id. Raises SignInError, with this status, for an unknown one."""
        principal_id = self.store.principal_app_ids.get(key.lower(), key.lower())
        principal = self.store.service_principals.get(principal_id)
        if principal is None:
            raise SignInError(700016, key, self.store.tenant_id, status=status)
        return principal

    def find_issuing_principal(self, request: AuthnRequest) -> PrincipalRecord:
        principal = find_by_name(self.store, request.issuer)
        if principal is None:
            raise SignInError(700016, request.issuer, self.store.tenant_id)
        return principal

    def find_user(self, key: str) -> UserRecord:
        user = users.locate(self.store, key.strip())
        if user is None:
            raise SignInError(50034, key, self.store.tenant_id)
        return user

    def choose_acs(self, principal: PrincipalRecord, requested: str, origin: str) -> str:
        """The URL to which the response is posted. A requested loopback address that is no reply URL is used as it is.
        Otherwise it is the requested reply URL or, if the request names none, the principal's first one; if that has a
        `connection` parameter, the sandbox's own Flex at `origin` is used instead. Raises SignInError for a requested
        address that is neither a reply URL nor loopback, and if the principal has no reply URL."""
        configured = [str(url) for url in principal.attributes.get("replyUrls") or ()]
        url = requested or next(iter(configured), "")
        if url not in configured and _LOOPBACK.fullmatch(url):
            return url
        if not url or url not in configured:
            raise SignInError(50011, url or "(none)", principal.app_id)
        connection = parse_qs(urlsplit(url).query).get("connection", [""])[0]
        return build_flex_acs(origin, connection) if connection else url

    def _check_allowed(self, principal: PrincipalRecord, user: UserRecord) -> None:
        """Raises SignInError with the first reason why this user may not sign in."""
        if principal.attributes.get("accountEnabled") is False:
            raise SignInError(7000112, principal.app_id, principal.display_name)
        if user.attributes.get("accountEnabled") is False:
            raise SignInError(50057)
        needs_assignment = principal.attributes.get("appRoleAssignmentRequired") is True
        if needs_assignment and not Subject(self.store, principal, user).is_assigned():
            raise SignInError(50105, principal.display_name, principal.app_id, user.upn)

    def _is_own_audience(self, principal: PrincipalRecord) -> bool:
        """Whether acceptMappedClaims counts for every audience: the application's id, or within a verified domain (A
        for OpenID Connect, D for SAML)."""
        domains = tuple(f".{domain.lower()}" for domain in self.store.domains)
        names = [str(name) for name in principal.attributes.get("servicePrincipalNames") or ()]
        hosts = [
            f".{name.split('://')[-1].split('/')[0].lower()}"
            for name in names
            if name.removeprefix("api://") != principal.app_id
        ]
        return all(host.endswith(domains) for host in hosts)

    def issue(self, principal: PrincipalRecord, user: UserRecord, acs: str, request: AuthnRequest) -> str:
        """A signed response in base64, to be posted to `acs`. Raises SignInError."""
        self._check_allowed(principal, user)
        certificate = documents.find_signing_certificate(principal, self._clock.now())
        assigned = find_policy_in_force(self.store, principal)
        application = self.store.applications.get(self.store.app_ids.get(principal.app_id, ""))
        api = (application and application.attributes.get("api")) or {}
        if assigned and certificate is None:
            if not api.get("acceptMappedClaims"):
                raise SignInError(50146)
            if not self._is_own_audience(principal):
                raise SignInError(501461)
        assertion_id = f"_{self.store.new_id('samlAssertions')}"
        issued_statement = statement.build_statement(
            Subject(self.store, principal, user),
            policy.read_policy(assigned.definition, self.store.dials) if assigned else None,
            has_key=certificate is not None,
            requested_format=request.name_id_format,
            once=assertion_id,
        )
        certificate = certificate or documents.find_latest_valid(principal, self._clock.now())
        key = self.store.signing_keys.get(certificate.thumbprint) if certificate else None
        if certificate is None or key is None or not certificate.der:
            raise SignInError(500031)
        names = principal.attributes.get("servicePrincipalNames") or [principal.app_id]
        xml = documents.sign_response(
            issued_statement, self._clock.utc(), str(key.attributes["pem"]), certificate.der, issuer=self.issuer,
            audience=request.issuer or str(names[0]), acs=acs,
            response_id=f"_{self.store.new_id('samlResponses')}",
            assertion_id=assertion_id, in_response_to=request.id,
        )  # fmt: skip
        self.store.commit()  # makes the counters durable: no id is issued twice, even after a restart
        return base64.b64encode(xml).decode()
