"""Depth is found by a model of the Hub, and asked for where none can be had."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from transformers import pipeline

from tests.contexts import Reports
from tests.hub import serving
from tests.test_models import models
from tests.toys.depth import save_depth
from tools import forms, hub
from tools.base import Agreement, ToolFailed
from tools.editors import DEPTH
from tools.engines.depth import depth_map


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_depth(tmp_path_factory.mktemp("depth"))


def photo() -> Image.Image:
    values = np.random.default_rng(5).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    return Image.fromarray(values)


def test_the_map_is_that_of_the_stock_pipeline(folder: Path) -> None:
    made = np.asarray(depth_map(folder, photo(), "cpu"))
    stock = pipeline("depth-estimation", str(folder), device="cpu")(photo())
    told = stock["predicted_depth"].numpy()
    wanted = (told - told.min()) / (told.max() - told.min()) * 255
    assert made.shape == (60, 90, 3)
    assert np.abs(made[..., 0] - wanted).max() <= 1
    assert (made.min(), made.max()) == (0, 255)


def test_it_is_fetched_once_and_none_where_it_cannot_be(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving() as there:
        there.use(monkeypatch, tmp_path / "cache")
        there.add(DEPTH, folder)
        assert models(tmp_path, offline=True).depth(Reports(), Agreement()) is None
        found = models(tmp_path).depth(Reports(), Agreement())
        assert found is not None
        assert forms.lacks(forms.DEPTH, found) == ""
        assert depth_map(found, photo(), "cpu").size == (90, 60)
        asked = len(there.asked)
        assert models(tmp_path, offline=True).depth(Reports(), Agreement()) == found
        assert len(there.asked) == asked


def test_one_that_is_not_whole_is_told(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = tmp_path / "part"
    part.mkdir()
    (part / "config.json").write_bytes((folder / "config.json").read_bytes())
    with serving() as there:
        there.use(monkeypatch, tmp_path / "cache")
        there.add(DEPTH, part)
        with pytest.raises(ToolFailed, match=r"has no preprocessor_config\.json"):
            models(tmp_path).depth(Reports(), Agreement())
    assert hub.cached(DEPTH, forms.DEPTH) is None
