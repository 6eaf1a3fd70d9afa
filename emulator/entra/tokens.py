"""The token service: client credentials, and the discovery document that MSAL asks for before.

Quirks: refusals have their own shape, {error, error_description with an AADSTS number, error_codes}, not Graph's (A);
the scope must end in /.default (A). Tokens look like JWTs but are only compared with those issued; they are durable, so
that a restarted emulator still accepts them.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import uuid
from collections.abc import Mapping
from urllib.parse import urlsplit

from emulator.clock import TenantClock
from emulator.messages import PLAIN_JSON, Reply
from emulator.tenant.records import ClientRecord, TokenRecord
from emulator.tenant.store import Store
from emulator.types import Json

LIFETIME = 3599
_CLOUDS = ("graph.microsoft.com", "graph.microsoft.us", "dod-graph.microsoft.us", "microsoftgraph.chinacloudapi.cn")
GRAPH_HOSTS = frozenset({*_CLOUDS, "127.0.0.1", "localhost", "::1"})
_NAME = re.compile(r"[0-9A-Za-z]([0-9A-Za-z-]*[0-9A-Za-z])?(\.[0-9A-Za-z-]+)+|[0-9a-fA-F-]{36}")


class TokenService:
    """Issues tokens for the clients of one tenant."""

    def __init__(self, store: Store, clock: TenantClock) -> None:
        self._store = store
        self._clock = clock

    def issue_token(self, tenant: str, form: Mapping[str, str]) -> Reply:
        if refusal := self._unknown_tenant(tenant):
            return refusal
        if form.get("grant_type") != "client_credentials":
            return self._refuse(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
        client_id = form.get("client_id", "").lower()
        client = self._store.clients.get(client_id)
        if client is None:
            words = (
                f"Application with identifier '{client_id}' was not found in the directory '{tenant}'. This can "
                "happen if the application has not been installed by the administrator of the tenant."
            )
            return self._refuse(400, "unauthorized_client", 700016, words)
        if form.get("client_secret") != client.secret:
            words = (
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret "
                f"value, not the client secret ID, for a secret added to app '{client_id}'."
            )
            return self._refuse(401, "invalid_client", 7000215, words)
        if not _is_graph_scope(form.get("scope", "")):
            words = (
                f"The provided value for scope {form.get('scope', '')} is not valid. Client credential flows must "
                "have a scope value with /.default suffixed to the resource identifier (application ID URI)."
            )
            return self._refuse(400, "invalid_scope", 1002012, words)
        token = TokenRecord(self._jwt(client, form["scope"]), client.id, self._clock.now() + LIFETIME, client.roles)
        self._store.commit(put=[("tokens", token)])
        lifetimes = {"expires_in": LIFETIME, "ext_expires_in": LIFETIME}
        return self._reply(200, {"token_type": "Bearer", **lifetimes, "access_token": token.id})

    def _jwt(self, client: ClientRecord, scope: str) -> str:
        """A token in the form of Entra's, so that a client may read `roles` as a hint; its signature means nothing."""
        now = int(self._clock.utc().timestamp())
        payload = {
            "aud": scope.removesuffix("/.default"),
            "iss": f"https://sts.windows.net/{self._store.tenant_id}/",
            "iat": now,
            "nbf": now,
            "exp": now + LIFETIME,
            "appid": client.id,
            "oid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:entra-emulator:service-principal:{client.id}")),
            "roles": sorted(client.roles),
            "tid": self._store.tenant_id,
            "uti": self._store.new_id("tokens"),
            "ver": "1.0",
        }
        header = {"typ": "JWT", "alg": "RS256"}
        segments = [json.dumps(segment, separators=(",", ":")).encode() for segment in (header, payload)]
        segments.append(hashlib.sha256(b".".join(segments)).digest())
        return ".".join(base64.urlsafe_b64encode(segment).decode().rstrip("=") for segment in segments)

    def describe_configuration(self, tenant: str, origin: str) -> Reply:
        if refusal := self._unknown_tenant(tenant):
            return refusal
        base = f"{origin}/{tenant}"
        body = {
            "issuer": f"{origin}/{self._store.tenant_id}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            "response_types_supported": ["token"],
            "subject_types_supported": ["pairwise"],
            "tenant_region_scope": "EU",
        }
        return self._reply(200, body)

    def _unknown_tenant(self, tenant: str) -> Reply | None:
        if tenant.lower() == self._store.tenant_id or tenant.lower() in self._store.domains:
            return None
        if not _NAME.fullmatch(tenant):
            words = f"Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid external domain."
            return self._refuse(400, "invalid_request", 900023, words)
        words = (
            f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into "
            "the correct cloud. Check with your subscription administrator, this may happen if there are no active "
            "subscriptions for the tenant."
        )
        return self._refuse(400, "invalid_request", 90002, words)

    def _refuse(self, status: int, error: str, number: int, words: str) -> Reply:
        trace, time = self._store.tenant_id, f"{self._clock.utc():%Y-%m-%d %H:%M:%SZ}"
        ids = f"Trace ID: {trace} Correlation ID: {trace} Timestamp: {time}"
        body = {
            "error": error,
            "error_description": f"AADSTS{number}: {words} {ids}",
            "error_codes": [number],
            "timestamp": time,
            "trace_id": trace,
            "correlation_id": trace,
        }
        return self._reply(status, body)

    @staticmethod
    def _reply(status: int, body: Json) -> Reply:
        headers = {"Cache-Control": "no-store, no-cache", "Pragma": "no-cache"}
        return Reply(status, body, headers, PLAIN_JSON)


def _is_graph_scope(scope: str) -> bool:
    try:
        parts = urlsplit(scope)
    except ValueError:
        return False
    return parts.hostname in GRAPH_HOSTS and parts.path.lstrip("/") == ".default"
