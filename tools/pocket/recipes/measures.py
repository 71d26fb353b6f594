"""How well our drawing models keep to what they are told, as the judge reads their pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from diffusers import FluxKontextPipeline, FluxPipeline
from PIL import Image

from tools.pocket import world
from tools.pocket.captions import describe
from tools.pocket.edits import Edit, edit, join
from tools.pocket.judge import Verdict, judged, load_judge, shares_right
from tools.pocket.words import T5_LENGTH

MEASURE_SEED: Final = 1_000_006
CALL: Final[dict[str, Any]] = {
    "height": world.PIXELS,
    "width": world.PIXELS,
    "num_inference_steps": 20,
    "true_cfg_scale": 3.5,
    "negative_prompt": "",
    "max_sequence_length": T5_LENGTH,
}
EDIT_CALL: Final[dict[str, Any]] = {
    **CALL, "true_cfg_scale": 3.0, "max_area": world.PIXELS**2, "_auto_resize": False,
}  # fmt: skip


def drawn_by(
    pipeline: Any,
    prompts: list[str],
    seed: int,
    references: Sequence[world.Pictures] = (),
    **call: Any,
) -> world.Pictures:
    """Pictures of prompts as a stock pipeline draws them, 8-bit RGB of shape (n, 96, 96, 3).

    Args:
        pipeline: that of diffusers.
        prompts: in words.
        seed: of the noise.
        references: the picture that each goes by, all of one size; none if none is needed.
        call: what the pipeline is called with.
    """
    made = []
    for start in range(0, len(prompts), 50):
        part = prompts[start : start + 50]
        told = {**call, "negative_prompt": [call["negative_prompt"]] * len(part)}
        if references:
            told["image"] = [Image.fromarray(one) for one in references[start : start + 50]]
        generator = torch.Generator().manual_seed(seed + start)
        made.append(pipeline(prompt=part, generator=generator, output_type="np", **told).images)
    return (np.concatenate(made) * 255).round().astype(np.uint8)


def measure(folder: Path, count: int, seed: int = MEASURE_SEED, **call: Any) -> dict[str, float]:
    """What the judge reads right in pictures of full prompts, drawn by the stock pipeline.

    Returns:
        The share by question; ``three``: kind, colour and background right together; ``two``:
        both kinds and both colours right in prompts of two things.
    """
    pipeline = FluxPipeline.from_pretrained(folder, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    call = {**CALL, **call}
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


def measure_edits(
    folder: Path, count: int, seed: int = MEASURE_SEED, **call: Any
) -> dict[str, float]:
    """What the judge reads right in edited pictures, made by the stock pipeline.

    Returns:
        ``done``: what was asked for is there; ``kept``: all else is as it was, the place, kind,
        colour, fill and size of every thing and the background; ``joined``: kind and colour are
        those of the first reference, the background is that of the second; and ``done`` by change.
    """
    pipeline = FluxKontextPipeline.from_pretrained(folder, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    rng, judge, call = np.random.default_rng(seed), load_judge(), {**EDIT_CALL, **call}
    edits, joins = [edit(rng) for _ in range(count)], [join(rng) for _ in range(count)]

    def read(known: Sequence[Edit], references: Sequence[world.Pictures]) -> list[Verdict]:
        told = [one.instruction for one in known]
        return judged(judge, drawn_by(pipeline, told, seed, references, **call))

    found = read(edits, list(world.draw_many([one.before for one in edits])))
    pairs = [world.draw_many([one.before, one.second]) for one in joins if one.second]
    joined = read(joins, [np.concatenate(list(pair), axis=1) for pair in pairs])
    right = [_right(one, seen) for one, seen in zip(edits, found, strict=True)]
    told = list(zip(right, edits, strict=True))
    by_change = {
        change: float(np.mean([done for (done, _), e in told if e.change == change]))
        for change in sorted({one.change for one in edits})
    }
    done, kept = np.mean(right, axis=0)
    both = [_joined(one.after, seen) for one, seen in zip(joins, joined, strict=True)]
    return {"done": float(done), "kept": float(kept), "joined": float(np.mean(both)), **by_change}


def _right(asked: Edit, seen: Verdict) -> tuple[bool, bool]:
    """Whether what was asked for is done, and whether all else was kept."""
    before, after, there = (
        _facts(one.things, one.background) for one in (asked.before, asked.after, seen)
    )
    if asked.change == "add":  # where, and how it looks, may be told in part
        [new] = set(asked.after.things) - set(asked.before.things)
        done = any(_said([new]) == _said([thing]) for thing in seen.things)
    else:
        done = after - before <= there and not (before - after) & there
    return done, before & after <= there


def _facts(things: Sequence[Any], background: str) -> set[tuple[str, ...]]:
    """A picture as single facts, each of a thing by its place."""
    facts: set[tuple[str, ...]] = {("background", background)}
    for thing in things:
        for name in ("kind", "colour", "fill", "size"):
            facts.add((thing.place, name, getattr(thing, name)))
    return facts


def _joined(after: world.Scene, seen: Verdict) -> bool:
    [thing], first = after.things, seen.things[0]
    told = (thing.kind, thing.colour, after.background)
    return (first.kind, first.colour, seen.background) == told


def _said(things: Sequence[Any]) -> set[tuple[str, str]]:
    return {(thing.kind, thing.colour) for thing in things}
