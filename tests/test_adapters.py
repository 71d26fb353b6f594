"""Adapters count while they are worn, leave no trace, and are refused on another model."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index.card import Run
from tests.contexts import Reports
from tests.toys import toy, toy_lora
from tools.base import ToolFailed
from tools.engines.adapters import Adapter, worn
from tools.engines.flux import Order, Painter, draw, load_painter

FOX = Order("a red fox", "", 64, 64, 2, 1.0, 7)
MODELS = ("FLUX.1-dev", "FLUX.2-klein-4B")


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two toys with two adapters each."""
    folder = tmp_path_factory.mktemp("adapters")
    for kind in MODELS:
        toy(kind, folder / kind)
        for seed in (1, 2):
            toy_lora(folder / kind, folder / f"{kind}-{seed}.safetensors", seed)
    return folder


@pytest.fixture
def painter(home: Path, request: pytest.FixtureRequest) -> Painter:
    return load_painter(request.param, home / request.param, "cpu", Run())


def drawn(painter: Painter, *adapters: Adapter) -> np.ndarray[Any, Any]:
    with worn(painter.system, painter.pipeline, adapters):
        [made] = draw(painter, (FOX,), Reports())
    return np.asarray(made.picture).astype(int)


@pytest.mark.parametrize("painter", MODELS, indirect=True)
def test_worn_one_by_one_and_together(home: Path, painter: Painter) -> None:
    first, second = (home / f"{painter.system}-{seed}.safetensors" for seed in (1, 2))
    plain = drawn(painter)
    with_first, with_second = drawn(painter, Adapter(first)), drawn(painter, Adapter(second))
    both = drawn(painter, Adapter(first), Adapter(second))
    pictures = (plain, with_first, with_second, both)
    assert len({picture.tobytes() for picture in pictures}) == 4
    weaker = drawn(painter, Adapter(first, 0.3))
    assert 0 < abs(weaker - plain).mean() < abs(with_first - plain).mean()
    assert (drawn(painter, Adapter(first, 0.0)) == plain).all()
    assert (drawn(painter) == plain).all()


@pytest.mark.parametrize("painter", MODELS, indirect=True)
def test_an_adapter_of_another_model(home: Path, painter: Painter) -> None:
    [other] = [kind for kind in MODELS if kind != painter.system]
    plain = drawn(painter)
    with pytest.raises(
        ToolFailed, match=f"was not made for {painter.system}: .* layers do not fit"
    ):
        drawn(painter, Adapter(home / f"{other}-1.safetensors"))
    assert (drawn(painter) == plain).all()


@pytest.mark.parametrize("painter", MODELS[:1], indirect=True)
def test_what_is_no_adapter(home: Path, painter: Painter, tmp_path: Path) -> None:
    pickled, broken = tmp_path / "mine.bin", tmp_path / "mine.safetensors"
    pickled.write_bytes(pickle.dumps({"lora": 1}))
    broken.write_bytes(b"not weights")
    folder = tmp_path / "empty"
    folder.mkdir()
    for path, says in (
        (pickled, "mine.bin is no safetensors file; other forms are not loaded"),
        (broken, "mine.safetensors cannot be read"),
        (tmp_path / "gone.safetensors", "There is no adapter gone.safetensors"),
        (folder, "The folder empty holds 0 safetensors files"),
        (home, "holds 4 safetensors files. Name the one"),
        (home / "FLUX.1-dev" / "vae", "was not made for FLUX.1-dev: it has no layers"),
    ):
        with pytest.raises(ToolFailed, match=says):
            drawn(painter, Adapter(path))
    one = tmp_path / "one"
    one.mkdir()
    toy_lora(home / "FLUX.1-dev", one / "any.safetensors", 1)
    named = home / "FLUX.1-dev-1.safetensors"
    assert (drawn(painter, Adapter(one)) == drawn(painter, Adapter(named))).all()
