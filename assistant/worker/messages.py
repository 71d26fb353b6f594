"""What travels between the server and the process that owns the device."""

import copyreg
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from assistant.runs import RunFolder
from index.evidence import Measurement
from tools.base import Agreement, Block, ToolFailed
from tools.provenance import Identity


def _proxy(content: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(content)


# Blocks hold read-only mappings, which do not pickle by themselves.
copyreg.pickle(MappingProxyType, lambda proxy: (_proxy, (dict(proxy),)))


@dataclass(frozen=True)
class Progress:
    """How far a step is.

    Attributes:
        done: from 0 to 1.
        note: what is going on, for the person.
        curve: points of the lines to be plotted; `step` is their place.
        preview: file of a picture as it forms; the one before it is then gone.
    """

    done: float
    note: str
    curve: Mapping[str, float] = field(default_factory=dict)
    preview: Path | None = None


Message = Block | Progress | Measurement


class WorkerDied(ToolFailed):
    """The process ended in the middle of a step."""


class Ousted(WorkerDied):
    """The process ended in the middle of another step, which had gone before this one."""


# --- what travels to the process
@dataclass(frozen=True)
class Setup:
    """What the process needs to know once; `tools` is `module:function` and returns the tools."""

    device: str
    home: Path
    offline: bool
    audience: str
    memory_gib: float
    identity: Identity | None
    tools: str


@dataclass(frozen=True)
class Request:
    """One step to run; `kept` is the folder that outlives its attempts."""

    number: int
    tool: str
    arguments: Mapping[str, Any]
    owner: str
    run: RunFolder
    kept: Path
    agreement: Agreement


@dataclass(frozen=True)
class Stop:
    """Asks the step of this number to stop."""

    number: int


# --- what comes back beside messages
@dataclass(frozen=True)
class Ready:
    """The process is up and has chosen its device."""

    device: str


@dataclass(frozen=True)
class Taken:
    """The process begins with the step."""


@dataclass(frozen=True)
class Finished:
    """The step yielded all it had."""


@dataclass(frozen=True)
class Failed:
    """The step ended with one of the failures of `tools.base`, taken apart.

    An exception whose constructor takes other arguments than its message does not pickle well.
    """

    kind: type[Exception]
    said: str
    state: Mapping[str, Any]

    @property
    def error(self) -> Exception:
        """The failure as it was raised."""
        error: Exception = self.kind.__new__(self.kind, self.said)
        error.__dict__.update(self.state)
        return error


@dataclass(frozen=True)
class Bug:
    """Any other exception: its type, and all that there is to log."""

    kind: str
    traceback: str
