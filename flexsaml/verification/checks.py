"""What verification has to say: one check, by a stable name, with what to do.

Pure: standard library only. The names are listed in docs/commands.md; scripts may rely on them.
"""

from __future__ import annotations

from dataclasses import dataclass

OK, FAULT, WARNING, NOTE = "ok", "fault", "warning", "not judged"


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


class Refused(Exception):
    """It was looked at, and nothing of it may be read. One fault for each reason."""

    def __init__(self, *faults: Check) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


class CannotLook(Exception):
    """There was nothing to look at, or nothing to look with. One line that says what to do."""

    def __init__(self, name: str, message: str, fix: str = "") -> None:
        super().__init__(f"{message}; {fix}" if fix else message)
        self.check = Check(name, NOTE, message, fix)


def fault(name: str, message: str, fix: str = "") -> Check:
    return Check(name, FAULT, message, fix)


def shown(text: str, most: int = 120) -> str:
    """Foreign text in a line of ours: quoted, on one line, not longer than a person reads."""
    cut = text if len(text) <= most else text[: most - 1] + "…"
    plain = "".join(
        c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode("ascii") for c in cut
    )
    return f"'{plain}'"
