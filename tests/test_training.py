"""The trainer: every family learns, goes on exactly, and gives what stock loaders read."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig
from safetensors import safe_open

from tests.contexts import Reports
from tests.toys import KINDS, stable_diffusion
from tools.engines.training import families, keeping, loop

FAMILIES: dict[str, Callable[[], Any]] = {
    "FLUX.1-dev": KINDS["FLUX.1-dev"],
    "FLUX.1-schnell": KINDS["FLUX.1-schnell"],
    "FLUX.2-klein-base-4B": KINDS["FLUX.2-klein-base-4B"],
    "stable-diffusion-v1-5": stable_diffusion.pipeline,
    "stable-diffusion-2-1": lambda: stable_diffusion.pipeline("v_prediction"),
    "stable-diffusion-xl-base-1.0": stable_diffusion.xl,
}
SIDE = 64
PROMPTS = ("a photo of a sks cat", "a photo of a sks cat in the snow")


class Stopped(Exception):
    """What a report raises to stop a training."""


def toy(kind: str) -> Any:
    """A toy, the same each time, ready to draw."""
    torch.manual_seed(3)
    pipeline = FAMILIES[kind]()
    for part in pipeline.components.values():
        if isinstance(part, torch.nn.Module):
            part.eval()
    return pipeline


def built(kind: str) -> tuple[Any, families.Family]:
    """A toy with a fresh adapter, the same each time, and its family."""
    pipeline = toy(kind)
    family = families.FAMILIES[type(pipeline).__name__]
    network = getattr(pipeline, family.network)
    network.requires_grad_(False)
    network.add_adapter(LoraConfig(r=4, lora_alpha=4, target_modules=family.targets))
    return pipeline, family


@torch.no_grad()
def lesson(pipeline: Any, family: families.Family, seed: int) -> loop.Lesson:
    pixels = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    conditions = family.conditions(pipeline, PROMPTS, 16)
    return loop.Lesson(family.latents(pipeline, pixels), conditions)


def taught(
    kind: str, folder: Path, pace: loop.Pace, report: Reports | None = None
) -> tuple[Any, list[float]]:
    pipeline, family = built(kind)
    own, prior = lesson(pipeline, family, 1), lesson(pipeline, family, 2)
    told: dict[str, Any] = {"seed": 5, "checkpoints": folder, "report": report or Reports()}
    return pipeline, loop.fit(pipeline, family, [own], prior, pace, **told)


@pytest.mark.parametrize("kind", FAMILIES)
def test_every_family_learns_its_photos(kind: str, tmp_path: Path) -> None:
    pipeline, family = built(kind)
    before = {n: w.clone() for n, w in getattr(pipeline, family.network).named_parameters()}
    own = lesson(pipeline, family, 1)
    pace = loop.Pace(steps=40, batch=2, rate=5e-3)
    how: dict[str, Any] = {"seed": 5, "checkpoints": tmp_path, "report": Reports()}
    assert len(loop.fit(pipeline, family, [own], None, pace, **how)) == 40
    for name, weight in getattr(pipeline, family.network).named_parameters():
        assert torch.equal(weight, before[name]) is not weight.requires_grad, name

    def error(network: Any) -> float:
        losses = []
        with torch.no_grad():
            for seed in range(16):
                torch.manual_seed(seed)
                losses.append(family.loss(pipeline, network, own.latents, own.conditions).mean())
        return float(torch.stack(losses).mean())

    network = getattr(pipeline, family.network)
    learned = error(network)
    network.disable_adapters()
    assert learned < error(network)


@pytest.mark.parametrize("kind", ["FLUX.1-dev", "stable-diffusion-v1-5"])
def test_a_training_that_was_cut_off_comes_to_the_same(kind: str, tmp_path: Path) -> None:
    pace = loop.Pace(steps=12, batch=2, rate=1e-3, accumulated=2, save_seconds=0.0)
    whole, losses = taught(kind, tmp_path / "whole", pace)

    stopping = Reports(stop=Stopped(), stop_at=4)

    with pytest.raises(Stopped):
        taught(kind, tmp_path / "cut", pace, stopping)
    resumed, again = taught(kind, tmp_path / "cut", pace)
    assert again == losses
    network = families.FAMILIES[type(whole).__name__].network
    both = (getattr(pipeline, network).named_parameters() for pipeline in (whole, resumed))
    for (name, weight), (_, other) in zip(*both, strict=True):
        assert torch.equal(weight, other), name


@pytest.mark.parametrize("kind", FAMILIES)
def test_stock_diffusers_reads_the_adapter(kind: str, tmp_path: Path) -> None:
    pace = loop.Pace(steps=6, batch=2, rate=1e-2)
    pipeline, _ = taught(kind, tmp_path / "kept", pace)
    family = families.FAMILIES[type(pipeline).__name__]
    told = {"modelspec.title": "mine", "ss_network_dim": "4"}
    file = keeping.save_adapter(pipeline, family, tmp_path / "mine.safetensors", told)
    with safe_open(file, "pt") as opened:
        metadata = opened.metadata()
    assert metadata["modelspec.sai_model_spec"] == "1.0.1"
    assert metadata["modelspec.hash_sha256"].startswith("0x")
    assert metadata["modelspec.title"] == "mine"
    assert f'"{family.network}.r": 4' in metadata["lora_adapter_metadata"]
    assert json.loads(metadata["lora_adapter_metadata"])[f"{family.network}.lora_alpha"] == 4
    own = drawn(pipeline)
    stock = toy(kind)
    bare = drawn(stock)
    stock.load_lora_weights(tmp_path, weight_name=file.name)
    assert torch.equal(drawn(stock), own)
    assert not torch.equal(bare, own)
    stock.unload_lora_weights()
    assert torch.equal(drawn(stock), bare)


def drawn(pipeline: Any) -> torch.Tensor:
    pipeline.set_progress_bar_config(disable=True)
    pictures = pipeline(
        prompt=PROMPTS[1],
        height=SIDE,
        width=SIDE,
        num_inference_steps=2,
        generator=torch.Generator().manual_seed(1),
        output_type="pt",
    ).images
    found: torch.Tensor = pictures
    return found
