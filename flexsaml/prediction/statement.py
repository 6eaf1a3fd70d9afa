"""The attribute statement of an assertion, line by line: the core claims, the basic ones, and those of the policy
(rules S3 to S27). Pure."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from flexsaml.claims import NAME_ID, load_table

from .evidence import SourceValues
from .policy import PolicyEntry, SignInPolicy
from .sources import UNREADABLE_USER, Agent, SignInTarget, Sources, cite_characters

XMLSOAP = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
_BASIC_CLAIMS = {f"{XMLSOAP}{name}" for name in ("name", "givenname", "surname", "emailaddress")}
_IDENTITY = "http://schemas.microsoft.com/identity/claims/"
_GROUPS = "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups"
_METHODS_REFERENCES = "http://schemas.microsoft.com/claims/authnmethodsreferences"
_NAME_FORMAT = "urn:oasis:names:tc:SAML:2.0:attrname-format:"
_BY_PASSWORD = "http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/password"  # noqa: S105


@dataclass(frozen=True, kw_only=True)
class AttributeLine(SourceValues):
    """One attribute of the statement; one without values is named by the policy and not sent, or unknown."""

    name: str
    name_format: str = ""


def build_lines(sources: Sources) -> tuple[AttributeLine, ...]:
    """What the sign-in sends, and what it leaves out of that which the policy names."""
    fixed = tuple(_fixed_lines(sources.policy, sources.target, sources.agent))
    return (*fixed, *_policy_lines(sources, {line.name for line in fixed}))


def _fixed_lines(policy: SignInPolicy, target: SignInTarget, agent: Agent) -> Iterator[AttributeLine]:
    """The core claims, which no policy changes (S19), and the basic ones, which an entry can replace (S20)."""
    tenant_id, replaced = target.snapshot.tenant_id, {entry.saml_type for entry in policy.entries}
    provider = f"https://sts.windows.net/{tenant_id}/" if tenant_id else ""
    for name, value in (
        (f"{_IDENTITY}tenantid", tenant_id),
        (f"{_IDENTITY}objectidentifier", agent.id),
        (f"{_IDENTITY}identityprovider", provider),
        (_METHODS_REFERENCES, _BY_PASSWORD),
    ):
        unknown = "" if value else "there is no permission to read the tenant's id (Organization.Read.All)"
        if value is provider:
            unknown = unknown or agent.guest_doubt
        yield AttributeLine(name=name, values=(value,) if value else (), evidence=("S19",), unknown=unknown)
    properties = (("givenname", "givenname"), ("surname", "surname"), ("emailaddress", "mail"))
    basic = {"name": agent.upn, **{name: agent.by_lower_name.get(property_) for name, property_ in properties}}
    for name, text in basic.items() if policy.includes_basic_claims else ():
        unknown = agent.guest_doubt if name == "name" else "" if agent.is_readable else UNREADABLE_USER
        if XMLSOAP + name not in replaced and (text is not None or unknown):
            source = cite_characters(SourceValues(values=(str(text),), evidence=("S20",), unknown=unknown))
            yield AttributeLine(**vars(source), name=XMLSOAP + name)


def _policy_lines(sources: Sources, fixed: set[str]) -> Iterator[AttributeLine]:
    """One line for each claim type, in the order of the first entry that sends it (S22). `fixed`: the claim types that
    the sign-in sends besides."""
    lines: dict[str, AttributeLine] = {}
    for entry in sources.policy.entries:
        if entry.saml_type in ("", NAME_ID):
            continue
        line = _entry_line(entry, sources)
        earlier = lines.get(line.name)
        counts = line.values or line.unknown
        if earlier is None:
            lines[line.name] = line
        elif counts and not (earlier.values or earlier.unknown):
            lines.pop(line.name)
            lines[line.name] = replace(line, evidence=(*line.evidence, "S18 single"))
        elif counts:
            evidence = (*earlier.evidence, *line.evidence, "S18")
            unknown = earlier.unknown or line.unknown
            values = (*earlier.values, *line.values)
            lines[line.name] = replace(earlier, values=values, evidence=evidence, unknown=unknown, reason="")
        elif earlier.values or earlier.unknown:
            lines[line.name] = replace(earlier, evidence=(*earlier.evidence, "S18 single"))
    spellings = Counter(name.lower() for name in {*lines, *fixed})
    for name, line in lines.items():
        yield line if spellings[name.lower()] == 1 else replace(line, evidence=(*line.evidence, "S18 case"))
    if sources.policy.has_group_filter:
        unknown = "the policy has a GroupFilter, and groups are not evaluated"
        yield AttributeLine(name=_GROUPS, evidence=("S21",), unknown=unknown)
    for name in sources.policy.ignored:
        if name not in lines and name != NAME_ID:
            yield AttributeLine(
                name=name, evidence=("S4", "S4 first"), reason="Entra reads only the first fifty entries"
            )


def _entry_line(entry: PolicyEntry, sources: Sources) -> AttributeLine:
    name, restricted = entry.saml_type, load_table("restricted_claims")
    if name in restricted["saml"]:
        return AttributeLine(name=name, evidence=("S7", "S7 left out"), reason="Entra restricts this claim type")
    source = cite_characters(sources.read(entry).citing("S3"), name)
    if sources.policy.includes_basic_claims and name in _BASIC_CLAIMS:
        source = source.citing("S20")
    if name in restricted["saml_released_by_signing_key"]:
        if not sources.target.has_key:
            reason = "Entra restricts this claim type to principals with a signing certificate"
            return AttributeLine(name=name, evidence=("S7", "S7 left out"), reason=reason)
        source = source.citing("S7", "S17 issuance")
    name_format = entry.name_format
    if name_format:
        is_urn = name_format.startswith("urn:")
        is_documented = name_format.removeprefix(_NAME_FORMAT) in ("unspecified", "uri", "basic") and is_urn
        source = source.citing("S17") if is_documented else source.citing("S17", "S17 form")
        name_format = name_format if is_urn else f"{_NAME_FORMAT}{name_format}"
    return AttributeLine(**vars(source), name=name, name_format=name_format)
