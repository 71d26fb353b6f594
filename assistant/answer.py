"""The answer as it grows, and the JSON that programs read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from index.evidence import Claim, Fact
from index.search import Hit
from tools.base import Agreement, Block, Table, Text

Outcome = Literal["run", "clarify", "decline", "failed"]
Status = Literal["waiting", "running", "done", "failed", "stopped"]


@dataclass(frozen=True)
class StepState:
    """One tool run within an answer.

    Attributes:
        tool: name of the tool.
        arguments: what it was given, pictures as `attachment:1`.
        status: how far it is.
        seconds: how long it has taken.
        error: why it failed, for the person; empty otherwise.
        job: id of the job that does it, if one does.
        done: progress from 0 to 1.
        note: what is going on right now.
        why: why this tool.
        blocks: how many blocks of the answer it gave.
        preview: file of a picture as it forms, while the step runs; empty if there is none.
    """

    tool: str
    arguments: Mapping[str, Any]
    status: Status = "waiting"
    seconds: float = 0.0
    error: str = ""
    job: str | None = None
    done: float = 0.0
    note: str = ""
    why: str = ""
    blocks: int = 0
    preview: str = ""


@dataclass(frozen=True)
class Answer:
    """One turn's answer; a new one replaces it each time it grows.

    Attributes:
        question: the person's words.
        conversation: id of the conversation.
        turn: number of the turn in it, from 1.
        outcome: run, clarify, decline or failed.
        steps: the tools run.
        ask: the question back, or why it declines or failed.
        choices: what to click.
        consent: what to ask again with, if the first choice is clicked; none if it is no consent.
        hits: what the index found.
        blocks: text, tables, pictures, plots and files.
        seconds: time since the question.
        finished: whether it will grow no more.
    """

    question: str
    conversation: str
    turn: int
    outcome: Outcome
    steps: tuple[StepState, ...] = ()
    ask: str = ""
    choices: tuple[str, ...] = ()
    consent: Agreement | None = None
    hits: tuple[Hit, ...] = ()
    blocks: tuple[Block, ...] = ()
    seconds: float = 0.0
    finished: bool = False

    @property
    def evidence(self) -> tuple[Fact, ...]:
        """Every fact that a block cites, once, in order."""
        return tuple({fact.id: fact for block in self.blocks for fact in block.cites}.values())


def to_json(answer: Answer) -> dict[str, Any]:
    """The answer in the form that the command line and the HTTP API promise."""
    return {
        "question": answer.question,
        "conversation": answer.conversation,
        "turn": answer.turn,
        "outcome": answer.outcome,
        "steps": [_step(step) for step in answer.steps],
        "ask": answer.ask or None,
        "choices": list(answer.choices),
        "hits": [{"id": hit.id, "score": round(hit.score, 4)} for hit in answer.hits],
        "blocks": [_block(block) for block in answer.blocks],
        "evidence": [told for fact in answer.evidence for told in _facts(fact)],
        "seconds": round(answer.seconds, 3),
        **_data(answer.blocks),
    }


def _data(blocks: Sequence[Block]) -> dict[str, Any]:
    """What tools tell programs beside their blocks; later blocks win."""
    texts = [block for block in blocks if isinstance(block, Text)]
    return {name: value for text in texts for name, value in text.data.items()}


def _step(step: StepState) -> dict[str, Any]:
    return {
        "tool": step.tool,
        "arguments": dict(step.arguments),
        "status": step.status,
        "seconds": round(step.seconds, 3),
        "error": step.error or None,
        "job": step.job,
    }


def _block(block: Block) -> dict[str, Any]:
    kind = type(block).__name__.lower()
    if isinstance(block, Text):
        return {"type": kind, "text": block.text}
    if isinstance(block, Table):
        rows: Sequence[Sequence[str]] = [list(row) for row in block.rows]
        return {"type": kind, "columns": list(block.columns), "rows": rows}
    metadata = dict(getattr(block, "metadata", {}))
    return {"type": kind, "path": str(block.path), "alt": block.alt, "metadata": metadata}


def _facts(fact: Fact) -> Iterator[dict[str, Any]]:
    """A fact as programs read it; a refuted claim is followed by the right value."""
    cited = isinstance(fact, Claim)
    told = {
        "id": fact.id,
        "system": fact.system,
        "property": fact.property,
        "value": fact.value,
        "unit": fact.unit,
        "origin": "cited" if cited else "measured",
        "source": fact.source if isinstance(fact, Claim) else f"{fact.device}, {fact.machine}",
        "date": fact.date,
        "run": None if isinstance(fact, Claim) else fact.run,
    }
    yield told
    if isinstance(fact, Claim) and fact.right is not None:
        where = f"index/cards/{fact.field}"
        yield {**told, "id": f"{fact.id}:right", "value": fact.right, "source": where}
