"""The tool `generate`: make pictures from words."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from tools import recipe, sizes, wording
from tools.base import (
    Block,
    Context,
    Image,
    NeedsConsent,
    NeedsInput,
    Text,
    ToolCard,
    ToolFailed,
)
from tools.forms import PIPELINE
from tools.measure import measure

if TYPE_CHECKING:
    from tools.engines.flux import Drawn, Order, Painter

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
    runs_model=True,
)
_POCKET = "pocket-flux"
_REAL = "FLUX.2-klein-4B"  # to name where our own small model has drawn
_LONGEST = 10_000  # characters of a prompt
_MOST_PROMPTS = 256  # in a file
_SEEDS = 2**31


def generate(
    ctx: Context,
    prompt: str = "",
    negative_prompt: str = "",
    model: str | None = None,
    width: int | None = None,
    height: int | None = None,
    steps: Annotated[int, Field(ge=1, le=100)] | None = None,
    guidance: Annotated[float, Field(ge=0, le=100)] | None = None,
    seed: Annotated[int, Field(ge=0, lt=2**63)] | None = None,
    count: Annotated[int, Field(ge=1, le=64)] = 1,
    batch_of: Path | None = None,
    adapter: str | None = None,
    fit: Literal["speed", "memory"] | None = None,
) -> Iterator[Block]:
    """Draws pictures from a description, each with its recipe in the file.

    Args:
        ctx: the context.
        prompt: what to draw.
        negative_prompt: what to keep away from, for models that can.
        model: card id or local folder; the best that is here if left out.
        width: px; the model's own if left out.
        height: px; the model's own if left out.
        steps: of denoising; the model's own if left out.
        guidance: how closely the words are followed; the model's own if left out.
        seed: of the first picture, the next ones count on; by chance if left out.
        count: pictures of each prompt.
        batch_of: a text file with a prompt on each line, instead of one prompt.
        adapter: not taken yet.
        fit: not taken yet.

    Raises:
        NeedsInput: no prompt, a size that the model does not take, or words that it does not know.
        ToolFailed: the model cannot be had here, or has no memory.
    """
    prompts = _prompts(prompt, batch_of)
    if adapter or fit:
        raise ToolFailed("generate takes no adapter and no fit yet. Leave them out.")
    if ctx.models is None:
        raise RuntimeError("generate runs where the models are")
    painter: Painter = ctx.models.load(
        model or ctx.models.default_generator(), ctx.report, ctx.agreement, PIPELINE
    )
    _check_words(painter, prompts)
    first = random.randrange(_SEEDS) if seed is None else seed  # noqa: S311 - of a picture
    order = _order(painter, prompts[0], negative_prompt, (width, height), steps, guidance, first)
    orders = [
        replace(order, prompt=one, seed=first + number)
        for one in prompts
        for number in range(count)
    ]
    yield from _drawn(ctx, painter, orders)


def _prompts(prompt: str, batch_of: Path | None) -> tuple[str, ...]:
    told = [prompt]
    if batch_of is not None:
        try:
            lines = batch_of.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ToolFailed(
                f"{batch_of.name} cannot be read as text: {error}. Give a prompt on each line."
            ) from None
        told = [line for line in map(str.strip, lines) if line]
    if not any(one.strip() for one in told):
        raise NeedsInput("What shall I draw? Describe the picture in a sentence.")
    if len(told) > _MOST_PROMPTS:
        raise ToolFailed(f"There are {len(told):,} prompts; at most {_MOST_PROMPTS} are taken.")
    if longest := next((one for one in told if len(one) > _LONGEST), ""):
        raise ToolFailed(
            f"The prompt has {len(longest):,} characters; at most {_LONGEST:,} are taken. Say it "
            "in a few sentences."
        )
    return tuple(told)


def _check_words(painter: "Painter", prompts: Sequence[str]) -> None:
    """Asks before anything is drawn that the model cannot understand."""
    from tools.engines import flux
    from tools.pocket.nearest import nearest

    for prompt in prompts:
        if unknown := flux.unknown_words(painter, prompt):
            close = nearest(prompt)
            raise NeedsInput(
                f"{painter.system} is our own small model of simple drawings, and does not know: "
                f'{", ".join(unknown[:8])}. The nearest that it can draw is "{close}". For '
                "anything else name a real model, such as FLUX.2-klein-4B.",
                (f"Draw {close}",),
            )


def _order(
    painter: "Painter",
    prompt: str,
    negative_prompt: str,
    size: tuple[int | None, int | None],
    steps: int | None,
    guidance: float | None,
    seed: int,
) -> "Order":
    """What to draw, the model's own values standing where nothing was said."""
    from tools.engines import flux

    run = painter.run
    scale = guidance if guidance is not None else run.guidance if run.guidance is not None else 3.5
    width, height = sizes.size(painter.system, run, *size)
    if negative_prompt and not flux.takes_negative_prompt(painter, scale):
        raise ToolFailed(
            f"{painter.system} takes no negative prompt at guidance {scale:g}. Say in the prompt "
            "what is to be there instead."
        )
    return flux.Order(prompt, negative_prompt, width, height, steps or run.steps or 28, scale, seed)


def _drawn(ctx: Context, painter: "Painter", orders: Sequence["Order"]) -> Iterator[Block]:
    """The pictures, one by one, then how they were made."""
    from tools.engines import flux

    seconds = []
    for drawn in flux.draw(painter, tuple(orders), ctx.report):
        seconds.append(drawn.seconds)
        if len(seconds) == 1:
            _agree(ctx, drawn.seconds * (len(orders) - 1))
        yield _image(ctx, painter, drawn, len(seconds))
    yield _circumstances(ctx, painter, orders, seconds)
    yield from _notes(ctx, painter)


def _agree(ctx: Context, seconds: float) -> None:
    """Asks before what takes long; makes it a job if it was agreed to."""
    if seconds > ctx.agreement.seconds:
        raise NeedsConsent(
            f"These pictures take about {seconds / 60:.0f} minutes. Shall I?",
            "Yes, draw them all",
            replace(ctx.agreement, seconds=1.5 * seconds),
        )
    ctx.agreement.hand_over(seconds)


def _image(ctx: Context, painter: "Painter", drawn: "Drawn", number: int) -> Image:
    order, card = drawn.order, ctx.catalog.get(painter.system)
    made = recipe.Recipe(
        prompt=order.prompt,
        negative_prompt=order.negative_prompt,
        model=painter.system,
        seed=order.seed,
        width=order.width,
        height=order.height,
        steps=order.steps,
        guidance=order.guidance,
        licence=card.licence if card else "",
    )
    path = ctx.run_folder / f"picture-{number}.png"
    recipe.write(drawn.picture, path, made)
    return recipe.picture(path, made)


def _circumstances(
    ctx: Context, painter: "Painter", orders: Sequence["Order"], seconds: Sequence[float]
) -> Text:
    """Model, device, time, and what to say to get the same again."""
    order = orders[0]
    at = f"{order.width} x {order.height} px, {order.steps} steps"
    speed = measure(ctx, painter.system, "seconds_per_image", sum(seconds) / len(seconds), at)
    seeds = f"{order.seed}" if len(orders) == 1 else f"{order.seed} and on"
    said = (f"Seed {seeds}", f"guidance {order.guidance:g}")
    return Text(
        f"{painter.system} on {speed.device}: {wording.shown(speed)} a picture ({at}). "
        f"{', '.join(said)}: the same words and seed give the same picture.",
        (speed,),
        state=said,
    )


def _notes(ctx: Context, painter: "Painter") -> Iterator[Text]:
    card = ctx.catalog.get(painter.system)
    if card and card.commercial_use == "no":
        yield Text(
            f"The licence of {card.id} ({card.licence}) does not allow commercial use.",
            tuple(ctx.catalog.find(card.id, "licence")),
        )
    if painter.system == _POCKET:
        memory = wording.best(ctx.catalog.find(_REAL, "memory_gib"))
        takes = f" (memory {wording.cell(memory)})" if memory else ""
        yield Text(
            "That comes from our own small model of simple drawings. For real pictures use "
            f"{_REAL}: it takes a GPU{takes} and a network to fetch it, or a folder that holds it.",
            (memory,) if memory else (),
        )
