"""The tool `personalize`: teach a model your subject."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from tools import teaching
from tools.base import Block, Context, ToolCard

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
    runs_model=True,
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

    Args:
        ctx: the context.
        images: the photos, 3 to 5 that show it from several sides; also a folder or zip of them.
        class_noun: what it is, such as "dog" or "mug".
        token: the word that stands for it; a rare one is chosen if it is left out.
        model: what learns; the default generator if left out.
        method: an adapter (`lora`), the whole network, or one word alone.
        steps: of the optimiser.
        captions: what each photo shows beside it, in order, with semicolons between.
        prior_images: pictures of the class that the model goes on drawing as before.
        class_images: a folder of such pictures; the model draws them if it is left out.
        prior_weight: how much they count.
        learning_rate: the highest.
        rank: of the adapter.
        resolution: px of the sides that the model sees.
        train_text_encoder: whether the first text encoder learns, too.
        config: a TOML file with these settings; a list in it is one training for each.

    Raises:
        NeedsInput: photos, or what is on them, are missing, or it takes long.
        ToolFailed: the photos, a setting or the model will not do.
    """
    from tools.engines.training import settings

    given = {
        "model": model,
        "class_noun": class_noun or None,
        "token": token,
        "method": None if method == "lora" else method,
        "steps": steps,
        "captions": tuple(map(str.strip, captions.split(";"))) if captions else None,
        "prior_images": prior_images,
        "class_images": str(class_images) if class_images else None,
        "prior_weight": prior_weight,
        "learning_rate": learning_rate,
        "rank": rank,
        "resolution": resolution,
        "train_text_encoder": train_text_encoder,
    }
    said = {name: value for name, value in given.items() if value is not None}
    for told in settings.read(config) if config else ({},):
        photos = images or tuple(map(Path, told.get("images", ())))
        yield from teaching.teach(ctx, {**told, **said}, photos)
