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
        "a dragon made of glass, sunset, photorealistic",
        "Design a logo for my bakery",
        "draw me a unicorn please please",
        "I want a picture of red shoes in a shop window",
        "I need a poster for our school concert with violins on it",
        "Imagine a city under the sea",
        "Product shot of a clay vase on white marble, studio light",
        "Paint a portrait of an old fisherman in oil",
        "Make three pictures of a sports car in the rain, 1024x768",
        "Make me a picture of two plants on a window sill",
        "paint picture of mountain with snow, for my wife",
        "Sketch a robot gardener watering tomatoes",
        "Make art of a fox reading a book, no text, seed 42",
        "schnell: astronaut riding a horse",
        "An image of a pizza on a table, please",
        "visualise a cosy attic room with a big window",
        "Come up with a cover for my novel about a lighthouse",
        "a cute puppy in a basket",
        "Cartoon of a doctor who looks at an x-ray",
        "Photo of a lawyer at her desk, wide format",
        "Render an isometric coffee shop with klein",
        "Let me see what a Viking village at dawn would look like",
        "Generate 4 images of a knight on a bridge",
    ),
    built=False,
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
