"""The shipped pocket weights: they give the figures that they state, and know their limits."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from timm.data.config import resolve_model_data_config
from timm.data.transforms_factory import create_transform

from tests.photographs import photographs
from tools.pocket import convnext, judge, world
from tools.pocket.recipes import convnext as convnext_recipe
from tools.pocket.recipes import judge as judge_recipe
from tools.pocket.recipes import loop
from tools.pocket.recipes.drawing import drawn, painters

WEIGHTS = convnext.WEIGHTS.parent
TINY = loop.Pace(steps=4, batch=16, round=64, passes=1, save_seconds=0.0)
HELD_OUT = 2_000


class Stopped(Exception):
    """What a report raises to stop a training."""


def _metrics(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        (WEIGHTS / name / "metrics.json").read_text(encoding="utf-8")
    )
    return found


def test_weights_are_small_enough_to_ship() -> None:
    sizes = {path: path.stat().st_size for path in WEIGHTS.rglob("*") if path.is_file()}
    assert sum(sizes.values()) < 48e6
    assert max(sizes.values()) <= 15 * 2**20
    assert (convnext.WEIGHTS / "model.safetensors").stat().st_size <= 12e6


def test_the_judge_reads_held_out_drawings() -> None:
    right = judge_recipe.measure(judge.load_judge(), HELD_OUT)
    assert right["kind"] >= 0.985
    assert right["colour"] >= 0.985
    stated = _metrics("judge")
    assert stated["world"] == world.VERSION
    for question, share in right.items():
        assert abs(share - stated[question]) < 0.01, question


def test_the_judge_finds_both_of_two_things() -> None:
    scenes = [s for s in world.scenes(world.HELD_OUT[4], 0, 900) if len(s.things) == 2][:200]
    verdicts = judge.judged(judge.load_judge(), world.draw_many(scenes))
    found = [
        {thing.kind for thing in verdict.things} == {thing.kind for thing in scene.things}
        for verdict, scene in zip(verdicts, scenes, strict=True)
    ]
    assert sum(found) / len(found) >= 0.93


def test_pocket_convnext_reproduces_its_figures_on_a_held_out_seed() -> None:
    measured = convnext_recipe.measure(convnext.WEIGHTS, HELD_OUT)
    assert measured["kind"] >= 0.97
    assert measured["false_alarms"] <= 0.03
    stated = _metrics("pocket-convnext")
    assert stated["world"] == world.VERSION
    assert abs(measured["kind"] - stated["kind"]) < 0.01
    assert abs(measured["false_alarms"] - stated["false_alarms"]) < 0.01


def test_pocket_convnext_says_that_photographs_are_not_of_its_world() -> None:
    model = convnext.load()
    settings = resolve_model_data_config(model)  # type: ignore[no-untyped-call] # timm's
    transform: Any = create_transform(**settings, is_training=False)
    pictures = photographs()
    assert len(pictures) == 60
    with torch.inference_mode():
        readings = convnext.read(model(torch.stack([transform(p) for p in pictures])))
    assert sum(reading.outside for reading in readings) >= 57


def test_timm_loads_the_folder_as_it_is() -> None:
    model: Any = timm.create_model(f"local-dir:{convnext.WEIGHTS}", pretrained=True)
    assert type(model).__module__ == "timm.models.convnext"
    config = resolve_model_data_config(model)  # type: ignore[no-untyped-call] # timm's
    assert tuple(config["input_size"]) == (3, 96, 96)
    assert config["crop_pct"] == 1.0
    assert model.pretrained_cfg["label_names"] == [*world.KINDS, convnext_recipe.OUTSIDE_LABEL]


def test_a_reading_ranks_the_kinds_and_marks_what_is_outside() -> None:
    logits = torch.zeros(2, len(world.KINDS) + 1)
    logits[0, 3], logits[1, -1] = 9.0, 9.0
    inside, outside = convnext.read(logits)
    assert inside.kinds[0][0] == world.KINDS[3]
    assert sum(share for _, share in inside.kinds) == pytest.approx(1, abs=1e-5)
    assert [share for _, share in inside.kinds] == sorted(
        (share for _, share in inside.kinds), reverse=True
    )
    assert not inside.outside
    assert outside.outside


def test_a_recipe_goes_on_from_its_checkpoint_to_the_same_weights(tmp_path: Path) -> None:
    def stop(
        done: float,
        note: str = "",
        curve: Mapping[str, float] | None = None,
        preview: Path | None = None,
    ) -> None:
        raise Stopped(note)

    def go_on(
        done: float,
        note: str = "",
        curve: Mapping[str, float] | None = None,
        preview: Path | None = None,
    ) -> None:
        shares.append(done)

    shares: list[float] = []
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    metrics = convnext_recipe.train(whole, tmp_path / "whole-kept", go_on, TINY, measured=40)
    assert metrics["n"] == 40
    assert shares[-1] == 1.0
    with pytest.raises(Stopped):
        convnext_recipe.train(parts, tmp_path / "parts-kept", stop, TINY, measured=40)
    assert not parts.exists()
    convnext_recipe.train(parts, tmp_path / "parts-kept", go_on, TINY, measured=40)
    same = [(folder / "model.safetensors").read_bytes() for folder in (whole, parts)]
    assert same[0] == same[1]
    assert convnext.read(torch.zeros(1, len(world.KINDS) + 1), parts)


def test_the_judges_recipe_runs(tmp_path: Path) -> None:
    notes: list[str] = []
    judge_recipe.train(
        tmp_path / "judge",
        tmp_path / "kept",
        lambda done, note="", curve=None, preview=None: notes.append(note),
        TINY,
        measured=20,
    )
    assert notes
    assert judge.judged(judge.load_judge(tmp_path / "judge"), world.pictures(1, 0, 2)[0])


def test_recipes_draw_only_what_the_world_samples(tmp_path: Path) -> None:
    with painters() as executor, pytest.raises(ValueError, match="kept for measuring"):
        drawn(world.HELD_OUT[0], 8, executor)
    recipes = Path(loop.__file__).parent
    for path in recipes.glob("*.py"):
        source = path.read_text(encoding="utf-8")
        forbidden = "|".join((*world.RESERVED, "RESERVED", "SHAPES"))
        assert not re.search(rf"\b({forbidden})\b", source), path
    for seed in (convnext_recipe.SEED, judge_recipe.SEED):
        kinds = {t.kind for s in world.scenes(seed, 0, 5_000) for t in s.things}
        assert not kinds & set(world.RESERVED)
