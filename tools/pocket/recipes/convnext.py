"""How pocket-convnext was trained: on drawings, and on chance pictures as what it does not know.

Run it with ``python -m tools.pocket.recipes.convnext``; about half an hour on two idle cores.
"""

from concurrent.futures import Executor
from pathlib import Path
from typing import Any, Final

import timm
import torch
from torch import Tensor, nn
from torch.nn import functional

from tools.base import LiveReport
from tools.pocket import world
from tools.pocket.convnext import load, read
from tools.pocket.judge import ASKED
from tools.pocket.recipes import loop
from tools.pocket.recipes.drawing import drawn, painters
from tools.pocket.recipes.outside import outside
from tools.pocket.recipes.places import mirrored, place_loss, place_targets
from tools.pocket.world import KINDS, PIXELS, Pictures, Scene

NAME: Final = "pocket-convnext"
SEED: Final = 11
THRESHOLD_SEED: Final = 1_000_002
MEASURE_SEED: Final = 1_000_003
PACE: Final = loop.Pace(steps=4_608, batch=64, rate=4e-3)

MODEL: Final = "convnext_atto"
MODEL_ARGS: Final[dict[str, Any]] = {
    "depths": [1, 2, 4, 1],
    "dims": [32, 64, 128, 256],
    "ls_init_value": 0.5,
}
OUTSIDE_LABEL: Final = "not a drawing"

_OUTSIDE_SHARE: Final = 0.2
# A chance picture costs ten drawings to make, so each is shown this often in a pass.
_OUTSIDE_REPEATS: Final = 4
_RARE: Final = 0.01
_SMOOTHING: Final = 0.05
_PLACES_WEIGHT: Final = 0.5


def _targets(scenes: list[Scene], others: int) -> Tensor:
    """Soft labels of shape (n, kinds + 1): two things in a picture share it."""
    targets = torch.zeros(len(scenes) + others, len(KINDS) + 1)
    for row, scene in zip(targets, scenes, strict=False):
        for thing in scene.things:
            row[KINDS.index(thing.kind)] += 1 / len(scene.things)
    targets[len(scenes) :, -1] = 1
    return targets


def _exposed(chance: Tensor) -> Tensor:
    """Chance pictures with their colours exchanged, and brighter or darker, with other contrast."""
    gain = 0.6 + 0.6 * torch.rand(len(chance), 1, 1, 1)
    light = 127 + 30 * torch.randn(len(chance), 1, 1, 1)
    return ((chance[:, torch.randperm(3)] - 127) * gain + light).clamp(0, 255)


def _worn(pictures: Tensor, chance: Tensor) -> Tensor:
    """Blur a quarter of a batch and put grain on a quarter; the order of a batch is random."""
    pictures[chance] = _exposed(pictures[chance])
    quarter = len(pictures) // 4
    sharp, clean = pictures[:quarter], pictures[quarter : 2 * quarter]
    soft = functional.avg_pool2d(sharp, 3, 1, 1, count_include_pad=False)
    sharp.copy_(soft.lerp(sharp, torch.rand(quarter, 1, 1, 1)))
    clean.add_(torch.randn_like(clean) * torch.rand(quarter, 1, 1, 1) * 6)
    return pictures


class Taught(nn.Module):
    """The model, and a head that names what stands in each place; only training has the head."""

    def __init__(self) -> None:
        super().__init__()
        self.model: Any = timm.create_model(MODEL, num_classes=len(KINDS) + 1, **MODEL_ARGS)
        self.places_head = nn.Conv2d(MODEL_ARGS["dims"][-1], sum(ASKED.values()), 1)
        for layer in self.model.modules():
            # timm's deviation of 0.02 suits wide models; here it would leave the blocks silent.
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=layer.weight[0].numel() ** -0.5)

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of the kinds, and of the nine places."""
        features = self.model.forward_features(inputs)
        return self.model.forward_head(features), self.places_head(features)


def _loss(model: nn.Module, batch: loop.Batch) -> Tensor:
    pictures, targets, places = batch
    pictures, places = mirrored(_worn(pictures.float(), targets[:, -1] > 0), places)
    inputs = ((pictures - 127.5) / 127.5).contiguous(memory_format=torch.channels_last)
    logits, seen = model(inputs)
    kinds = functional.cross_entropy(logits, targets, label_smoothing=_SMOOTHING)
    return kinds + _PLACES_WEIGHT * place_loss(seen, places)


@torch.inference_mode()
def logits_of(model: nn.Module, pictures: Pictures) -> Tensor:
    """The model's logits for 8-bit pictures of shape (n, 96, 96, 3)."""
    parts = torch.split(torch.from_numpy(pictures).permute(0, 3, 1, 2), 256)
    return torch.cat([model((part.float() - 127.5) / 127.5) for part in parts])


def threshold(model: nn.Module, count: int, executor: Executor) -> float:
    """The probability of "not a drawing" from which a picture counts as none.

    It lies halfway, in log-odds, between what all but one in a hundred held-out drawings stay
    below and what all but one in a hundred chance pictures exceed.
    """
    drawings, _ = world.pictures(THRESHOLD_SEED, 0, count, executor=executor)
    chance = outside(THRESHOLD_SEED, 0, count // 4, executor)
    low, high = (
        logits_of(model, pictures).softmax(1)[:, -1].logit(1e-6).quantile(share)
        for pictures, share in ((drawings, 1 - _RARE), (chance, _RARE))
    )
    return ((low + high) / 2).sigmoid().item()


def measure(folder: Path, count: int, seed: int = MEASURE_SEED) -> dict[str, float]:
    """What the model in a folder gets right on held-out drawings.

    Returns:
        ``kind``: share of pictures whose top class, of all classes, is a kind that is in it.
        ``false_alarms``: share of drawings that it says are none.
    """
    pictures, scenes = world.pictures(seed, 0, count)
    logits = logits_of(load(folder), pictures)
    tops = logits.argmax(1).tolist()
    right = sum(
        top < len(KINDS) and KINDS[top] in {thing.kind for thing in scene.things}
        for top, scene in zip(tops, scenes, strict=True)
    )
    alarms = sum(reading.outside for reading in read(logits, folder))
    return {"kind": right / count, "false_alarms": alarms / count}


def config(outside_threshold: float) -> dict[str, Any]:
    """What config.json says: timm's own fields, and where the model's world ends."""
    return {
        "architecture": MODEL,
        "num_classes": len(KINDS) + 1,
        "num_features": MODEL_ARGS["dims"][-1],
        "label_names": [*KINDS, OUTSIDE_LABEL],
        "model_args": MODEL_ARGS,
        "pretrained_cfg": {
            "input_size": [3, PIXELS, PIXELS],
            "mean": [0.5, 0.5, 0.5],
            "std": [0.5, 0.5, 0.5],
            "crop_pct": 1.0,
            "crop_mode": "center",
            "interpolation": "bicubic",
            "first_conv": "stem.0",
            "classifier": "head.fc",
            "license": "apache-2.0",
        },
        "outside_threshold": outside_threshold,
        "world": world.VERSION,
    }


def train(
    folder: Path,
    checkpoints: Path,
    report: LiveReport,
    pace: loop.Pace = PACE,
    measured: int = 4_000,
) -> dict[str, Any]:
    """Train pocket-convnext and write its folder.

    Args:
        folder: Where config.json, model.safetensors and metrics.json go.
        checkpoints: The folder of checkpoints to go on from and to save to.
        report: Called after every step; may raise to stop.
        pace: How long and how fast.
        measured: Held-out pictures to measure on.

    Returns:
        What stands in metrics.json.
    """
    torch.manual_seed(SEED)
    taught = Taught().to(memory_format=torch.channels_last)
    others = round(pace.round * _OUTSIDE_SHARE / _OUTSIDE_REPEATS)
    drawings = pace.round - others * _OUTSIDE_REPEATS
    with painters() as executor:
        draw = drawn(SEED, drawings, executor)

        def feed(number: int) -> loop.Batch:
            pictures, scenes = draw(number)
            chance = torch.from_numpy(outside(SEED, number * others, others, executor))
            pool = torch.cat([torch.from_numpy(pictures), *[chance] * _OUTSIDE_REPEATS])
            repeated = others * _OUTSIDE_REPEATS
            targets = _targets(scenes, repeated), place_targets(scenes, repeated)
            return pool.permute(0, 3, 1, 2), *targets

        mean, spent = loop.fit(
            taught, _loss, feed, seed=SEED, pace=pace, checkpoints=checkpoints, report=report
        )
        model = mean.get_submodule("model")
        loop.save_model(folder, model, config(threshold(model, measured, executor)))
    facts = {"n": measured, "seed": MEASURE_SEED, **spent}
    return loop.write_metrics(folder, measure(folder, measured), facts, pace)


if __name__ == "__main__":
    loop.main(NAME, train, PACE)
