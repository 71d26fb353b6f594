"""How the autoencoder of pocket-flux was trained: pictures to latents an eighth of their size.

Beside the pixels it must give back what pocket-convnext sees in a picture, so that kinds survive,
and its latents must tell the same, so that they are easy to learn from: Yao and others,
"Reconstruction vs. generation" (2025), align latents with a vision model in this way.

Run it with ``python -m tools.pocket.recipes.autoencoder``.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch import Tensor, nn
from torch.nn import functional

from tools.base import LiveReport
from tools.pocket import world
from tools.pocket.convnext import load as load_convnext
from tools.pocket.judge import judged, load_judge, shares_right
from tools.pocket.recipes import loop
from tools.pocket.recipes.drawing import drawn, painters
from tools.pocket.world import Pictures

NAME: Final = "pocket-flux/vae"
SEED: Final = 21
MEASURE_SEED: Final = 1_000_005
PACE: Final = loop.Pace(
    steps=6_000, batch=32, round=4_096, passes=4, rate=3e-3, average=0.998, decay=0.0
)
CONFIG: Final[dict[str, Any]] = {
    "block_out_channels": (8, 16, 48, 64),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "layers_per_block": 1,
    "latent_channels": 12,
    "norm_num_groups": 2,
    "mid_block_add_attention": False,
    "use_quant_conv": False,
    "use_post_quant_conv": False,
    "sample_size": world.PIXELS,
}

_CROP: Final = 48
_COARSE, _SEEN, _TOLD, _PRIOR = 1.0, 0.2, 0.2, 1e-3  # weights of the losses beside the pixels


class Taught(nn.Module):
    """The autoencoder, what it learns from, and a head that only training has."""

    def __init__(self) -> None:
        super().__init__()
        self.vae: Any = AutoencoderKL(**CONFIG)
        self.told_head = nn.Conv2d(CONFIG["latent_channels"], 128, 2, 2)
        self.eyes = [load_convnext().requires_grad_(False)]  # a list: no part of the model

    def seen(self, pictures: Tensor) -> list[Tensor]:
        """What pocket-convnext sees, from -1 to 1: maps of a quarter, eighth, sixteenth size."""
        eyes: Any = self.eyes[0]
        maps = [eyes.stem(pictures)]
        for stage in eyes.stages[:3]:
            maps.append(stage(maps[-1]))
        return [functional.normalize(features, dim=1) for features in maps[1:]]


def _crops(pictures: Tensor) -> Tensor:
    """A random square of each picture; the same place for all, which costs nothing to gather."""
    top, left = torch.randint(0, pictures.shape[-1] - _CROP + 1, (2,)).tolist()
    return pictures[:, :, top : top + _CROP, left : left + _CROP]


def _difference(given: Tensor, wanted: Tensor) -> Tensor:
    """How far pictures are from what they should be: by pixel, in the coarse, and in colour."""
    coarse = functional.avg_pool2d(given - wanted, 4)
    colour = coarse - coarse.mean(1, keepdim=True)
    return (given - wanted).abs().mean() + _COARSE * (coarse.abs().mean() + colour.abs().mean())


def _loss(model: nn.Module, pictures: Tensor) -> Tensor:
    taught: Any = model
    posterior = taught.vae.encode(pictures).latent_dist
    latents = posterior.sample()
    given = taught.vae.decode(latents).sample
    with torch.no_grad():
        wanted = taught.seen(pictures)
    apart = zip(taught.seen(given), wanted, strict=True)
    seen = torch.stack([(a - b).square().sum(1).mean() for a, b in apart]).sum()
    told = functional.normalize(taught.told_head(latents), dim=1)
    untold = 1 - (told * wanted[-1]).sum(1).mean()
    prior = posterior.kl().mean() / latents[0].numel()
    lost: Tensor = _difference(given, pictures) + _SEEN * seen + _TOLD * untold + _PRIOR * prior
    return lost


def _of_parts(model: nn.Module, batch: loop.Batch) -> Tensor:
    return _loss(model, _crops(batch[0]).float() / 127.5 - 1)


def _of_wholes(model: nn.Module, batch: loop.Batch) -> Tensor:
    return _loss(model, batch[0].float() / 127.5 - 1)


def _evened(vae: Any, latents: Tensor) -> None:
    """Scale each channel of the latents to a deviation of one; the pictures stay the same."""
    scales = latents.std((0, 2, 3))
    channels = len(scales)
    with torch.no_grad():
        out, back = vae.encoder.conv_out, vae.decoder.conv_in
        out.weight[:channels] /= scales[:, None, None, None]
        out.bias[:channels] /= scales
        out.bias[channels:] -= 2 * scales.log()
        back.weight *= scales[None, :, None, None]


@torch.inference_mode()
def encoded(vae: Any, pictures: Pictures) -> Tensor:
    """The latents, shape (n, channels, 12, 12), of 8-bit pictures of shape (n, 96, 96, 3)."""
    parts = torch.split(torch.from_numpy(pictures).permute(0, 3, 1, 2), 64)
    return torch.cat([vae.encode(part.float() / 127.5 - 1).latent_dist.mode() for part in parts])


@torch.inference_mode()
def decoded(vae: Any, latents: Tensor) -> Pictures:
    """The pictures of latents, back to 8 bits."""
    parts = [vae.decode(part).sample for part in torch.split(latents, 64)]
    pixels = (torch.cat(parts).clamp(-1, 1) * 127.5 + 127.5).round().to(torch.uint8)
    return pixels.permute(0, 2, 3, 1).contiguous().numpy()


def measure(folder: Path, count: int, seed: int = MEASURE_SEED) -> dict[str, float]:
    """What is left of held-out drawings of one thing, once encoded and decoded again.

    Returns:
        The share that the judge reads right by question, and ``psnr`` in decibels.
    """
    scenes = [s for s in world.scenes(seed, 0, 2 * count) if len(s.things) == 1][:count]
    pictures = world.draw_many(scenes)
    vae: Any = AutoencoderKL.from_pretrained(folder, dtype=torch.float32)
    given = decoded(vae, encoded(vae, pictures))
    error = ((given.astype("float32") - pictures) / 255) ** 2
    psnr = float(-10 * np.log10(error.mean((1, 2, 3))).mean())
    return shares_right(judged(load_judge(), given), scenes) | {"psnr": psnr}


def train(
    folder: Path,
    checkpoints: Path,
    report: LiveReport,
    pace: loop.Pace = PACE,
    measured: int = 1_000,
) -> dict[str, Any]:
    """Train the autoencoder and write its folder, as diffusers reads it.

    Args:
        folder: Where config.json, the weights and metrics.json go.
        checkpoints: The folder of checkpoints to go on from and to save to.
        report: Called after every step; may raise to stop.
        pace: For parts of pictures; whole ones follow, for a twelfth of its steps.
        measured: Held-out pictures to measure on.

    Returns:
        What stands in metrics.json.
    """
    torch.manual_seed(SEED)
    taught = Taught()
    spent: dict[str, float] = {}
    with painters() as executor:
        for name, loss, way in _ways(pace):
            draw = drawn(SEED, way.round, executor)

            def feed(number: int, draw: Any = draw) -> loop.Batch:
                return (torch.from_numpy(draw(number)[0]).permute(0, 3, 1, 2),)

            mean, seconds = loop.fit(
                taught,
                loss,
                feed,
                seed=SEED,
                pace=way,
                checkpoints=checkpoints / name,
                report=report,
            )
            taught.load_state_dict(mean.state_dict())
            spent = {name: spent.get(name, 0.0) + value for name, value in seconds.items()}
    vae = taught.vae.eval()
    known, _ = world.pictures(SEED, 0, min(1_000, pace.round))
    _evened(vae, encoded(vae, known))
    centre = encoded(vae, known)
    vae.register_to_config(
        scaling_factor=1 / float(centre.std()), shift_factor=float(centre.mean())
    )
    vae.half().save_pretrained(folder)
    facts = {"n": measured, "seed": MEASURE_SEED, **spent}
    return loop.write_metrics(folder, measure(folder, measured), facts, pace)


def _ways(pace: loop.Pace) -> Iterator[tuple[str, Any, loop.Pace]]:
    """The two parts of the training: name, loss and pace."""
    yield "parts", _of_parts, pace
    steps, batch = max(1, pace.steps // 12), max(1, pace.batch // 4)
    yield "wholes", _of_wholes, replace(pace, steps=steps, batch=batch, rate=pace.rate / 2)


if __name__ == "__main__":
    loop.main(NAME, train, PACE)
