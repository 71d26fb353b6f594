"""A folder of weights is known by its marker, and is whole or lacks a file that is named."""

from pathlib import Path
from typing import Any

import diffusers as library
import pytest
import torch
from safetensors.torch import save_file

from tests.tiny import save_tiny
from tests.toys import KINDS, toy
from tools import forms
from tools.forms import CLASSIFIER, PIPELINE

diffusers: Any = library  # its classes have no types
LARGEST = "transformer/diffusion_pytorch_model"
NO_SHAPE = b'{"a": {"dtype": "F32", "shape": null}}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return toy("FLUX.1-schnell", tmp_path / "pipeline")


def shard(folder: Path) -> list[str]:
    """Saves the transformer of a toy in shards, as large ones are; returns their names."""
    network = diffusers.FluxTransformer2DModel.from_pretrained(folder / "transformer")
    (folder / f"{LARGEST}.safetensors").unlink()
    network.save_pretrained(folder / "transformer", max_shard_size="100KB")
    return sorted(path.name for path in (folder / "transformer").glob("*-of-*"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_pipeline_that_diffusers_saves_is_whole(kind: str, tmp_path: Path) -> None:
    saved = toy(kind, tmp_path / "pipeline")
    assert forms.of(saved) is PIPELINE
    assert not forms.lacks(PIPELINE, saved)
    assert set(forms.weights(PIPELINE, saved)) == set(saved.glob("*/*.safetensors"))


def test_a_classifier_is_whole(tmp_path: Path) -> None:
    saved = save_tiny(tmp_path / "net")
    assert forms.of(saved) is CLASSIFIER
    assert not forms.lacks(CLASSIFIER, saved)
    assert forms.weights(CLASSIFIER, saved) == (saved / "model.safetensors",)
    assert forms.lacks(PIPELINE, saved) == "model_index.json"
    assert forms.of(tmp_path) is None


@pytest.mark.parametrize(
    "lost",
    [
        "model_index.json",
        "transformer/config.json",
        "scheduler/scheduler_config.json",
        "tokenizer/tokenizer.json",
    ],
)
def test_a_file_that_is_lost_is_named(folder: Path, lost: str) -> None:
    (folder / lost).unlink()
    assert forms.lacks(PIPELINE, folder) == lost


@pytest.mark.parametrize("name", ["model.bin", "model.fp16.safetensors", "adapter.safetensors"])
def test_weights_of_another_name_do_not_count(folder: Path, name: str) -> None:
    weights = folder / "text_encoder" / "model.safetensors"
    weights.rename(weights.with_name(name))
    assert forms.lacks(PIPELINE, folder) == "text_encoder/*.safetensors"


def test_each_shard_is_needed_and_so_is_their_index(folder: Path) -> None:
    shards = shard(folder)
    assert len(shards) > 2
    assert not forms.lacks(PIPELINE, folder)
    (folder / "transformer" / shards[1]).rename(folder / "kept")
    assert forms.lacks(PIPELINE, folder) == f"transformer/{shards[1]}"
    (folder / "kept").rename(folder / "transformer" / shards[1])
    index = folder / f"{LARGEST}.safetensors.index.json"
    index.write_text("{", encoding="utf-8")
    assert forms.lacks(PIPELINE, folder).endswith(f"a readable {index.name} names")
    index.unlink()
    assert forms.lacks(PIPELINE, folder) == "transformer/*.safetensors.index.json"


@pytest.mark.parametrize("told", ["{", "[]", "{}", '{"vae": [null, null], "is_distilled": true}'])
def test_an_index_that_names_no_parts_is_told(folder: Path, told: str) -> None:
    (folder / "model_index.json").write_text(told, encoding="utf-8")
    assert "readable model_index.json" in forms.lacks(PIPELINE, folder)


def test_a_tokenizer_in_the_older_form_counts(folder: Path) -> None:
    part = folder / "tokenizer"
    (part / "tokenizer.json").rename(part / "vocab.json")
    assert forms.lacks(PIPELINE, folder) == "tokenizer/tokenizer.json"
    (part / "merges.txt").write_text("", encoding="utf-8")
    assert not forms.lacks(PIPELINE, folder)


def test_of_a_repository_only_what_is_loaded_is_wanted(folder: Path) -> None:
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    others = [
        "README.md", "flux1-schnell.safetensors", "ae.safetensors", "pipeline.py",
        "transformer/diffusion_pytorch_model.fp16.safetensors", "vae/diffusion_pytorch_model.bin",
        "text_encoder/model.onnx", "text_encoder/modeling.py", "vae_1_0/config.json",
        "vae_1_0/diffusion_pytorch_model.safetensors", "onnx/vae/config.json",
    ]  # fmt: skip
    assert set(PIPELINE.wanted(folder, [*names, *others])) == set(names)


@pytest.mark.parametrize(
    ("dtype", "device", "width"),
    [
        (torch.float16, "cpu", 4),
        (torch.bfloat16, "mps", 4),
        (torch.float32, "cuda", 2),
        (torch.bfloat16, "cuda", 2),
        (torch.float8_e4m3fn, "cuda", 2),
        (torch.int8, "cpu", 1),
        (torch.int64, "cuda", 8),
        (torch.bool, "cpu", 1),
    ],
)
def test_memory_is_that_of_what_the_loader_makes(
    folder: Path, dtype: torch.dtype, device: str, width: int
) -> None:
    before = forms.memory(PIPELINE, forms.parameters(PIPELINE, folder), device)
    path = folder / f"{LARGEST}.safetensors"
    held = sum(forms.parameters(PIPELINE, folder).values())
    save_file({"a": torch.zeros(10, 10, dtype=dtype), "b": torch.zeros(7, dtype=dtype)}, path)
    found = forms.parameters(PIPELINE, folder)
    gone = held - (sum(found.values()) - 107)
    float_width = 2 if device == "cuda" else 4
    assert forms.memory(PIPELINE, found, device) == before - gone * float_width + 107 * width
    assert forms.memory(CLASSIFIER, {"F16": 10}, "cuda") == 40


@pytest.mark.parametrize("header", [b"[1, 2]", b"", b'{"a": {"shape": [9]}}', NO_SHAPE])
def test_a_damaged_file_counts_by_its_size(folder: Path, header: bytes) -> None:
    before = forms.parameters(PIPELINE, folder)["F32"]
    path = folder / f"{LARGEST}.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    rest = forms.parameters(PIPELINE, folder)["F32"] - path.stat().st_size // 4
    path.write_bytes(b"\x10" * 4_000)  # a header longer than any
    assert forms.parameters(PIPELINE, folder)["F32"] == rest + 1_000
    assert 0 < rest < before
