"""Toy-size FLUX models: real folders of real classes, with random weights from a fixed seed.

Every local FLUX model has one, under the id of its card. What differs between the real ones
differs here too: pipeline, channels, guidance, distillation, and the width that adapters must fit.
"""

import json
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import diffusers
import torch
from peft import LoraConfig, get_peft_model_state_dict

from tests.toys import flux1, flux2

KINDS: dict[str, Callable[[], Any]] = {
    "FLUX.1-schnell": partial(flux1.pipeline, "FluxPipeline", guided=False),
    "FLUX.1-dev": partial(flux1.pipeline, "FluxPipeline"),
    "FLUX.1-Krea-dev": partial(flux1.pipeline, "FluxPipeline"),
    "FLUX.1-Kontext-dev": partial(flux1.pipeline, "FluxKontextPipeline"),
    "FLUX.1-Fill-dev": partial(flux1.pipeline, "FluxFillPipeline", channels=flux1.FILLED),
    "FLUX.1-Canny-dev": partial(flux1.pipeline, "FluxControlPipeline", channels=flux1.CONTROLLED),
    "FLUX.1-Depth-dev": partial(flux1.pipeline, "FluxControlPipeline", channels=flux1.CONTROLLED),
    "FLUX.1-Redux-dev": flux1.redux,
    "FLUX.2-dev": flux2.dev,
    "FLUX.2-klein-4B": partial(flux2.klein, "Flux2KleinPipeline", is_distilled=True),
    "FLUX.2-klein-9B": partial(flux2.klein, "Flux2KleinPipeline", heads=3, is_distilled=True),
    "FLUX.2-klein-9b-kv": partial(flux2.klein, "Flux2KleinKVPipeline", heads=3),
    "FLUX.2-klein-base-4B": partial(flux2.klein, "Flux2KleinPipeline"),
    "FLUX.2-klein-base-9B": partial(flux2.klein, "Flux2KleinPipeline", heads=3),
}

_ADAPTED = {
    "FluxTransformer2DModel": ["to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "proj_mlp"],
    "Flux2Transformer2DModel": ["to_q", "to_k", "to_v", "to_out.0", "to_qkv_mlp_proj"],
}
_RANK = 4
_SHARP = ("norm_q.weight", "norm_added_q.weight")  # attention that picks, not averages


def toy(kind: str, folder: Path) -> Path:
    """Saves a toy of one kind, the same bytes each time, and returns its folder."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(zlib.crc32(kind.encode()))
        built = KINDS[kind]()
    if "transformer" in built.components:
        _listen(built)
    built.save_pretrained(folder)
    return folder


def toy_lora(model: Path, path: Path, seed: int) -> Path:
    """Saves an adapter for the transformer of a toy in the keys of peft, and returns its file."""
    pipeline = json.loads((model / "model_index.json").read_text("utf-8"))["_class_name"]
    kind = json.loads((model / "transformer" / "config.json").read_text("utf-8"))["_class_name"]
    transformer = getattr(diffusers, kind).from_pretrained(model / "transformer")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        transformer.add_adapter(
            LoraConfig(
                r=_RANK,
                lora_alpha=_RANK,
                init_lora_weights=False,
                target_modules=_ADAPTED[kind],
            )
        )
    layers = get_peft_model_state_dict(transformer)
    getattr(diffusers, pipeline).save_lora_weights(path.parent, layers, weight_name=path.name)
    return path


def _listen(built: Any) -> None:
    """Makes prompts and pictures count, which random weights as they come hardly hear."""
    with torch.no_grad():
        built.vae.encoder.conv_out.weight.mul_(4.0)
        for name, weights in built.transformer.named_parameters():
            weights.mul_(2.0 if weights.ndim > 1 else 8.0 if name.endswith(_SHARP) else 1.0)
