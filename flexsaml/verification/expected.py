"""What the receiver expects, and how an address, a request ID and an end time are checked against it. Pure.

Quirks: SAML times are UTC with any number of decimals, of which Python keeps six; Entra's clock and this machine's may
differ by `MAX_CLOCK_SKEW`. What the user did not state is shown and not judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from .checks import ASK_SENDER, NOT_JUDGED, OK, Check, fault, quote

MAX_CLOCK_SKEW = timedelta(seconds=60)
SET_CLOCK = "set this machine's clock, or give the time at which the response was received with --at TIME"
TOO_LATE = "sign in again, or give the time at which the response was received with --at TIME"
COMPARE_ADDRESS = "compare the reply URL of the application in Entra with the ACS address on Twilio's SSO page"
_TIME = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,12}))?Z")


@dataclass(frozen=True)
class Expected:
    """What the receiver expects, "" for what the user did not state; `at` is the time of judgement."""

    at: datetime
    issuer: str = ""
    audience: str = ""
    recipient: str = ""
    in_response_to: str = ""


def parse_time(text: str) -> datetime | None:
    """A time as SAML writes it, None for anything else."""
    match = _TIME.fullmatch(text)
    if not match:
        return None
    year, month, day, hour, minute, second = map(int, match.groups()[:6])
    try:
        whole_seconds = datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)
    except ValueError:
        return None
    return whole_seconds + timedelta(seconds=float(f"0.{match[7] or 0}"))


def format_time(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def check_value(name: str, value: str, wanted: str, option: str, fix: str) -> Iterator[Check]:
    """`option`: the argument by which the user states what is expected; `fix`: what to do about another value."""
    if not value:
        yield fault(name, f"the {name} is missing", ASK_SENDER)
    elif not wanted:
        yield Check(name, NOT_JUDGED, quote(value), f"give {option} to judge it")
    elif value != wanted:
        yield fault(name, f"the {name} is {quote(value)}, not {quote(wanted)}", fix)
    else:
        yield Check(name, OK, quote(value))


def check_address(name: str, address: str, expected: Expected) -> Iterator[Check]:
    """`name`: destination or recipient."""
    option = "--recipient URL, the ACS address on Twilio's SSO page,"
    return check_value(name, address, expected.recipient, option, COMPARE_ADDRESS)


def check_request(request_id: str, expected: Expected) -> Iterator[Check]:
    """`request_id`: the InResponseTo, "" if the sign-in began at Entra."""
    answer = f"it answers request {quote(request_id)}" if request_id else "it answers no request"
    if not expected.in_response_to:
        fix = "give --in-response-to ID to judge it" if request_id else ""
        message = answer if request_id else f"{answer}: the sign-in began at Entra"
        yield Check("in-response-to", NOT_JUDGED, message, fix)
    elif request_id != expected.in_response_to:
        message = f"{answer}, but the request was {quote(expected.in_response_to)}"
        yield fault("in-response-to", message, "sign in again, starting at Flex")
    else:
        yield Check("in-response-to", OK, quote(request_id))


def check_end(name: str, limit: str | None, expected: Expected, subject: str) -> Iterator[Check]:
    """`limit`: the attribute as written, None if it is missing; `subject`: what ends, for the message."""
    end = parse_time(limit or "")
    if limit is None:
        yield fault(name, f"{subject} has no end", ASK_SENDER)
    elif end is None:
        yield fault(name, f"the end of {subject} is {quote(limit)}, which is no time in UTC", ASK_SENDER)
    elif end <= expected.at - MAX_CLOCK_SKEW:
        message = f"{subject} ended at {format_time(end)}, before the time of judgement, {format_time(expected.at)}"
        yield fault(name, message, TOO_LATE)
    else:
        yield Check(name, OK, f"{subject} ends at {format_time(end)}")
