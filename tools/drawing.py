"""What the tools that draw have in common: words that are checked, pictures with their recipe."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from index.card import Run
from tools import placement, recipe, wording
from tools.base import Block, Context, Image, NeedsInput, Text, ToolFailed
from tools.measure import measure

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from tools.engines.adapters import Adapter
    from tools.engines.flux import Drawn, Order, Painter
    from tools.engines.flux_edit import Change

_SEEDS = 2**31  # from which one is chosen by chance
NEAREST = 'The nearest that it can draw is "{}".'
_REAL = "FLUX.2-klein-4B"  # to name where our own small model has drawn
_LONGEST = 10_000  # characters of a prompt


@dataclass(frozen=True)
class How:
    """How pictures were made, beside the words, the size and the steps.

    Attributes:
        mode: of an edit; empty for pictures from words alone.
        strength: how much of a picture may be new, from 0 to 1; none where that is no question.
        adapters: what the model wore.
    """

    mode: str = ""
    strength: float | None = None
    adapters: tuple["Adapter", ...] = ()


def check_length(prompt: str) -> None:
    """Refuses a prompt that is longer than any model reads.

    Raises:
        ToolFailed: it is.
    """
    if len(prompt) > _LONGEST:
        raise ToolFailed(
            f"The prompt has {len(prompt):,} characters; at most {_LONGEST:,} are taken. Say it "
            "in a few sentences."
        )


def check_words(painter: "Painter", prompts: Sequence[str], hint: str = NEAREST) -> None:
    """Asks before anything is drawn that the model cannot understand.

    Args:
        painter: the loaded model.
        prompts: what is asked of it.
        hint: what to say instead, with `{}` for the nearest prompt that it can draw.

    Raises:
        NeedsInput: the model does not know some words.
    """
    from tools.engines import flux
    from tools.pocket.nearest import nearest

    for prompt in prompts:
        if unknown := flux.unknown_words(painter, prompt):
            close = nearest(prompt)
            raise NeedsInput(
                f"{painter.system} is our own small model of simple drawings, and does not know: "
                f"{', '.join(unknown[:8])}. {hint.format(close)} For anything else name a real "
                f"model, such as {_REAL}.",
                (f"Draw {close}",) if hint == NEAREST else (),
            )


def guidance(run: Run, told: float | None = None) -> float:
    """How closely the words are followed: as told, else the model's own value."""
    own = 3.5 if run.guidance is None else run.guidance
    return own if told is None else told


def steps(run: Run, told: int | None = None) -> int:
    """Steps of denoising: as told, else the model's own number."""
    return told or run.steps or 28


def first_seed(told: int | None) -> int:
    """The seed of the first picture: as told, else by chance."""
    return random.randrange(_SEEDS) if told is None else told  # noqa: S311 - of a picture


def drawn(
    ctx: Context,
    painter: "Painter",
    orders: Sequence["Order"],
    how: How,
    change: "Change | None" = None,
) -> Iterator[Block]:
    """The pictures, one by one as they are drawn, then how they were made.

    Args:
        ctx: the context.
        painter: what draws them.
        orders: what to draw.
        how: what else goes into the recipe; the adapters are worn.
        change: what is changed, where it is no picture from words alone.

    Raises:
        NeedsConsent: the rest takes longer than was agreed to.
        TakesLong: it is to be run again, as a job.
        ToolFailed: an adapter does not fit, or there is no memory.
    """
    from tools.engines import flux, flux_edit
    from tools.engines.adapters import worn

    done: list[tuple[float, float]] = []  # seconds and MiB of each
    with worn(painter.system, painter.pipeline, how.adapters), _Watched(ctx) as watched:
        told = tuple(orders), watched, watched.show
        for made in flux_edit.draw(painter, change, *told) if change else flux.draw(painter, *told):
            done.append((made.seconds, made.peak_memory_mib))
            if len(done) == 1:
                _agree(ctx, made.seconds * (len(orders) - 1))
            yield _image(ctx, painter, made, len(done), how)
    yield _circumstances(ctx, painter, orders, done, how)
    if said := placement.told(made.placement):
        yield Text(said, state=(made.placement.quantised,))
    yield from notes(ctx, painter)


class _Watched:
    """Passes progress on, and pictures as they form; their files are gone when it is over."""

    def __init__(self, ctx: Context) -> None:
        self._ctx, self._shown = ctx, 0
        self._done, self._note = 0.0, ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for number in range(self._shown - 2, self._shown + 1):  # a stop may come between them
            self._file(number).unlink(missing_ok=True)

    def __call__(self, done: float, note: str = "") -> None:
        self._done, self._note = done, note
        self._ctx.report(done, note)

    def show(self, picture: "Picture") -> None:
        """Shows a picture as it forms; the file before the last one may still be asked for."""
        self._shown += 1
        picture.save(self._file(self._shown))
        self._ctx.report(self._done, self._note, preview=self._file(self._shown))
        self._file(self._shown - 2).unlink(missing_ok=True)

    def _file(self, number: int) -> Path:
        return self._ctx.run_folder / f"forming-{number}.png"


def _agree(ctx: Context, seconds: float) -> None:
    question = f"These pictures take about {seconds / 60:.0f} minutes. Shall I?"
    ctx.agreement.take(seconds, question, "Yes, draw them all")


def _image(ctx: Context, painter: "Painter", drawn: "Drawn", number: int, how: How) -> Image:
    order, card = drawn.order, ctx.catalog.get(painter.system)
    made = recipe.Recipe(
        prompt=order.prompt,
        negative_prompt=order.negative_prompt,
        model=painter.system,
        seed=order.seed,
        width=drawn.picture.width,
        height=drawn.picture.height,
        steps=order.steps,
        guidance=order.guidance,
        strength=how.strength,
        mode=how.mode,
        adapters=tuple((adapter.name, adapter.strength) for adapter in how.adapters),
        licence=card.licence if card else "",
    )
    path = ctx.run_folder / f"picture-{number}.png"
    recipe.write(drawn.picture, path, made)
    return recipe.picture(path, made, order.prompt or how.mode)


def _circumstances(
    ctx: Context,
    painter: "Painter",
    orders: Sequence["Order"],
    done: Sequence[tuple[float, float]],
    how: How,
) -> Text:
    """Model, device, time, memory, and what to say to get the same again."""
    order = orders[0]
    worn = [f"{adapter.name} at {adapter.strength:g}" for adapter in how.adapters]
    share = "" if how.strength is None else f" at strength {how.strength:g}"
    size = f"{order.width} x {order.height} px"
    conditions = [size, f"{order.steps} steps", f"{how.mode}{share}", *worn]
    at = ", ".join(filter(None, conditions))
    seconds, mib = sum(one for one, _ in done) / len(done), max(one for _, one in done)
    speed = measure(ctx, painter.system, "latency_ms", 1000 * seconds, at)
    peak = measure(ctx, painter.system, "peak_memory_mib", mib, at)
    seeds = f"{order.seed}" if len(orders) == 1 else f"{order.seed} and on"
    said = (f"Seed {seeds}", f"guidance {order.guidance:g}")
    same = "the same words, picture and seed give" if how.mode else "the same words and seed give"
    held = "the GPU" if painter.device == "cuda" else "the whole process"
    return Text(
        f"{painter.system} on {speed.device}: latency {wording.shown(speed)} a picture ({at}), "
        f"peak memory {wording.shown(peak)} of {held}. "
        f"{', '.join(said)}: {same} the same picture.",
        (speed, peak),
        state=said,
    )


def notes(ctx: Context, painter: "Painter") -> Iterator[Text]:
    """What its licence forbids, and what to use instead of our own small model."""
    card = ctx.catalog.get(painter.system)
    if card and card.commercial_use == "no":
        yield Text(
            f"The licence of {card.id} ({card.licence}) does not allow commercial use.",
            tuple(ctx.catalog.find(card.id, "licence")),
        )
    if card and card.kind == "pocket":
        memory = wording.best(ctx.catalog.find(_REAL, "memory_gib"))
        takes = f" (memory {wording.cell(memory)})" if memory else ""
        yield Text(
            "That comes from our own small model of simple drawings. For real pictures use "
            f"{_REAL}: it takes a GPU{takes} and a network to fetch it, or a folder that holds it.",
            (memory,) if memory else (),
        )
