"""An answer as it is kept, so that it can be shown again whole: its JSON, and what that omits.

The JSON of an answer is a contract with other programs. What only the page shows (why a tool was
chosen, who says a claim and whether it is refuted, the title of a table) lies beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path, PurePath
from typing import Any

from assistant.answer import Answer, Status, StepState, to_json
from index.evidence import Claim, Fact, Measurement
from index.search import Hit
from tools.base import Agreement, Block, File, Image, Plot, Table, Text
from tools.recipe import caption
from tools.work import ENDED, Job, State

_WHOLE = "whole"
_NOWHERE = "/dev/null"  # is no folder, so that no file can ever lie below it
STATUS: Mapping[State, Status] = {
    "queued": "running", "running": "running", "paused": "waiting", "done": "done",
    "failed": "failed", "cancelled": "stopped",
}  # fmt: skip
_BLOCKS: dict[str, type[Block]] = {kind.__name__: kind for kind in (Text, Table, Image, Plot, File)}


def to_kept(answer: Answer) -> dict[str, Any]:
    """The answer as JSON, from which `from_kept` makes it again."""
    whole = {
        **blocks_kept(answer.blocks),
        "steps": [vars(step) | {"arguments": dict(step.arguments)} for step in answer.steps],
        "hits": [asdict(hit) for hit in answer.hits],
        "consent": asdict(answer.consent) if answer.consent else None,
    }
    return {**to_json(answer), _WHOLE: whole}


def from_kept(kept: Mapping[str, Any]) -> Answer:
    """The answer that was kept."""
    whole = kept[_WHOLE]
    return Answer(
        question=kept["question"],
        conversation=kept["conversation"],
        turn=kept["turn"],
        outcome=kept["outcome"],
        steps=tuple(StepState(**step) for step in whole["steps"]),
        ask=kept["ask"] or "",
        choices=tuple(kept["choices"]),
        consent=Agreement(**whole["consent"]) if whole["consent"] else None,
        hits=tuple(Hit(**hit) for hit in whole["hits"]),
        blocks=blocks_from(whole),
        seconds=kept["seconds"],
        finished=True,
    )


def without_whole(kept: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON of a kept answer, as programs read it."""
    return {name: value for name, value in kept.items() if name != _WHOLE}


def with_jobs(kept: Mapping[str, Any], jobs: Sequence[Job]) -> Mapping[str, Any]:
    """A kept answer with its jobs as they stand now: what they have made, and how they ended."""
    told = {str(job.number): job for job in jobs}
    mine = [step["job"] for step in kept["steps"] if step["job"] in told]
    if not mine:
        return kept
    answer = from_kept(kept)
    for place, step in enumerate(answer.steps):
        if step.job in told and step.status == "running":
            answer = _with_job(answer, place, told[step.job])
    return to_kept(answer)


def _with_job(answer: Answer, place: int, job: Job) -> Answer:
    counts = [step.blocks for step in answer.steps]
    first = len(answer.blocks) - sum(counts[place:])
    after = answer.blocks[first + counts[place] :]
    begun = answer.blocks[first : first + counts[place]] if job.state not in ENDED else ()
    made = (*begun, *job.blocks)
    before = answer.steps[place]
    step = replace(
        before,
        status=STATUS[job.state],
        seconds=job.seconds,
        error=job.error,
        done=job.done,
        note=job.note,
        blocks=len(made),
    )
    steps = (*answer.steps[:place], step, *answer.steps[place + 1 :])
    answer = replace(
        answer,
        steps=steps,
        blocks=(*answer.blocks[:first], *made, *after),
        seconds=answer.seconds + max(0.0, job.seconds - before.seconds),
    )
    if job.state == "failed":
        return replace(answer, ask=job.error)
    return answer


def without_picture(kept: Mapping[str, Any], name: str, day: date) -> Mapping[str, Any]:
    """An answer or the blocks of a job, as kept, after a picture was deleted.

    The picture keeps its place, so that "the third one" is still the third one.

    Args:
        kept: the JSON of an answer, or what `blocks_kept` gave.
        name: the run and file of a generated picture, "run/file.png"; no other file is meant.
        day: when it was deleted.
    """
    changed = {**kept, "blocks": [_without(row, name, day) for row in kept["blocks"]]}
    if _WHOLE in kept:
        changed[_WHOLE] = without_picture(kept[_WHOLE], name, day)
    return changed


def _without(row: Mapping[str, Any], name: str, day: date) -> Mapping[str, Any]:
    *_, run, file = ("", "", *PurePath(row.get("path", "")).parts)
    if f"{run}/{file}" != name or not caption(row.get("metadata", {})):
        return row
    said = f"This picture was deleted on {day.day} {day:%B %Y}."
    told = {"state": [said]} if "state" in row else {}
    gone = {"path": f"{_NOWHERE}/{file}", "alt": said, "metadata": {"deleted": day.isoformat()}}
    return {**row, **told, **gone}


def blocks_kept(blocks: Sequence[Block]) -> dict[str, Any]:
    """Blocks as JSON, from which `blocks_from` makes them again: `facts` and `blocks`."""
    facts = {fact.id: asdict(fact) for block in blocks for fact in block.cites}
    return {"facts": facts, "blocks": [_block_kept(block) for block in blocks]}


def blocks_from(kept: Mapping[str, Any]) -> tuple[Block, ...]:
    """The blocks that were kept."""
    facts = {name: _fact(row) for name, row in kept["facts"].items()}
    return tuple(_block(row, facts) for row in kept["blocks"])


def _block_kept(block: Block) -> dict[str, Any]:
    row = {name: getattr(block, name) for name in block.__dataclass_fields__}
    row["cites"] = [fact.id for fact in block.cites]
    if "path" in row:
        row["path"] = str(row["path"])
    for name in {"metadata", "data"} & set(row):
        row[name] = dict(row[name])
    return {"kind": type(block).__name__, **row}


def _block(row: Mapping[str, Any], facts: Mapping[str, Fact]) -> Block:
    fields = {name: _tuples(value) for name, value in row.items() if name != "kind"}
    fields["cites"] = tuple(facts[name] for name in row["cites"])
    if "path" in fields:
        fields["path"] = Path(fields["path"])
    return _BLOCKS[row["kind"]](**fields)


def _fact(row: Mapping[str, Any]) -> Fact:
    return Claim(**row) if "verdict" in row else Measurement(**row)


def _tuples(value: Any) -> Any:
    """What JSON made a list, as the tuple it was."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
