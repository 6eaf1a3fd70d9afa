"""Whether an assertion is meant for this receiver, at this time, as an answer to this request. Pure. The assertion was
signed by a trusted key (signature.py). If the Response around it was not, it can only fail checks: nothing in it is
trusted or shown. Quirk: Twilio requires a SessionNotOnOrAfter of more than an hour (A)."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from lxml import etree

from .checks import ASK_SENDER, MAX_CLOCK_SKEW, Check, Expected, fault, format_time, parse_time, quote, shift_time
from .response import ASSERTION, NAMESPACES, local_name
from .signature import SignedParts

FLEX_MIN_SESSION = timedelta(hours=1)
_BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
_KNOWN_CONDITIONS = {f"{{{ASSERTION}}}{name}" for name in ("AudienceRestriction", "OneTimeUse", "ProxyRestriction")}
_SET_CLOCK = "set this machine's clock, or give the time at which the response was received with --at TIME"
_TOO_LATE = "sign in again, or give the time at which the response was received with --at TIME"
_COMPARE_ADDRESS = "compare the reply URL of the application in Entra with the ACS address on Twilio's SSO page"
_COMPARE_AUDIENCE = "compare the identifier of the application in Entra with the entity ID on Twilio's SSO page"


def check_conditions(signed: SignedParts, response: etree._Element | None, expected: Expected) -> Iterator[Check]:
    """Every check except signature and attributes. `response`: the root as received, None for a bare assertion."""
    assertion, posted = signed.assertion, response is not None
    if signed.response is not None:
        yield from _check_response(signed.response, assertion, expected, signed=True)
    elif response is not None:
        yield from _faults(_check_response(response, assertion, expected, signed=False))
    yield from _check_version(assertion)
    yield from _check_time("issued", assertion, "IssueInstant", expected, "it was issued")
    issuer, fix = read_text(find_child(assertion, "Issuer")), "either the response or the metadata is another tenant's"
    yield _check_value("issuer", issuer, expected.issuer, "--issuer or --metadata", fix)
    yield from _check_audience_and_times(assertion, expected)
    yield from _check_name_qualifier(assertion, expected)
    yield from _check_confirmations(assertion, expected, posted)
    yield from _check_sessions(assertion, expected, posted)


def find_child(parent: etree._Element, name: str) -> etree._Element | None:
    """The child of SAML's namespace of that name; the schema allows at most one where this is asked."""
    return parent.find(f"saml:{name}", NAMESPACES)


def read_text(element: etree._Element | None) -> str:
    """The text of an element that contains no other, "" for None."""
    return "" if element is None else element.text or ""


def _faults(checks: Iterable[Check]) -> list[Check]:
    return [check for check in checks if check.status == "fault"]


def _check_response(
    response: etree._Element, assertion: etree._Element, expected: Expected, *, signed: bool
) -> Iterator[Check]:
    yield from _check_version(response)
    codes = [code.get("Value", "") for code in response.findall("samlp:Status/samlp:StatusCode", NAMESPACES)]
    if codes == [_SUCCESS]:
        yield Check("status", "ok", "Success")
    else:
        status = f"is {quote(codes[0].rpartition(':')[2])}, not Success" if codes else "is missing"
        yield fault("status", f"the status {status}", "see the application's sign-in log in Entra")
    yield from _faults(_check_time("issued", response, "IssueInstant", expected, "the response was issued"))
    outer, inner = (read_text(find_child(element, "Issuer")) for element in (response, assertion))
    if not outer:
        yield fault("issuer", "the response does not name its issuer", ASK_SENDER)
    elif outer != inner:
        yield fault("issuer", f"response and assertion have different issuers, {quote(outer)} and {quote(inner)}")
    destination = response.get("Destination", "")
    if signed or response.get("Destination") is not None:
        yield _check_address("destination", destination, expected)
    confirmations = assertion.findall("saml:Subject/saml:SubjectConfirmation/saml:SubjectConfirmationData", NAMESPACES)
    recipients = [data.get("Recipient", "") for data in confirmations if data.get("Recipient")]
    if destination and recipients and destination not in recipients:
        message = f"the response is for {quote(destination)}, its assertion for {quote(recipients[0])}"
        yield fault("destination", message, _COMPARE_ADDRESS)
    request_id = response.get("InResponseTo", "")
    if request_id not in ([data.get("InResponseTo", "") for data in confirmations] or [""]):
        yield fault("in-response-to", "response and assertion answer different requests", "sign in again")
    yield from _check_request(request_id, expected)


def _check_version(element: etree._Element) -> Iterator[Check]:
    version = element.get("Version", "none")
    if version != "2.0":
        yield fault("version", f"the {local_name(element).lower()} has version {quote(version)}, not 2.0", ASK_SENDER)


def _check_audience_and_times(assertion: etree._Element, expected: Expected) -> Iterator[Check]:
    conditions = find_child(assertion, "Conditions")
    if conditions is None:
        yield fault("conditions", "the assertion has no Conditions: it is valid for any receiver, forever", ASK_SENDER)
        return
    for condition in conditions.iterchildren(etree.Element):
        if condition.tag not in _KNOWN_CONDITIONS:
            yield fault("conditions", f"the condition {quote(local_name(condition))} is unknown", ASK_SENDER)
    if conditions.get("NotBefore") is not None:
        yield from _check_time("not-before", conditions, "NotBefore", expected, "its validity begins")
    yield from _check_time("not-on-or-after", conditions, "NotOnOrAfter", expected, "its validity ends", is_end=True)
    restrictions = [
        [read_text(audience) for audience in restriction.findall("saml:Audience", NAMESPACES)]
        for restriction in conditions.findall("saml:AudienceRestriction", NAMESPACES)
    ]
    names = [audience for audiences in restrictions for audience in audiences]
    if not restrictions:
        yield fault("audience", "the audience is missing: the assertion is valid for any application", ASK_SENDER)
    else:
        is_meant = all(expected.audience in audiences for audiences in restrictions)
        option = "--audience ID, the entity ID on Twilio's SSO page,"
        yield _compare("audience", ", ".join(map(quote, names)), expected.audience, is_meant, option, _COMPARE_AUDIENCE)


def _check_name_qualifier(assertion: etree._Element, expected: Expected) -> Iterator[Check]:
    name_id = assertion.find("saml:Subject/saml:NameID", NAMESPACES)
    qualifier = "" if name_id is None else name_id.get("SPNameQualifier", "")
    audiences = assertion.findall("saml:Conditions/saml:AudienceRestriction/saml:Audience", NAMESPACES)
    if qualifier and qualifier not in ([expected.audience] if expected.audience else map(read_text, audiences)):
        yield fault("name-id", f"the NameID is for another receiver, {quote(qualifier)}", _COMPARE_AUDIENCE)


def _check_confirmations(assertion: etree._Element, expected: Expected, posted: bool) -> Iterator[Check]:
    """The first bearer confirmation without a fault, else the faults of the first."""
    subject = find_child(assertion, "Subject")
    confirmations = [] if subject is None else subject.findall("saml:SubjectConfirmation", NAMESPACES)
    bearers = [element for element in confirmations if element.get("Method") == _BEARER]
    if not bearers:
        yield fault("subject-confirmation", "the assertion has no bearer confirmation", ASK_SENDER)
        return
    results = [list(_check_bearer(bearer, expected, posted)) for bearer in bearers]
    yield from next((checks for checks in results if not _faults(checks)), results[0])


def _check_bearer(bearer: etree._Element, expected: Expected, posted: bool) -> Iterator[Check]:
    data = find_child(bearer, "SubjectConfirmationData")
    if data is None:
        message = "the assertion names neither a recipient nor a time for presenting it"
        if posted or expected.recipient or expected.in_response_to:
            yield fault("subject-confirmation", message, ASK_SENDER)
        else:
            yield Check("subject-confirmation", "warning", message, "this suits a bare token, not a sign-in at Flex")
        return
    if data.get("NotBefore") is not None:
        yield fault("subject-confirmation", "SubjectConfirmationData has NotBefore, which SAML forbids", ASK_SENDER)
    event = "the time for presenting it ends"
    yield from _check_time("subject-confirmation", data, "NotOnOrAfter", expected, event, is_end=True)
    yield _check_address("recipient", data.get("Recipient", ""), expected)
    if expected.in_response_to:
        yield from _faults(_check_request(data.get("InResponseTo", ""), expected))


def _check_sessions(assertion: etree._Element, expected: Expected, posted: bool) -> Iterator[Check]:
    statements = assertion.findall("saml:AuthnStatement", NAMESPACES)
    if posted and len(statements) != 1:
        yield fault("session", f"the assertion has {len(statements)} AuthnStatement elements, not one", ASK_SENDER)
    issued = parse_time(assertion.get("IssueInstant", "")) or expected.at
    for statement in statements:
        yield from _faults(_check_time("session", statement, "AuthnInstant", expected, "the user signed in"))
        end = parse_time(statement.get("SessionNotOnOrAfter", ""))
        begin, shortest = shift_time(expected.at, -MAX_CLOCK_SKEW), shift_time(issued, FLEX_MIN_SESSION)
        if end is not None and begin < end <= shortest:
            message = (
                f"the session ends at {format_time(end)}; Twilio requires more than an hour (A), or Flex may end it"
            )
            yield fault("session", message, "lengthen the sign-in session in Entra, or send no SessionNotOnOrAfter")
        elif statement.get("SessionNotOnOrAfter") is not None:
            limit = "SessionNotOnOrAfter"
            yield from _check_time("session", statement, limit, expected, "the session ends", is_end=True)


def _compare(name: str, actual: str, wanted: str, is_wanted: bool, option: str, fix: str) -> Check:
    """`option`: the argument by which the user states what is expected; `fix`: what to do about another value."""
    if not wanted:
        return Check(name, "not judged", actual, f"give {option} to judge it")
    return Check(name, "ok", actual) if is_wanted else fault(name, f"the {name} is {actual}, not {quote(wanted)}", fix)


def _check_value(name: str, value: str, wanted: str, option: str, fix: str) -> Check:
    if not value:
        return fault(name, f"the {name} is missing", ASK_SENDER)
    return _compare(name, quote(value), wanted, value == wanted, option, fix)


def _check_address(name: str, address: str, expected: Expected) -> Check:
    """`name`: destination or recipient."""
    option = "--recipient URL, the ACS address on Twilio's SSO page,"
    return _check_value(name, address, expected.recipient, option, _COMPARE_ADDRESS)


def _check_request(request_id: str, expected: Expected) -> Iterator[Check]:
    """`request_id`: the InResponseTo, "" if the sign-in began at Entra."""
    answer = f"it answers request {quote(request_id)}" if request_id else "it answers no request"
    if not expected.in_response_to:
        fix = "give --in-response-to ID to judge it" if request_id else ""
        message = answer if request_id else f"{answer}: the sign-in began at Entra"
        yield Check("in-response-to", "not judged", message, fix)
    elif request_id != expected.in_response_to:
        message = f"{answer}, but the request was {quote(expected.in_response_to)}"
        yield fault("in-response-to", message, "sign in again, starting at Flex")
    else:
        yield Check("in-response-to", "ok", quote(request_id))


def _check_time(
    name: str, element: etree._Element, attribute: str, expected: Expected, event: str, *, is_end: bool = False
) -> Iterator[Check]:
    """`event`: what begins then, which must not lie in the future, or ends then, which must not lie in the past."""
    text = element.get(attribute, "")
    time = parse_time(text)
    if time is None:
        problem = f"is {quote(text)}, which is no time in UTC" if text else "is missing"
        yield fault(name, f"{attribute} of {local_name(element)} {problem}", ASK_SENDER)
        return
    message = f"{event} at {format_time(time)}"
    if is_end and time <= shift_time(expected.at, -MAX_CLOCK_SKEW):
        yield fault(name, f"{message}, before the time of judgement, {format_time(expected.at)}", _TOO_LATE)
    elif not is_end and time > shift_time(expected.at, MAX_CLOCK_SKEW):
        yield fault(name, f"{message}, after the time of judgement, {format_time(expected.at)}", _SET_CLOCK)
    else:
        yield Check(name, "ok", message)
