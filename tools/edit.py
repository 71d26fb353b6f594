"""The tool `edit`: change a picture."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from tools import canvas, changing, drawing, editors, hosted, kin, sizes, wishes
from tools.base import Block, Context, Image, NeedsInput, Text, ToolCard, ToolFailed
from tools.forms import PIPELINE
from tools.placement import Wanted

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from tools.engines.flux import Order, Painter
    from tools.engines.flux_edit import Change, Mode

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
    runs_model=True,
    hosted=True,
)
_CONTROLS = {"canny": "edges-control", "depth": "depth-control"}  # capabilities of their cards
_JOINED = "Put the thing of the first picture on the background of the second"
_NEEDS_WORDS = ("img2img", "instruct", "reference", "canny", "depth")
_TITLES = {
    "img2img": "Drawing over a picture", "inpaint": "Drawing under a mask",
    "outpaint": "Extending a picture", "instruct": "Changing a picture by instruction",
    "reference": "Combining pictures", "canny": "Following edges", "depth": "Following depth",
    "variation": "Varying a picture",
}  # fmt: skip
_BASES = ("FLUX.1-dev", "FLUX.1-schnell")  # that draw for a model which only reads pictures
_TOLD_WORDS = 'Say it in words that it knows, such as "make the star blue".'
_SHOWN_WORDS = 'Describe what shall be there, such as "{}".'
_MOST_PICTURES = 10
_SHOWN = (1024, 1024)  # px, of the picture as it was


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
    expand: str | dict[str, int | None] | None = None,
    width: int | None = None,
    height: int | None = None,
    steps: Annotated[int, Field(ge=1, le=100)] | None = None,
    guidance: Annotated[float, Field(ge=0, le=100)] | None = None,
    seed: Annotated[int, Field(ge=0, lt=2**63)] | None = None,
    count: Annotated[int, Field(ge=1, le=64)] = 1,
    adapter: str | None = None,
) -> Iterator[Block]:
    """Changes a picture by words, a mask or references, each result with its recipe in the file.

    Args:
        ctx: the context.
        images: the picture, or several to go by.
        prompt: what to change, or what the new picture shows.
        mask: a picture of the same size: white where it may change.
        model: card id or local folder; the best that is here if left out.
        mode: the kind of change; told by what is given if left out.
        strength: how much of the picture may be new, over 0 to 1.
        expand: how far to extend the picture: "left 200", "all 25%", "16:9", or px by side.
        width: px; the picture's own, as far as the model takes it, if left out.
        height: px; in the picture's shape if only the width is given.
        steps: of denoising; the model's own if left out.
        guidance: how closely the words are followed; the model's own if left out.
        seed: of the first picture, the next ones count on; by chance if left out.
        count: pictures to make.
        adapter: names or files of adapters that the model wears, with strengths: "a:0.8, b".

    Raises:
        NeedsInput: a picture, a mask or words are missing, or the model does not know the words.
        ToolFailed: what was given does not go together, or the model cannot be had here.
    """
    if not images:
        raise NeedsInput("Which picture shall I change? Attach it.")
    if card := hosted.card_of(ctx, model):
        sizes_told = (width, height, steps, guidance, seed)
        wish = wishes.Wish(
            prompt, "", *sizes_told, images, mask, strength=strength, mode=mode or ""
        )
        yield from hosted.run(ctx, card, wishes.changes(wish, expand, count, adapter or ""))
        return
    if ctx.models is None:
        raise RuntimeError("edit runs where the models are")
    if len(images) > _MOST_PICTURES:
        raise ToolFailed(
            f"There are {len(images)} pictures; at most {_MOST_PICTURES} are looked at together."
        )
    drawing.check_length(prompt)
    pictures = tuple(canvas.picture(path) for path in images)
    how = drawing.How(adapters=ctx.models.adapters(adapter or ""))
    asked = mode or _asked(len(pictures), prompt, mask, expand)
    _check_together(asked, mask, expand)
    system = model or _editor(ctx, asked)
    room = _room(ctx, system, asked, pictures, (width, height))
    painter: Painter = ctx.models.load(system, ctx.report, ctx.agreement, PIPELINE, room)
    chosen = _mode(ctx, painter, asked)
    prompt, left_out = _understood(painter, chosen, prompt)
    seen, found = _depth(ctx, pictures) if chosen == "depth" else (pictures, ())
    wanted = changing.Wanted(seen, prompt, mask, strength, expand, width, height)
    ready = changing.prepared(painter, chosen, wanted)
    painter, change = _with_base(ctx, painter, ready.change, prompt)
    first = drawing.first_seed(seed)
    orders = _orders(painter, prompt, ready.size, steps, guidance, range(first, first + count))
    yield from _before(ctx, pictures)
    yield from (*found, *ready.notes, *left_out)
    how = replace(how, mode=chosen, strength=change.strength)
    yield from drawing.drawn(ctx, painter, orders, how, change)


def _asked(
    count: int, prompt: str, mask: Path | None, expand: str | dict[str, int | None] | None
) -> "Mode | None":
    """The kind of change that is told by what is given; none where the model decides."""
    if mask is not None:
        return "inpaint"
    if expand:
        return "outpaint"
    if count > 1:
        return "reference"
    return None if prompt.strip() else "variation"


def _check_together(
    asked: "Mode | None", mask: Path | None, expand: str | dict[str, int | None] | None
) -> None:
    """Refuses what would be left out without a word."""
    if mask is not None and asked != "inpaint":
        raise ToolFailed(f"{asked} takes no mask. Leave it out, or use the mode inpaint.")
    if expand and asked != "outpaint":
        raise ToolFailed(
            f"{asked} does not extend a picture. Extend it first, then change what came out."
        )


def _editor(ctx: Context, asked: "Mode | None") -> str:
    """The best that is here for a kind of change; by instruction rather than by description."""
    assert ctx.models is not None  # noqa: S101 - asked by `edit`
    for mode in (asked,) if asked else ("instruct", "img2img"):
        if found := ctx.models.default_editor(mode):
            return found
    instead = "describe the whole picture that you want, and I draw it over this one"
    raise ToolFailed(
        f"{_TITLES[asked or 'img2img']} takes a model such as {editors.REAL[asked or 'img2img'][0]}"
        f", which is not here or too large for {ctx.device}. Name it and I fetch it, or {instead}."
    )


def _room(
    ctx: Context,
    system: str,
    asked: "Mode | None",
    pictures: "Sequence[Picture]",
    size: tuple[int | None, int | None],
) -> Wanted:
    """What there must be memory for."""
    card = ctx.catalog.get(system)
    assert ctx.models is not None  # noqa: S101 - asked by `edit`
    run = kin.run_of(card, None if card else ctx.models.weights(system), ctx.catalog.cards)
    seen = pictures if asked in (None, "instruct", "reference") else ()
    references = tuple(sizes.of_picture(system, run, one.size, None, None) for one in seen)
    return Wanted(*size, references)


def _mode(ctx: Context, painter: "Painter", asked: "Mode | None") -> "Mode":
    """The kind of change that a model is used for."""
    from tools.engines import flux_edit

    able, card = flux_edit.modes(painter), ctx.catalog.get(painter.system)
    if card:  # two kinds of maps are read by the same class
        told = {capability.id for capability in card.capabilities}
        able = tuple(mode for mode in able if _CONTROLS.get(mode) in (None, *told))
    if asked is None and {"canny", "depth"} <= set(able):
        raise NeedsInput(f"What shall {painter.system} follow?", ("The edges", "The depth map"))
    if asked is None and able:
        return able[0]
    if asked is not None and asked in able:
        return asked
    does = f"it does {', '.join(able)}" if able else "it draws from words alone"
    wanted = asked or "instruct"
    raise ToolFailed(
        f"{painter.system} does not do {wanted}: {does}. Name another model, such as "
        f"{editors.REAL[wanted][0]}."
    )


def _understood(painter: "Painter", mode: "Mode", prompt: str) -> tuple[str, tuple[Text, ...]]:
    """The words for the model, and a note if they were left out.

    A picture can be extended without words; what else the model does not know is asked about.
    """
    from tools.engines import flux

    if mode == "reference" and not prompt.strip():
        raise NeedsInput("What shall the new picture show? Say it in a sentence.", (_JOINED,))
    if mode in _NEEDS_WORDS and not prompt.strip():
        raise NeedsInput("What shall I change? Say it in a sentence.")
    if mode == "outpaint" and flux.unknown_words(painter, prompt):
        note = f"{painter.system} does not know these words, and went on from the picture alone."
        return "", (Text(note),)
    told = mode in ("instruct", "reference")
    drawing.check_words(painter, (prompt,), _TOLD_WORDS if told else _SHOWN_WORDS)
    return prompt, ()


def _depth(
    ctx: Context, pictures: "tuple[Picture, ...]"
) -> "tuple[tuple[Picture, ...], tuple[Text, ...]]":
    """The map of a picture's depth and a note, if it is no map yet and a model for that is here."""
    from tools.engines import depth, edges

    assert ctx.models is not None  # noqa: S101 - asked by `edit`
    if len(pictures) > 1 or edges.is_grey(pictures[0]):
        return pictures, ()
    folder = ctx.models.depth(ctx.report, ctx.agreement)
    if folder is None:
        return pictures, ()
    found = depth.depth_map(folder, pictures[0], ctx.device)
    told = f"The new picture follows the depth of yours, as {editors.DEPTH} tells it."
    return (found,), (Text(told),)


def _with_base(
    ctx: Context, painter: "Painter", change: "Change", prompt: str
) -> "tuple[Painter, Change]":
    """A model that only reads pictures, with one that draws from what it reads."""
    from tools.engines import flux_edit

    if ctx.models is None or not flux_edit.is_prior(painter):
        return painter, change
    here = next((name for name in _BASES if ctx.models.weights(name)), _BASES[0])
    base: Painter = ctx.models.load(here, ctx.report, ctx.agreement, PIPELINE)
    return flux_edit.joined(painter, base, change.pictures, prompt)


def _orders(
    painter: "Painter",
    prompt: str,
    size: tuple[int, int],
    steps: int | None,
    guidance: float | None,
    seeds: range,
) -> "tuple[Order, ...]":
    """What to draw, the model's own values standing where nothing was said."""
    from tools.engines.flux import Order

    run = painter.run
    told = (*size, drawing.steps(run, steps), drawing.guidance(run, guidance))
    return tuple(Order(prompt, "", *told, seed) for seed in seeds)


def _before(ctx: Context, pictures: "Sequence[Picture]") -> Iterator[Image]:
    """The pictures as they were given; they are no result of this step."""
    for number, picture in enumerate(pictures, 1):
        small = picture.copy()
        small.thumbnail(_SHOWN)
        path = ctx.run_folder / f"before-{number}.png"
        small.save(path)
        yield Image(path, "Before", {"shows": "before"})
