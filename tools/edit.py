"""The tool `edit`: change a picture."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from tools.base import Block, Context, NotBuiltYet, ToolCard

CARD = ToolCard(
    title="Change a picture",
    summary="Changes a picture by words, a mask or references.",
    examples=(
        "Make the sky purple in this picture",
        "Remove the cup from this photo",
        "Change the background to stripes",
        "Turn this into a watercolour",
        "Fill the masked hole with a tree",
        "Replace the star with a heart",
        "Extend this picture to the left",
    ),
)


def edit(
    ctx: Context,
    images: tuple[Path, ...] = (),
    prompt: str = "",
    mask: Path | None = None,
    model: str | None = None,
    mode: Literal[
        "img2img", "inpaint", "outpaint", "instruct", "reference", "canny", "depth", "variation"
    ]
    | None = None,
    strength: Annotated[float, Field(ge=0, le=1)] | None = None,
    expand: str | None = None,
    width: int | None = None,
    height: int | None = None,
    steps: Annotated[int, Field(ge=1, le=100)] | None = None,
    guidance: Annotated[float, Field(ge=0, le=100)] | None = None,
    seed: Annotated[int, Field(ge=0)] | None = None,
    count: Annotated[int, Field(ge=1, le=64)] = 1,
    adapter: str | None = None,
) -> Iterator[Block]:
    """Changes a picture by words, a mask or references.

    Raises:
        NotBuiltYet: always.
    """
    raise NotBuiltYet("edit")
