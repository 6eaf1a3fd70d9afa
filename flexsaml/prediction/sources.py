"""What the entries of one policy give one user: constants, attributes, extensions, transformations. Pure."""

from __future__ import annotations

from .policy import Entry, SignInPolicy
from .subject import Agent, Found, Place, attribute, extension
from .transformations import run


class Sources:
    """The values of a policy's entries for one user at one place."""

    def __init__(self, policy: SignInPolicy, place: Place, agent: Agent) -> None:
        self.policy = policy
        self.place = place
        self.agent = agent

    def of(self, entry: Entry, seen: tuple[Entry, ...] = ()) -> Found:
        """What its one source gives; a Value beside a Source does not count (D)."""
        if not entry.source:
            if entry.value is None:
                return Found(grounds=("S10",), why="the entry has no source")
            return Found((entry.value,), ("S8", *(() if entry.value else ("S6",))))
        if entry.source == "transformation":
            found = self._transformed(entry, seen)
        elif entry.extension:
            usual = entry.source == "user"
            found = extension(entry, self.place, self.agent) if usual else Found(grounds=("S10",), why="no such source")
        else:
            found = attribute(entry, self.place, self.agent)
        if entry.value is not None and entry.source != "transformation":
            return Found(found.values, (*found.grounds, "S3 beside"), found.why, found.unknown)
        return found

    def _transformed(self, entry: Entry, seen: tuple[Entry, ...]) -> Found:
        transformation = self.policy.transformation(entry.transformation)
        if entry in seen:
            return Found(grounds=("T6",), why="a transformation of itself")
        if transformation is None:
            return Found(grounds=("T6",), why=f"there is no transformation '{entry.transformation}'")
        found = run(transformation, lambda reference: self._referred(reference, (*seen, entry)))
        loose = transformation.id != entry.transformation
        return Found(found.values, (*found.grounds, *(("T",) if loose else ())), found.why, found.unknown)

    def _referred(self, reference: str, seen: tuple[Entry, ...]) -> Found:
        entry = self.policy.entry(reference)
        if entry is None:
            return Found(grounds=("T6",), why=f"'{reference}' refers to no entry")
        found = self.of(entry, seen)
        loose = reference not in (entry.id, entry.extension)
        return Found(found.values, (*found.grounds, *(("T",) if loose else ())), found.why, found.unknown)
