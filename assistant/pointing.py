"""What the arguments of a step point to: files of the question, and what other steps made."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from assistant.conversation import Attachment, Ref, Step, Turn
from assistant.history import Made, made_in
from tools.base import ToolFailed


def needed(step: Step) -> tuple[int, ...]:
    """The steps of its own plan that a step needs, by number."""
    own = (ref for ref in _refs(step) if ref.kind == "step" and not ref.turn)
    return tuple(ref.number for ref in own)


def _refs(step: Step) -> Iterator[Ref]:
    for value in step.arguments.values():
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, Ref):
                yield one


def resolved(
    arguments: Mapping[str, Any],
    files: Sequence[Attachment],
    turns: Sequence[Turn],
    made: Mapping[int, Made],
) -> dict[str, Any]:
    """The arguments with files and models in place of what points to them.

    Args:
        arguments: of a step.
        files: what came with the question.
        turns: the turns before.
        made: what the steps before have made, by number.

    Raises:
        ToolFailed: what is pointed to is gone, or never was.
    """
    found: dict[str, Any] = {}
    for name, value in arguments.items():
        several = isinstance(value, tuple)
        values = [
            item
            for one in (value if several else (value,))
            for item in (_meant(one, name, files, turns, made) if isinstance(one, Ref) else (one,))
        ]
        found[name] = tuple(values) if several else values[0]
    return found


def _meant(
    ref: Ref,
    name: str,
    files: Sequence[Attachment],
    turns: Sequence[Turn],
    made: Mapping[int, Made],
) -> tuple[Any, ...]:
    """What a reference points to: one or more files, or the name of a model."""
    found: tuple[Any, ...]
    if ref.kind == "attachment":
        paths = turns[ref.turn - 1].images if ref.turn else tuple(file.path for file in files)
        found = paths[ref.number - 1 : ref.number]
    else:
        there = made_in(turns[ref.turn - 1], ref.number) if ref.turn else made[ref.number]
        pictures = there.pictures[ref.picture - 1 : ref.picture] if ref.picture else there.pictures
        found = (there.model,) if name in ("model", "models", "adapter") else pictures
    gone = not found or any(
        one is None or (isinstance(one, Path) and not one.exists()) for one in found
    )
    if gone:
        if name in ("model", "models"):
            raise ToolFailed("No one model came out of the step that you point to. Name the model.")
        what = "picture" if name in ("images", "mask", "like") else name
        raise ToolFailed(f"The {what} that you point to is not there any more. Give it again.")
    return found
