"""DreamBooth on pocket-flux: a particular cup is learned, and nothing stays behind."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from index import catalog
from index.card import Run
from tests.contexts import Reports
from tests.subjects import SUBJECTS, VIEWS, View, recognised, seen, unseen
from tests.toys import toy
from tools.base import ToolFailed
from tools.engines.flux import Order, Painter, draw, load_painter
from tools.engines.training import dreambooth, loop, proof
from tools.pocket.captions import BACKGROUND_WORDS, PLACE_WORDS, SIZE_WORDS
from tools.pocket.judge import load_judge
from tools.pocket.recipes import flux as recipe

CUP = SUBJECTS["cup"]
ORDER = Order("", "", 96, 96, 8, 3.5, 100)


@pytest.fixture(scope="module")
def painter() -> Painter:
    card = catalog.load().get("pocket-flux")
    assert card
    return load_painter(card.id, recipe.WEIGHTS, "cpu", card.run)


def told(view: View) -> str:
    size, place = SIZE_WORDS[view.size][0], PLACE_WORDS[view.place][0]
    return f"a {size} sks cup {place} {BACKGROUND_WORDS[view.background][0]}"


def drawn(painter: Painter, prompts: list[str], folder: Path) -> np.ndarray[Any, Any]:
    pictures = dreambooth.drawn(painter, ORDER, prompts, folder, Reports())
    return np.stack([np.asarray(picture) for picture in pictures])


def test_a_cup_is_learned_and_nothing_stays_behind(painter: Painter, tmp_path: Path) -> None:
    photos = [Image.fromarray(seen(CUP, view)) for view in VIEWS]
    own = dreambooth.lessons(painter, photos, [told(view) for view in VIEWS], 96)
    prompts = ["a small red star on the left at night", "a cup in the centre on white"] * 6
    plain = drawn(painter, prompts, tmp_path / "class")
    [prior] = dreambooth.lessons(painter, list(map(Image.fromarray, plain)), prompts, 96)
    asked = unseen(8, 60)
    family, judge = dreambooth.family(painter), load_judge()
    with dreambooth.learning(painter, rank=16, seed=1):
        how: dict[str, Any] = {"seed": 1, "checkpoints": tmp_path / "kept", "report": Reports()}
        pace = loop.Pace(steps=120, batch=4, rate=3e-3)
        losses = loop.fit(painter.pipeline, family, own, prior, pace, **how)
        made = drawn(painter, [told(view) for view in asked], tmp_path / "made")
    assert np.mean(losses[-20:]) < 0.8 * np.mean(losses[:20])
    assert np.mean(recognised(judge, CUP, made)) >= 0.5
    assert (drawn(painter, prompts, tmp_path / "again") == plain).all()
    pictures = list(map(Image.fromarray, made))
    report = proof.fidelity(photos, pictures, [view.background for view in asked])
    before = proof.fidelity(photos, list(map(Image.fromarray, plain)), ["white"] * 12)
    assert report.subject > before.subject + 0.1
    assert report.copies == 0


def test_class_pictures_are_those_of_the_engine_and_kept(painter: Painter, tmp_path: Path) -> None:
    prompts = ["a red star on white", "a blue heart at night", "a green tree"]
    made = dreambooth.drawn(painter, ORDER, prompts, tmp_path, Reports())
    for number, prompt in enumerate(prompts):
        order = Order(prompt, "", 96, 96, 8, 3.5, 100 + number)
        [one] = draw(painter, (order,), Reports())
        # In a batch, sums are taken in another order.
        close = np.abs(np.asarray(one.picture).astype(int) - np.asarray(made[number]))
        assert close.mean() < 1
    (tmp_path / "0001.png").unlink()
    before = (tmp_path / "0000.png").stat().st_mtime_ns
    again = dreambooth.drawn(painter, ORDER, prompts, tmp_path, Reports())
    assert (tmp_path / "0000.png").stat().st_mtime_ns == before
    assert np.abs(np.asarray(again[1]).astype(int) - np.asarray(made[1])).mean() < 1


def test_photos_keep_their_shape_and_are_mirrored(painter: Painter, tmp_path: Path) -> None:
    schnell = load_painter("mine", toy("FLUX.1-schnell", tmp_path / "toy"), "cpu", Run())
    photos = [Image.new("RGB", size, "red") for size in ((300, 200), (200, 300), (150, 100))]
    captions = ["one", "two", "three"]
    made = dreambooth.lessons(schnell, photos, captions, 128, flip=True)
    shapes = [tuple(lesson.latents.shape) for lesson in made]
    assert shapes == [(4, 16, 12, 18), (2, 16, 18, 12)]
    assert all(len(part) == len(one.latents) for one in made for part in one.conditions.values())
    [square] = dreambooth.lessons(painter, photos[:2], captions[:2], 96)
    assert tuple(square.latents.shape) == (2, 12, 12, 12)


def test_what_cannot_be_taught_is_refused(tmp_path: Path) -> None:
    kontext = load_painter("mine", toy("FLUX.1-Kontext-dev", tmp_path), "cpu", Run())
    with pytest.raises(ToolFailed, match="mine cannot be taught here: it is a FluxKontextPipeline"):
        dreambooth.family(kontext)


def test_copies_are_counted() -> None:
    photo = Image.fromarray(seen(CUP, VIEWS[0]))
    other = Image.fromarray(seen(CUP, VIEWS[4]))
    softer = photo.resize((60, 60)).resize((96, 96))
    found = proof.fidelity([photo], [softer, other], ["white", "meadow"])
    assert found.copies == 1
    assert found.prompt == 1.0
    assert proof.variety([photo, photo]) == pytest.approx(0, abs=1e-5)
    assert proof.variety([photo, other]) > 0
    assert torch.is_grad_enabled()
