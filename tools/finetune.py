"""The tool `finetune`: train a classifier."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field

from tools.base import Block, Context, NotBuiltYet, ToolCard

CARD = ToolCard(
    title="Train a classifier",
    summary="Trains a classifier on your labelled pictures.",
    examples=(
        "Train a classifier on my labelled pictures",
        "Fine-tune convnext_femto on my dataset",
        "I have folders of photos per class, teach a model to tell them apart",
        "Adapt the classifier to my own categories",
        "Train on this zip of labelled images",
        "Learn my product classes from examples",
    ),
)


def finetune(
    ctx: Context,
    dataset: Path,
    model: str | None = None,
    epochs: Annotated[int, Field(ge=1, le=1000)] | None = None,
    freeze: bool | None = None,
    learning_rate: Annotated[float, Field(gt=0)] | None = None,
    config: Path | None = None,
) -> Iterator[Block]:
    """Trains a classifier on your labelled pictures.

    Raises:
        NotBuiltYet: always.
    """
    raise NotBuiltYet("finetune")
