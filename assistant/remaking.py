"""A dropped-in picture that carries its recipe: how it was made is told, or it is made again."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from assistant.conversation import Attachment, Exchange, Step
from index.names import Names
from tools import recipe
from tools.base import Block, Text

_MADE = re.compile(
    r"\bhow (?:was|were|did you|have you|is|are)\b[^.?!]{0,40}"
    r"\b(?:made|make|generated?|created?|drawn|drew|done)\b",
    re.IGNORECASE,
)
_USED = re.compile(
    r"\b(?:what|which|show|tell|read|extract|give)\b[^.?!]{0,30}"
    r"\b(?:prompt|seed|recipe|settings|parameters|metadata|steps|guidance)\b[^.?!]{0,20}"
    r"\b(?:was|were|used|did|behind|made|(?:of|in|for) (?:this|that|it|the))\b",
    re.IGNORECASE,
)
_NOT_SAID = (
    "The file does not say how it was made: it holds no recipe. Programs that make pictures write "
    "one, but chats, sites and editors often remove it."
)
_AGAIN = re.compile(
    r"\b(?:same|again|once more|remake|redo|recreate|reproduce|regenerate|one more like)\b"
    r"|\b(?:another|other|different|new|with|use) seed\b|^\W*seed \d+",
    re.IGNORECASE,
)


def told_recipes(text: str, pictures: Sequence[Path]) -> tuple[Block, ...]:
    """How pictures were made, as their files say, if that is what is asked.

    Args:
        text: the person's words.
        pictures: decoded picture files.
    """
    asked = _MADE.search(text)
    if not pictures or not (asked or _USED.search(text)):
        return ()
    made = tuple(recipe.told(found) for path in pictures if (found := recipe.read(path)))
    return made or ((Text(_NOT_SAID),) if asked else ())


def drawn_before(
    text: str, files: Sequence[Attachment], names: Names
) -> tuple[tuple[Attachment, ...], tuple[Exchange, ...]]:
    """A picture with a recipe as an earlier turn, if it is to be made once more.

    Args:
        text: the person's words, such as "same with seed 8".
        files: what came with them.
        names: knows the models that can be named.

    Returns:
        The other files, and the turn in which the picture was drawn from words; all files and no
        turn if no picture is to be made again, or it was not made from words alone.
    """
    pictures = [file for file in files if file.kind == "image" and file.path]
    if len(pictures) != 1 or not _AGAIN.search(text):
        return tuple(files), ()
    made = recipe.read(pictures[0].path) if pictures[0].path else None
    if made is None or made.mode or not made.prompt:
        return tuple(files), ()
    drawn = Step("generate", _arguments(made, names))
    others = tuple(file for file in files if file is not pictures[0])
    return others, (Exchange(made.prompt, steps=(drawn,), pictures=(1,), made=(True,)),)


def _arguments(made: recipe.Recipe, names: Names) -> Mapping[str, Any]:
    """What the tool is called with to draw a picture again, as far as it is known here."""
    known = replace(made, model=names.resolve(made.model) or "")
    given = {
        name: getattr(known, name)
        for name in (
            "prompt", "negative_prompt", "model", "width", "height", "steps", "guidance", "seed",
        )
    }  # fmt: skip
    worn = ", ".join(f"{name}:{strength:g}" for name, strength in made.adapters)
    arguments = {**given, "adapter": worn}
    return {name: value for name, value in arguments.items() if value not in (None, "")}
