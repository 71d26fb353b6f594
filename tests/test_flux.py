"""The FLUX engine: every kind of model draws as its stock pipeline does, and can be stopped."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DiffusionPipeline

from index import catalog
from tests.contexts import Reports
from tests.toys import KINDS, toy
from tools.base import Stopped, ToolFailed
from tools.engines.flux import (
    Order,
    Painter,
    draw,
    load_painter,
    parameter_bytes,
    parameter_count,
    takes_negative_prompt,
    unknown_words,
)

# What the stock pipeline is called with to draw the same, beside prompt, size, steps and seed.
STOCK: dict[str, dict[str, Any]] = {
    "FLUX.1-schnell": {"guidance_scale": 0.0, "max_sequence_length": 256},
    "FLUX.1-dev": {"guidance_scale": 3.5, "max_sequence_length": 512},
    "FLUX.1-Krea-dev": {"guidance_scale": 3.5, "max_sequence_length": 512},
    "FLUX.1-Kontext-dev": {
        "guidance_scale": 2.5, "max_sequence_length": 512, "max_area": 64 * 80,
        "_auto_resize": False,
    },
    "FLUX.2-dev": {"guidance_scale": 4.0, "max_sequence_length": 512},
    "FLUX.2-klein-4B": {"guidance_scale": 1.0, "max_sequence_length": 512},
    "FLUX.2-klein-9B": {"guidance_scale": 1.0, "max_sequence_length": 512},
    "FLUX.2-klein-9b-kv": {"max_sequence_length": 512},
    "FLUX.2-klein-base-4B": {"guidance_scale": 4.0, "max_sequence_length": 512},
    "FLUX.2-klein-base-9B": {"guidance_scale": 4.0, "max_sequence_length": 512},
}  # fmt: skip
FOX = Order("a red fox", "", 80, 64, 2, 0.0, 7)


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    home = tmp_path_factory.mktemp("toys")
    return {kind: toy(kind, home / kind) for kind in STOCK}


def painter(folders: dict[str, Path], kind: str) -> Painter:
    card = catalog.load().get(kind)
    assert card
    return load_painter(kind, folders[kind], "cpu", card.run)


def own(loaded: Painter) -> Order:
    """The fox, at the guidance of the card."""
    return replace(FOX, guidance=loaded.run.guidance or 0.0)


def pixels(picture: Any) -> np.ndarray[Any, Any]:
    return np.asarray(picture)


def test_every_model_that_draws_from_words_alone_is_here() -> None:
    assert set(STOCK) == set(KINDS) - {
        "FLUX.1-Fill-dev", "FLUX.1-Canny-dev", "FLUX.1-Depth-dev", "FLUX.1-Redux-dev",
    }  # fmt: skip


@pytest.mark.parametrize("kind", STOCK)
def test_the_same_pixels_as_the_stock_pipeline(folders: dict[str, Path], kind: str) -> None:
    loaded = painter(folders, kind)
    order = own(loaded)
    [drawn] = draw(loaded, (order,), Reports())
    stock: Any = DiffusionPipeline.from_pretrained(folders[kind], dtype=torch.float32)
    stock.set_progress_bar_config(disable=True)
    wanted = stock(
        prompt=order.prompt,
        width=order.width,
        height=order.height,
        num_inference_steps=order.steps,
        generator=torch.Generator().manual_seed(order.seed),
        **STOCK[kind],
    ).images[0]
    assert drawn.picture.size == (80, 64)
    assert (pixels(drawn.picture) == pixels(wanted)).all()
    assert drawn.seconds > 0


def test_guidance_by_drawing_twice(folders: dict[str, Path]) -> None:
    loaded = painter(folders, "FLUX.1-schnell")
    plain, guided, kept_away = (
        pixels(next(draw(loaded, (order,), Reports())).picture)
        for order in (
            FOX,
            replace(FOX, guidance=3.0),
            replace(FOX, guidance=3.0, negative_prompt="a blue house"),
        )
    )
    assert (plain != guided).any()
    assert (guided != kept_away).any()
    assert takes_negative_prompt(loaded, 3.0)
    assert not takes_negative_prompt(loaded, 0.0)
    assert not takes_negative_prompt(painter(folders, "FLUX.1-dev"), 3.5)
    assert not takes_negative_prompt(painter(folders, "FLUX.2-klein-base-4B"), 4.0)


def test_progress_and_a_stop_within_a_step(folders: dict[str, Path]) -> None:
    loaded = painter(folders, "FLUX.2-klein-4B")
    orders = (own(loaded), replace(own(loaded), seed=8))
    told = Reports()
    first, second = (drawn.picture for drawn in draw(loaded, orders, told))
    assert [note for _, note in told.told] == [
        "picture 1 of 2, step 1", "picture 1 of 2, step 2",
        "picture 2 of 2, step 1", "picture 2 of 2, step 2",
    ]  # fmt: skip
    assert [done for done, _ in told.told] == [0.25, 0.5, 0.75, 1.0]
    assert (pixels(first) != pixels(second)).any()
    stopping = Reports(stop=Stopped(), stop_at=2)
    with pytest.raises(Stopped):
        list(draw(loaded, orders, stopping))
    assert len(stopping.told) == 3
    [again] = draw(loaded, orders[:1], Reports())
    assert (pixels(again.picture) == pixels(first)).all()


def test_weights_are_counted(folders: dict[str, Path]) -> None:
    loaded = painter(folders, "FLUX.1-schnell")
    files = sum(path.stat().st_size for path in folders["FLUX.1-schnell"].rglob("*.safetensors"))
    assert parameter_bytes(loaded) == 4 * parameter_count(loaded)
    assert 0.9 * files < parameter_bytes(loaded) <= files


def test_a_large_vocabulary_knows_all_words(folders: dict[str, Path]) -> None:
    assert unknown_words(painter(folders, "FLUX.2-dev"), "a gryphon") == ()
    assert unknown_words(painter(folders, "FLUX.1-dev"), "a red, Gryphon!") == ("Gryphon",)


@pytest.mark.parametrize("part", ["vae", "transformer", "text_encoder_2"])
def test_a_damaged_folder(tmp_path: Path, part: str) -> None:
    folder = toy("FLUX.1-schnell", tmp_path / "toy")
    [weights] = (folder / part).glob("*.safetensors")
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ToolFailed, match=r"weights of it in .* are damaged or not all there"):
        load_painter("it", folder, "cpu", catalog.load().get("FLUX.1-schnell").run)  # type: ignore[union-attr]
    weights.unlink()
    with pytest.raises(ToolFailed, match="damaged or not all there"):
        load_painter("it", folder, "cpu", catalog.load().get("FLUX.1-schnell").run)  # type: ignore[union-attr]
