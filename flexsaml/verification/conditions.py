"""Whether an assertion is meant for this receiver, at this time, as an answer to this request.

Pure; reads what a trusted key signed (signature.py). The response around an assertion that alone is signed can only
speak against it: what it says wrongly is a fault, what it says rightly is neither believed nor told.

Quirk tamed: Flex takes no SessionNotOnOrAfter of an hour or less (A).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from lxml import etree

from .checks import FAULT, NOTE, OK, WARNING, Check, Refused, fault, shown
from .expected import CLOCK, ELSEWHERE, SKEW, Expected, address, ends, moment, request, stamp
from .response import ASSERTION, NAMESPACES
from .signature import Proven

FLEX_SESSION = timedelta(hours=1)

_BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
_KNOWN = {f"{{{ASSERTION}}}{name}" for name in ("AudienceRestriction", "OneTimeUse", "ProxyRestriction")}


def conditions(proven: Proven, response: etree._Element | None, expected: Expected) -> Iterator[Check]:
    """Every check but signature and attributes. `response` is the root as it came, None for a bare assertion."""
    assertion = proven.assertion
    if response is not None:
        if proven.response is not None:
            yield from _response(proven.response, assertion, expected, signed=True)
        else:
            found = _response(response, assertion, expected, signed=False)
            yield from (one for one in found if one.status == FAULT)
    yield from _versions(assertion)
    yield from _issued(assertion, expected)
    yield from _issuer(assertion, expected)
    yield from _conditions(assertion, expected)
    yield from _confirmation(assertion, expected, posted=response is not None)
    yield from _sessions(assertion, expected, posted=response is not None)


def only(parent: etree._Element, name: str) -> etree._Element | None:
    """The one child of that name. Two where one belongs are one reader's truth and another's."""
    found = parent.findall(f"saml:{name}", NAMESPACES)
    if len(found) > 1:
        raise Refused(fault("shape", f"has {name} {len(found)} times", "Entra sends one: ask who made this response"))
    return found[0] if found else None


def text(element: etree._Element | None) -> str:
    """The text of an element that holds nothing else, "" without one."""
    if element is None:
        return ""
    if len(element):
        what = etree.QName(element).localname
        raise Refused(fault("shape", f"has elements in {what}, where text belongs", "ask who made this response"))
    return element.text or ""


# -- the response ------------------------------------------------------------------------------------------------------


def _response(outer: etree._Element, assertion: etree._Element, expected: Expected, *, signed: bool) -> Iterator[Check]:
    yield from _versions(outer)
    codes = [one.get("Value", "") for one in outer.findall("samlp:Status/samlp:StatusCode", NAMESPACES)]
    if codes != [_SUCCESS]:
        told = shown(codes[0].rpartition(":")[2]) if codes else "nothing"
        yield fault(
            "status", f"its status is {told}, not Success", "look at the sign-in log of the application in Entra"
        )
    else:
        yield Check("status", OK, "Success")
    yield from (one for one in _issued(outer, expected) if one.status == FAULT)
    issuer, inner = text(only(outer, "Issuer")), text(only(assertion, "Issuer"))
    if issuer and issuer != inner:
        yield fault("issuer", f"response and assertion name two issuers, {shown(issuer)} and {shown(inner)}", "")
    destination = outer.get("Destination", "")
    if destination or signed:
        yield from address("destination", destination, expected)
    recipients = [one for one in _told(assertion, "Recipient") if one]
    if destination and recipients and destination not in recipients:
        yield fault(
            "destination", f"is sent to {shown(destination)}, its assertion to {shown(recipients[0])}", ELSEWHERE
        )
    answers, inner_answers = outer.get("InResponseTo", ""), _told(assertion, "InResponseTo") or [""]
    if answers not in inner_answers:
        yield fault("in-response-to", "response and assertion answer two requests", "sign in again")
    yield from request(answers, expected)


def _told(assertion: etree._Element, name: str) -> list[str]:
    found = assertion.findall("saml:Subject/saml:SubjectConfirmation/saml:SubjectConfirmationData", NAMESPACES)
    return [one.get(name, "") for one in found]


# -- the assertion -----------------------------------------------------------------------------------------------------


def _versions(element: etree._Element) -> Iterator[Check]:
    if element.get("Version") != "2.0":
        what, version = etree.QName(element).localname.lower(), element.get("Version", "none")
        yield fault("version", f"the {what} is of version {shown(version)}, not 2.0", "Entra sends 2.0 to Flex")


def _issued(element: etree._Element, expected: Expected) -> Iterator[Check]:
    issued = moment(element.get("IssueInstant", ""))
    if issued is None:
        what = etree.QName(element).localname.lower()
        yield fault("issued", f"the {what} says not when it was issued", "ask who made this response; Entra says it")
    elif issued > expected.at + SKEW:
        ahead = timedelta(seconds=round((issued - expected.at).total_seconds()))
        yield fault("issued", f"issued {stamp(issued)}, {ahead} after the time judged", CLOCK)
    else:
        yield Check("issued", OK, stamp(issued))


def _issuer(assertion: etree._Element, expected: Expected) -> Iterator[Check]:
    issuer = text(only(assertion, "Issuer"))
    if not issuer:
        yield fault("issuer", "names no issuer", "ask who made this response; Entra names one")
    elif not expected.issuer:
        yield Check("issuer", NOTE, shown(issuer), "give --issuer or --metadata to judge it")
    elif issuer != expected.issuer:
        fix = "it comes from another tenant, or the metadata is another tenant's"
        yield fault("issuer", f"is {shown(issuer)}, not {shown(expected.issuer)}", fix)
    else:
        yield Check("issuer", OK, shown(issuer))


def _conditions(assertion: etree._Element, expected: Expected) -> Iterator[Check]:
    held = only(assertion, "Conditions")
    if held is None:
        yield fault(
            "conditions", "has no conditions: it would hold for anybody, for ever", "ask who made this response"
        )
        return
    strange = [etree.QName(one).localname for one in held.iterchildren(etree.Element) if one.tag not in _KNOWN]
    if strange:
        yield fault(
            "conditions", f"has the condition {shown(strange[0])}, which nobody here knows", "Entra sets none such"
        )
    yield from _times(held, expected)
    restrictions = [
        [text(audience) for audience in one.findall("saml:Audience", NAMESPACES)]
        for one in held.findall("saml:AudienceRestriction", NAMESPACES)
    ]
    named = ", ".join(shown(one) for audiences in restrictions for one in audiences)
    if not restrictions or not all(restrictions):
        yield fault("audience", "names no audience: it would hold for any application", "ask who made this response")
    elif not expected.audience:
        yield Check("audience", NOTE, named, "give --audience ID, the entity ID that Twilio's SSO page shows")
    elif not all(expected.audience in audiences for audiences in restrictions):
        fix = "compare the identifier of the application in Entra with the entity ID that Twilio's SSO page shows"
        yield fault("audience", f"is for {named}, not for {shown(expected.audience)}", fix)
    else:
        yield Check("audience", OK, named)


def _times(held: etree._Element, expected: Expected) -> Iterator[Check]:
    begins = held.get("NotBefore")
    start = moment(begins) if begins is not None else None
    if begins is not None and start is None:
        yield fault("not-before", f"{shown(begins)} is no time in UTC", "ask who made this response")
    elif start is not None and start > expected.at + SKEW:
        yield fault("not-before", f"holds from {stamp(start)} on, and {stamp(expected.at)} is judged", CLOCK)
    elif start is not None:
        yield Check("not-before", OK, f"holds from {stamp(start)} on")
    yield from ends("not-on-or-after", held.get("NotOnOrAfter"), expected, "holds")


def _confirmation(assertion: etree._Element, expected: Expected, posted: bool) -> Iterator[Check]:
    subject = only(assertion, "Subject")
    bearers = [
        one
        for one in ([] if subject is None else subject.findall("saml:SubjectConfirmation", NAMESPACES))
        if one.get("Method") == _BEARER
    ]
    if not bearers:
        yield fault("subject-confirmation", "is not for its bearer", "ask who made this response; Entra's is")
        return
    found = [list(_bearer(one, expected, posted)) for one in bearers]
    fine = [one for one in found if not any(check.status == FAULT for check in one)]
    yield from (fine or found)[0]


def _bearer(bearer: etree._Element, expected: Expected, posted: bool) -> Iterator[Check]:
    data = only(bearer, "SubjectConfirmationData")
    if data is None:
        said = "says not to whom it may be shown, nor until when"
        if posted or expected.recipient or expected.in_response_to:
            yield fault("subject-confirmation", said, "ask who made this response; Entra says it")
        else:
            yield Check("subject-confirmation", WARNING, said, "fit for a bare token, not for a sign-in at Flex")
        return
    if data.get("NotBefore") is not None:
        yield fault("subject-confirmation", "has a NotBefore where SAML allows none", "ask who made this response")
    yield from ends("subject-confirmation", data.get("NotOnOrAfter"), expected, "may be shown")
    yield from address("recipient", data.get("Recipient", ""), expected)
    if expected.in_response_to and data.get("InResponseTo") != expected.in_response_to:
        yield from request(data.get("InResponseTo", ""), expected)


def _sessions(assertion: etree._Element, expected: Expected, posted: bool) -> Iterator[Check]:
    statements = assertion.findall("saml:AuthnStatement", NAMESPACES)
    if posted and not statements:
        yield fault("session", "says not that anybody signed in", "ask who made this response; Entra says it")
    issued = moment(assertion.get("IssueInstant", "")) or expected.at
    for one in statements:
        signed_in = moment(one.get("AuthnInstant", ""))
        if signed_in is None:
            yield fault("session", "says not when the person signed in", "ask who made this response; Entra says it")
        elif signed_in > expected.at + SKEW:
            yield fault("session", f"the person signs in at {stamp(signed_in)} only", CLOCK)
        limit = one.get("SessionNotOnOrAfter")
        if limit is None:
            continue
        end = moment(limit)
        if end is None or end <= expected.at - SKEW:
            yield from ends("session", limit, expected, "the session lasts")
        elif end - issued <= FLEX_SESSION:
            said = f"the session lasts until {stamp(end)}, and Flex takes none of an hour or less (A)"
            yield fault("session", said, "lengthen the sign-in session in Entra, or send no SessionNotOnOrAfter")
        else:
            yield Check("session", OK, f"the session lasts until {stamp(end)}")
