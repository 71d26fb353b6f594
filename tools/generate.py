"""The tool `generate`: make pictures from words."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from tools.base import Block, Context, NotBuiltYet, ToolCard

CARD = ToolCard(
    title="Make pictures from words",
    summary="Draws pictures from a description.",
    examples=(
        "Make a picture of a red star on blue",
        "Draw a cat on the moon",
        "Generate an image of a house by a lake",
        "Create four variations of a logo with a fish",
        "Can you paint a tree in autumn?",
        "Picture of a cup, 4 steps, seed 7",
        "I want an illustration of a blue car",
    ),
)


def generate(
    ctx: Context,
    prompt: str,
    negative_prompt: str = "",
    model: str | None = None,
    width: int | None = None,
    height: int | None = None,
    steps: Annotated[int, Field(ge=1, le=100)] | None = None,
    guidance: Annotated[float, Field(ge=0, le=100)] | None = None,
    seed: Annotated[int, Field(ge=0)] | None = None,
    count: Annotated[int, Field(ge=1, le=64)] = 1,
    batch_of: Path | None = None,
    adapter: str | None = None,
    fit: Literal["speed", "memory"] | None = None,
) -> Iterator[Block]:
    """Draws pictures from a description.

    Raises:
        NotBuiltYet: always.
    """
    raise NotBuiltYet("generate")
