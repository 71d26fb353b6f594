"""The tool `generate`: make pictures from words."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from tools import drawing, hosted, sizes, subject, wishes
from tools.base import Block, Context, NeedsInput, ToolCard, ToolFailed
from tools.forms import PIPELINE
from tools.placement import Wanted

if TYPE_CHECKING:
    from tools.engines.adapters import Adapter
    from tools.engines.flux import Order, Painter

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
    hosted=True,
)
_MOST_PROMPTS = 256  # in a file


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
        adapter: names or files of adapters that the model wears, with strengths: "a:0.8, b".
        fit: speed, or the least memory, where both cannot be had; speed if left out.

    Raises:
        NeedsInput: no prompt, a size that the model does not take, or words that it does not know;
            of a hosted model, also that there is no key, or no agreement to its price.
        ToolFailed: the model or an adapter cannot be had here, or there is no memory.
    """
    prompts = _prompts(prompt, batch_of)
    if card := hosted.card_of(ctx, model):
        wish = wishes.Wish("", negative_prompt, width, height, steps, guidance, seed)
        yield from hosted.run(ctx, card, wishes.several(wish, prompts, count, adapter or ""))
        return
    if ctx.models is None:
        raise RuntimeError("generate runs where the models are")
    worn = ctx.models.adapters(adapter or "")
    prompts = tuple(_named(one, worn) for one in prompts)
    system, told = model or ctx.models.default_generator(), (ctx.report, ctx.agreement)
    wanted = Wanted(width, height, fit=fit)
    painter: Painter = ctx.models.load(system, *told, PIPELINE, wanted)
    drawing.check_words(painter, prompts)
    first = drawing.first_seed(seed)
    order = _order(painter, prompts[0], negative_prompt, (width, height), steps, guidance, first)
    orders = [
        replace(order, prompt=one, seed=first + number)
        for one in prompts
        for number in range(count)
    ]
    yield from drawing.drawn(ctx, painter, orders, drawing.How(adapters=worn))


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
    for one in told:
        drawing.check_length(one)
    return tuple(told)


def _named(prompt: str, worn: Sequence["Adapter"]) -> str:
    """A prompt in which the subjects of adapters have their tokens."""
    for token, noun in (adapter.trigger for adapter in worn):
        prompt = subject.caption(token, noun, prompt) if token else prompt
    return prompt


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

    run, scale = painter.run, drawing.guidance(painter.run, guidance)
    width, height = sizes.size(painter.system, run, *size)
    if negative_prompt and not flux.takes_negative_prompt(painter, scale):
        raise ToolFailed(
            f"{painter.system} takes no negative prompt at guidance {scale:g}. Say in the prompt "
            "what is to be there instead."
        )
    passes = drawing.steps(run, steps)
    return flux.Order(prompt, negative_prompt, width, height, passes, scale, seed)
