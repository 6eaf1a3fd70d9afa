"""Whether an assertion is meant for this receiver, at this time, as an answer to this request. Pure.

The assertion was signed by a trusted key (signature.py). If the Response around it was not, it can only fail checks:
nothing in it is trusted or shown. Quirk: Flex refuses a SessionNotOnOrAfter of an hour or less (A).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from lxml import etree

from .checks import ASK_SENDER, FAULT, NOT_JUDGED, OK, WARNING, Check, ResponseRefused, fault, quote
from .expected import (
    COMPARE_ADDRESS,
    MAX_CLOCK_SKEW,
    SET_CLOCK,
    Expected,
    check_address,
    check_end,
    check_request,
    check_value,
    format_time,
    parse_time,
)
from .response import ASSERTION, NAMESPACES, local_name
from .signature import SignedParts

FLEX_MIN_SESSION = timedelta(hours=1)
_BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
_KNOWN_CONDITIONS = {f"{{{ASSERTION}}}{name}" for name in ("AudienceRestriction", "OneTimeUse", "ProxyRestriction")}
_COMPARE_AUDIENCE = "compare the identifier of the application in Entra with the entity ID on Twilio's SSO page"


def check_conditions(signed: SignedParts, response: etree._Element | None, expected: Expected) -> Iterator[Check]:
    """Every check except signature and attributes. `response`: the root as received, None for a bare assertion."""
    assertion, posted = signed.assertion, response is not None
    if signed.response is not None:
        yield from _check_response(signed.response, assertion, expected, signed=True)
    elif response is not None:
        checks = _check_response(response, assertion, expected, signed=False)
        yield from (check for check in checks if check.status == FAULT)
    yield from _check_version(assertion)
    yield from _check_issue_time(assertion, expected)
    issuer, fix = read_text(find_single(assertion, "Issuer")), "either the response or the metadata is another tenant's"
    yield from check_value("issuer", issuer, expected.issuer, "--issuer or --metadata", fix)
    yield from _check_audience_and_times(assertion, expected)
    yield from _check_confirmations(assertion, expected, posted)
    yield from _check_sessions(assertion, expected, posted)


def find_single(parent: etree._Element, name: str) -> etree._Element | None:
    """The only child of that name, None without one. Refuses duplicates; parsers disagree on which wins."""
    children = parent.findall(f"saml:{name}", NAMESPACES)
    if len(children) > 1:
        raise ResponseRefused(fault("shape", f"there are {len(children)} {name} elements, not one", ASK_SENDER))
    return children[0] if children else None


def read_text(element: etree._Element | None) -> str:
    """The text of an element, "" for None. Refuses child elements."""
    if element is None:
        return ""
    if len(element):
        raise ResponseRefused(fault("shape", f"{local_name(element)} contains elements instead of text", ASK_SENDER))
    return element.text or ""


# -- the response ------------------------------------------------------------------------------------------------------


def _check_response(
    response: etree._Element, assertion: etree._Element, expected: Expected, *, signed: bool
) -> Iterator[Check]:
    yield from _check_version(response)
    codes = [code.get("Value", "") for code in response.findall("samlp:Status/samlp:StatusCode", NAMESPACES)]
    if codes == [_SUCCESS]:
        yield Check("status", OK, "Success")
    else:
        status = f"is {quote(codes[0].rpartition(':')[2])}, not Success" if codes else "is missing"
        yield fault("status", f"the status {status}", "see the application's sign-in log in Entra")
    yield from (check for check in _check_issue_time(response, expected) if check.status == FAULT)
    outer, inner = (read_text(find_single(element, "Issuer")) for element in (response, assertion))
    if outer and outer != inner:
        yield fault("issuer", f"response and assertion have different issuers, {quote(outer)} and {quote(inner)}")
    destination = response.get("Destination", "")
    if destination or signed:
        yield from check_address("destination", destination, expected)
    recipients = [recipient for recipient in _confirmation_data(assertion, "Recipient") if recipient]
    if destination and recipients and destination not in recipients:
        message = f"the response is for {quote(destination)}, its assertion for {quote(recipients[0])}"
        yield fault("destination", message, COMPARE_ADDRESS)
    request_id = response.get("InResponseTo", "")
    if request_id not in (_confirmation_data(assertion, "InResponseTo") or [""]):
        yield fault("in-response-to", "response and assertion answer different requests", "sign in again")
    yield from check_request(request_id, expected)


def _confirmation_data(assertion: etree._Element, name: str) -> list[str]:
    path = "saml:Subject/saml:SubjectConfirmation/saml:SubjectConfirmationData"
    return [data.get(name, "") for data in assertion.findall(path, NAMESPACES)]


# -- the assertion -----------------------------------------------------------------------------------------------------


def _check_version(element: etree._Element) -> Iterator[Check]:
    version = element.get("Version", "none")
    if version != "2.0":
        yield fault("version", f"the {local_name(element).lower()} has version {quote(version)}, not 2.0", ASK_SENDER)


def _check_issue_time(element: etree._Element, expected: Expected) -> Iterator[Check]:
    issued = parse_time(element.get("IssueInstant", ""))
    if issued is None:
        yield fault("issued", f"the {local_name(element).lower()} has no valid IssueInstant", ASK_SENDER)
    elif issued > expected.at + MAX_CLOCK_SKEW:
        yield fault("issued", f"it was issued at {format_time(issued)}, after the time of judgement", SET_CLOCK)
    else:
        yield Check("issued", OK, format_time(issued))


def _check_audience_and_times(assertion: etree._Element, expected: Expected) -> Iterator[Check]:
    conditions = find_single(assertion, "Conditions")
    if conditions is None:
        yield fault("conditions", "the assertion has no Conditions: it is valid for any receiver, forever", ASK_SENDER)
        return
    for condition in conditions.iterchildren(etree.Element):
        if condition.tag not in _KNOWN_CONDITIONS:
            yield fault("conditions", f"the condition {quote(local_name(condition))} is unknown", ASK_SENDER)
    yield from _check_times(conditions, expected)
    restrictions = [
        [read_text(audience) for audience in restriction.findall("saml:Audience", NAMESPACES)]
        for restriction in conditions.findall("saml:AudienceRestriction", NAMESPACES)
    ]
    names = ", ".join(quote(audience) for audiences in restrictions for audience in audiences)
    if not restrictions or not all(restrictions):
        yield fault("audience", "the audience is missing: the assertion is valid for any application", ASK_SENDER)
    elif not expected.audience:
        yield Check(
            "audience", NOT_JUDGED, names, "give --audience ID, the entity ID on Twilio's SSO page, to judge it"
        )
    elif not all(expected.audience in audiences for audiences in restrictions):
        yield fault("audience", f"the audience is {names}, not {quote(expected.audience)}", _COMPARE_AUDIENCE)
    else:
        yield Check("audience", OK, names)


def _check_times(conditions: etree._Element, expected: Expected) -> Iterator[Check]:
    not_before = conditions.get("NotBefore")
    if not_before is not None:
        start = parse_time(not_before)
        if start is None:
            yield fault("not-before", f"NotBefore is {quote(not_before)}, which is no time in UTC", ASK_SENDER)
        elif start > expected.at + MAX_CLOCK_SKEW:
            message = f"it is valid from {format_time(start)}, after the time of judgement, {format_time(expected.at)}"
            yield fault("not-before", message, SET_CLOCK)
        else:
            yield Check("not-before", OK, f"it is valid from {format_time(start)}")
    yield from check_end("not-on-or-after", conditions.get("NotOnOrAfter"), expected, "its validity")


def _check_confirmations(assertion: etree._Element, expected: Expected, posted: bool) -> Iterator[Check]:
    """The first bearer confirmation without a fault, else the faults of the first."""
    subject = find_single(assertion, "Subject")
    confirmations = [] if subject is None else subject.findall("saml:SubjectConfirmation", NAMESPACES)
    bearers = [element for element in confirmations if element.get("Method") == _BEARER]
    if not bearers:
        yield fault("subject-confirmation", "the assertion has no bearer confirmation", ASK_SENDER)
        return
    results = [list(_check_bearer(bearer, expected, posted)) for bearer in bearers]
    faultless = [checks for checks in results if all(check.status != FAULT for check in checks)]
    yield from (faultless or results)[0]


def _check_bearer(bearer: etree._Element, expected: Expected, posted: bool) -> Iterator[Check]:
    data = find_single(bearer, "SubjectConfirmationData")
    if data is None:
        message = "the assertion names neither a recipient nor a time for presenting it"
        if posted or expected.recipient or expected.in_response_to:
            yield fault("subject-confirmation", message, ASK_SENDER)
        else:
            yield Check("subject-confirmation", WARNING, message, "this suits a bare token, not a sign-in at Flex")
        return
    if data.get("NotBefore") is not None:
        yield fault("subject-confirmation", "SubjectConfirmationData has NotBefore, which SAML forbids", ASK_SENDER)
    yield from check_end("subject-confirmation", data.get("NotOnOrAfter"), expected, "the time for presenting it")
    yield from check_address("recipient", data.get("Recipient", ""), expected)
    request_id = data.get("InResponseTo", "")
    if expected.in_response_to and request_id != expected.in_response_to:
        yield from check_request(request_id, expected)


def _check_sessions(assertion: etree._Element, expected: Expected, posted: bool) -> Iterator[Check]:
    statements = assertion.findall("saml:AuthnStatement", NAMESPACES)
    if posted and not statements:
        yield fault("session", "the assertion has no AuthnStatement", ASK_SENDER)
    issued = parse_time(assertion.get("IssueInstant", "")) or expected.at
    for statement in statements:
        signed_in = parse_time(statement.get("AuthnInstant", ""))
        if signed_in is None:
            yield fault("session", "the AuthnStatement has no valid AuthnInstant", ASK_SENDER)
        elif signed_in > expected.at + MAX_CLOCK_SKEW:
            yield fault("session", f"the user signs in at {format_time(signed_in)}, in the future", SET_CLOCK)
        limit = statement.get("SessionNotOnOrAfter")
        end = parse_time(limit or "")
        if end is not None and expected.at - MAX_CLOCK_SKEW < end <= issued + FLEX_MIN_SESSION:
            message = f"the session ends at {format_time(end)}; Flex refuses a session of an hour or less (A)"
            yield fault("session", message, "lengthen the sign-in session in Entra, or send no SessionNotOnOrAfter")
        elif limit is not None:
            yield from check_end("session", limit, expected, "the session")
