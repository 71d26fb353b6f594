"""How pocket-flux was trained: a small FLUX, from scratch, on drawings and captions.

T5 first learns to read captions. Then rectified flow over the latents of the autoencoder, the two
text encoders trained along; it begins with easy pictures, without which kinds were no better than
chance after 66,000 samples.

Run it with ``python -m tools.pocket.recipes.flux``; it goes on from the weights in the folder.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from tools.base import LiveReport
from tools.pocket.captions import caption, describe
from tools.pocket.convnext import load as load_convnext
from tools.pocket.recipes import flow, loop, reading
from tools.pocket.recipes.drawing import eased, painters
from tools.pocket.recipes.measures import MEASURE_SEED, measure
from tools.pocket.recipes.network import begun, keep
from tools.pocket.world import Scene

NAME: Final = "pocket-flux"
WEIGHTS: Final = Path(__file__).parents[1] / "weights" / NAME
SEED: Final = 41
PACE: Final = loop.Pace(
    steps=3_000, batch=96, round=6_144, passes=10, rate=3e-3, decay=0.01, average=0.998
)
_CAPTIONS: Final = 4  # for each picture
_UNTOLD: Final = 0.1  # share of pictures whose caption is left out, for guidance
_CAPITAL: Final = 0.3
# Shares of easy pictures at the beginning, falling to none at seven tenths.
_EASE_AT_FIRST: Final = 0.9
_EASE: Final = 0.5


def _loss(model: nn.Module, batch: loop.Batch) -> Tensor:
    picture, aligned, weight, clip, t5, about = batch
    n = len(picture)
    told = torch.randint(1, _CAPTIONS + 1, (n,))
    told[torch.rand(n) < _UNTOLD] = 0  # the empty caption stands first
    clip, t5, about = (part[torch.arange(n), told].long() for part in (clip, t5, about))
    seen = (picture.float(), aligned.float(), weight.float())
    return flow.flow_loss(model, *seen, (clip, t5), about).mean()


def _captions(pipeline: Any, scenes: list[Scene], seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Token ids of captions, and what the tokens are about; none, then several for each scene.

    Returns:
        For CLIP and for T5, shapes (n, 1 + captions, length), and labels (n, 1 + captions, 20, 6).
    """
    rng = np.random.default_rng(seed)
    texts: list[str] = []
    about: list[reading.Labels] = []
    for scene in scenes:
        told = [caption(scene, rng) for _ in range(_CAPTIONS - 1)] + [describe(scene)]
        texts += ["", *(t[:1].upper() + t[1:] if rng.random() < _CAPITAL else t for t in told)]
        about += [reading.unasked(), *(reading.of_caption(text, scene) for text in told)]
    clip, t5 = (ids.view(len(scenes), 1 + _CAPTIONS, -1) for ids in flow.token_ids(pipeline, texts))
    return clip, t5, torch.from_numpy(np.stack(about)).view(*t5.shape, -1)


def train(
    folder: Path,
    checkpoints: Path,
    report: LiveReport,
    pace: loop.Pace = PACE,
    measured: int = 300,
    start: Path | None = None,
) -> dict[str, Any]:
    """Train pocket-flux, going on from weights that are there, and write its folder.

    Args:
        folder: Where the pipeline goes, as diffusers reads and writes it.
        checkpoints: The folder of checkpoints to go on from and to save to.
        report: Called after every step; may raise to stop.
        pace: How long and how fast.
        measured: Held-out prompts of one thing, and of two, to measure on.
        start: The folder to go on from, or of which the autoencoder is taken if it holds no more;
            the one that is written if it has any, else the shipped one.

    Returns:
        What stands in metrics.json.
    """
    start = start or (folder if folder.exists() else WEIGHTS)
    before = loop.before(start)
    seed = SEED + before["sittings"]  # every sitting sees pictures of its own
    ease = _EASE if before["sittings"] else _EASE_AT_FIRST
    eyes = load_convnext()
    torch.manual_seed(seed)
    pipeline = begun(start)
    if not before["sittings"]:
        quick = replace(reading.PACE, steps=min(reading.PACE.steps, pace.steps))
        reading.learn(pipeline, checkpoints / "reading", report, quick)
    with painters() as executor:

        def feed(number: int) -> loop.Batch:
            share = ease * max(0.0, 1 - number * pace.round_steps / (0.7 * pace.steps))
            pictures, scenes = eased(seed, number * pace.round, pace.round, share, executor)
            told = _captions(pipeline, scenes, seed * 1_000_003 + number)
            seen = flow.seen(eyes, pictures)
            weights = flow.weights([scene.things for scene in scenes])
            return (flow.latents(pipeline.vae, pictures), seen, weights, *told)

        how = {"seed": seed, "pace": pace, "checkpoints": checkpoints, "report": report}
        spent = flow.teach(pipeline, _loss, feed, **how)
    keep(pipeline, folder, start)
    facts = {"n": measured, "seed": MEASURE_SEED, **loop.summed(before, spent)}
    return loop.write_metrics(folder, measure(folder, measured), facts, pace)


if __name__ == "__main__":
    loop.main(NAME, train, PACE)
