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
        "get rid of the man in the background",
        "Give the dog in my photo a blue hat",
        "Can you brighten this photo and make it warmer?",
        "Put these shoes on a white background",
        "Erase the scratches from the old family portrait",
        "colour this black and white photo",
        "Make the season winter in this shot",
        "Replace the text on the sign with OPEN",
        "what would my living room look like with green walls? here is a photo",
        "Turn my selfie into a cartoon",
        "Widen the image to 16:9 and fill in the sides",
        "delete the logo from this shirt pls",
        "Put my vase on a wooden table next to flowers",
        "Inpaint the white area of the mask",
        "Make a realistic photo out of this sketch",
        "Keep the pose but change the clothes to a suit",
        "Combine these two images into one scene",
        "Give me variations of this logo",
        "make the car red",
        "Use the edges of this picture and make a night version of it",
        "please you change the face expression to smile",
        "Cover the number plate in the picture",
        "Let the plant in this photo have more leaves and blur the rest",
    ),
    built=False,
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
