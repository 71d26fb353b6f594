"""How the judge was trained: plain supervision on drawings, a little blurred and noisy.

Run it with ``python -m tools.pocket.recipes.judge``.
"""

from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from tools.base import LiveReport
from tools.pocket import world
from tools.pocket.judge import CHANNELS, Judge, judged, load_judge, shares_right
from tools.pocket.recipes import loop
from tools.pocket.recipes.drawing import drawn, painters
from tools.pocket.recipes.places import mirrored, place_loss, place_targets
from tools.pocket.world import BACKGROUNDS

NAME: Final = "judge"
SEED: Final = 7
MEASURE_SEED: Final = 1_000_001
PACE: Final = loop.Pace(steps=1_800, rate=4e-3)


def _worn(pictures: Tensor) -> Tensor:
    """Blur a third of the pictures, and add noise: the judge must read generated ones too."""
    blurred = functional.avg_pool2d(pictures, 3, 1, 1, count_include_pad=False)
    share = torch.rand(len(pictures), 1, 1, 1)
    pictures = torch.where(share < 0.33, blurred.lerp(pictures, share * 3), pictures)
    return pictures + torch.randn_like(pictures) * torch.rand(len(pictures), 1, 1, 1) * 10


def _loss(model: nn.Module, batch: loop.Batch) -> Tensor:
    pictures, places, backgrounds = batch
    pictures, places = mirrored(_worn(pictures.float()), places)
    answers, background = model(pictures.contiguous(memory_format=torch.channels_last))
    return place_loss(answers, places) + functional.cross_entropy(background, backgrounds)


def measure(judge: Judge, count: int, seed: int = MEASURE_SEED) -> dict[str, float]:
    """Share of held-out drawings of one thing that the judge reads right, by question."""
    scenes = [s for s in world.scenes(seed, 0, 2 * count) if len(s.things) == 1][:count]
    return shares_right(judged(judge, world.draw_many(scenes)), scenes)


def train(
    folder: Path,
    checkpoints: Path,
    report: LiveReport,
    pace: loop.Pace = PACE,
    measured: int = 4_000,
) -> dict[str, Any]:
    """Train the judge and write its folder.

    Args:
        folder: Where config.json, model.safetensors and metrics.json go.
        checkpoints: The folder of checkpoints to go on from and to save to.
        report: Called after every step; may raise to stop.
        pace: How long and how fast.
        measured: Held-out pictures of one thing to measure on.

    Returns:
        What stands in metrics.json.
    """
    torch.manual_seed(SEED)
    model = Judge().to(memory_format=torch.channels_last)
    with painters() as executor:
        draw = drawn(SEED, pace.round, executor)

        def feed(number: int) -> loop.Batch:
            pictures, scenes = draw(number)
            backgrounds = torch.tensor([BACKGROUNDS.index(scene.background) for scene in scenes])
            return (
                torch.from_numpy(pictures).permute(0, 3, 1, 2),
                place_targets(scenes),
                backgrounds,
            )

        mean, spent = loop.fit(
            model, _loss, feed, seed=SEED, pace=pace, checkpoints=checkpoints, report=report
        )
    config = {"architecture": NAME, "channels": CHANNELS, "world": world.VERSION}
    facts = {"n": measured, "seed": MEASURE_SEED, **spent}
    loop.save_model(folder, mean, config)
    return loop.write_metrics(folder, measure(load_judge(folder), measured), facts, pace)


if __name__ == "__main__":
    loop.main(NAME, train, PACE)
