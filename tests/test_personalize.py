"""The tool `personalize`: five photos of a cup become pictures of it, with proof."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pictures
from safetensors import safe_open

from tests.contexts import Reports, context
from tests.subjects import SUBJECTS, VIEWS, seen
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
from tools.models import Models

LASTING = Agreement(seconds=600.0, lasting=True)
QUICK = {"steps": 20, "prior_images": 4, "class_noun": "cup", "model": "pocket-flux"}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    return Models("cpu", tmp_path_factory.mktemp("home"), offline=True, audience="local")


@pytest.fixture
def photos(tmp_path: Path) -> tuple[Path, ...]:
    """Five photos of a particular cup."""
    made = []
    for number, view in enumerate(VIEWS):
        made.append(tmp_path / f"mug-{number}.png")
        Pictures.fromarray(seen(SUBJECTS["cup"], view)).save(made[-1])
    return tuple(made)


def taught(ctx: Context, **arguments: Any) -> list[Block]:
    tool = load_tools()["personalize"]
    return list(tool.call(ctx, **tool.check(arguments)))


def test_photos_become_an_adapter_with_proof(
    models: Models, photos: tuple[Path, ...], tmp_path: Path
) -> None:
    report = Reports()
    ctx = context(tmp_path, models, agreement=LASTING, report=report)
    blocks = taught(ctx, images=photos, **QUICK)
    plan, done = [block for block in blocks if isinstance(block, Text)][:2]
    assert 'your cup is called "sks cup"' in plan.text
    assert "a large sks cup in the centre on a white background" in plan.text
    assert done.data == {"adapter": "sks-cup", "token": "sks", "class_noun": "cup"}
    pictures = [block for block in blocks if isinstance(block, Image)]
    assert len(pictures) == 4
    assert all("sks cup" in picture.alt for picture in pictures)
    [grid] = [block for block in blocks if isinstance(block, Plot)]
    assert grid.labels == ("before", "at part strength", "taught")
    [table] = [block for block in blocks if isinstance(block, Table)]
    assert [row[0] for row in table.rows][:2] == [
        "like the photos (mean cosine)",
        "background as asked",
    ]
    [file] = [block for block in blocks if isinstance(block, File)]
    with safe_open(file.path, "pt") as opened:
        metadata = opened.metadata()
    assert metadata["modelspec.trigger_phrase"] == "sks cup"
    assert metadata["ss_num_train_images"] == "5"
    assert (file.path.parent / "training.toml").read_text("utf-8").startswith("model =")
    kept = models.own_adapters / "sks-cup"
    assert (kept / file.path.name).read_bytes() == file.path.read_bytes()
    drawing = {"prompt": "a cup at night", "adapter": "sks-cup", "model": "pocket-flux"}
    picture = next(
        iter(load_tools()["generate"].call(context(tmp_path / "new", models), **drawing))
    )
    assert isinstance(picture, Image)
    assert picture.metadata["prompt"] == "a sks cup at night"
    assert [done for done, _ in report.told] == sorted(done for done, _ in report.told)
    assert report.previews


def test_it_asks_before_it_takes_long(
    models: Models, photos: tuple[Path, ...], tmp_path: Path
) -> None:
    long = {**QUICK, "steps": 5_000}
    with pytest.raises(NeedsConsent, match=r"takes about \d+ minutes on cpu") as asked:
        taught(context(tmp_path, models), images=photos, **long)
    ctx = context(tmp_path, models, agreement=asked.value.agreement)
    with pytest.raises(TakesLong):
        taught(ctx, images=photos, **long)


def test_it_goes_on_where_it_was_stopped(
    models: Models, photos: tuple[Path, ...], tmp_path: Path
) -> None:
    whole = taught(context(tmp_path / "a", models, agreement=LASTING), images=photos, **QUICK)
    stopping = Reports(stop=Stopped(), stop_at=8)
    with pytest.raises(Stopped):
        taught(
            context(tmp_path / "b", models, agreement=LASTING, report=stopping),
            images=photos,
            **QUICK,
        )
    again = taught(context(tmp_path / "b", models, agreement=LASTING), images=photos, **QUICK)
    one, other = (
        np.concatenate([np.asarray(Pictures.open(b.path)) for b in blocks if isinstance(b, Image)])
        for blocks in (whole, again)
    )
    assert (one == other).all()


@pytest.mark.parametrize(
    ("arguments", "failure", "said"),
    [
        ({"images": ()}, NeedsInput, "Which photos show your subject"),
        ({"class_noun": ""}, NeedsInput, "What is on the photos"),
        ({"class_noun": "dragon"}, NeedsInput, "does not know the word dragon"),
        ({"class_noun": "12"}, ToolFailed, "is no word for what your subject is"),
        ({"token": "red"}, ToolFailed, "'red' means something"),
        ({"token": "qwertzy"}, ToolFailed, "as 6 pieces"),
        ({"model": "pocket-kontext"}, ToolFailed, "cannot be taught here"),
        ({"model": "pocket-convnext"}, ToolFailed, "is a model that"),
        ({"method": "full"}, ToolFailed, "not built yet"),
        ({"captions": "a;b;c;d;e;f"}, ToolFailed, "6 captions for 5 photos"),
    ],
)
def test_what_will_not_do_is_said(
    arguments: dict[str, Any],
    failure: type[Exception],
    said: str,
    models: Models,
    photos: tuple[Path, ...],
    tmp_path: Path,
) -> None:
    ctx = context(tmp_path, models, agreement=LASTING)
    with pytest.raises(failure, match=said):
        taught(ctx, **{"images": photos, **QUICK, **arguments})


def test_a_file_describes_a_training(
    models: Models, photos: tuple[Path, ...], tmp_path: Path
) -> None:
    config = tmp_path / "run.toml"
    config.write_text('class_noun = "cup"\nsteps = 2\nprior_images = 0\nrank = [2, 4]\n', "utf-8")
    ctx = context(tmp_path, models, agreement=LASTING)
    blocks = taught(ctx, images=photos, config=config, model="pocket-flux")
    assert len([block for block in blocks if isinstance(block, File)]) == 2
