"""From records to wire JSON: projections, collections, paging and contexts. Quirks: v1.0 shows extension values of a
user only on $select, beta always (A); whether an unset value is absent or null was never captured (dial); bodies of
properties recorded in 2021 have no isMultiValued (dial); certificate keys are null unless $select names keyCredentials
of a single object (A); only the first page has @odata.count (A)."""

import json
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qsl, quote, urlencode

from emulator.graph.call import GraphCall
from emulator.graph.query import DEFAULT_PAGE, encode_skip_token
from emulator.messages import Reply
from emulator.tenant import records
from emulator.tenant.shapes import TYPES, complete
from emulator.tenant.users import read_visible_values
from emulator.types import Attributes

T = TypeVar("T")
_DEFAULTS = json.loads(Path(__file__).with_name("defaults.json").read_text(encoding="utf-8"))
DEFAULT_USER: list[str] = _DEFAULTS["user without $select"]


def entity(call: GraphCall, fragment: str, body: Attributes, status: int = 200) -> Reply:
    return Reply(status, {"@odata.context": f"{call.base}/$metadata#{fragment}/$entity", **body})


def page(
    call: GraphCall,
    fragment: str,
    items: Iterable[T],
    render: Callable[[GraphCall, T], Attributes],
    served: Collection[str] = (),
) -> Reply:
    """One page of a collection; nextLink repeats the request with a token for the rest. `served` names the options that
    chose `items`: a filter that was not applied is refused, never ignored."""
    call.query.refuse_unless(served)
    rows = list(items)
    start = call.query.offset
    size = call.query.top or DEFAULT_PAGE
    body: Attributes = {"@odata.context": f"{call.base}/$metadata#{fragment}"}
    if call.query.counted and start == 0:
        body["@odata.count"] = len(rows)
    if start + size < len(rows):
        kept = [pair for pair in parse_qsl(call.request.query, keep_blank_values=True) if pair[0] != "$skiptoken"]
        query = urlencode([*kept, ("$skiptoken", encode_skip_token(start + size))], quote_via=quote, safe="$")
        path = quote(call.request.path, safe="/$=,@()'")
        body["@odata.nextLink"] = f"{call.base}{path}?{query}"
    body["value"] = [render(call, row) for row in rows[start : start + size]]
    return Reply(200, body)


def values(call: GraphCall, kind: str, items: list[str]) -> Reply:
    """The answer of an action that gives plain values."""
    return Reply(200, {"@odata.context": f"{call.base}/$metadata#{kind}", "value": items})


def selected(call: GraphCall, body: Attributes) -> Attributes:
    """What $select leaves of a body; names that the body does not have are ignored."""
    if not call.select or "*" in call.select:
        return body
    return {name: body[name] for name in call.select if name in body}


def extension_property(call: GraphCall, prop: records.PropertyRecord) -> Attributes:
    owner = call.store.applications[prop.application_id]
    body = {"id": prop.id, "deletedDateTime": None, "appDisplayName": owner.display_name, **prop.to_row()}
    del body["applicationId"]
    if not call.store.dials.is_multi_valued_field:
        del body["isMultiValued"]
    return selected(call, body)


def policy(call: GraphCall, record: records.PolicyRecord) -> Attributes:
    return selected(call, {"id": record.id, "deletedDateTime": None, **record.to_row()})


def application(call: GraphCall, record: records.ApplicationRecord) -> Attributes:
    """An application or a service principal."""
    defaults = _DEFAULTS["servicePrincipal" if isinstance(record, records.PrincipalRecord) else "application"]
    body = {"deletedDateTime": None, **defaults, **record.attributes}
    if not (call.keys and "keyCredentials" in call.select):
        body["keyCredentials"] = [{**credential, "key": None} for credential in body["keyCredentials"]]
    types = TYPES["ServicePrincipal" if isinstance(record, records.PrincipalRecord) else "Application"]
    body = {name: complete(types.get(name, ""), value) for name, value in body.items()}
    return selected(call, body)


def group(call: GraphCall, record: records.PlainRecord) -> Attributes:
    body = {name: value for name, value in record.attributes.items() if name != "members"}
    return selected(call, {**_DEFAULTS["group"], **body})


def organization(call: GraphCall, record: records.PlainRecord) -> Attributes:
    return selected(call, {**_DEFAULTS["organization"], **record.attributes})


def user(call: GraphCall, record: records.UserRecord) -> Attributes:
    attributes, values = {**_DEFAULTS["user"], **record.attributes}, read_visible_values(call.store, record)
    select = call.query.select
    if not select:
        if call.request.version == "beta":
            return {**_DEFAULTS["user of beta"], **attributes, **values}
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
        elif name in attributes or name in records.WRITABLE["User"] or name in records.READ_ONLY["User"]:
            body[name] = attributes.get(name)
    return body
