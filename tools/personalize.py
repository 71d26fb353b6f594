"""The tool `personalize`: teach a model your subject."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from tools.base import Block, Context, NotBuiltYet, ToolCard

CARD = ToolCard(
    title="Teach a model your subject",
    summary="Teaches a model your subject from a few photos, so that it can draw it.",
    examples=(
        "Teach the model my dog from these photos",
        "Learn my cat Miso from 5 pictures",
        "Make a LoRA of my product",
        "Train dreambooth on these images of my toy",
        "Personalise FLUX with my face",
        "I want pictures of my own mug, here are photos of it",
    ),
)


def personalize(
    ctx: Context,
    images: tuple[Path, ...] = (),
    class_noun: str = "",
    token: str | None = None,
    model: str | None = None,
    method: Literal["lora", "full", "embedding"] = "lora",
    steps: Annotated[int, Field(ge=1, le=20000)] | None = None,
    captions: str | None = None,
    prior_images: Annotated[int, Field(ge=0, le=1000)] | None = None,
    class_images: Path | None = None,
    prior_weight: Annotated[float, Field(ge=0)] | None = None,
    learning_rate: Annotated[float, Field(gt=0)] | None = None,
    rank: Annotated[int, Field(ge=1, le=128)] | None = None,
    resolution: int | None = None,
    train_text_encoder: bool | None = None,
    config: Path | None = None,
) -> Iterator[Block]:
    """Teaches a model your subject from a few photos, so that it can draw it.

    Raises:
        NotBuiltYet: always.
    """
    raise NotBuiltYet("personalize")
