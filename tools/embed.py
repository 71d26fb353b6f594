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
        "are there any duplicates in this folder?",
        "Find me photos that look like this shoe",
        "Which of my dog pictures are nearly the same shot?",
        "Cluster these plants by how they look",
        "I want feature vectors as a csv file",
        "how similar are these two logos",
        "Has someone copied my design? Check it against these images",
        "penultimate layer activations of resnet50 for this batch",
        "Sort my wedding shots so that similar ones lie together",
        "Compute the cosine similarity between these pictures",
        "Search my archive for pottery that resembles this vase",
        "Too many of my holiday pictures look the same, show me the repeats",
        "Which earlier x-rays resemble this case the most?",
        "Turn these images into vectors for my database",
        "Rank the other pictures by closeness to the first one",
        "nearest neighbours of this car among the uploaded ones",
        "Are the two photos of the same cup?",
        "Which picture is the odd one out?",
        "i need to know what photos is resembling between them",
        "Visual search inside my own catalogue",
        "Extract deep features with swin_tiny",
        "Embeddings of my images by vit_base, 768 numbers each",
        "Show five lookalikes of this chair from the zip",
        "Which pieces of pottery go together by shape and colour?",
    ),
    built=False,
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
