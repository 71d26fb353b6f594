"""Speed and memory are measured here, and what others published stands beside them."""

from pathlib import Path

import pytest
from PIL import Image

from assistant import grounding
from index.evidence import Claim, Measurement
from tests.contexts import Kept, Reports, context
from tests.tiny import save_tiny
from tools.base import (
    Agreement,
    Block,
    Context,
    NeedsConsent,
    NeedsInput,
    Plot,
    Table,
    TakesLong,
    Text,
    ToolFailed,
    load_tools,
)
from tools.benchmark import benchmark
from tools.models import DEFAULT_CLASSIFIER, Models

SMALL = "mobilenetv3_small_100.lamb_in1k"


def offline(tmp_path: Path, home: Path, seconds: float = 60) -> Context:
    save_tiny(home / "models" / "mine")
    models = Models("cpu", home, True, "local")
    return context(tmp_path, models, agreement=Agreement(seconds=seconds), report=Reports())


def blocks(ctx: Context, **arguments: object) -> list[Block]:
    """All blocks, after each was found to be grounded."""
    checked = load_tools()["benchmark"].check(arguments)
    found = list(benchmark(ctx, **checked))
    for block in found:
        assert grounding.faults(block, ctx.index.names) == ()
    return found


def test_weights_that_are_not_here_are_timed_by_their_shape(tmp_path: Path, home: Path) -> None:
    ctx = offline(tmp_path, home)
    found = blocks(ctx, models=(SMALL,), batch_size=2, runs=5, threads=1, image_size=64)
    first = found[0]
    assert isinstance(first, Text)
    assert first.text.startswith(f"{SMALL} on this machine: latency ")
    assert "(batch 1, 64 px, fp32, threads 1)" in first.text
    said = " ".join(block.text for block in found if isinstance(block, Text))
    assert "randomly initialised weights of the same shape were timed" in said
    table = next(block for block in found if isinstance(block, Table))
    ours = [fact for fact in table.cites if isinstance(fact, Measurement)]
    theirs = [fact for fact in table.cites if isinstance(fact, Claim)]
    assert {(fact.property, fact.at.partition(",")[0]) for fact in ours} == {
        ("latency_ms", "batch 1"),
        ("latency_p95_ms", "batch 1"),
        ("peak_memory_mib", "batch 1"),
        ("parameters", ""),
        ("images_per_second", "batch 1"),
        ("images_per_second", "batch 2"),
    }
    assert {fact.property for fact in theirs} == {"latency_ms", "images_per_second"}
    where = [row[3] for row in table.rows]
    assert where[: len(ours)] == [f"this machine, {fact.date}" for fact in ours]
    assert all(
        text.startswith("another machine: [timm, 2026-08-08](") for text in where[len(ours) :]
    )
    assert set(ours) <= set(ctx.evidence.find(SMALL))


def test_weights_that_are_here_are_timed_themselves(tmp_path: Path, home: Path) -> None:
    ctx = offline(tmp_path, home)
    found = blocks(ctx, models=("mine",), batch_size=2, runs=3)
    said = " ".join(block.text for block in found if isinstance(block, Text))
    assert "randomly initialised" not in said
    assert "mine on this machine: latency" in said
    plot = next(block for block in found if isinstance(block, Plot))
    assert plot.labels[2:] == ("mine",)
    with Image.open(plot.path) as image:
        assert image.width == 920
    assert isinstance(ctx.report, Reports)
    assert ctx.report.told[-1][0] == 1.0


def test_without_a_name_the_default_is_timed(tmp_path: Path, home: Path) -> None:
    class Asked(Exception):
        pass

    models = Models("cpu", home, True, "local")
    report = Reports(stop=Asked())
    ctx = context(tmp_path, models, report=report)
    told = benchmark(ctx)
    assert "No model that I know was named" in str(next(told))
    with pytest.raises(Asked):
        list(told)
    assert report.told[0][1] == f"timing {models.default_classifier()}"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"models": ("convnext_fento",)}, r"nearest: .*convnext_femto\.d1_in1k"),
        ({"engine": "onnx"}, "engine 'onnx' cannot be timed yet"),
        ({"steps": 4}, "a classifier has no steps"),
        ({"precision": "int8"}, "int8 cannot be timed yet"),
        ({"precision": "bf16"}, "bf16 is timed on cuda only, not on cpu"),
        ({"device": "cuda"}, "There is no cuda here; there is cpu"),
        ({"width": 64}, "Only one of width and height"),
        ({"batch_size": 0}, "batch_size is 0, but should be"),
        ({"runs": -1}, "runs is -1, but should be"),
    ],
)
def test_what_cannot_be_timed_is_told(
    tmp_path: Path, home: Path, arguments: dict[str, object], words: str
) -> None:
    with pytest.raises(ToolFailed, match=words):
        blocks(offline(tmp_path, home), **arguments)


def test_the_time_for_all_pictures_is_told(tmp_path: Path, home: Path) -> None:
    ctx = offline(tmp_path, home)
    found = blocks(ctx, models=("mine",), batch_size=2, runs=3, pictures=6000)
    first = found[0]
    assert isinstance(first, Text)
    assert first.text.startswith("mine on this machine: time for all pictures ")
    (whole,) = first.cites
    assert isinstance(whole, Measurement)
    rates = [f for f in ctx.evidence.find("mine") if f.property == "images_per_second"]
    best = max(fact.value for fact in rates if isinstance(fact, Measurement))
    assert whole.value == pytest.approx(6000 / best / 60)
    assert whole.at.startswith("6,000 pictures")


def test_of_what_cannot_be_timed_here_the_published_figures_are_told(
    tmp_path: Path, home: Path
) -> None:
    (block,) = blocks(offline(tmp_path, home), models=("FLUX.1-schnell",))
    assert isinstance(block, Text)
    assert block.text.startswith("FLUX.1 [schnell] is not on this machine, so it cannot be timed")
    assert block.cites


def test_a_model_that_draws_is_timed_per_steps(tmp_path: Path, home: Path) -> None:
    ctx = offline(tmp_path, home)
    found = blocks(ctx, models=("pocket-flux",), runs=2, threads=1)
    (facts,) = [block.cites for block in found if isinstance(block, Table)]
    own = [fact for fact in facts if isinstance(fact, Measurement)]
    assert {(fact.property, fact.at) for fact in own} == {
        ("latency_ms", "96 x 96 px, 4 steps, threads 1"),
        ("peak_memory_mib", "96 x 96 px, 4 steps, threads 1"),
        ("latency_ms", "96 x 96 px, 20 steps, threads 1"),
        ("peak_memory_mib", "96 x 96 px, 20 steps, threads 1"),
        ("parameters", ""),
    }
    few, many = (fact.value for fact in own if fact.property == "latency_ms")
    assert few < many
    plot = next(block for block in found if isinstance(block, Plot))
    assert plot.labels == ("steps", "ms a picture", "pocket-flux")


def test_one_that_draws_beside_one_that_classifies(tmp_path: Path, home: Path) -> None:
    ctx = offline(tmp_path, home)
    wanted = {"models": ("pocket-flux", "mine"), "runs": 1, "steps": 1, "threads": 1}
    said = [block.text for block in blocks(ctx, **wanted) if isinstance(block, Text)]
    assert [text.partition(" on this machine: ")[0] for text in said[::2]] == [
        "pocket-flux",
        "mine",
    ]
    with pytest.raises(NeedsInput, match="96 x 96"):
        blocks(ctx, models=("pocket-flux",), image_size=128)


def test_long_work_is_asked_about(tmp_path: Path, home: Path) -> None:
    with pytest.raises(NeedsConsent, match="2 models takes about 30 seconds"):
        blocks(offline(tmp_path, home, seconds=20), models=(SMALL, DEFAULT_CLASSIFIER))


def test_a_job_times_no_model_twice(tmp_path: Path, home: Path) -> None:
    job = Agreement(seconds=1e6, lasting=True)
    models = offline(tmp_path, home).models
    wanted: dict[str, object] = {
        "models": (SMALL, "mine"), "batch_size": 1, "runs": 2, "threads": 1, "image_size": 64,
    }  # fmt: skip
    first = context(tmp_path, models, agreement=job)
    for block in benchmark(first, **load_tools()["benchmark"].check(wanted)):
        assert isinstance(block, Text)
        assert block.text.startswith(SMALL)
        break  # cut off after the first model
    second = context(tmp_path, models, agreement=job)
    again = next(iter(benchmark(second, **load_tools()["benchmark"].check(wanted))))
    assert isinstance(first.evidence, Kept)
    assert isinstance(second.evidence, Kept)
    assert set(again.cites) <= set(first.evidence.measured)
    assert second.evidence.measured == []


def test_many_models_are_a_job(tmp_path: Path, home: Path) -> None:
    agreed = offline(tmp_path, home, seconds=1e6)
    many = ("mine", SMALL, "resnet18.a1_in1k", "resnet50.a1_in1k", "convnext_femto.d1_in1k")
    with pytest.raises(TakesLong):
        blocks(agreed, models=many)
