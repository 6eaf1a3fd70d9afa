"""The token service (client credentials, by secret or by assertion) and the documents that clients read before: about
tokens and about the cloud.
Quirks: refusals have their own shape, {error, error_description with an AADSTS number, error_codes}, not Graph's (A);
the scope must end in /.default (A). Tokens look like JWTs but are only compared with those issued; they are durable, so
that a restarted emulator still accepts them."""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from emulator.clock import TenantClock
from emulator.entra.assertions import ASSERTION_TYPE, RefusedAssertion, check_assertion
from emulator.messages import PLAIN_JSON, Reply
from emulator.tenant.identities import Identity, find_identity, judge_secret
from emulator.tenant.records import TokenRecord
from emulator.tenant.store import Store
from emulator.types import Attributes, Json

LIFETIME = 3599
_CLOUDS = ("graph.microsoft.com", "graph.microsoft.us", "dod-graph.microsoft.us", "microsoftgraph.chinacloudapi.cn")
GRAPH_HOSTS = frozenset({*_CLOUDS, "127.0.0.1", "localhost", "::1"})
_NAME = re.compile(r"[0-9A-Za-z]([0-9A-Za-z-]*[0-9A-Za-z])?(\.[0-9A-Za-z-]+)+|[0-9a-fA-F-]{36}")
REFUSALS: Attributes = json.loads(Path(__file__).with_name("refusals.json").read_text(encoding="utf-8"))
_BODIES: Attributes = json.loads(Path(__file__).with_name("bodies.json").read_text(encoding="utf-8"))


class TokenService:
    """Issues tokens for the clients of one tenant."""

    def __init__(self, store: Store, clock: TenantClock, issuer_keys: Mapping[str, str]) -> None:
        """`issuer_keys`: issuer of assertions to its public key in PEM."""
        self._store = store
        self._clock = clock
        self._issuer_keys = issuer_keys

    def issue_token(self, tenant: str, form: Mapping[str, str]) -> Reply:
        if refusal := self._refuse_unknown(tenant):
            return refusal
        client_id, scope = form.get("client_id", "").lower(), form.get("scope", "")
        client = find_identity(self._store, client_id)
        if form.get("grant_type") != "client_credentials":
            return self._refuse(70003)
        if client is None:
            return self._refuse(700016, client_id, tenant)
        if refusal := self._check_credential(client_id, form):
            return refusal
        if not _is_graph_scope(scope):
            return self._refuse(1002012, scope)
        token = TokenRecord(self._jwt(client, scope), client.client_id, self._clock.now() + LIFETIME, client.roles)
        self._store.commit(put=[("tokens", token)])
        body = {"token_type": "Bearer", "expires_in": LIFETIME, "ext_expires_in": LIFETIME, "access_token": token.id}
        return _reply(200, body)

    def _check_credential(self, client_id: str, form: Mapping[str, str]) -> Reply | None:
        """The refusal; None for a credential that is good."""
        if form.get("client_assertion_type") == ASSERTION_TYPE and client_id in self._store.app_ids:
            application = self._store.applications[self._store.app_ids[client_id]]
            time = self._clock.utc().timestamp()
            try:
                check_assertion(self._store, application, form.get("client_assertion", ""), self._issuer_keys, time)
            except RefusedAssertion as refused:
                return self._refuse(refused.number, *refused.names)
            return None
        verdict = judge_secret(self._store, client_id, form.get("client_secret", ""), self._time())
        if verdict != "valid":
            return self._refuse(7000222 if verdict == "expired" else 7000215, client_id)
        return None

    def _time(self) -> str:
        return f"{self._clock.utc():%Y-%m-%dT%H:%M:%SZ}"

    def _jwt(self, client: Identity, scope: str) -> str:
        """A token in the form of Entra's, so that a client may read `roles` as a hint; its signature means nothing. A
        person's has `scp` instead (A). A person cannot sign in here, so the same grant stands in for that."""
        now, tenant = int(self._clock.utc().timestamp()), self._store.tenant_id
        audience = scope.removesuffix("/.default")
        payload = _fill("token", audience=audience, tenant_id=tenant, client=client.client_id)
        payload |= {"iat": now, "nbf": now, "exp": now + LIFETIME}
        if client.is_person:
            payload |= {"idtyp": "user", "scp": " ".join(sorted(client.roles))}
        else:
            payload |= {"roles": sorted(client.roles)}
        payload |= {"app_displayname": client.display_name}
        payload |= {"oid": client.object_id, "uti": self._store.new_id("tokens")}
        header = {"typ": "JWT", "alg": "RS256"}
        segments = [json.dumps(segment, separators=(",", ":")).encode() for segment in (header, payload)]
        segments.append(hashlib.sha256(b".".join(segments)).digest())
        return ".".join(base64.urlsafe_b64encode(segment).decode().rstrip("=") for segment in segments)

    def describe_configuration(self, tenant: str, origin: str) -> Reply:
        """The discovery document that MSAL asks for."""
        if refusal := self._refuse_unknown(tenant):
            return refusal
        return _reply(200, _fill("configuration", origin=origin, tenant=tenant, tenant_id=self._store.tenant_id))

    def _refuse_unknown(self, tenant: str) -> Reply | None:
        if tenant.lower() == self._store.tenant_id or tenant.lower() in self._store.domains:
            return None
        return self._refuse(90002 if _NAME.fullmatch(tenant) else 900023, tenant)

    def _refuse(self, number: int, *names: str) -> Reply:
        refusal = REFUSALS["token"][str(number)]
        trace, time = self._store.tenant_id, f"{self._clock.utc():%Y-%m-%d %H:%M:%SZ}"
        ids = f"Trace ID: {trace} Correlation ID: {trace} Timestamp: {time}"
        body: Attributes = {"error": refusal["error"]}
        body["error_description"] = f"AADSTS{number}: {refusal['words'].format(*names)} {ids}"
        body |= {"error_codes": [number], "timestamp": time, "trace_id": trace, "correlation_id": trace}
        return _reply(refusal["status"], body)


def _reply(status: int, body: Json) -> Reply:
    return Reply(status, body, {"Cache-Control": "no-store, no-cache", "Pragma": "no-cache"}, PLAIN_JSON)


def _fill(name: str, **values: str) -> Attributes:
    """The body of this name in bodies.json, with `values` in its texts."""
    text = re.sub(r"\{(\w+)\}", lambda place: json.dumps(values[place[1]])[1:-1], json.dumps(_BODIES[name]))
    return dict(json.loads(text))


def _is_graph_scope(scope: str) -> bool:
    try:
        parts = urlsplit(scope)
    except ValueError:
        return False
    return parts.hostname in GRAPH_HOSTS and parts.path.lstrip("/") == ".default"


def list_nothing(query: str) -> Reply:
    """/subscriptions and /tenants, as Azure Resource Manager lists them: there are none, and a CLI can sign in (B)."""
    if "api-version" in parse_qs(query):
        return Reply(200, {"value": []}, content_type=PLAIN_JSON)
    words = "The api-version query parameter (?api-version=) is required for all requests."
    return Reply(400, {"error": {"code": "MissingApiVersionParameter", "message": words}}, content_type=PLAIN_JSON)


def describe_cloud(origin: str, query: str) -> Reply:
    """/metadata/endpoints: the cloud as Azure Resource Manager would describe it to clients that discover their hosts.
    Quirk: api-version 2022-09-01 answers an object, 2019-05-01 a list of clouds (B: how HashiCorp's Azure SDK reads
    them). The description only covers the token service and Graph; there is no Resource Manager here."""
    version = parse_qs(query).get("api-version", [""])[0]
    cloud = _fill("cloud", origin=origin)
    if version in ("2022-09-01", "2019-05-01"):
        return Reply(200, cloud if version == "2022-09-01" else [cloud], content_type=PLAIN_JSON)
    code = "InvalidApiVersionParameter" if version else "MissingApiVersionParameter"
    words = "The api-version query parameter (?api-version=) is required for all requests."
    if version:
        words = f"The api-version '{version}' is invalid. The supported versions are '2022-09-01,2019-05-01'."
    return Reply(400, {"error": {"code": code, "message": words}}, content_type=PLAIN_JSON)
