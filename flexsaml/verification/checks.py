"""Checks, the two ways in which verification ends without a verdict, and what the receiver expects. Pure. Scripts may
rely on the names of checks (docs/commands.md). Quirks: SAML times are UTC with any number of decimals, of which Python
keeps six; Entra's clock and this machine's may differ by `MAX_CLOCK_SKEW`."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Literal

from flexsaml.claims import quote as quote_short
from flexsaml.errors import UserError

Status = Literal["ok", "fault", "warning", "not judged"]
quote = partial(quote_short, limit=200)  # addresses that are compared must not be cut
ASK_SENDER = "Entra does not send this: ask who made the response"
GIVE_METADATA = "give --metadata FILE|URL (Entra: Single sign-on, App Federation Metadata Url) or --certificate PEM"
TAMPERED = "somebody altered it after Entra sent it: do not trust it, and find out where it came from"
MAX_CLOCK_SKEW = timedelta(seconds=60)
_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,12})?Z")


@dataclass(frozen=True)
class Check:
    """One line of a verdict. Only a fault refuses. `fix` is "" if nothing is to do. `attribute` is the Name of the
    attribute that a check is about, "" for the rest."""

    name: str
    status: Status
    message: str
    fix: str = ""
    attribute: str = ""

    def __str__(self) -> str:
        return f"{self.message}; {self.fix}" if self.fix else self.message

    def to_json(self) -> dict[str, str]:
        about = {"attribute": self.attribute} if self.attribute else {}
        return {"check": self.name, "status": self.status, **about, "message": self.message, "fix": self.fix}


def fault(name: str, message: str, fix: str = "", attribute: str = "") -> Check:
    return Check(name, "fault", message, fix, attribute)


class ResponseRefused(UserError):
    """The response was judged and nothing of it may be read. One fault for each reason."""

    def __init__(self, *faults: Check) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


class CannotVerify(UserError):
    """The input is no response, or there is no certificate to judge it by. `check` says which."""

    def __init__(self, name: str, message: str, fix: str = "") -> None:
        self.check = Check(name, "not judged", message, fix)
        super().__init__(str(self.check))


@dataclass(frozen=True)
class Expected:
    """What the receiver expects, "" for what the user did not state; `at` is the time of judgement."""

    at: datetime
    issuer: str = ""
    audience: str = ""
    recipient: str = ""
    in_response_to: str = ""


def parse_time(text: str) -> datetime | None:
    """A time as SAML writes it, None for anything else. Decimals after the sixth are dropped, so that the last moment
    of .NET, 9999-12-31T23:59:59.9999999Z, is a time."""
    match = _TIME.fullmatch(text)
    try:
        seconds = datetime.strptime(f"{match[1]}Z", "%Y-%m-%dT%H:%M:%S%z") if match else None
    except ValueError:
        return None
    return seconds.replace(microsecond=int((match[2] or ".")[1:7].ljust(6, "0"))) if match and seconds else None


def shift_time(time: datetime, by: timedelta) -> datetime:
    """The time plus the duration; the first or the last moment that Python knows if there is none."""
    try:
        return time + by
    except OverflowError:
        return (datetime.max if by > timedelta() else datetime.min).replace(tzinfo=timezone.utc)


def format_time(time: datetime) -> str:
    return f"{time.isoformat(timespec='seconds').removesuffix('+00:00')}Z"
