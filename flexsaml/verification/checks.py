"""One line of a verdict, and the two ways in which verification ends without one.

Pure. The names of checks are listed in docs/commands.md; scripts may rely on them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from flexsaml.claims import quote as quote_short
from flexsaml.errors import UserError

OK, FAULT, WARNING, NOT_JUDGED = "ok", "fault", "warning", "not judged"
quote = partial(quote_short, limit=200)
"""Text of the response in a message; addresses that are compared must not be cut."""
ASK_SENDER = "Entra does not send this: ask who made the response"
TAMPERED = "somebody altered it after Entra sent it: do not trust it, and find out where it came from"


@dataclass(frozen=True)
class Check:
    """One line of a verdict. `status`: one of the four above; only a fault refuses. `fix` is "" if nothing is to do.

    `attribute` is the Name of the attribute that a check is about, "" for the rest.
    """

    name: str
    status: str
    message: str
    fix: str = ""
    attribute: str = ""

    def __str__(self) -> str:
        return f"{self.message}; {self.fix}" if self.fix else self.message

    def to_json(self) -> dict[str, str]:
        about = {"attribute": self.attribute} if self.attribute else {}
        return {"check": self.name, "status": self.status, **about, "message": self.message, "fix": self.fix}


class ResponseRefused(UserError):
    """The response was judged and nothing of it may be read. One fault for each reason."""

    def __init__(self, *faults: Check) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


class CannotVerify(UserError):
    """The input is no response, or there is no certificate to judge it by. `check` says which."""

    def __init__(self, name: str, message: str, fix: str = "") -> None:
        self.check = Check(name, NOT_JUDGED, message, fix)
        super().__init__(str(self.check))


def fault(name: str, message: str, fix: str = "") -> Check:
    return Check(name, FAULT, message, fix)
