"""The work `train_pocket`: trains one of our own small models from its recipe."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from typing import Annotated

from pydantic import Field

from tools.base import Block, Context, Text, ToolCard, ToolFailed

CARD = ToolCard(
    title="Train a pocket model",
    summary="Trains one of our own small models from its recipe.",
    examples=(),
    runs_model=True,
)
RECIPES = {
    "pocket-convnext": "convnext",
    "judge": "judge",
    "pocket-flux": "flux",
    "pocket-kontext": "kontext",
}


def train_pocket(
    ctx: Context,
    name: str,
    steps: Annotated[int, Field(ge=1)] | None = None,
    drawn: Annotated[int, Field(ge=64)] | None = None,
    measured: Annotated[int, Field(ge=10)] = 4_000,
) -> Iterator[Block]:
    """Trains a pocket model, going on from its last checkpoint; it is used from then on.

    Args:
        ctx: the context.
        name: pocket-convnext, judge, pocket-flux or pocket-kontext.
        steps: how long; as the recipe says if left out.
        drawn: pictures drawn for a round; as the recipe says if left out.
        measured: held-out pictures to measure it on.

    Raises:
        ToolFailed: there is no recipe of that name.
    """
    if name not in RECIPES:
        raise ToolFailed(f"There is no recipe for {name!r}. Choose from: {', '.join(RECIPES)}.")
    if ctx.models is None:
        raise RuntimeError("training runs where the models are")
    recipe = import_module(f"tools.pocket.recipes.{RECIPES[name]}")
    pace = replace(recipe.PACE, steps=steps or recipe.PACE.steps, round=drawn or recipe.PACE.round)
    made = ctx.run_folder / name
    figures = recipe.train(made, ctx.kept, ctx.report, pace, measured)
    kept = ctx.models.own / name
    kept.parent.mkdir(parents=True, exist_ok=True)
    old = ctx.run_folder / "before"
    if kept.exists():
        kept.rename(old)
    shutil.copytree(made, kept)
    told = "What was measured stands in its metrics.json."
    yield Text(f"{name} is trained and kept among your own models. {told}", data=figures)
