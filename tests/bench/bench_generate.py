"""Drawing with our engine and with the stock pipeline: same weights, seed and machine, one run.

The two take turns, so that whatever else the machine does falls on both. An upper end of the
interval of their ratio below 1.05 shows that our engine costs nothing.
"""

import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import FluxPipeline

from index import catalog
from tools.engines import flux
from tools.pocket.recipes.measures import CALL

PAIRS, FEW = 30, 4
PROMPT = "a large red striped star in the centre on a white background"


def _stock(pipeline: Any, seed: int, steps: int) -> tuple[float, Any]:
    began = time.perf_counter()
    generator = torch.Generator("cpu").manual_seed(seed)
    call = CALL | {"num_inference_steps": steps}
    [picture] = pipeline(PROMPT, generator=generator, **call).images
    return time.perf_counter() - began, picture


def _ours(painter: flux.Painter, seed: int, steps: int) -> tuple[float, Any]:
    began = time.perf_counter()
    order = flux.Order(PROMPT, "", 96, 96, steps, 5.0, seed)
    [drawn] = flux.draw(painter, (order,), lambda done, note="": None)
    return time.perf_counter() - began, drawn.picture


def test_our_engine_beside_the_stock_pipeline() -> None:
    """The same pixels, and the upper end of the 95 % interval of the ratio at most 1.05."""
    card = catalog.load().get("pocket-flux")
    assert card
    folder = Path(catalog.__file__).parents[1] / "tools" / card.run.weights
    painter = flux.load_painter(card.id, folder, "cpu", card.run)
    pipeline: Any = FluxPipeline.from_pretrained(folder, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    print(f"\npocket-flux, 96 x 96 px, {PAIRS} pairs, torch {torch.__version__}")
    print("steps  stock s  ours s  ratio (95 % interval)")
    for steps in (FEW, CALL["num_inference_steps"]):
        stock, ours = [], []
        for seed in range(-1, PAIRS):  # the first pair warms up
            first, one = _stock(pipeline, seed % PAIRS, steps)
            second, other = _ours(painter, seed % PAIRS, steps)
            assert (np.asarray(one) == np.asarray(other)).all()
            if seed >= 0:
                stock.append(first)
                ours.append(second)
        ratios = np.log(np.array(ours) / np.array(stock))
        error = 1.96 * ratios.std(ddof=1) / PAIRS**0.5
        low, middle, high = np.exp([ratios.mean() - error, ratios.mean(), ratios.mean() + error])
        told = f"{middle:.3f} ({low:.3f} to {high:.3f})"
        print(f"{steps:5}  {statistics.median(stock):7.3f} {statistics.median(ours):7.3f}  {told}")
        assert high <= 1.05
