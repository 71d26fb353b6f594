"""What is in a picture is told with figures that stand in evidence, or plainly not told."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image as Pillow

from assistant import grounding
from index.evidence import Measurement
from tests.contexts import Reports, context
from tests.hub import Hub, serving
from tests.photographs import photographs
from tests.tiny import KINDS, save_tiny
from tools.base import (
    Agreement,
    Block,
    Context,
    File,
    Image,
    NeedsConsent,
    NeedsInput,
    Plot,
    Stopped,
    Table,
    TakesLong,
    Text,
    ToolFailed,
    load_tools,
)
from tools.classify import classify
from tools.models import DEFAULT_CLASSIFIER, POCKET_CLASSIFIER, Models
from tools.pocket import world

NAME = "holiday.png"
FEMTO = f"timm/{DEFAULT_CLASSIFIER}"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving() as served:
        served.use(monkeypatch, tmp_path / "cache")
        served.add(FEMTO, save_tiny(tmp_path / "femto"))
        yield served


def offline(tmp_path: Path, home: Path) -> Context:
    """A context in which a tiny model of one's own, `mine`, is there, and no network."""
    save_tiny(home / "models" / "mine")
    return context(tmp_path, Models("cpu", home, True, "local"))


def picture(path: Path, grey: int = 128, size: tuple[int, int] = (60, 40)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.new("RGB", size, (grey, 255 - grey, 90)).save(path)
    return path


def blocks(ctx: Context, **arguments: object) -> list[Block]:
    """All blocks, after each was found to be grounded."""
    found = list(classify(ctx, **arguments))  # type: ignore[arg-type] # a test passes what it likes
    images = arguments.get("images", ())
    assert isinstance(images, tuple)
    literal = [name for path in images for name in (path.name, path.stem)]
    for block in found:
        assert grounding.faults(block, ctx.index.names, literal) == ()
    return found


def texts(found: list[Block]) -> list[str]:
    return [block.text for block in found if isinstance(block, Text)]


def test_one_picture(tmp_path: Path, home: Path) -> None:
    ctx = offline(tmp_path, home)
    found = blocks(ctx, images=(picture(tmp_path / NAME),), model="mine")
    table = next(block for block in found if isinstance(block, Table))
    assert table.columns == ("Picture", "Label", "Probability")
    assert {label for _, label, _ in table.rows} == set(KINDS)
    first = table.rows[0]
    assert texts(found)[0] == f"{NAME}: most likely a {first[1]} (probability {first[2]})."
    said = texts(found)[1]
    assert said.startswith("mine on cpu (")
    assert "latency" in said
    assert "parameters 0.0259 million" in said
    plot = next(block for block in found if isinstance(block, Plot))
    assert plot.labels[0] == f"{first[1]}: {first[2]}"
    thumbnail = next(block for block in found if isinstance(block, Image))
    assert thumbnail.alt == f"{NAME}, most likely: {first[1]}"
    with Pillow.open(thumbnail.path) as opened:
        assert opened.size == (60, 40)


def test_shares_are_those_of_the_model_and_add_up(tmp_path: Path, home: Path) -> None:
    ctx = offline(tmp_path, home)
    table = blocks(ctx, images=(picture(tmp_path / NAME),), model="mine")
    facts = next(block for block in table if isinstance(block, Table)).cites
    values = [fact.value for fact in facts if isinstance(fact, Measurement)]
    assert values == sorted(values, reverse=True)
    assert sum(values) == pytest.approx(100, abs=0.01)
    assert {fact.at for fact in facts} == {f"{NAME}: {kind}" for kind in KINDS}
    assert set(facts) <= set(ctx.evidence.find("mine", "probability"))


@pytest.mark.parametrize("output", ["csv", "json"])
def test_a_file_holds_every_label_of_every_picture(tmp_path: Path, home: Path, output: str) -> None:
    ctx = offline(tmp_path, home)
    images = (picture(tmp_path / "a.png"), picture(tmp_path / "b.png", 9))
    found = blocks(ctx, images=images, model="mine", top_k=1000, output=output)
    file = next(block for block in found if isinstance(block, File))
    with file.path.open(encoding="utf-8", newline="") as opened:
        rows = json.load(opened) if output == "json" else list(csv.DictReader(opened))
    assert [(row["picture"], row["model"]) for row in rows] == [
        (name, "mine") for name in ("a.png", "b.png") for _ in KINDS
    ]
    for name in ("a.png", "b.png"):
        shares = [float(row["probability_percent"]) for row in rows if row["picture"] == name]
        assert sum(shares) == pytest.approx(100, abs=0.01)


def test_many_pictures_of_a_folder(tmp_path: Path, home: Path) -> None:
    ctx = offline(tmp_path, home)
    for number in range(20):
        picture(tmp_path / "set" / f"img-{chr(97 + number)}.png", 12 * number)
    (tmp_path / "set" / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    report = Reports()
    ctx = context(tmp_path, ctx.models, report=report)
    found = blocks(ctx, dataset=tmp_path / "set", model="mine", top_k=3)
    said = texts(found)
    assert "Surest: img-" in said[0]
    assert "Least sure: img-" in said[0]
    assert "throughput" in said[1]
    assert said[2].startswith("broken.jpg is ")
    table = next(block for block in found if isinstance(block, Table))
    assert len({row[0] for row in table.rows}) == 20
    assert len([block for block in found if isinstance(block, Image)]) == 12
    plot = next(block for block in found if isinstance(block, Plot))
    shares = [float(label.rpartition(": ")[2].removesuffix(" %")) for label in plot.labels]
    assert shares == sorted(shares)
    assert report.told[-1][0] > 0


def test_more_pictures_than_the_answer_tells_of(tmp_path: Path, home: Path) -> None:
    ctx = offline(tmp_path, home)
    for number in range(203):
        picture(tmp_path / "set" / f"p{number}.png", size=(4, 4))
    found = blocks(ctx, dataset=tmp_path / "set", model="mine", top_k=2)
    assert any("the file has all of them" in text for text in texts(found))
    table = next(block for block in found if isinstance(block, Table))
    assert len(table.rows) == 200
    file = next(block for block in found if isinstance(block, File))
    assert file.path.read_text(encoding="utf-8").count("\n") == 1 + 2 * 203


def test_no_picture_is_asked_for(tmp_path: Path, home: Path) -> None:
    with pytest.raises(NeedsInput, match="Which picture"):
        blocks(offline(tmp_path, home), model="mine")


def test_a_picture_that_cannot_be_read_is_told(tmp_path: Path, home: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"nothing")
    with pytest.raises(ToolFailed, match=r"x\.png is not a JPEG"):
        blocks(offline(tmp_path, home), images=(tmp_path / "x.png",), model="mine")


def test_a_typo_gets_the_nearest_names(tmp_path: Path, home: Path) -> None:
    with pytest.raises(ToolFailed, match=r"nearest: .*mobilenetv3_small"):
        blocks(offline(tmp_path, home), images=(picture(tmp_path / NAME),), model="moblnet3_smal")


@pytest.mark.parametrize("top_k", [0, -3, 10**9])
def test_top_k_out_of_bounds_is_told(top_k: int) -> None:
    with pytest.raises(ToolFailed, match=f"top_k is {top_k}, but should be"):
        load_tools()["classify"].check({"top_k": top_k})


def test_it_can_be_stopped(tmp_path: Path, home: Path) -> None:
    models = offline(tmp_path, home).models
    ctx = context(tmp_path, models, report=Reports(stop=Stopped()))
    with pytest.raises(Stopped):
        blocks(ctx, images=(picture(tmp_path / NAME),), model="mine")


def test_the_default_is_fetched_where_there_is_a_hub(hub: Hub, tmp_path: Path, home: Path) -> None:
    ctx = context(tmp_path, Models("cpu", home, False, "local"))
    found = blocks(ctx, images=(picture(tmp_path / NAME),))
    assert texts(found)[1].startswith(DEFAULT_CLASSIFIER)
    assert not any("small model of drawn things" in text for text in texts(found))


def test_a_large_default_is_asked_about(hub: Hub, tmp_path: Path, home: Path) -> None:
    hub.repositories[FEMTO].claimed = 200_000_000
    images = (picture(tmp_path / NAME),)
    ctx = context(tmp_path, Models("cpu", home, False, "local"))
    with pytest.raises(NeedsConsent, match="200 MB"):
        blocks(ctx, images=images)
    hub.repositories[FEMTO].claimed = None
    agreed = context(tmp_path, ctx.models, agreement=Agreement(download=True))
    assert blocks(agreed, images=images)


def test_when_the_default_fails_the_pocket_model_answers_and_says_so(
    hub: Hub, tmp_path: Path, home: Path
) -> None:
    del hub.repositories[FEMTO]
    ctx = context(tmp_path, Models("cpu", home, False, "local"))
    said = texts(blocks(ctx, images=(picture(tmp_path / NAME),)))
    assert any(f"{DEFAULT_CLASSIFIER} could not be fetched." in text for text in said)
    assert any("small model of drawn things" in text for text in said)


def test_the_pocket_model_names_a_drawing_and_the_real_model(tmp_path: Path, home: Path) -> None:
    scene = next(s for s in world.scenes(1_000_009, 0, 50) if len(s.things) == 1)
    Pillow.fromarray(world.draw(scene)).save(tmp_path / NAME)
    ctx = context(tmp_path, Models("cpu", home, True, "local"))
    found = blocks(ctx, images=(tmp_path / NAME,))
    said = texts(found)
    assert said[0].startswith(f"{NAME}: most likely a {scene.things[0].kind} (probability")
    assert said[1].startswith("That comes from our own small model of drawn things.")
    assert f"use {DEFAULT_CLASSIFIER}: it takes a network to fetch it (download size" in said[1]
    assert said[2].startswith(POCKET_CLASSIFIER)


def test_on_a_photograph_the_pocket_model_does_not_pretend(tmp_path: Path, home: Path) -> None:
    photographs()[0].save(tmp_path / NAME)
    ctx = context(tmp_path, Models("cpu", home, True, "local"))
    found = blocks(ctx, images=(tmp_path / NAME,))
    said = texts(found)
    assert said[0].startswith(f"{NAME}: {POCKET_CLASSIFIER} cannot tell what this is.")
    assert DEFAULT_CLASSIFIER in said[1]
    assert not any(isinstance(block, Table | Plot) for block in found)
    thumbnail = next(block for block in found if isinstance(block, Image))
    assert thumbnail.alt == f"{NAME}, not known"


def test_a_licence_without_commerce_is_said(hub: Hub, tmp_path: Path, home: Path) -> None:
    system = "convnextv2_atto.fcmae_ft_in1k"
    hub.add(f"timm/{system}", save_tiny(tmp_path / "v2"))
    ctx = context(tmp_path, Models("cpu", home, False, "local"))
    found = blocks(ctx, images=(picture(tmp_path / NAME),), model=system)
    assert any("does not allow commercial use" in text for text in texts(found))
    assert POCKET_CLASSIFIER not in "".join(texts(found))


def test_many_pictures_are_asked_about_and_become_a_job(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(33):
        picture(tmp_path / "set" / f"p{number}.png", size=(4, 4))
    models = offline(tmp_path, home).models
    hurried = context(tmp_path, models, agreement=Agreement(seconds=0.0))
    with pytest.raises(NeedsConsent, match="These pictures take about") as asked:
        blocks(hurried, dataset=tmp_path / "set", model="mine")
    assert asked.value.agreement.seconds > 0
    monkeypatch.setattr("tools.base.TURN_SECONDS", 0.0)
    agreed = context(tmp_path, models, agreement=Agreement(seconds=1e6))
    with pytest.raises(TakesLong):
        blocks(agreed, dataset=tmp_path / "set", model="mine")


def test_a_job_goes_on_with_the_pictures_that_are_left(tmp_path: Path, home: Path) -> None:
    for number in range(50):
        picture(tmp_path / "set" / f"p{number:02d}.png", grey=5 * number, size=(9, 9))
    (tmp_path / "set" / "p03.png").write_bytes(b"broken")
    models = offline(tmp_path, home).models
    job = Agreement(seconds=1e6, lasting=True)
    wanted: dict[str, object] = {"dataset": tmp_path / "set", "model": "mine", "top_k": 2}
    cut = context(tmp_path / "a", models, agreement=job, report=Reports(stop=Stopped(), stop_at=2))
    with pytest.raises(Stopped):
        blocks(cut, **wanted)
    report = Reports()
    on = blocks(context(tmp_path / "a", models, agreement=job, report=report), **wanted)
    assert report.told[0][0] == pytest.approx(32 / 50)
    whole = blocks(context(tmp_path / "b", models, agreement=job), **wanted)
    tables = [next(b for b in found if isinstance(b, Table)).rows for found in (on, whole)]
    assert tables[0] == tables[1]
    assert any("p03.png is " in text for text in texts(on))
    assert len([block for block in on if isinstance(block, Image)]) == 12
