"""Handlers that are more than one expression: parse the call, ask the tenant, render the answer. A rule in a handler
belongs in `emulator.tenant`. Quirks: /users/$count answers plain text and wants `ConsistencyLevel: eventual` (A); a row
of a collection of directory objects names its type (A); who may read the membership but not the members' type gets rows
with id and type, everything else null (A), which means "unknown", not "empty". An application's object id, its service
principal's object id and their common appId are three ids (A); the alternate key `(appId='…')` answers one entity or
404, never a list (A); the link of a policy is written through `/$ref` with an absolute `@odata.id` (A), of which two
path forms are accepted (B)."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from emulator.errors import bad_request, invalid_body, not_found, refusal
from emulator.graph import render
from emulator.graph.call import GraphCall, held_alternatives
from emulator.graph.query import Filter, parse_filter, parse_search
from emulator.messages import Reply
from emulator.tenant import (
    access,
    applications,
    certificates,
    consents,
    extensions,
    identities,
    policies,
    principals,
    records,
    users,
)  # fmt: skip
from emulator.tenant.identities import find_owner
from emulator.tenant.records import ApplicationRecord, PlainRecord, PolicyRecord, PrincipalRecord, UserRecord
from emulator.tenant.store import count_down, get_existing
from emulator.types import Attributes

A = TypeVar("A", bound=ApplicationRecord)
POLICIES = "policies/claimsMappingPolicies"
_FILTERABLE = frozenset({"appId", "displayName", "id", "servicePrincipalNames", "identifierUris", "tags"})
_PROPERTY_BODY = frozenset({"name", "dataType", "targetObjects", "isMultiValued"})
_BY_NAME = ("userPrincipalName", "startswith")
_FILTERABLE_USER = records.WRITABLE["User"] | set(records.READ_ONLY["User"])
_INDEXED = frozenset({"id", "userPrincipalName"})


def matching_users(call: GraphCall) -> Iterable[UserRecord]:
    rule = parse_filter(call.query, lambda path: path in _FILTERABLE_USER or path.startswith("extension_"), "User")
    matching = _list_matching(call, rule)
    return [user for user in matching if not count_down(call.store.unindexed, user.id)] if rule.clauses else matching


def _list_matching(call: GraphCall, rule: Filter) -> Iterable[UserRecord]:
    if (rule.any_of or len(rule.clauses) == 1) and {(c.path, c.operator) for c in rule.clauses} == {_BY_NAME}:
        named = call.store.users_starting_with([str(clause.values[0]) for clause in rule.clauses])
        return call.store.user_view.read_all(lambda user: rule(user.attributes), among=named)
    listed = call.store.user_view.read_all(among=_candidates(call, rule))
    return (user for user in listed if rule(_comparable(call, user, rule))) if rule.clauses else listed


def _candidates(call: GraphCall, rule: Filter) -> list[UserRecord]:
    """All users, or those the index names when the filter is a single comparison by key."""
    clause = rule.clauses[0] if len(rule.clauses) == 1 else None
    if clause is None or clause.path not in _INDEXED or clause.operator not in ("eq", "in"):
        return list(call.store.users.values())
    named = (users.locate(call.store, str(value)) for value in clause.values)
    return list({user.id: user for user in named if user is not None}.values())


def _comparable(call: GraphCall, user: UserRecord, rule: Filter) -> Attributes:
    """The attributes with the extension values under the names that the filter uses, whatever their case."""
    paths = [clause.path for clause in rule.clauses if clause.path.startswith("extension_")]
    if not paths:
        return user.attributes
    folded = {name.casefold(): value for name, value in users.read_visible_values(call.store, user).items()}
    return {**user.attributes, **{path: folded.get(path.casefold()) for path in paths}}


def count_users(call: GraphCall) -> Reply:
    if not call.query.eventual:
        raise bad_request("$count is not currently supported.")
    call.query.refuse_unless({"$filter"})
    return Reply(200, str(sum(1 for _ in matching_users(call))), content_type="text/plain")


def user_of(call: GraphCall) -> UserRecord:
    return users.find(call.store, call.key("user"))


def list_groups(call: GraphCall) -> Reply:
    rule = parse_filter(call.query, {"displayName", "id", "securityEnabled"}.__contains__, "Group")
    listed = [group for group in call.store.groups.values() if rule(group.attributes)]
    return render.page(call, "groups", listed, render.group, {"$filter"})


def group_of(call: GraphCall) -> PlainRecord:
    return get_existing(call.store.groups, call.guid("group"))


def typed_row(call: GraphCall, item: UserRecord | PlainRecord) -> Attributes:
    name = "user" if isinstance(item, UserRecord) else "group"
    kind = {"@odata.type": f"#microsoft.graph.{name}"}
    if held_alternatives(f"GET /{name}s/{{{name}}}", call.token.roles):
        return {**kind, **(render.user(call, item) if isinstance(item, UserRecord) else render.group(call, item))}
    names = call.select or (render.DEFAULT_USER if name == "user" else item.attributes.keys() - {"members"})
    return {**kind, **dict.fromkeys(sorted(names)), "id": item.id}


def refuse_manager(call: GraphCall) -> Reply:
    """Nobody has a manager here."""
    user_of(call)
    raise not_found("manager")


def refuse_me(_call: GraphCall) -> Reply:
    """There are tokens of applications only."""
    raise refusal("no_person")


def list_group_ids(call: GraphCall) -> Reply:
    """The groups of a user, through other groups too; all groups here are security groups."""
    if not isinstance(call.body().get("securityEnabledOnly", False), bool):
        raise invalid_body()
    ids = [group.id for group in access.list_transitive_groups(call.store, user_of(call))]
    return render.values(call, "Collection(Edm.String)", ids)


def check_group_ids(call: GraphCall) -> Reply:
    """Those of the given groups in which a user is."""
    asked = call.body().get("groupIds")
    if not isinstance(asked, list) or not all(isinstance(group, str) for group in asked) or not 1 <= len(asked) <= 20:
        raise invalid_body()
    held = {group.id for group in access.list_transitive_groups(call.store, user_of(call))}
    return render.values(call, "Collection(Edm.String)", [group for group in asked if group.lower() in held])


def create_application(call: GraphCall) -> Reply:
    application = applications.create(call.store, call.body(), call.token.client_id)
    return render.entity(call, "applications", render.application(call, application), 201)


def list_owners(call: GraphCall, application: ApplicationRecord) -> Reply:
    owners = applications.list_owners(call.store, application)
    rows = [_bare_row("user" if owner in call.store.users else "servicePrincipal", owner) for owner in owners]
    return render.page(call, "directoryObjects", rows, render.selected)


def get_directory_object(call: GraphCall) -> Reply:
    """Any object by its id, with its type; of a client's own service principal there is no more than that."""
    store, key = call.store, call.guid("object")
    tables: dict[str, Mapping[str, object]] = {
        "user": store.users,
        "group": store.groups,
        "application": store.applications,
        "servicePrincipal": store.service_principals,
    }
    kind = next((name for name, table in tables.items() if key in table), "")
    if not kind:
        find_owner(store, key)
    return render.entity(call, "directoryObjects", render.selected(call, _bare_row(kind or "servicePrincipal", key)))


def _bare_row(kind: str, object_id: str) -> Attributes:
    return {"@odata.type": f"#microsoft.graph.{kind}", "id": object_id, "deletedDateTime": None}


def application_of(call: GraphCall) -> ApplicationRecord:
    return _addressed(call, "application", call.store.applications, call.store.app_ids)


def principal_of(call: GraphCall) -> PrincipalRecord:
    return _addressed(call, "principal", call.store.service_principals, call.store.principal_app_ids)


def _addressed(call: GraphCall, name: str, table: Mapping[str, A], by_app_id: Mapping[str, str]) -> A:
    key = call.keys[name]
    app = table.get(by_app_id.get(key.value.lower(), "") if key.name else call.guid(name))
    if app is None:
        raise not_found(key.value)
    return app


def policy_of(call: GraphCall) -> PolicyRecord:
    return call.store.policy_view.read(call.guid("policy"))


def list_applications(call: GraphCall, fragment: str, table: Mapping[str, ApplicationRecord]) -> Reply:
    """Applications or service principals."""
    resource = f"{fragment[0].upper()}{fragment[1:-1]}"
    matches, is_searched = parse_filter(call.query, _FILTERABLE.__contains__, resource), parse_search(call.query)
    apps = [app for app in table.values() if matches(app.attributes) and is_searched(app.attributes)]
    if {"$filter", "$search"} & call.query.options.keys():
        apps = [app for app in apps if not count_down(call.store.unindexed, app.id)]
    return render.page(call, fragment, apps, render.application, {"$filter", "$search"})


def add_password(call: GraphCall) -> Reply:
    password = identities.add_password(call.store, application_of(call), call.body(optional=True))
    context = f"{call.base}/$metadata#microsoft.graph.passwordCredential"
    return Reply(200, {"@odata.context": context, **password})


def list_federated(call: GraphCall) -> Reply:
    rows = [consents.show_federated(row) for row in identities.list_federated(call.store, application_of(call))]
    return render.page(call, "federatedIdentityCredentials", rows, render.selected)


def find_federated(call: GraphCall) -> Attributes:
    return consents.show_federated(consents.find_federated(call.store, application_of(call), call.key("credential")))


def list_grants(call: GraphCall) -> Reply:
    matches = parse_filter(call.query, {"clientId", "consentType"}.__contains__, "OAuth2PermissionGrant")
    rows = [row for row in consents.list_grants(call.store) if matches(row)]
    return render.page(call, "oauth2PermissionGrants", rows, render.selected, {"$filter"})


def list_properties(call: GraphCall) -> Reply:
    app = application_of(call)
    rule = parse_filter(call.query, {"name"}.__contains__, "ExtensionProperty")
    listed = call.store.property_view.read_all(lambda prop: prop.application_id == app.id)
    properties = [prop for prop in listed if rule({"name": prop.name})]
    return render.page(call, _properties_of(app), properties, render.extension_property, {"$filter"})


def create_property(call: GraphCall) -> Reply:
    app, body = application_of(call), call.body()
    unknown = sorted(name for name in body if name not in _PROPERTY_BODY and "@odata." not in name)
    if unknown:
        raise bad_request(f"Invalid property '{unknown[0]}'.")
    name, targets, is_multi_valued = body.get("name"), body.get("targetObjects"), body.get("isMultiValued", False)
    if not isinstance(name, str) or not name or not isinstance(is_multi_valued, bool):
        raise invalid_body()
    if not isinstance(targets, list) or not all(isinstance(target, str) for target in targets):
        raise invalid_body()
    prop = extensions.create(call.store, app, name, str(body.get("dataType")), is_multi_valued, targets)
    return render.entity(call, _properties_of(app), render.extension_property(call, prop), 201)


def get_property(call: GraphCall) -> Reply:
    app = application_of(call)
    prop = extensions.find(call.store, app, call.guid("property"))
    return render.entity(call, _properties_of(app), render.extension_property(call, prop))


def _properties_of(app: ApplicationRecord) -> str:
    return f"applications('{app.id}')/extensionProperties"


def list_available_properties(call: GraphCall) -> Reply:
    is_synced = call.body(optional=True).get("isSyncedFromOnPremises")
    if is_synced not in (None, True, False):
        raise invalid_body()
    rows = [
        {"@odata.type": "#microsoft.graph.extensionProperty", **render.extension_property(call, prop)}
        for prop in call.store.property_view.read_all()
        if extensions.request_use(call.store, prop) and is_synced in (None, prop.is_synced_from_on_premises)
    ]
    return render.page(call, "Collection(extensionProperty)", rows, render.selected)


def add_signing_certificate(call: GraphCall) -> Reply:
    body = certificates.add_signing_certificate(call.store, principal_of(call), call.body(), call.now)
    return Reply(200, {"@odata.context": f"{call.base}/$metadata#microsoft.graph.selfSignedCertificate", **body})


def get_custom_claims(call: GraphCall) -> Reply:
    principal = principal_of(call)
    body = principals.find_custom_claims(call.store, principal)
    return render.entity(call, f"servicePrincipals('{principal.id}')/claimsPolicy", body)


def list_policies(call: GraphCall) -> Reply:
    rule = parse_filter(call.query, {"displayName", "id"}.__contains__, "Policy")
    listed = call.store.policy_view.read_all()
    matching = [policy for policy in listed if rule({"displayName": policy.display_name, "id": policy.id})]
    return render.page(call, POLICIES, matching, render.policy, {"$filter"})


def list_principals_of(call: GraphCall) -> Reply:
    policy = policy_of(call)
    links = call.store.link_view.read_all(lambda link: link.policy_id == policy.id)
    kind = {"@odata.type": "#microsoft.graph.servicePrincipal"}
    rows = [{**kind, "id": link.service_principal_id, "deletedDateTime": None} for link in links]
    return render.page(call, "directoryObjects", rows, render.selected)


def list_assigned_policies(call: GraphCall) -> Reply:
    assigned = policies.list_assigned(call.store, principal_of(call))
    return render.page(call, "Collection(microsoft.graph.claimsMappingPolicy)", assigned, _assigned_row)


def _assigned_row(call: GraphCall, policy: PolicyRecord) -> Attributes:
    directory_object = f"{call.request.origin}/v2/{call.store.tenant_id}/directoryObjects/{policy.id}"
    odata_id = f"{directory_object}/Microsoft.DirectoryServices.ClaimsMappingPolicy"
    return {"@odata.id": odata_id, **render.policy(call, policy)}


def refuse_without_ref(_call: GraphCall) -> None:
    """Without `/$ref` the gateway refuses to write the link (A)."""
    raise refusal("write_not_contained")
