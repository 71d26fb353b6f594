"""The kept turns of a conversation as what a later question may point back to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.conversation import Attachment, Exchange, Step, Turn, understood
from assistant.kept import from_kept
from tools.base import Block, File, Image, Text
from tools.side_by_side import GRID


@dataclass(frozen=True)
class Made:
    """What a step has made.

    Attributes:
        pictures: the pictures, in order.
        model: the id of the system that it chose, or the file of the model that it wrote.
        picks: ids of the systems that it recommended, best first.
    """

    pictures: tuple[Path, ...]
    model: Any
    picks: tuple[str, ...] = ()


def made_by(blocks: Sequence[Block]) -> Made:
    """What is in the blocks of a step."""
    images = tuple(
        block.path
        for block in blocks
        if isinstance(block, Image) and block.metadata.get("shows") not in ("before", GRID)
    )
    picks = [
        pick["system"]
        for block in blocks
        if isinstance(block, Text)
        for pick in block.data.get("picks", ())
    ]
    written = [block.path for block in blocks if isinstance(block, File)]
    return Made(images, next(iter((*picks, *written)), None), tuple(picks))


def made_in(turn: Turn, number: int) -> Made:
    """What a step of an earlier turn has made."""
    if not turn.answers:
        return Made((), None)
    answer = from_kept(turn.answers[-1])
    start = sum(state.blocks for state in answer.steps[: number - 1])
    count = answer.steps[number - 1].blocks if number <= len(answer.steps) else 0
    return made_by(answer.blocks[start : start + count])


def exchanges(turns: Sequence[Turn]) -> tuple[Exchange, ...]:
    """What was asked and done, in the order asked."""
    past: list[Exchange] = []
    for turn in turns:
        files = tuple(Attachment("image", path.name, path) for path in turn.images)
        past.append(Exchange(turn.question, files))
        if turn.answers:
            past[-1] = _answered(past, turn, files, turn.answers[-1])
    return tuple(past)


def _answered(
    past: Sequence[Exchange], turn: Turn, files: tuple[Attachment, ...], kept: Mapping[str, Any]
) -> Exchange:
    number = len(past)
    steps = tuple(
        Step(
            step["tool"],
            {name: understood(v, number, past) for name, v in step["arguments"].items()},
        )
        for step in kept["steps"]
    )
    made = [made_in(turn, place) for place in range(1, len(steps) + 1)]
    pictures = tuple(len(one.pictures) for one in made)
    # Those that were only told not to fit are not what is talked about.
    picks = [pick for one in made for pick in one.picks]
    systems = tuple(dict.fromkeys(picks or [fact["system"] for fact in kept["evidence"]]))
    waiting = kept["outcome"] == "clarify"
    something = tuple(bool(one.pictures or one.model) for one in made) if not waiting else ()
    said = kept["ask"] or ""
    return Exchange(turn.question, files, steps, said, pictures, systems, waiting, something)
