"""An answer as it is kept, so that it can be shown again whole: its JSON, and what that omits.

The JSON of an answer is a contract with other programs. What only the page shows (why a tool was
chosen, who says a claim and whether it is refuted, the title of a table) lies beside it.
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from assistant.answer import Answer, StepState, to_json
from index.evidence import Claim, Fact, Measurement
from index.search import Hit
from tools.base import Agreement, Block, File, Image, Plot, Table, Text

_WHOLE = "whole"
_BLOCKS: dict[str, type[Block]] = {kind.__name__: kind for kind in (Text, Table, Image, Plot, File)}


def to_kept(answer: Answer) -> dict[str, Any]:
    """The answer as JSON, from which `from_kept` makes it again."""
    facts = {fact.id: asdict(fact) for fact in answer.evidence}
    whole = {
        "facts": facts,
        "steps": [vars(step) | {"arguments": dict(step.arguments)} for step in answer.steps],
        "hits": [asdict(hit) for hit in answer.hits],
        "consent": asdict(answer.consent) if answer.consent else None,
        "blocks": [_block_kept(block) for block in answer.blocks],
    }
    return {**to_json(answer), _WHOLE: whole}


def from_kept(kept: Mapping[str, Any]) -> Answer:
    """The answer that was kept."""
    whole = kept[_WHOLE]
    facts = {name: _fact(row) for name, row in whole["facts"].items()}
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
        blocks=tuple(_block(row, facts) for row in whole["blocks"]),
        seconds=kept["seconds"],
        finished=True,
    )


def without_whole(kept: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON of a kept answer, as programs read it."""
    return {name: value for name, value in kept.items() if name != _WHOLE}


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
