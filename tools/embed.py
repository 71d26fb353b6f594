"""The tool `embed`: find alike pictures."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from tools.base import Block, Context, NotBuiltYet, ToolCard

CARD = ToolCard(
    title="Find alike pictures",
    summary="Computes features of your pictures and shows which are alike.",
    examples=(
        "Which of these pictures are alike?",
        "Find pictures similar to this one",
        "Extract features from my images",
        "Group these photos by similarity",
        "Give me the embedding of this picture",
        "Which photo looks most like the first?",
    ),
)


def embed(
    ctx: Context,
    images: tuple[Path, ...] = (),
    dataset: Path | None = None,
    model: str | None = None,
    layer: str | None = None,
    like: Path | None = None,
    output: Literal["table", "csv", "json"] = "table",
) -> Iterator[Block]:
    """Computes features of your pictures and shows which are alike.

    Raises:
        NotBuiltYet: always.
    """
    raise NotBuiltYet("embed")
