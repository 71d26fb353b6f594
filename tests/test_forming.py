"""A picture is seen as it forms, and is none the worse for it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from index import catalog
from tests.contexts import Reports, context
from tests.toys import toy
from tools.engines.flux import Order, draw, load_painter
from tools.engines.forming import Forming
from tools.generate import generate
from tools.models import Models

KINDS = ("FLUX.1-dev", "FLUX.2-dev", "FLUX.2-klein-4B")


@pytest.fixture(autouse=True)
def every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.engines.forming._EVERY", 0.0)


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_look_is_the_finished_picture(tmp_path: Path, kind: str) -> None:
    card = catalog.load().get(kind)
    assert card
    painter = load_painter(kind, toy(kind, tmp_path / kind), "cpu", card.run)
    order = Order("a red fox", "", 80, 64, 4, card.run.guidance or 0.0, 7)
    seen: list[Image.Image] = []
    [drawn] = draw(painter, (order,), Reports(), seen.append)
    assert len(seen) == order.steps - 1  # from two points on it is known where it goes
    assert all(picture.size == (80, 64) for picture in seen)
    apart = np.asarray(seen[-1]).astype(int) - np.asarray(drawn.picture)
    assert abs(apart).max() <= 1
    [unseen] = draw(painter, (order,), Reports())
    assert (np.asarray(unseen.picture) == np.asarray(drawn.picture)).all()


def test_a_large_picture_is_seen_small(tmp_path: Path) -> None:
    card = catalog.load().get("FLUX.1-dev")
    assert card
    painter = load_painter(card.id, toy(card.id, tmp_path / "toy"), "cpu", card.run)
    seen: list[Image.Image] = []
    list(draw(painter, (Order("a fox", "", 512, 256, 2, 3.5, 7),), Reports(), seen.append))
    assert [picture.size for picture in seen] == [(256, 128)]


def test_the_files_are_gone_when_it_is_over(tmp_path: Path) -> None:
    models = Models("cpu", tmp_path / "home", offline=True, audience="local")
    report = Reports()
    ctx = context(tmp_path, models, report=report)
    list(generate(ctx, prompt="a large red star", steps=6, seed=1))
    assert len(report.previews) == 5
    assert len(set(report.previews)) == 5
    assert not list(ctx.run_folder.glob("forming-*"))


def test_other_latents_are_left_alone() -> None:
    def shown(_: Any) -> None:
        raise AssertionError

    forming = Forming(shown, 64, 64)
    forming.look(None, torch.zeros(1, 16, 48))
    forming.look(None, torch.zeros(1, 8, 48))
