"""What a tab of the browser remembers, and whether its conversation went on without it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from assistant.conversation import ME, Turn
from assistant.store import Store, UnknownConversation

Memory = Mapping[str, Any]  # `conversation`: its id; `seen`: its state; `editing`: a turn's number
# An empty value would not be remembered.
FRESH: Memory = {"conversation": "", "seen": "", "editing": 0}
LATEST = 50  # turns shown; older ones stay in the store


@dataclass(frozen=True)
class Here:
    """The conversation of a tab as it is in the store.

    Attributes:
        turns: its latest turns; none for a new conversation and for one that is gone.
        state: same as the tab shows it, changed since (in another tab), or gone.
    """

    turns: Sequence[Turn]
    state: Literal["same", "changed", "gone"]

    @property
    def conversation(self) -> str:
        """Its id; empty for a new one."""
        return self.turns[-1].conversation if self.turns else ""

    @property
    def memory(self) -> Memory:
        """What a tab remembers that shows all of it."""
        return {**FRESH, "conversation": self.conversation, "seen": _seen(self.turns)}


def here(store: Store, memory: Memory | None) -> Here:
    """Looks up what a tab remembers.

    Raises:
        StoreFailed: the database cannot be read.
    """
    known = {**FRESH, **(memory or {})}
    if not known["conversation"]:
        return Here((), "same")
    try:
        turns = store.turns(ME, str(known["conversation"]))[-LATEST:]
    except UnknownConversation:
        return Here((), "gone")
    return Here(turns, "same" if known["seen"] == _seen(turns) else "changed")


def remembered(conversation: str, turn: int, attempts: int) -> Memory:
    """What a tab remembers that shows a turn with so many answers as the last."""
    return {**FRESH, "conversation": conversation, "seen": f"{turn}.{attempts}"}


def editing(memory: Memory | None) -> int:
    """The number of the turn that the tab is editing; 0 if none."""
    found = (memory or FRESH).get("editing", 0)
    return found if isinstance(found, int) else 0


def _seen(turns: Sequence[Turn]) -> str:
    """Numbers are never used again, so the last turn and its answers tell all states apart."""
    return f"{turns[-1].number}.{len(turns[-1].answers)}" if turns else ""
