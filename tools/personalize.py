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
        "I want to see my dog as an astronaut, here are four photos of him",
        "train a lora on my face",
        "Learn what my handmade vase looks like, so that I can put it into adverts",
        "Can FLUX learn our company mascot from these pictures?",
        "dreambooth, 5 images of my sneakers, token sks",
        "Make the model remember this character for my comic",
        "Textual inversion: an embedding of my cat with a token",
        "here are some shots of my grandma, i want to make new pictures of her later",
        "Learn my own drawing style from these paintings",
        "Fine-tune SDXL on my own person with 800 steps, rank 16",
        "create my avatar model from selfies",
        "My daughter's teddy bear should be the hero of a picture book, learn it from these",
        "I photographed our car from all sides and want it in new scenes, train on it",
        "please learn the model my face from this photos",
        "Use these photos as subject, class noun plant, with prior preservation",
        "Make the generator know my shoe design",
        "Train klein on photos of my subject with captions",
        "Teach FLUX my house",
        "How can I put myself into new pictures? I upload photos of me",
        "LoRA training on 4 pictures of my ring, rank 8",
        "Personal model of our horse, I have a few photos",
        "Full DreamBooth run on stable-diffusion-v1-5 with my puppy",
        "LoRA of our product bottle, 5 pics attached",
        "Teach the AI our logo from 4 pictures so that it can draw it on things",
    ),
    built=False,
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
