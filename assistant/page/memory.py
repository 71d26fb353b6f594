"""What a tab of the browser remembers, and whether its conversation went on without it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from assistant.answer import Answer, Status
from assistant.conversation import ME, Turn
from assistant.kept import from_kept
from assistant.store import Store, UnknownConversation

# `conversation`: its id; `seen`: its state; `jobs`: where each stands, and how many pictures were
# deleted; `editing`: a turn's number
Memory = Mapping[str, Any]
# An empty value would not be remembered.
FRESH: Memory = {"conversation": "", "seen": "", "jobs": {}, "editing": 0}
LATEST = 50  # turns shown; older ones stay in the store


@dataclass(frozen=True)
class Here:
    """The conversation of a tab as it is in the store.

    Attributes:
        turns: its latest turns; none for a new conversation and for one that is gone.
        state: same as the tab shows it, changed since (in another tab), or gone.
        jobs: where each job stands that a turn has begun, and how many pictures were deleted.
        grown: whether one of them has gone on, or a picture was deleted, since the tab showed it.
    """

    turns: Sequence[Turn]
    state: Literal["same", "changed", "gone"]
    jobs: Mapping[str, str] = field(default_factory=dict)
    grown: bool = False

    @property
    def conversation(self) -> str:
        """Its id; empty for a new one."""
        return self.turns[-1].conversation if self.turns else ""

    @property
    def memory(self) -> Memory:
        """What a tab remembers that shows all of it."""
        seen = _seen(self.turns)
        return {**FRESH, "conversation": self.conversation, "seen": seen, "jobs": self.jobs}


def here(store: Store, memory: Memory | None) -> Here:
    """Looks up what a tab remembers.

    Raises:
        StoreFailed: the database cannot be read.
    """
    tab = known(memory)
    if not tab["conversation"]:
        return Here((), "same")
    try:
        turns = store.turns(ME, str(tab["conversation"]))[-LATEST:]
    except UnknownConversation:
        return Here((), "gone")
    jobs = _jobs(turns)
    same = tab["seen"] == _seen(turns)
    return Here(turns, "same" if same else "changed", jobs, grown=tab["jobs"] != jobs)


def known(memory: Memory | None) -> Memory:
    """What a tab remembers, whole."""
    return {**FRESH, **(memory or {})}


def remembered(answer: Answer, attempts: int, jobs: Mapping[str, str]) -> Memory:
    """What a tab remembers that shows an answer as the last of so many to its turn.

    Args:
        answer: the answer.
        attempts: how many answers its turn has.
        jobs: where the jobs of the other turns stand.
    """
    return {
        **FRESH,
        "conversation": answer.conversation,
        "seen": f"{answer.turn}.{attempts}",
        "jobs": {**jobs, **_begun(answer)},
    }


def standing(status: Status, done: float) -> str:
    """Where a job stands, as far as the chat shows it."""
    return f"{status} {done:.0%}"


def editing(memory: Memory | None) -> int:
    """The number of the turn that the tab is editing; 0 if none."""
    found = (memory or FRESH).get("editing", 0)
    return found if isinstance(found, int) else 0


def _jobs(turns: Sequence[Turn]) -> dict[str, str]:
    """Where each job stands that an answer of these turns has begun; and pictures deleted."""
    answers = [answer for turn in turns for answer in turn.answers]
    with_jobs = [a for a in answers if any(step["job"] for step in a["steps"])]
    stand = {job: at for answer in with_jobs for job, at in _begun(from_kept(answer)).items()}
    shown = [block.get("metadata", {}) for answer in answers for block in answer["blocks"]]
    deleted = sum("deleted" in metadata for metadata in shown)
    return stand | ({"deleted": str(deleted)} if deleted else {})


def _begun(answer: Answer) -> dict[str, str]:
    return {step.job: standing(step.status, step.done) for step in answer.steps if step.job}


def _seen(turns: Sequence[Turn]) -> str:
    """Numbers are never used again, so the last turn and its answers tell all states apart."""
    return f"{turns[-1].number}.{len(turns[-1].answers)}" if turns else ""
