"""DreamBooth: a model learns a subject from a few photos, beside pictures of its class.

Source: Ruiz and others, "DreamBooth: fine tuning text-to-image diffusion models for subject-driven
generation" (2023). The class pictures are drawn by the model itself before it learns.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers.training_utils import cast_training_params
from peft import LoraConfig
from PIL import Image, ImageOps
from torch import Tensor, nn

from tools import sizes
from tools.base import LiveReport, ToolFailed
from tools.engines import flux
from tools.engines.flux import Order, Painter
from tools.engines.training.families import FAMILIES, Family
from tools.engines.training.loop import Lesson

_TOGETHER = 2**18  # square pixels of pictures that are drawn at once, on a CPU
_TOGETHER_CUDA = 2**22


def family(painter: Painter) -> Family:
    """How a loaded model is taught.

    Raises:
        ToolFailed: models of its class cannot be taught here.
    """
    name = type(painter.pipeline).__name__
    if name not in FAMILIES:
        raise ToolFailed(
            f"{painter.system} cannot be taught here: it is a {name}. Choose a model of one of "
            f"these classes: {', '.join(FAMILIES)}."
        )
    return FAMILIES[name]


@torch.no_grad()
def lessons(
    painter: Painter,
    pictures: Sequence[Image.Image],
    captions: Sequence[str],
    resolution: int,
    *,
    flip: bool = False,
) -> list[Lesson]:
    """Pictures and captions as the network takes them, a lesson for each size.

    Args:
        painter: the loaded model.
        pictures: RGB, of any sizes; each keeps its shape as far as the model takes it.
        captions: what each shows.
        resolution: side in px of a square as large as a picture may become.
        flip: whether each is also taken mirrored.
    """
    told = family(painter)
    by_size: dict[tuple[int, int], list[tuple[Image.Image, str]]] = {}
    for picture, caption in zip(pictures, captions, strict=True):
        size = sizes.legal(painter.run, *picture.size, resolution**2)
        fitted = ImageOps.fit(picture.convert("RGB"), size, Image.Resampling.LANCZOS)
        both = (fitted, ImageOps.mirror(fitted)) if flip else (fitted,)
        by_size.setdefault(size, []).extend((one, caption) for one in both)
    made = []
    for group in by_size.values():
        latents = [told.latents(painter.pipeline, _pixels(painter, one)) for one, _ in group]
        words = [one for _, one in group]
        conditions = told.conditions(painter.pipeline, words, painter.run.max_text_tokens)
        made.append(Lesson(torch.cat(latents), conditions))
    return made


def _pixels(painter: Painter, picture: Image.Image) -> Tensor:
    """A picture as the autoencoder takes it: -1 to 1, shape (1, 3, height, width)."""
    weight = next(painter.pipeline.vae.parameters())
    pixels = torch.from_numpy(np.asarray(picture).copy()).permute(2, 0, 1)[None]
    return (pixels / 127.5 - 1).to(weight.device, weight.dtype)


@torch.inference_mode()
def drawn(
    painter: Painter, order: Order, prompts: Sequence[str], folder: Path, report: LiveReport
) -> list[Image.Image]:
    """What a model draws of prompts, several at once, kept in a folder and found there again.

    Args:
        painter: the loaded model.
        order: size, steps, guidance, and the seed of the first picture.
        prompts: one for each picture.
        folder: whose pictures are named by their number.
        report: told after every batch; may raise to stop.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{number:04d}.png" for number in range(len(prompts))]
    left = [number for number, file in enumerate(files) if not file.exists()]
    most = _TOGETHER_CUDA if painter.device == "cuda" else _TOGETHER
    batch = max(1, most // (order.width * order.height))
    for start in range(0, len(left), batch):
        numbers = left[start : start + batch]
        report(start / len(left), f"picture {start + 1} of {len(left)}")
        told = _together(painter, order, [prompts[number] for number in numbers], numbers)
        for number, picture in zip(numbers, painter.pipeline(**told).images, strict=True):
            aside = files[number].with_suffix(".part")
            picture.save(aside, "PNG")
            aside.replace(files[number])  # what was cut off is drawn anew
    return [Image.open(file).convert("RGB") for file in files]


def _together(
    painter: Painter, order: Order, prompts: list[str], numbers: Sequence[int]
) -> Mapping[str, Any]:
    """What the pipeline is called with for several pictures at once, each of a seed of its own."""
    told = dict(flux.arguments(painter, replace(order, prompt="")))
    if "negative_prompt" in told:
        told["negative_prompt"] = [told["negative_prompt"]] * len(prompts)
    seeds = [torch.Generator("cpu").manual_seed(order.seed + number) for number in numbers]
    return {**told, "prompt": prompts, "generator": seeds}


@contextmanager
def learning(painter: Painter, rank: int, seed: int) -> Iterator[None]:
    """Puts a fresh adapter on a model for as long as the block lasts; nothing else of it learns.

    Args:
        painter: the loaded model.
        rank: of the adapter; its alpha is the same.
        seed: of its first weights.
    """
    told = family(painter)
    for part in painter.pipeline.components.values():
        if isinstance(part, nn.Module):
            part.requires_grad_(False)
    network = getattr(painter.pipeline, told.network)
    torch.manual_seed(seed)
    network.add_adapter(
        LoraConfig(
            r=rank, lora_alpha=rank, target_modules=told.targets, init_lora_weights="gaussian"
        )
    )
    try:
        cast_training_params([network])
        yield
    finally:
        painter.pipeline.unload_lora_weights()
