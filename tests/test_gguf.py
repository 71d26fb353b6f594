"""A transformer of GGUF: found, counted, loaded, worn with adapters, or refused in words."""

import shutil
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from index.card import Run
from tests.contexts import Reports
from tests.toys import toy_lora
from tools import forms
from tools.base import NeedsInput, ToolFailed
from tools.engines.adapters import Adapter, worn
from tools.engines.flux import Order, Painter, draw, load_painter
from tools.engines.footprint import Drawing, parts
from tools.forms import PIPELINE
from tools.models import Models
from tools.placement import Wanted
from tools.pocket.recipes import flux

MIB = 2**20
STAR = Order("a large red star on a white background", "", 96, 96, 4, 3.0, 7)
RUN = Run(max_text_tokens=20, min_side=96, max_side=96)
BITS = gguf.GGMLQuantizationType.Q8_0

pytestmark = pytest.mark.usefixtures("one_thread")


def pack(source: Path, folder: Path) -> Path:
    """A copy of a pipeline whose transformer is a file of GGUF, its matrices in 8 bits."""
    shutil.copytree(source, folder)
    [whole] = (folder / "transformer").glob("*.safetensors")
    writer = gguf.GGUFWriter(folder / "transformer" / "it-Q8_0.gguf", "flux")
    for name, weight in load_file(whole).items():
        numbers = weight.float().numpy()
        if weight.ndim == 2 and weight.shape[1] % 32 == 0:  # blocks of 32 share a scale
            writer.add_tensor(name, gguf.quants.quantize(numbers, BITS), raw_dtype=BITS)
        else:
            writer.add_tensor(name, numbers)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    whole.unlink()
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a model of one's own as it is and in GGUF, and an adapter for it."""
    folder = tmp_path_factory.mktemp("home")
    shutil.copytree(flux.WEIGHTS, folder / "models" / "whole")
    pack(flux.WEIGHTS, folder / "models" / "small")
    (folder / "adapters").mkdir()
    toy_lora(flux.WEIGHTS, folder / "adapters" / "mine.safetensors", 1)
    return folder


@pytest.fixture(scope="module")
def small(home: Path) -> Path:
    return home / "models" / "small"


def drawn(painter: Painter, *adapters: Adapter) -> np.ndarray[Any, Any]:
    with worn(painter.system, painter.pipeline, adapters):
        [made] = draw(painter, (STAR,), Reports())
    return np.asarray(made.picture).astype(int)


def held(painter: Painter) -> int:
    """Bytes of the transformer's weights."""
    weights = painter.pipeline.transformer.parameters()
    return sum(one.numel() * one.element_size() for one in weights)


def test_it_draws_nearly_the_same_in_a_quarter_of_the_memory(small: Path) -> None:
    whole, packed = (load_painter("it", path, "cpu", RUN) for path in (flux.WEIGHTS, small))
    apart = abs(drawn(whole) - drawn(packed))
    assert apart.mean() < 2
    assert apart.max() > 0
    assert held(packed) < 0.28 * held(whole)


def test_its_memory_is_counted_as_it_stays(home: Path, small: Path) -> None:
    counted = forms.memory(PIPELINE, forms.parameters(PIPELINE, small), "cpu")
    painter = load_painter("it", small, "cpu", RUN)
    networks = ("transformer", "vae", "text_encoder", "text_encoder_2")
    found = [getattr(painter.pipeline, name) for name in networks]
    kept = sum(w.numel() * w.element_size() for one in found for w in one.parameters())
    assert counted == pytest.approx(kept, rel=0.02)
    tight = Models("cpu", home, offline=True, audience="local", limit=25 * MIB)
    assert tight.load("small", Reports(), None, PIPELINE, Wanted(96, 96)).system == "small"
    with pytest.raises((NeedsInput, ToolFailed), match="whole needs"):
        tight.load("whole", Reports(), None, PIPELINE, Wanted(96, 96))


def test_one_that_takes_the_place_of_another_is_counted_anew(small: Path, tmp_path: Path) -> None:
    folder, drawing = tmp_path / "it", Drawing(96, 96, 20)
    shutil.copytree(small, folder)
    packed = parts(folder, "cpu", torch.float32, drawing)["transformer"].weights
    shutil.rmtree(folder / "transformer")
    shutil.copytree(flux.WEIGHTS / "transformer", folder / "transformer")
    assert parts(folder, "cpu", torch.float32, drawing)["transformer"].weights > 3 * packed


def test_it_wears_adapters(home: Path, small: Path) -> None:
    painter = load_painter("it", small, "cpu", RUN)
    plain = drawn(painter)
    assert (drawn(painter, Adapter(home / "adapters" / "mine.safetensors")) != plain).any()
    assert (drawn(painter) == plain).all()


def test_a_broken_file_is_refused_in_words(small: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(small, broken)
    [file] = (broken / "transformer").glob("*.gguf")
    for content in (b"nothing", file.read_bytes()[:100_000]):
        file.write_bytes(content)
        with pytest.raises(ToolFailed, match="damaged or not all there"):
            load_painter("it", broken, "cpu", RUN)


def test_which_of_two_files_is_meant_is_not_guessed(small: Path, tmp_path: Path) -> None:
    both = tmp_path / "both"
    shutil.copytree(small, both)
    assert forms.lacks(PIPELINE, both) == ""
    shutil.copy(both / "transformer" / "it-Q8_0.gguf", both / "transformer" / "it-Q4_0.gguf")
    assert forms.packed(both) is None
    assert forms.lacks(PIPELINE, both) == "transformer/*.safetensors"


def test_beside_weights_as_they_are_it_is_left_alone(small: Path, tmp_path: Path) -> None:
    both = tmp_path / "both"
    shutil.copytree(flux.WEIGHTS, both)
    shutil.copy(small / "transformer" / "it-Q8_0.gguf", both / "transformer")
    assert forms.packed(both) is None
    assert not any(path.suffix == ".gguf" for path in forms.weights(PIPELINE, both))
    assert load_painter("it", both, "cpu", RUN).pipeline.transformer.dtype == torch.float32
