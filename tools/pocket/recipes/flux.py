"""How pocket-flux was trained: a small FLUX, from scratch, on drawings and captions.

Rectified flow over the latents of the autoencoder, the two text encoders trained along. A middle
layer is also asked for what pocket-convnext sees in the finished picture, which brings shapes
sooner: Yu and others, "Representation alignment for generation" (2024).

Run it with ``python -m tools.pocket.recipes.flux``; it goes on from the weights in the folder.
"""

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from tools.base import LiveReport
from tools.pocket import world
from tools.pocket.captions import caption, describe
from tools.pocket.convnext import load as load_convnext
from tools.pocket.recipes import loop
from tools.pocket.recipes.autoencoder import encoded
from tools.pocket.recipes.drawing import eased, painters
from tools.pocket.recipes.measures import MEASURE_SEED, measure
from tools.pocket.recipes.network import begun
from tools.pocket.words import CLIP_LENGTH, T5_LENGTH
from tools.pocket.world import Scene

NAME: Final = "pocket-flux"
WEIGHTS: Final = Path(__file__).parents[1] / "weights" / NAME
SEED: Final = 41
PACE: Final = loop.Pace(
    steps=3_000, batch=96, round=6_144, passes=6, rate=3e-3, decay=0.01, average=0.998
)
_CAPTIONS: Final = 4  # for each picture
_UNTOLD: Final = 0.1  # share of pictures whose caption is left out, for guidance
_CAPITAL: Final = 0.3
_ALIGNED: Final = 0.5  # weight of the alignment
_ALIGNED_BLOCK: Final = 1  # single block whose output is aligned


class Taught(nn.Module):
    """All that is trained, and a head that only training has."""

    def __init__(self, pipeline: Any) -> None:
        super().__init__()
        self.transformer = pipeline.transformer
        self.clip, self.t5 = pipeline.text_encoder, pipeline.text_encoder_2
        width = self.transformer.inner_dim
        self.seen_head = nn.Sequential(nn.Linear(width, 384), nn.SiLU(), nn.Linear(384, 384))
        self.register_buffer("places", _places(), persistent=False)

    def forward(self, noisy: Tensor, t: Tensor, clip: Tensor, t5: Tensor) -> tuple[Tensor, Tensor]:
        """The velocities, and what the middle layer makes of the picture.

        Args:
            noisy: packed latents, shape (n, 36, 48).
            t: 0 (picture) to 1 (noise), shape (n,).
            clip: token ids, shape (n, 24).
            t5: token ids, shape (n, 20).
        """
        middle: list[Tensor] = []
        block = self.transformer.single_transformer_blocks[_ALIGNED_BLOCK]
        hook = block.register_forward_hook(lambda _, __, out: middle.append(out[1]))
        velocity = self.transformer(
            hidden_states=noisy,
            timestep=t,
            pooled_projections=self.clip(clip).pooler_output,
            encoder_hidden_states=self.t5(t5)[0],
            txt_ids=torch.zeros(t5.shape[1], 3),
            img_ids=self.places,
            return_dict=False,
        )[0]
        hook.remove()
        return velocity, self.seen_head(middle[0])


def _places() -> Tensor:
    side = world.PIXELS // 16
    ids = torch.zeros(side, side, 3)
    ids[..., 1], ids[..., 2] = torch.arange(side)[:, None], torch.arange(side)[None, :]
    return ids.view(-1, 3)


def packed(latents: Tensor) -> Tensor:
    """Latents of shape (n, c, h, w) as tokens of 2 x 2: (n, h w / 4, 4 c), as FLUX takes them."""
    n, c, h, w = latents.shape
    return latents.view(n, c, h // 2, 2, w // 2, 2).permute(0, 2, 4, 1, 3, 5).reshape(n, -1, 4 * c)


def _loss(model: nn.Module, batch: loop.Batch) -> Tensor:
    latents, seen, weight, clip, t5 = batch
    n = len(latents)
    told = torch.randint(1, _CAPTIONS + 1, (n,))
    told[torch.rand(n) < _UNTOLD] = 0  # the empty caption stands first
    rows = torch.arange(n)
    # Most of the noise levels lie where kinds are decided, a few everywhere.
    biased = torch.sigmoid(torch.randn(n) + 0.3)
    t = torch.where(torch.rand(n) < 0.85, biased, torch.rand(n))
    picture, noise = latents.float(), torch.randn(latents.shape)
    share = t[:, None, None]
    velocity, guessed = model(
        picture.lerp(noise, share), t, clip[rows, told].long(), t5[rows, told].long()
    )
    apart: Tensor = (velocity - (noise - picture)).square().mean(-1)
    flow = (apart * weight.float()).mean()
    alike = functional.cosine_similarity(guessed, seen.float(), dim=-1).mean()
    return flow + _ALIGNED * (1 - alike)


def _captions(pipeline: Any, scenes: list[Scene], seed: int) -> tuple[Tensor, Tensor]:
    """Token ids of captions: none, then several for each scene; (n, 1 + captions, length)."""
    rng = np.random.default_rng(seed)
    texts: list[str] = []
    for scene in scenes:
        told = [caption(scene, rng) for _ in range(_CAPTIONS - 1)] + [describe(scene)]
        texts += ["", *(t[:1].upper() + t[1:] if rng.random() < _CAPITAL else t for t in told)]
    ids = [
        torch.tensor(
            tokenizer(texts, padding="max_length", truncation=True, max_length=length)["input_ids"]
        )
        for tokenizer, length in (
            (pipeline.tokenizer, CLIP_LENGTH),
            (pipeline.tokenizer_2, T5_LENGTH),
        )
    ]
    clip, t5 = (part.view(len(scenes), 1 + _CAPTIONS, -1).short() for part in ids)
    return clip, t5


@torch.inference_mode()
def _seen(eyes: Any, pictures: world.Pictures) -> Tensor:
    """What pocket-convnext sees at each token, shape (n, 36, 384), in half precision.

    Its third stage has a cell for each token and tells of edges and parts; a cell of the fourth
    stands for four tokens and tells what kind of thing is there.
    """
    made = []
    for part in torch.split(torch.from_numpy(pictures).permute(0, 3, 1, 2), 128):
        maps = [eyes.stem((part.float() - 127.5) / 127.5)]
        for stage in eyes.stages:
            maps.append(stage(maps[-1]))
        whole = functional.interpolate(maps[4], scale_factor=2.0)
        both = torch.cat([functional.normalize(one, dim=1) for one in (maps[3], whole)], 1)
        made.append(both.flatten(2).transpose(1, 2).half())
    return torch.cat(made)


def _weights(scenes: list[Scene]) -> Tensor:
    """How much each token counts, shape (n, 36): the things together as much as all around them.

    Otherwise a small thing is a hundredth of the loss, and its kind is learned last of all.
    """
    side = world.PIXELS // 16
    middle = (torch.arange(side) + 0.5) / side
    covered = torch.zeros(len(scenes), side, side, dtype=torch.bool)
    for i, scene in enumerate(scenes):
        for thing in scene.things:
            (x, y), reach = world.centre(thing.place), world.SIZES[thing.size] / 2 + 0.5 / side
            covered[i] |= ((middle - y).abs() < reach)[:, None] & ((middle - x).abs() < reach)
    inside = covered.flatten(1).float()
    share = inside.mean(1, keepdim=True)
    return torch.where(inside > 0, 0.5 / share, 0.5 / (1 - share).clamp(min=1 / side**2)).half()


def _latents(vae: Any, pictures: world.Pictures) -> Tensor:
    shift, scale = vae.config.shift_factor, vae.config.scaling_factor
    return packed((encoded(vae, pictures) - shift) * scale).half()


def train(
    folder: Path,
    checkpoints: Path,
    report: LiveReport,
    pace: loop.Pace = PACE,
    measured: int = 300,
    start: Path | None = None,
    ease: float = 0.9,
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
        ease: Share of easy pictures at the beginning, falling to none at seven tenths.

    Returns:
        What stands in metrics.json.
    """
    start = start or (folder if folder.exists() else WEIGHTS)
    before = _metrics(start)
    seed = SEED + before["sittings"]  # every sitting sees pictures of its own
    torch.manual_seed(seed)
    pipeline = begun(start)
    taught, eyes = Taught(pipeline), load_convnext()
    with painters() as executor:

        def feed(number: int) -> loop.Batch:
            share = ease * max(0.0, 1 - number * pace.round_steps / (0.7 * pace.steps))
            pictures, scenes = eased(seed, number * pace.round, pace.round, share, executor)
            told = _captions(pipeline, scenes, seed * 1_000_003 + number)
            seen = _seen(eyes, pictures)
            return (_latents(pipeline.vae, pictures), seen, _weights(scenes), *told)

        mean, spent = loop.fit(
            taught, _loss, feed, seed=seed, pace=pace, checkpoints=checkpoints, report=report
        )
    taught.load_state_dict(mean.state_dict())
    pipeline.to(torch.float16).save_pretrained(folder)
    spent = {name: before.get(name, 0.0) + value for name, value in spent.items()}
    facts = {"n": measured, "seed": MEASURE_SEED, "sittings": before["sittings"] + 1, **spent}
    facts["samples_before"] = before.get("samples", 0) + before.get("samples_before", 0)
    return loop.write_metrics(folder, measure(folder, measured), facts, pace)


def _metrics(folder: Path) -> dict[str, Any]:
    path = folder / "metrics.json"
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return {"sittings": 0, **found}


if __name__ == "__main__":
    loop.main(NAME, train, PACE)
