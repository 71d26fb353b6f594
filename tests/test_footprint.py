"""What drawing takes is predicted from the shapes alone, and is what it takes."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import diffusers as library
import pytest
import torch
from transformers import Qwen3Config

from index import catalog
from tests.toys import toy
from tools.engines.footprint import Drawing, Live, parts
from tools.placement import placed

ROOT = Path(__file__).parents[1]
KLEIN = "FLUX.2-klein-4B"
diffusers: Any = library  # its classes have no types
# Wider than the toys are, so that weights and tensors of tens of MB outweigh all else.
VAE = {"block_out_channels": [32, 64, 64, 64], "norm_num_groups": 16}
TILED = {"block_out_channels": [64, 64, 64, 64], "norm_num_groups": 16, "sample_size": 192}
BODY = {"attention_head_dim": 64, "num_attention_heads": 8, "num_single_layers": 4}
AXES1, AXES2 = {"axes_dims_rope": [16, 24, 24]}, {"axes_dims_rope": [16, 16, 16, 16]}
# kind of model, its wider parts, width, height, guidance, whether it decodes in tiles
SHAPES: dict[str, tuple[str, dict[str, Any], int, int, float, bool]] = {
    "FLUX.1, a large picture": ("FLUX.1-schnell", {"vae": VAE}, 256, 256, 0.0, False),
    "FLUX.1, large weights": (
        "FLUX.1-dev", {"transformer": BODY | AXES1}, 128, 192, 3.5, False,
    ),
    "FLUX.1, guided by drawing twice": (
        "FLUX.1-schnell", {"vae": VAE, "transformer": BODY | AXES1}, 192, 320, 3.0, False,
    ),
    "FLUX.1, decoded in tiles": ("FLUX.1-schnell", {"vae": TILED}, 256, 256, 0.0, True),
    "klein, a wide picture": (KLEIN, {"vae": VAE}, 384, 192, 1.0, False),
    "klein, many weights and tokens": (
        KLEIN, {"transformer": BODY | AXES2}, 320, 320, 1.0, False,
    ),
}  # fmt: skip
TOKENS = 64
# A process that has the libraries in use already draws the shapes one after another. The memory is
# that which the system counts, from before the weights are loaded; what is freed goes back to it at
# once by the setting of malloc, since what malloc keeps of it depends on earlier drawings.
MEASURED = """
import ctypes, gc, json, sys
from pathlib import Path
import torch
from index.card import Run
from tools.engines.flux import Order, draw, load_painter
from tools.placement import Placement

def drawn(folder, width, height, guidance, tiled):
    run, placement = Run(max_text_tokens=64), Placement(tiled=tiled)
    painter = load_painter("it", Path(folder), "cpu", run, placement)
    list(draw(painter, (Order("a cat", "", width, height, 1, guidance, 1),), lambda *_: None))

def counted(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith(name)).split()[1])

torch.set_num_threads(1)
for call in json.loads(sys.argv[1]):
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted anew
    before = counted("VmRSS")
    drawn(*call)
    print("measured", counted("VmHWM") - before)
"""


def widened(kind: str, wider: Mapping[str, Any], folder: Path) -> Path:
    """A toy with some parts made anew."""
    toy(kind, folder)
    for part, settings in wider.items():
        config = json.loads((folder / part / "config.json").read_text("utf-8"))
        built = getattr(diffusers, config["_class_name"]).from_config({**config, **settings})
        built.save_pretrained(folder / part)
    return folder


def predicted(folder: Path, width: int, height: int, *, tiled: bool = False) -> int:
    counted = parts(folder, "cpu", torch.float32, Drawing(width, height, TOKENS, tiled=tiled))
    return placed(counted, "", "", tiled=tiled).needed


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, int]]:
    """What is predicted and what is measured for each shape, bytes."""
    home = tmp_path_factory.mktemp("wide")
    calls: list[tuple[Any, ...]] = [
        (toy(kind, home / kind), 64, 64, 0.0, False) for kind in ("FLUX.1-schnell", KLEIN)
    ]
    for name, (kind, wider, *rest) in SHAPES.items():
        calls.append((widened(kind, wider, home / name), *rest))
    # What garbage is still held in a run is chance, and only ever adds.
    figures = [min(both) for both in zip(_peaks(calls), _peaks(calls), strict=True)]
    told = [predicted(*call[:3], tiled=call[4]) for call in calls[2:]]
    return dict(zip(SHAPES, zip(told, figures[2:], strict=True), strict=True))


def _peaks(calls: list[tuple[Any, ...]]) -> list[int]:
    """Bytes that each call takes at most, in a process of their own."""
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", MEASURED, json.dumps(calls, default=str)],
        env={**os.environ, "MALLOC_MMAP_THRESHOLD_": str(2**20), "OMP_NUM_THREADS": "1"},
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [int(line.split()[1]) for line in ran.stdout.splitlines() if "measured" in line]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_peak_is_within_15_percent_of_the_measured_one(
    measured: dict[str, tuple[int, int]], shape: str
) -> None:
    told, found = measured[shape]
    sys.stdout.write(f"{told / 2**20:.0f} MiB predicted, {found / 2**20:.0f} measured\n")
    assert found > 40 * 2**20
    assert 0.85 <= told / found <= 1.15


def test_real_tensors_are_counted_as_fake_ones(tmp_path: Path) -> None:
    folder = widened("FLUX.1-schnell", {"vae": VAE}, tmp_path / "toy")
    vae = diffusers.AutoencoderKL.from_pretrained(folder / "vae")
    with torch.no_grad(), Live(vae) as live:
        vae.decode(torch.zeros(1, 16, 24, 16))
    counted = parts(folder, "cpu", torch.float32, Drawing(128, 192, TOKENS))
    kept = 4 * (8 * 12 * 64 + TOKENS * 32 + 32 + 1 + 3 * (8 * 12 + TOKENS))  # other inputs, bytes
    assert counted["vae"].work == live.peak + kept
    assert counted["vae"].weights == sum(4 * weight.numel() for weight in vae.parameters())


def klein(folder: Path) -> Path:
    """FLUX.2 [klein] 4B in its true size, its configurations alone."""
    text = Qwen3Config(
        hidden_size=2560, intermediate_size=9728, num_hidden_layers=36, num_attention_heads=32,
        num_key_value_heads=8, head_dim=128, vocab_size=151936, tie_word_embeddings=True,
    )  # fmt: skip
    text.save_pretrained(folder / "text_encoder")
    sizes = {
        "num_layers": 5, "num_single_layers": 20, "num_attention_heads": 24,
        "joint_attention_dim": 7680, "guidance_embeds": False,
    }  # fmt: skip
    with torch.device("meta"):
        diffusers.Flux2Transformer2DModel(**sizes).save_config(folder / "transformer")
        diffusers.AutoencoderKLFlux2().save_config(folder / "vae")
    index = {
        "text_encoder": ["transformers", "Qwen3ForCausalLM"],
        "transformer": ["diffusers", "Flux2Transformer2DModel"],
        "vae": ["diffusers", "AutoencoderKLFlux2"],
    }
    (folder / "model_index.json").write_text(json.dumps(index), encoding="utf-8")
    return folder


def test_a_real_size_is_predicted_in_seconds_without_its_weights(tmp_path: Path) -> None:
    folder = klein(tmp_path / "klein")

    began = time.monotonic()
    counted = parts(folder, "cpu", torch.bfloat16, Drawing(1024, 1024, 512))
    assert time.monotonic() - began < 30
    card = catalog.load().cards[KLEIN]
    [stated] = [one.value for one in card.claims if one.at == "transformer, bf16"]
    assert counted["transformer"].weights / 1e6 == pytest.approx(stated, rel=0.005)
    logits = 512 * 151936 * 2
    assert logits < counted["text_encoder"].work < 2 * logits
    picture = 1024 * 1024 * 128 * 2  # of the widest layer in full size
    assert 5 * picture < counted["vae"].work < 8 * picture


def test_references_batches_and_tiles_are_counted(tmp_path: Path) -> None:
    folder = toy(KLEIN, tmp_path / "toy")

    def work(part: str, **more: Any) -> int:
        drawing = Drawing(256, 256, TOKENS, **more)
        return parts(folder, "cpu", torch.float32, drawing)[part].work

    alone = work("transformer")
    assert work("transformer", batch=2) == pytest.approx(2 * alone, rel=0.1)
    looking = work("transformer", references=((256, 256),))
    assert looking == pytest.approx(alone * (2 * 256 + TOKENS) / (256 + TOKENS), rel=0.1)
    assert work("vae", references=((512, 512),)) > 2 * work("vae")


def test_a_damaged_folder_is_not_counted(tmp_path: Path) -> None:
    folder = toy("FLUX.1-schnell", tmp_path / "toy")
    (folder / "vae" / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises((OSError, ValueError)):
        parts(folder, "cpu", torch.float32, Drawing(64, 64, TOKENS))
