"""Which open FLUX models run on this very machine, and what it costs there."""

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from index.card import Card
from index.evidence import Fact
from tools import wording
from tools.base import Block, Context, Table, Text
from tools.measure import described
from tools.placement import Placement

if TYPE_CHECKING:
    from tools.engines.fitting import Fit

_SHIPPED = "pocket-flux"
_ASKS = re.compile(
    r"\b(?:which|what)(?: of (?:the|these|your))?(?: open| local)? flux\b(?: ?\.?[12])?"
    r"(?: (?:model|one|version)s?)?(?: (?:can|could|do|will|would)(?: i)?)? "
    r"(?:run|runs|fit|fits)\b.{0,20}"
    r"\b(?:here|locally"
    r"|(?:this|my|our) (?:own )?(?:machine|computer|pc|laptop|gpu|card|hardware))\b",
    re.IGNORECASE,
)
_COLUMNS = (
    "Model", "Weights in bf16 (file size)", "Held here", "Memory to run here", "What that costs",
    "Commercial use", "Steps",
)  # fmt: skip
_GIB = 2**30
_BY = "the shapes of its networks"  # what the figures come from
_TILED = "seams may show in large even areas"
_COSTS = {  # by the bits of the weights and what is moved, what it costs
    ("", ""): "nothing",
    ("", "model"): "time with each picture; the same pictures",
    ("", "sequential"): "many times the time; the same pictures",
    ("fp8", ""): "pictures change a little",
    ("nf4", ""): "pictures change a little more",
    ("fp8", "model"): "time, and pictures change a little",
    ("nf4", "model"): "time, and pictures change a little more",
}
_HELD = {"": "resident", "model": "offloaded by part", "sequential": "offloaded by layer"}


def asks(words: str) -> bool:
    """Whether words ask which FLUX models run on the machine that is used."""
    return _ASKS.search(words) is not None


def told(ctx: Context) -> Iterator[Block]:
    """What runs at once, and a table of the open FLUX models, each as this machine would hold it.

    Args:
        ctx: the context.

    Raises:
        ToolFailed: it cannot be counted here.
        Stopped: the person asked to stop.
    """
    from tools.engines.fitting import fits

    cards = {c.id: c for c in ctx.catalog.cards.values() if c.kind == "weights"}
    found, device, free = fits({name: card.run for name, card in cards.items()}, ctx.report)
    there = f"{free / _GIB:.1f} GiB are free on {device}"
    rows = [
        (cards[system], fit)
        for fit in sorted(found, key=lambda one: one.weights)
        for system in fit.systems
    ]
    fitting = [card.name for card, fit in rows if fit.placement]
    able = f"Of the open models these fit: {', '.join(fitting)}." if fitting else _NONE
    shipped = ctx.catalog.get(_SHIPPED)
    at_once = f"**{shipped.name}** runs here at once, with no download. " if shipped else ""
    yield Text(f"{at_once}{able} Just now {there}.", state=(there,))
    yield table(ctx, rows)
    yield Text(_HOW)


_NONE = "None of the open models fits into the memory of this machine."
_HOW = (
    "The figures are predicted from the shapes of the networks, as before every picture, for one "
    "picture at the model's own size. A model that fits must be downloaded once; hosted models run "
    "with a key instead."
)


def table(ctx: Context, rows: Sequence[tuple[Card, "Fit"]]) -> Table:
    """The models with their weights, how this machine would hold them, licence and steps.

    Args:
        ctx: the context.
        rows: the cards, each with how its shapes fit.
    """
    cells, cites = [], list[Fact]()
    for card, fit in rows:
        weights = described(ctx, card.id, "file_mb", round(fit.weights / 1e6), "bf16", _BY)
        facts = [*ctx.catalog.find(card.id, "commercial_use")[:1]]
        steps = ctx.catalog.find(card.id, "steps")[:1]
        memory, needed = "-", fit.placement.room / _GIB if fit.placement else 0.0
        if needed:
            room = described(ctx, card.id, "memory_gib", round(needed, 1), "predicted", _BY)
            memory = wording.shown(room)
            facts.append(room)
        cites += [weights, *facts, *steps]
        cells.append(
            (
                card.name,
                wording.shown(weights),
                *_held(fit.placement, memory),
                card.commercial_use or "not stated",
                "; ".join(map(wording.shown, steps)) or "-",
            )
        )
    return Table(_COLUMNS, tuple(cells), "Open FLUX models on this machine", tuple(cites))


def _held(placement: Placement | None, memory: str) -> tuple[str, str, str]:
    """How a model is held here, with how much memory, and what that costs."""
    if placement is None:
        return "does not fit", memory, "-"
    held = " ".join(filter(None, (placement.quantised, _HELD[placement.offload])))
    costs = _COSTS[placement.quantised, placement.offload]
    return held, memory, f"{costs}; {_TILED}" if placement.tiled else costs
