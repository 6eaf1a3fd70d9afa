"""Rules of the flex profile: what Twilio Flex makes of the assertion at sign-in. Every attribute of the assertion
becomes a worker attribute. Missing mandatory attributes are error 45050; attributes whose name is a URI are ignored; if
an attribute is absent, the worker keeps the old value. A value of the wrong type fails the login with "400 Error
invalid attribute format" and updates nothing (all grade A, Twilio's documentation; no Flex account has confirmed it).
Which attributes of Entra may hold a number is our inference (grade D)."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial

from flexsaml.json_values import load_json

from .reading import Document, JsonNode, check_nodes
from .rules import Context, NodeViolations, Violation, Violations, is_flex_role, is_surely_misfit, is_uri, load_table
from .rules_claims import is_name_id
from .rules_document import MAX_CLAIMS
from .rules_sources import constant_of, names_unknown_attribute, source_of
from .wording import find_nearest, join_names, quote

_NULL = "<null>"
_BOOLEAN_IDS = {"accountenabled", "onpremisessyncenabled"}
_POSSIBLY_NUMERIC = re.compile(r"employeeid|postalcode|.*phone.*|facsimile.*|extensionattribute\d+|mobile.*")
_FLEX_TYPES = {"Boolean": "boolean", "Integer": "int", "LargeInteger": "int"}
_ADVISED_TYPES = {"Boolean": "boolean", "Integer": "int"}  # a LargeInteger may have more than Flex's 53 bits
_LARGEST_INTEGER = 2**53 - 1
_EXPECTED = {
    "int": (re.compile(r"-?0*[0-9]{1,16}"), "whole numbers", "a whole number of at most 53 bits"),
    "boolean": (re.compile(r"(?i:true|false)"), "true or false", "true or false"),
}
"""Type to the pattern of its values, and what a sentence calls them."""
_OTHER_SUFFIXES = {"integer": "int", "bool": "boolean", "array": "stringarray", "list": "stringarray"}
_GIVE_VALUES = "give every user a value"
_REFUSES_MISFIT = "Flex refuses a login with a value that does not fit"
_TEAM_EFFECTS = {"team_member": "puts the worker into the default team", "team_owner": "takes ownership away"}


def check(document: Document, context: Context) -> Violations:
    if document.body:
        yield from _check_policy(document, document.body)
    yield from _check_size(document, context)
    yield from _check_collisions(document)
    yield from _check_nulls(document, context)
    yield from check_nodes(document.entries, _check_name)
    entries = [entry for entry in document.entries if attribute_name(entry)]
    counts = Counter(worker_attribute_of(attribute_name(entry)) for entry in entries)
    repeated = frozenset(name for name, count in counts.items() if count > 1)
    for check_in_context in (_check_values, _check_source_type, partial(_check_value_types, repeated)):
        yield from check_nodes(entries, partial(check_in_context, context))
    yield from check_nodes(entries, _check_suffix)


def attribute_name(entry: JsonNode) -> str:
    """The name of the worker attribute that Flex makes of the entry, with its type suffix; "" if it makes none."""
    name = entry.text("SamlClaimType")
    return "" if is_uri(name) else name


def flex_type_of(name: str) -> str:
    """The type as which Flex reads an attribute: one of the suffixes, or "" for the default, text."""
    channel = split_channel(name)
    if channel:
        return str(load_table("flex")["channel"].get(channel[1], ""))
    base, _dot, suffix = name.rpartition(".")
    return suffix if base and suffix in load_table("flex")["typed_suffix"] else ""


def worker_attribute_of(name: str) -> str:
    """The worker attribute that Flex makes of an attribute, without its type suffix."""
    return name.rpartition(".")[0] if flex_type_of(name) and not split_channel(name) else name


def split_channel(name: str) -> tuple[str, str] | None:
    """Channel and property of `channel.<channel>.<property>`, whose dots begin no type suffix."""
    match = re.fullmatch(r"channel\.([^.]+)\.([^.]+)", name)
    return (match[1], match[2]) if match else None


def known_values(entry: JsonNode, context: Context) -> Iterator[str]:
    """What a sign-in may deliver, as far as the stack knows: the constant, or the declared values, one by one."""
    constant = constant_of(entry)
    if constant is not None:
        yield constant
    extension = entry.text("ExtensionID")
    for value in context.values.get(extension, ()):
        if value == _NULL:
            continue
        if context.extensions.get(extension, "").endswith("[]"):
            yield from _items(value)
        else:
            yield value


def _items(value: str) -> list[str]:
    """The items of a canonical multi-valued value, a JSON array; the value itself if it is none."""
    try:
        items = load_json(value)
    except ValueError:
        return [value]
    return [str(item) for item in items] if isinstance(items, list) else [value]


def _check_policy(document: Document, body: JsonNode) -> Violations:
    """email, full_name and roles are there (without them the login fails with error 45050), and a NameID; the basic
    claim set is not."""
    names = [entry.text("SamlClaimType") for entry in document.entries]
    for name, source in load_table("flex")["mandatory"].items():
        entries = [entry for entry in document.entries if worker_attribute_of(attribute_name(entry)) == name]
        if entries:
            yield from _check_required_source(name, entries, source)
            continue
        similar = find_nearest(name, tuple(name for name in names if not is_uri(name)), 0.8)
        hint = f" ({quote(similar)} is another name)" if similar else ""
        fix = f'add {{"Source": "user", "ID": "{source}", "SamlClaimType": "{name}"}}'
        refuses = "probably refuses" if similar and similar.lower() == name else "refuses"  # F1 of docs/sign-in.md
        message = f"claim '{name}' is missing{hint}; Flex {refuses} the login (error 45050)"
        yield Violation("flex-required", "ClaimsSchema", message, f"write '{name}'" if similar else fix)
    if not any(is_name_id(entry) for entry in document.entries):
        message = (
            "no entry defines the NameID: Entra's default applies, and if it changes, Flex probably makes new users"
        )
        fix = "add one, for example from user.userprincipalname"
        yield Violation("flex-nameid-missing", "ClaimsSchema", message, fix)
    if str(body.get("IncludeBasicClaimSet")).strip().lower() == "true":
        message = "the basic claim set is included; its names are URIs, and Flex ignores them"
        where, fix = "ClaimsMappingPolicy.IncludeBasicClaimSet", 'write "false" for a smaller assertion'
        yield Violation("flex-basic-claim-set", where, message, fix)


def _check_collisions(document: Document) -> Violations:
    """No two claims of different names set one worker attribute: `team` and `team.string`."""
    first: dict[str, JsonNode] = {}
    for entry in document.entries:
        name = attribute_name(entry)
        base = worker_attribute_of(name)
        earlier = first.setdefault(base, entry)
        if name and name != attribute_name(earlier):
            message = f"{entry.label} and {earlier.label} set the same worker attribute {quote(base)}"
            why = "it is not documented which of them Flex keeps"
            yield Violation("worker-attribute-twice", entry.where, f"{message}, and {why}", "keep one of them")


def _check_size(document: Document, context: Context) -> Violations:
    """What is known of the attributes of one worker fits into TaskRouter's limit."""
    length = 1
    by_attribute = {worker_attribute_of(attribute_name(entry)): entry for entry in document.entries[:MAX_CLAIMS]}
    for name, entry in by_attribute.items():
        value = constant_of(entry) or context.longest_row.get(entry.text("ExtensionID"), "")
        if name and not split_channel(name) and value != _NULL:
            length += len(name) + len(value) + 4
    most = load_table("flex")["most_characters"]
    if length > most:
        message = f"a worker has at least {length:,} characters of JSON as attributes, and TaskRouter keeps {most:,}"
        yield Violation("worker-size", "ClaimsSchema", f"{message}; what a sign-in does then is not documented")


def _check_required_source(name: str, entries: Sequence[JsonNode], source: str) -> Violations:
    """At least one of the entries, which set the attribute, can give a value and has its plain name."""
    giving = [entry for entry in entries if not names_unknown_attribute(entry) and not _is_empty(constant_of(entry))]
    if not giving:
        # What Flex makes of an empty attribute is not documented (F1), nor is what an undocumented ID gives (S10).
        message = (
            f"claim '{name}' never has a value from this source, and Flex probably refuses every login (error 45050)"
        )
        yield Violation("flex-required-empty", entries[0].where, message, f"use user.{source}")
    elif all(attribute_name(entry) != name for entry in giving):
        message = f"{giving[0].label} is there instead of '{name}', and it is not documented whether Flex takes it"
        yield Violation("flex-required-typed", giving[0].where, message, f"write '{name}'")


def _is_empty(constant: str | None) -> bool:
    """Whether it has nothing but blanks and separators, which Flex takes for no value (D)."""
    return constant is not None and not constant.strip(" ,")


def _check_name(entry: JsonNode) -> NodeViolations:
    """Flex receives the claim as a worker attribute, and it is not one with side effects."""
    table, written, name = load_table("flex"), entry.text("SamlClaimType"), attribute_name(entry)
    worker_name, channel = worker_attribute_of(name), split_channel(name)
    if written and not name and not is_name_id(entry):
        bare = re.split(r"[/:#]", written.rstrip("/"))[-1]
        does = "ignores" if "://" in written else "probably ignores"  # F2 of docs/sign-in.md
        message = f"the name of {entry.label} is a URI, and Flex {does} such attributes"
        yield "flex-namespace", message, f"write {quote(bare)}"
    if entry.text("JwtClaimType") and not written:
        message = f"{entry.label} has no SamlClaimType, so Flex does not receive it"
        yield "flex-jwt-only", message, "write SamlClaimType"
    if worker_name.lower() == "contact_uri":
        does = "overrides" if worker_name == "contact_uri" else "may override"  # F1 of docs/sign-in.md, case
        message = f"{entry.label} {does} what Flex sets itself, which changes where calls are routed"
        yield "contact-uri", message, "remove it unless you intend that"
    if name.lower().startswith("channel.") and not (channel and channel[1] in table["channel"]):
        similar = find_nearest(name.rpartition(".")[2], tuple(table["channel"]), 0.6) or "availability or .capacity"
        message = f"{entry.label} is not a channel attribute of Flex"
        yield "channel-attribute", message, f"write channel.<channel>.{similar}"
    if name.split(".")[0] == "routing":
        message = f"Flex makes a flat attribute of {entry.label}, and keeps its own skills nested under 'routing'"
        yield "routing-attribute", message, "use another name, and a TaskRouter expression that reads it"
    if worker_name in _TEAM_EFFECTS:
        message = f"{entry.label} is a beta attribute of Flex; an empty value {_TEAM_EFFECTS[worker_name]}"
        yield "team-attribute", message, ""


def _check_values(context: Context, entry: JsonNode) -> NodeViolations:
    """What the constant or the declared values do in Flex, as far as the attribute's name tells."""
    name, table, values = attribute_name(entry), load_table("flex"), list(known_values(entry, context))
    worker_name = worker_attribute_of(name)
    wrong = next((value for value in values if value and not value.lower().startswith("https://")), None)
    if worker_name == "image_url" and wrong is not None:
        message = f"{entry.label} gets {quote(wrong, 40)}, which is not an https address"
        yield "image-url", message, "write the address with https://"
    exempt = {*table["mandatory"], "image_url", "contact_uri"}
    hyphen = next((value for value in values if "-" in value), None)
    if hyphen is not None and worker_name not in exempt and flex_type_of(name).removesuffix("array") != "int":
        message = f"{entry.label} gets {quote(hyphen, 40)}; the hyphen may break TaskRouter's expressions"
        yield "hyphen-value", message, "use an underscore"
    if worker_name == "roles":
        is_user_type = source_of(entry) == "user" and entry.text("ID").lower() == "usertype"
        roles = (
            role.strip(" ") for value in (*values, *(["Member"] if is_user_type else ())) for role in value.split(",")
        )
        unknown = next((role for role in roles if role and not is_flex_role(role)), None)
        if unknown is not None:
            similar = find_nearest(unknown, (*table["roles"], *table["insights_roles"]))
            names = join_names([*table["roles"], "those of Flex Insights"])
            fix = f"did you mean '{similar}'?" if similar else f"the roles are {names}"
            yield "flex-roles", f"{quote(unknown, 40)} in {entry.label} is not a role of Flex", fix
    is_list = context.extensions.get(entry.text("ExtensionID"), "").endswith("[]")
    if worker_name == "team_member" and (is_list or any("," in value for value in values)):
        message = f"{entry.label} may have several values; Flex takes the name of one team, and several are an error"
        yield "team-member-several", message, "give each user one team"


def _check_nulls(document: Document, context: Context) -> Violations:
    """What a declared null does in Flex, or an empty text where a value is required; of several claims that set one
    worker attribute another may stand in."""
    entries: dict[str, list[JsonNode]] = {}
    for entry in document.entries:
        if name := attribute_name(entry):
            entries.setdefault(worker_attribute_of(name), []).append(entry)
    for worker_name, setting in entries.items():
        entry, is_required = setting[0], worker_name in load_table("flex")["mandatory"]
        values = context.values.get(entry.text("ExtensionID"), ())
        if len(setting) > 1:
            continue
        if _NULL not in values:
            if is_required and any(map(_is_empty, values)):
                message = f"{entry.label} is empty for a user: Flex probably refuses that login (error 45050)"
                yield Violation("flex-required-empty", entry.where, message, _GIVE_VALUES)
            continue
        rule, does = "null-keeps-old", "Entra leaves it out, and Flex keeps the worker's old value"
        fix = "to clear it in Flex edit the worker, or send an empty value (unverified)"
        if is_required:
            rule, does = "flex-required-empty", "Entra leaves it out, and Flex refuses that login (error 45050)"
            fix = _GIVE_VALUES
        elif worker_name in _TEAM_EFFECTS:
            does, fix = f"Flex {_TEAM_EFFECTS[worker_name]}", "give the user a team, unless that is meant"
        elif worker_name == "contact_uri":
            does, fix = "Entra leaves it out, and Flex sets its own", ""
        elif split_channel(worker_name):
            does, fix = "Entra leaves it out, and the worker's channel probably keeps its setting", "set it in Flex"
        yield Violation(rule, entry.where, f"{entry.label} is null for a user: {does}", fix)


def _check_suffix(entry: JsonNode) -> NodeViolations:
    """A name with a dot ends in a type that Flex knows, in lower case, or is one of channel.*."""
    name, suffixes = attribute_name(entry), tuple(load_table("flex")["typed_suffix"])
    base, dot, suffix = name.rpartition(".")
    if not dot or suffix in suffixes:
        return
    if suffix.lower() in suffixes:
        if not split_channel(name):
            message = f"{entry.label} ends in '.{suffix}', but Flex knows only '.{suffix.lower()}'"
            yield "suffix-case", message, f"write {quote(f'{base}.{suffix.lower()}')}"
    elif not name.startswith("channel."):
        similar = _OTHER_SUFFIXES.get(suffix.lower()) or find_nearest(suffix, suffixes, 0.6)
        fix = f"did you mean {quote(f'{base}.{similar}')}?" if similar else f"the types are {join_names(suffixes)}"
        yield "suffix-unknown", f"{entry.label} ends in {quote('.' + suffix)}, which is not a type of Flex", fix


def _check_source_type(context: Context, entry: JsonNode) -> NodeViolations:
    """The source can give the type that the suffix names, and one that is not text has a suffix."""
    name = attribute_name(entry)
    flex_type = flex_type_of(name).removesuffix("array")
    data_type = context.extensions.get(entry.text("ExtensionID"), "").removesuffix("[]")
    if data_type in _ADVISED_TYPES and "." not in name:
        message = f"{entry.label} is {data_type} in Entra, but Flex stores it as text"
        yield "untyped-source", message, f"call it {quote(f'{name}.{_ADVISED_TYPES[data_type]}')}"
    if flex_type not in _EXPECTED:
        return
    message = f"{entry.label} has to be {_EXPECTED[flex_type][1]}, but "
    if data_type and data_type != "String" and _FLEX_TYPES.get(data_type) != flex_type:
        fix = f"use an extension of type {'Integer' if flex_type == 'int' else 'Boolean'}"
        yield "typed-source", f"{message}its extension is {data_type}; {_REFUSES_MISFIT}", fix
    elif source_of(entry) == "user" and _is_text(entry.text("ID").lower(), flex_type):
        fix = "remove the type suffix, or use another source"
        yield ("typed-source", f"{message}user.{entry.text('ID')} is text; {_REFUSES_MISFIT}", fix)


def _is_text(id_: str, flex_type: str) -> bool:
    """True for a documented attribute that cannot hold a value of this type."""
    if id_ not in {name.lower() for name in load_table("attributes")["user"]}:
        return False
    if flex_type == "boolean":
        return id_ not in _BOOLEAN_IDS and not id_.startswith("extensionattribute")
    return not _POSSIBLY_NUMERIC.fullmatch(id_)


def _check_value_types(repeated: frozenset[str], context: Context, entry: JsonNode) -> NodeViolations:
    """Declared values and constants have the type that the suffix names. `repeated`: worker attributes that several
    entries set."""
    name = attribute_name(entry)
    flex_type = flex_type_of(name)
    item_type = flex_type.removesuffix("array")
    if item_type not in _EXPECTED:
        return
    expected, is_array = _EXPECTED[item_type][2], flex_type != item_type
    items: list[str] = []
    for value in known_values(entry, context):
        if not is_array:
            items.append(value)
        elif value.strip():  # else the array is empty
            items += (item.strip(" ") for item in value.split(","))
    wrong = next((item for item in items if not _fits(item, item_type)), None)
    if wrong is not None:
        are_known = set(entry.keys) <= set(map(str.lower, load_table("keys")["entry"]))  # S25 of docs/sign-in.md
        is_alone = worker_attribute_of(name) not in repeated and not split_channel(name)  # F6, F14, S18
        is_certain = is_surely_misfit(wrong, item_type) and wrong == wrong.strip() and are_known and is_alone
        refuses = "refuses" if is_certain else "probably refuses"  # F4 of docs/sign-in.md
        message = f"{entry.label} gets {quote(wrong, 40)}, which is not {expected}; Flex {refuses} that login"
        yield "typed-value", message, "correct the value, or remove the type suffix"


def _fits(text: str, type_: str) -> bool:
    """Whether Flex reads the text as a value of the type."""
    is_of_type = _EXPECTED[type_][0].fullmatch(text) is not None
    return is_of_type and (type_ != "int" or abs(int(text)) <= _LARGEST_INTEGER)
