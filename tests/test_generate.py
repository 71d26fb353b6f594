"""Pictures from words: drawn by the shipped model, with their recipe, and refused with reasons."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from diffusers import FluxPipeline
from PIL import Image as Pictures

from tests.contexts import Reports, context
from tests.toys import toy_lora
from tools import recipe
from tools.base import Agreement, Block, Image, NeedsConsent, NeedsInput, Stopped, Text, ToolFailed
from tools.generate import generate
from tools.models import Models
from tools.pocket.recipes.measures import CALL

STAR = "a large red striped star on a blue background"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    return Models("cpu", tmp_path_factory.mktemp("home"), offline=True, audience="local")


def drawn(folder: Path, models: Models, **arguments: Any) -> list[Block]:
    return list(generate(context(folder, models), **arguments))


def pixels(block: Block) -> np.ndarray[Any, Any]:
    assert isinstance(block, Image)
    with Pictures.open(block.path) as picture:
        return np.asarray(picture.convert("RGB"))


def test_a_picture_with_its_recipe(tmp_path: Path, models: Models) -> None:
    picture, told, real = drawn(tmp_path, models, prompt=STAR, seed=7)
    assert isinstance(picture, Image)
    made = recipe.read(picture.path)
    assert made
    assert (made.prompt, made.model, made.seed) == (STAR, "pocket-flux", 7)
    assert (made.width, made.height, made.steps, made.guidance) == (96, 96, 20, 3.5)
    assert made.licence == "Apache-2.0"
    assert isinstance(told, Text)
    assert re.match(r"pocket-flux on cpu .*: .* a picture \(96 x 96 px, 20 steps\)", told.text)
    assert isinstance(real, Text)
    assert "our own small model" in real.text


def test_the_same_pixels_as_the_stock_pipeline(tmp_path: Path, models: Models) -> None:
    import torch

    folder = models.weights("pocket-flux")
    assert folder
    stock: Any = FluxPipeline.from_pretrained(folder, dtype=torch.float32)
    stock.set_progress_bar_config(disable=True)
    wanted = stock(STAR, generator=torch.Generator().manual_seed(7), **CALL).images[0]
    assert (pixels(drawn(tmp_path, models, prompt=STAR, seed=7)[0]) == np.asarray(wanted)).all()


def test_seeds_count_on(tmp_path: Path, models: Models) -> None:
    blocks = drawn(tmp_path, models, prompt=STAR, seed=7, count=2, steps=2)
    first, second = pixels(blocks[0]), pixels(blocks[1])
    again = drawn(tmp_path, models, prompt=STAR, seed=8, steps=2)
    assert (pixels(again[0]) == second).all()
    assert (first != second).any()


def test_an_adapter_is_worn(tmp_path: Path, models: Models) -> None:
    folder = models.weights("pocket-flux")
    assert folder
    adapters = models.own.parent / "adapters"
    adapters.mkdir()
    toy_lora(folder, adapters / "mine.safetensors", 1)
    seen = []
    for told in (None, "mine:0.9", None):
        block = drawn(tmp_path, models, prompt=STAR, seed=7, steps=2, adapter=told)[0]
        assert isinstance(block, Image)
        assert block.metadata.get("adapters") == ("mine (0.9)" if told else None)
        seen.append(pixels(block).tobytes())
    assert seen[0] == seen[2] != seen[1]


def test_a_file_of_prompts(tmp_path: Path, models: Models) -> None:
    listed = tmp_path / "prompts.txt"
    listed.write_text("a red star\n\na blue fish\n", encoding="utf-8")
    blocks = drawn(tmp_path, models, batch_of=listed, steps=1)
    assert [block.alt for block in blocks if isinstance(block, Image)] == [
        "a red star", "a blue fish",
    ]  # fmt: skip


def test_a_stop_is_within_a_step(tmp_path: Path, models: Models) -> None:
    report = Reports(stop=Stopped(), stop_at=2)
    with pytest.raises(Stopped):
        list(generate(context(tmp_path, models, report=report), prompt=STAR))
    assert len(report.told) == 3
    assert not list(tmp_path.rglob("*.png"))
    assert drawn(tmp_path, models, prompt=STAR, steps=1)


def test_what_is_long_is_asked_first(tmp_path: Path, models: Models) -> None:
    impatient = context(tmp_path, models, agreement=Agreement(seconds=0.001))
    with pytest.raises(NeedsConsent, match="These pictures take about"):
        list(generate(impatient, prompt=STAR, count=3, steps=1))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"prompt": ""}, "What shall I draw"),
        ({"prompt": "  \n"}, "What shall I draw"),
        ({"prompt": "a dragon of glass"}, 'does not know: dragon, glass. The nearest .* "a '),
        ({"prompt": "a red star", "width": 512}, "nearest size that it takes is 96 x 96"),
        ({"prompt": "a red star", "width": -64, "height": 10**9}, "nearest size that it takes is"),
    ],
)
def test_what_is_asked_back(
    tmp_path: Path, models: Models, arguments: dict[str, Any], says: str
) -> None:
    with pytest.raises(NeedsInput, match=says):
        drawn(tmp_path, models, **arguments)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"prompt": "a" * 100_000}, "The prompt has 100,000 characters; at most 10,000"),
        ({"prompt": "a star", "negative_prompt": "a moon", "guidance": 1.0}, "no negative prompt"),
        ({"prompt": "a star", "adapter": "yours"}, "No adapter is called 'yours'"),
        ({"batch_of": Path("gone.txt")}, "gone.txt cannot be read as text"),
    ],
)
def test_what_is_refused(
    tmp_path: Path, models: Models, arguments: dict[str, Any], says: str
) -> None:
    with pytest.raises(ToolFailed, match=says):
        drawn(tmp_path, models, **arguments)
