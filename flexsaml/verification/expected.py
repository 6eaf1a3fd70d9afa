"""What the receiver expects of a response, and how an address, a request and a time are held against it.

Pure. Quirks tamed: SAML times are UTC with any number of decimals, which Python reads only partly; Entra's clock and
this machine's differ, so `SKEW` is allowed for. What the person did not say is told and not judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from .checks import NOTE, OK, Check, fault, shown

SKEW = timedelta(seconds=60)
"""How far two clocks may differ."""
CLOCK = "set this machine's clock, or give --at TIME, when the response was received"
LATE = "sign in again; or give --at TIME, when the response was received"
ELSEWHERE = "compare the reply URL of the application in Entra with the ACS address that Twilio's SSO page shows"
_TIME = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,12}))?Z")


@dataclass(frozen=True)
class Expected:
    """What the receiver is, "" where the person did not say; `at` is the time that is judged."""

    at: datetime
    issuer: str = ""
    audience: str = ""
    recipient: str = ""
    in_response_to: str = ""


def moment(text: str) -> datetime | None:
    """A time as SAML writes it, None for anything else."""
    found = _TIME.fullmatch(text)
    if not found:
        return None
    try:
        year, month, day, hour, minute, second = map(int, found.groups()[:6])
        whole = datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)
    except ValueError:
        return None
    return whole + timedelta(seconds=float(f"0.{found[7] or 0}"))


def stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def address(name: str, found: str, expected: Expected) -> Iterator[Check]:
    if not found:
        yield fault(name, f"names no {name}", "ask who made this response; Entra names one")
    elif not expected.recipient:
        yield Check(name, NOTE, shown(found), "give --recipient URL, the ACS address that Twilio's SSO page shows")
    elif found != expected.recipient:
        yield fault(name, f"is for {shown(found)}, not for {shown(expected.recipient)}", ELSEWHERE)
    else:
        yield Check(name, OK, shown(found))


def request(answers: str, expected: Expected) -> Iterator[Check]:
    if not expected.in_response_to:
        said = f"answers request {shown(answers)}" if answers else "answers no request: the sign-in began at Entra"
        yield Check("in-response-to", NOTE, said, "give --in-response-to ID to judge it" if answers else "")
    elif answers != expected.in_response_to:
        said = f"answers {shown(answers)}" if answers else "answers no request"
        yield fault(
            "in-response-to", f"{said}, not {shown(expected.in_response_to)}", "sign in again, starting at Flex"
        )
    else:
        yield Check("in-response-to", OK, shown(answers))


def ends(name: str, limit: str | None, expected: Expected, what: str) -> Iterator[Check]:
    end = moment(limit or "")
    if end is None:
        said = f"{shown(limit)} is no time in UTC" if limit is not None else f"{what} for ever"
        yield fault(name, said, "ask who made this response; Entra sets an end")
    elif end <= expected.at - SKEW:
        yield fault(name, f"{what} until {stamp(end)}, and {stamp(expected.at)} is judged", LATE)
    else:
        yield Check(name, OK, f"{what} until {stamp(end)}")
