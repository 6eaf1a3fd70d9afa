"""A declaration as the rest of the project uses it, and the error that lists what is wrong with one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from flexsaml.claims import Claim, ClaimsPolicy, build_full_name, encode
from flexsaml.errors import UserError
from flexsaml.findings import Finding
from flexsaml.values import DataType


@dataclass(frozen=True)
class Declaration:
    """What a stack asks for, parsed and validated. When it comes from `read_declaration` it may be incomplete: what has
    a finding and what is encrypted is left out, except that a claim whose source is unknown keeps its name."""

    service_principal: str = ""
    """Exact display name, appId or object id of the enterprise application."""
    application: str = ""
    """Where the extensions live (appId or object id); "" for the service principal's own application."""
    policy_name: str = ""
    claims: Mapping[str, Claim] = field(default_factory=dict)
    """By name, sorted; empty if there is a raw definition."""
    include_basic_claim_set: bool = False
    definition: str = ""
    """A raw policy definition in its one byte form; "" if there are claims."""
    definition_text: str = field(default="", repr=False)
    """The raw definition as it was written, for lint."""
    extensions: Mapping[str, DataType] = field(default_factory=dict)
    """Short name to data type: the extension properties that this stack makes."""
    existing_extensions: tuple[str, ...] = ()
    """Full names of properties that are only referred to, in claims, users or the roster."""
    users: Mapping[str, Mapping[str, object]] = field(default_factory=dict, repr=False)
    """User as written to extension (short or full name) to value: canonical for the extensions of this stack, as
    written for existing ones, whose data type only the tenant knows."""
    users_file: str = ""
    roster: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    """The same for the users of the roster file, spelt as in `users` if they stand there too."""
    roster_lines: Mapping[str, int] = field(default_factory=dict, repr=False)
    """User of the roster, in lower case, to the line of the file, for messages."""
    replace_existing: bool = False
    allow_removal: int = 0
    preflight: bool = True
    rules: Mapping[str, str] = field(default_factory=dict)
    cloud: str = "public"
    tenant_id: str = ""
    graph_endpoint: str = ""
    login_endpoint: str = ""
    secret_keys: frozenset[str] = frozenset()
    """Keys in which something was marked secret: nothing of them may be stored or shown in clear."""
    encrypted: tuple[str, ...] = ()
    """Paths of secrets whose content is unknown: `claims.site.value`."""
    secret_texts: frozenset[str] = field(default=frozenset(), repr=False)
    """Texts that were marked secret one by one, for `mask`."""

    @property
    def policy(self) -> ClaimsPolicy | None:
        """The typed claims; None if there is a raw definition."""
        return ClaimsPolicy(self.claims, self.include_basic_claim_set) if self.claims else None

    @cached_property
    def all_users(self) -> Mapping[str, Mapping[str, object]]:
        """Users of both places, merged cell by cell."""
        in_both = {user: {**self.users[user], **self.roster[user]} for user in self.users if user in self.roster}
        return {**self.users, **self.roster, **in_both}

    @property
    def may_have_users(self) -> bool:
        """Whether values of users are declared, or may be: a secret key counts as if it had some in it."""
        return bool(self.all_users or self.users_file or {"users", "usersFile"} & self.secret_keys)

    def full_names(self, app_id: str) -> dict[str, str]:
        """Short name to full name of the extensions of this stack; `app_id` is that of their application."""
        return {name: build_full_name(app_id, name) for name in self.extensions}

    def encode_definition(self, app_id: str) -> str:
        """The definition string that is sent to Graph."""
        policy = self.policy
        return encode(policy, self.full_names(app_id)) if policy else self.definition

    def mask(self, text: str) -> str:
        """The text without what was marked secret. Shorter texts than three characters stay, as the engine does it."""
        for secret in sorted(self.secret_texts, key=len, reverse=True):
            text = text.replace(secret, "[secret]")
        return text

    def mask_findings(self, findings: Iterable[Finding]) -> list[Finding]:
        return [replace(each, message=self.mask(each.message), fix=self.mask(each.fix)) for each in findings]


class InvalidDeclaration(UserError):
    """Everything that is wrong with a declaration: `findings`, and what could be read all the same."""

    def __init__(self, findings: Sequence[Finding], declaration: Declaration | None = None) -> None:
        self.findings = tuple(findings)
        self.declaration = declaration or Declaration()
        super().__init__("; ".join(self.problems))

    @property
    def problems(self) -> list[str]:
        """The findings as lines, without the name of their rule, which is always the same."""
        return [describe_problem(finding) for finding in self.findings]


def describe_problem(finding: Finding) -> str:
    """`where: message; fix`."""
    return f"{finding.where}: {finding.message}{f'; {finding.fix}' if finding.fix else ''}"
