"""From records to wire JSON: projections, collections, paging and contexts.

Quirks: v1.0 shows extension values of a user only on $select, beta always (A); whether an unset value is absent or
null was never captured (dial); bodies of properties recorded in 2021 have no isMultiValued (dial); certificate keys
are null unless $select names keyCredentials of a single object (A); only the first page has @odata.count (A).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TypeVar
from urllib.parse import parse_qsl, quote, urlencode

from emulator.graph.call import GraphCall
from emulator.graph.query import DEFAULT_PAGE, encode_skip_token
from emulator.messages import Reply
from emulator.tenant.records import (
    ApplicationRecord,
    PlainRecord,
    PolicyRecord,
    PrincipalRecord,
    PropertyRecord,
    UserRecord,
)
from emulator.tenant.store import Store
from emulator.tenant.users import KNOWN, READ_ONLY, read_visible_values
from emulator.types import Attributes

T = TypeVar("T")
_BY_DEFAULT = (
    "businessPhones displayName givenName jobTitle mail mobilePhone officeLocation preferredLanguage surname "
    "userPrincipalName id"
)
DEFAULT_USER = tuple(_BY_DEFAULT.split())


def _empty_lists(names: str) -> Attributes:
    return {name: [] for name in names.split()}


# What Microsoft's schema calls non-null (Nullable="false") and the tenant does not keep.
_APPLICATION = {
    **_empty_lists("addIns appRoles identifierUris keyCredentials managerApplications passwordCredentials"),
    **_empty_lists("requiredResourceAccess tags"),
    "oauth2RequirePostResponse": False,
}
_PRINCIPAL = {
    **_empty_lists("addIns alternativeNames appRoles keyCredentials notificationEmailAddresses"),
    **_empty_lists("oauth2PermissionScopes passwordCredentials replyUrls resourceSpecificApplicationPermissions"),
    **_empty_lists("servicePrincipalNames tags"),
    "appRoleAssignmentRequired": False,
}
_INSIDE_APPLICATION: dict[str, Attributes] = {
    "api": {"oauth2PermissionScopes": []},
    "spa": {"redirectUris": []},
    "web": {"redirectUris": [], "redirectUriSettings": []},
}
_GROUP = _empty_lists("groupTypes infoCatalogs proxyAddresses resourceBehaviorOptions resourceProvisioningOptions")
_ORGANIZATION = {
    **_empty_lists("assignedPlans businessPhones marketingNotificationEmails provisionedPlans"),
    **_empty_lists("securityComplianceNotificationMails securityComplianceNotificationPhones"),
    **_empty_lists("technicalNotificationMails"),
    "mobileDeviceManagementAuthority": "unknown",
}
_USER = _empty_lists("businessPhones otherMails proxyAddresses")


def context(call: GraphCall, fragment: str) -> str:
    return f"{call.base}/$metadata#{fragment}"


def entity(call: GraphCall, fragment: str, body: Attributes, status: int = 200) -> Reply:
    return Reply(status, {"@odata.context": context(call, fragment), **body})


def page(
    call: GraphCall,
    fragment: str,
    items: Iterable[T],
    render: Callable[[T], Attributes],
    *,
    served: Collection[str] = (),
) -> Reply:
    """One page of a collection; nextLink repeats the request with a token for the rest.

    `served` names the options that chose `items`: a filter that was not applied is refused, never ignored.
    """
    call.query.refuse_unless(served)
    rows = items if isinstance(items, list) else list(items)
    start = call.query.offset
    size = call.query.top or DEFAULT_PAGE
    body: Attributes = {"@odata.context": context(call, fragment)}
    if call.query.counted and start == 0:
        body["@odata.count"] = len(rows)
    if start + size < len(rows):
        kept = [pair for pair in parse_qsl(call.request.query, keep_blank_values=True) if pair[0] != "$skiptoken"]
        query = urlencode([*kept, ("$skiptoken", encode_skip_token(start + size))], quote_via=quote, safe="$")
        path = quote(call.request.path, safe="/$=,@()'")
        body["@odata.nextLink"] = f"{call.base}{path}?{query}"
    body["value"] = [render(row) for row in rows[start : start + size]]
    return Reply(200, body)


def selected(body: Attributes, select: tuple[str, ...]) -> Attributes:
    """What $select leaves of a body; names that the body does not have are ignored."""
    if not select or "*" in select:
        return body
    return {name: body[name] for name in select if name in body}


def extension_property(store: Store, prop: PropertyRecord) -> Attributes:
    owner = store.applications[prop.application_id]
    body = {"id": prop.id, "deletedDateTime": None, "appDisplayName": owner.display_name, **prop.to_row()}
    del body["applicationId"]
    if not store.dials.is_multi_valued_field:
        del body["isMultiValued"]
    return body


def policy(record: PolicyRecord) -> Attributes:
    return {"id": record.id, "deletedDateTime": None, **record.to_row()}


def application(record: ApplicationRecord, select: tuple[str, ...], *, single: bool) -> Attributes:
    """An application or a service principal."""
    defaults = _PRINCIPAL if isinstance(record, PrincipalRecord) else _APPLICATION
    body = {"deletedDateTime": None, **defaults, **record.attributes}
    if not (single and "keyCredentials" in select):
        body["keyCredentials"] = [{**credential, "key": None} for credential in body["keyCredentials"]]
    for name in _INSIDE_APPLICATION.keys() & body.keys():
        body[name] = body[name] and {**_INSIDE_APPLICATION[name], **body[name]}
    return selected(body, select)


def group(record: PlainRecord, select: tuple[str, ...]) -> Attributes:
    body = {name: value for name, value in record.attributes.items() if name != "members"}
    return selected({**_GROUP, **body}, select)


def organization(record: PlainRecord, select: tuple[str, ...]) -> Attributes:
    return selected({**_ORGANIZATION, **record.attributes}, select)


def user(call: GraphCall, record: UserRecord) -> Attributes:
    attributes, values = {**_USER, **record.attributes}, read_visible_values(call.store, record)
    select = call.query.select
    if not select:
        if call.is_beta:
            return {**dict.fromkeys(DEFAULT_USER), **attributes, **values}
        return {name: attributes.get(name) for name in DEFAULT_USER}
    body: Attributes = {}
    for name in select:
        if name.casefold().startswith("extension_"):
            prop = call.store.names.get(name.casefold())
            exact = prop.name if prop else name
            if exact in values:
                body[exact] = values[exact]
            elif call.store.dials.unset_extension == "null":
                body[exact] = None
        elif name in attributes or name in KNOWN or name in READ_ONLY:
            body[name] = attributes.get(name)
    return body
