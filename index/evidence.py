"""What may stand behind a figure: a sourced `Claim` of a card, or a `Measurement` of a run.

Nothing else is evidence; in particular never an answer's own text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

Value = str | int | float | bool
Verdict = Literal["claimed", "verified", "refuted", "unverifiable"]


@dataclass(frozen=True)
class Claim:
    """One statement about one system, with who says it.

    Attributes:
        system: id of the system it speaks about.
        property: name of a row of `properties.toml`, which fixes the unit.
        value: what is claimed, in `unit`.
        unit: unit of `value`; empty for words and yes/no.
        at: the condition under which it holds ("224 px", "RTX 3090, amp"); empty if none.
        says: who says so.
        source: address or file where they say it.
        date: ISO date of the source, or of the copy that was read.
        verdict: `refuted` claims carry the right value in `right`.
        right: the right value of a refuted claim, in `unit`.
        note: one sentence in our words: what was claimed, or why it is refuted.
        field: where it stands: file and field.
    """

    system: str
    property: str
    value: Value
    unit: str
    at: str
    says: str
    source: str
    date: str
    verdict: Verdict
    right: Value | None
    note: str
    field: str

    @cached_property
    def id(self) -> str:
        """Identifier of this evidence within an answer."""
        return f"{self.system}#{self.field}"

    @cached_property
    def truth(self) -> Value | None:
        """The value to believe: the right one if refuted, none if it cannot be verified."""
        if self.verdict == "unverifiable":
            return None
        return self.right if self.verdict == "refuted" else self.value


@dataclass(frozen=True)
class Measurement:
    """One figure that a run of this program produced.

    Attributes:
        system: id of the system that was run.
        property: name of a row of `properties.toml`.
        value: the figure, in `unit`.
        unit: unit of `value`.
        at: the condition: inputs, batch size, resolution, picture.
        device: `cpu`, `cuda` or `mps` with its name.
        machine: processor, cores, memory.
        versions: library versions that matter.
        run: id of the run whose folder holds the payload.
        date: ISO date of the run.
    """

    system: str
    property: str
    value: float
    unit: str
    at: str
    device: str
    machine: str
    versions: str
    run: str
    date: str

    @cached_property
    def id(self) -> str:
        """Identifier of this evidence within an answer."""
        return f"{self.run}#{self.system}/{self.property}/{self.at}"


Fact = Claim | Measurement


@dataclass(frozen=True)
class Match:
    """One time that a need met a capability, and how the person took the answer.

    Attributes:
        need: the question.
        system: id of the system that served it.
        capability: id of the capability on its card; empty if none was singled out.
        verdict: `like`, `dislike`, `wrong tool`, or empty.
        date: ISO date.
    """

    need: str
    system: str
    capability: str
    verdict: str
    date: str


class Evidence(Protocol):
    """Where facts are looked up and measurements kept."""

    def find(self, system: str, property: str = "") -> Sequence[Fact]:
        """Facts about `system`, all of them or those of one property, best first."""
        ...

    def add(self, measurement: Measurement) -> None:
        """Keeps a measurement for this and later answers."""
        ...
