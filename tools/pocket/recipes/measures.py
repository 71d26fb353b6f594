"""How well a drawing model keeps to its prompts, as the judge reads its pictures."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from diffusers import FluxPipeline

from tools.pocket import world
from tools.pocket.captions import describe
from tools.pocket.judge import judged, load_judge, shares_right
from tools.pocket.words import T5_LENGTH

MEASURE_SEED: Final = 1_000_006
CALL: Final[dict[str, Any]] = {
    "height": world.PIXELS,
    "width": world.PIXELS,
    "num_inference_steps": 20,
    "true_cfg_scale": 3.0,
    "negative_prompt": "",
    "max_sequence_length": T5_LENGTH,
}


def drawn_by(pipeline: Any, prompts: list[str], seed: int, **call: Any) -> world.Pictures:
    """Pictures of prompts at the model's default settings, as 8-bit RGB (n, 96, 96, 3)."""
    made = []
    for start in range(0, len(prompts), 50):
        part = prompts[start : start + 50]
        generator = torch.Generator().manual_seed(seed + start)
        told = {**CALL, **call, "generator": generator, "output_type": "np"}
        told["negative_prompt"] = [told["negative_prompt"]] * len(part)
        made.append(pipeline(part, **told).images)
    return (np.concatenate(made) * 255).round().astype(np.uint8)


def measure(folder: Path, count: int, seed: int = MEASURE_SEED, **call: Any) -> dict[str, float]:
    """What the judge reads right in pictures of full prompts, drawn by the stock pipeline.

    Returns:
        The share by question; ``three``: kind, colour and background right together; ``two``:
        both kinds and both colours right in prompts of two things.
    """
    pipeline = FluxPipeline.from_pretrained(folder, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    known = world.scenes(seed, 0, 6 * count)
    judge = load_judge()
    ones, twos = ([s for s in known if len(s.things) == n][:count] for n in (1, 2))
    read = judged(judge, drawn_by(pipeline, [describe(s) for s in ones], seed, **call))
    both = judged(judge, drawn_by(pipeline, [describe(s) for s in twos], seed, **call))
    three = sum(
        (v.things[0].kind, v.things[0].colour, v.background)
        == (s.things[0].kind, s.things[0].colour, s.background)
        for v, s in zip(read, ones, strict=True)
    )
    two = sum(_said(v.things[:2]) == _said(s.things) for v, s in zip(both, twos, strict=True))
    return shares_right(read, ones) | {"three": three / len(ones), "two": two / len(twos)}


def _said(things: Any) -> set[tuple[str, str]]:
    return {(thing.kind, thing.colour) for thing in things}
