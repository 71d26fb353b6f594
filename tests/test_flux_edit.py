"""Pictures from pictures: every kind of FLUX model does what its stock pipeline does."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import diffusers as library
import numpy as np
import pytest
import torch
from PIL import Image

from index import catalog
from tests.contexts import Reports
from tests.test_flux import pixels
from tests.toys import KINDS, toy
from tools.base import Stopped
from tools.engines.flux import Order, Painter, load_painter
from tools.engines.flux_edit import (
    Change,
    Mode,
    draw,
    is_prior,
    joined,
    modes,
    most_references,
    takes_strength,
)

diffusers: Any = library  # its classes have no types

SIZE = (80, 64)
CALL = {"prompt": "a red fox", "width": 80, "height": 64, "num_inference_steps": 3}
HELD = ("FLUX.1-schnell", "FLUX.1-dev", "FLUX.1-Krea-dev")


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Painter]:
    """Loads the toy of a kind, once."""
    home, loaded = tmp_path_factory.mktemp("toys"), dict[str, Painter]()

    def painter(kind: str) -> Painter:
        card = catalog.load().get(kind)
        assert card
        if kind not in loaded:
            loaded[kind] = load_painter(kind, toy(kind, home / kind), "cpu", card.run)
        return loaded[kind]

    return painter


def picture(seed: int, size: tuple[int, int] = SIZE) -> Image.Image:
    noise = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)


def left_half(size: tuple[int, int] = SIZE) -> Image.Image:
    """White where the picture may change."""
    mask = Image.new("L", size)
    mask.paste(255, (0, 0, size[0] // 2, size[1]))
    return mask


def order(loaded: Painter) -> Order:
    return Order("a red fox", "", *SIZE, 3, loaded.run.guidance or 0.0, 7)


def drawn(loaded: Painter, change: Change) -> Image.Image:
    [made] = draw(loaded, change, (order(loaded),), Reports())
    return made.picture


def stock(loaded: Painter, name: str, **given: Any) -> Image.Image:
    """What a pipeline that is loaded by its own class draws."""
    pipeline = getattr(diffusers, name).from_pretrained(loaded.folder, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    with torch.inference_mode():
        seeded = torch.Generator().manual_seed(7)
        made = pipeline(**{**CALL, **given}, generator=seeded).images[0]
    assert isinstance(made, Image.Image)
    return made


def told(loaded: Painter) -> dict[str, Any]:
    """How the vendor runs it: guidance that is told, or that is drawn twice for."""
    run = loaded.run
    length = {"max_sequence_length": run.max_text_tokens}
    return length if run.guidance is None else {**length, "guidance_scale": run.guidance}


def same(mine: Image.Image, other: Image.Image) -> bool:
    return bool((pixels(mine) == pixels(other)).all())


def test_every_model_that_has_a_folder_changes_pictures(load: Callable[[str], Painter]) -> None:
    masked: tuple[Mode, ...] = ("inpaint", "outpaint")
    references: tuple[Mode, ...] = ("instruct", "reference")
    started: tuple[Mode, ...] = ("img2img", "variation")
    does: dict[str, tuple[Mode, ...]] = {
        **dict.fromkeys(HELD, (*started, *masked)),
        "FLUX.1-Kontext-dev": (*references, *masked), "FLUX.1-Fill-dev": masked,
        "FLUX.1-Canny-dev": ("canny", "depth"), "FLUX.1-Depth-dev": ("canny", "depth"),
        "FLUX.1-Redux-dev": ("variation",), "FLUX.2-dev": references,
        "FLUX.2-klein-9b-kv": references,
    }  # fmt: skip
    for kind in KINDS:
        wanted = does.get(kind, (*references, *started, *masked))
        assert modes(load(kind)) == wanted, kind


@pytest.mark.parametrize("kind", HELD)
def test_from_a_picture(load: Callable[[str], Painter], kind: str) -> None:
    loaded = load(kind)
    for strength in (0.4, 1.0):
        given = {"image": picture(1), "strength": strength, **told(loaded)}
        mine = drawn(loaded, Change("img2img", (picture(1),), strength=strength))
        assert same(mine, stock(loaded, "FluxImg2ImgPipeline", **given))


@pytest.mark.parametrize(
    ("kind", "name", "extra"),
    [
        ("FLUX.1-schnell", "FluxInpaintPipeline", {}),
        ("FLUX.1-dev", "FluxInpaintPipeline", {}),
        (
            "FLUX.1-Kontext-dev", "FluxKontextInpaintPipeline",
            {"max_area": 80 * 64, "_auto_resize": False},
        ),
        ("FLUX.1-Fill-dev", "FluxFillPipeline", {}),
        ("FLUX.2-klein-4B", "Flux2KleinInpaintPipeline", {}),
        ("FLUX.2-klein-base-9B", "Flux2KleinInpaintPipeline", {}),
    ],
)  # fmt: skip
def test_under_a_mask(
    load: Callable[[str], Painter], kind: str, name: str, extra: dict[str, Any]
) -> None:
    loaded, before, inside = load(kind), picture(1), np.asarray(left_half()) > 0
    change = Change("inpaint", (before,), left_half(), 0.9)
    given = {"image": before, "mask_image": left_half(), "strength": 0.9, **extra, **told(loaded)}
    mine, wanted = pixels(drawn(loaded, change)), pixels(stock(loaded, name, **given))
    assert (mine[inside] == wanted[inside]).all()
    assert (mine[~inside] == pixels(before)[~inside]).all()
    assert (mine[inside] != pixels(before)[inside]).any()


def test_a_larger_picture_is_kept_whole_outside_its_mask(load: Callable[[str], Painter]) -> None:
    before, inside = picture(1, (205, 163)), np.asarray(left_half((205, 163))) > 0
    mine = drawn(load("FLUX.1-dev"), Change("outpaint", (before,), left_half(before.size), 1.0))
    assert mine.size == before.size
    assert (pixels(mine)[~inside] == pixels(before)[~inside]).all()
    assert (pixels(mine)[inside] != pixels(before)[inside]).any()


def test_klein_starts_from_a_picture_that_is_all_mask(load: Callable[[str], Painter]) -> None:
    loaded = load("FLUX.2-klein-4B")
    given = {"image": picture(1), "mask_image": Image.new("L", SIZE, 255), "strength": 0.7}
    wanted = stock(loaded, "Flux2KleinInpaintPipeline", **given, **told(loaded))
    assert same(drawn(loaded, Change("variation", (picture(1),), strength=0.7)), wanted)


def test_kontext_sees_two_pictures_side_by_side(load: Callable[[str], Painter]) -> None:
    loaded = load("FLUX.1-Kontext-dev")
    own = {"max_area": 80 * 64, "_auto_resize": False, **told(loaded)}
    one = drawn(loaded, Change("instruct", (picture(1),)))
    assert same(one, stock(loaded, "FluxKontextPipeline", image=picture(1), **own))
    both, larger = Image.new("RGB", (160, 64)), picture(2, (160, 128))
    both.paste(picture(1))
    both.paste(larger.resize(SIZE), (80, 0))
    wanted = stock(loaded, "FluxKontextPipeline", image=both, **own)
    assert same(drawn(loaded, Change("reference", (picture(1), larger))), wanted)
    assert not same(wanted, one)


@pytest.mark.parametrize(
    ("kind", "name", "most"),
    [
        ("FLUX.2-dev", "Flux2Pipeline", 6),
        ("FLUX.2-klein-4B", "Flux2KleinPipeline", 4),
        ("FLUX.2-klein-9B", "Flux2KleinPipeline", 4),
        ("FLUX.2-klein-9b-kv", "Flux2KleinKVPipeline", 4),
        ("FLUX.2-klein-base-4B", "Flux2KleinPipeline", 4),
    ],
)
def test_as_many_references_as_the_card_says(
    load: Callable[[str], Painter], kind: str, name: str, most: int
) -> None:
    loaded = load(kind)
    assert most_references(loaded) == most
    assert most_references(replace(loaded, run=replace(loaded.run, max_references=None))) > most
    pictures = tuple(picture(seed) for seed in range(most))
    alone = drawn(loaded, Change("instruct", pictures[:1]))
    mine = drawn(loaded, Change("reference", pictures))
    assert same(mine, stock(loaded, name, image=list(pictures), **told(loaded)))
    assert not same(mine, alone)


@pytest.mark.parametrize("kind", ["FLUX.1-Canny-dev", "FLUX.1-Depth-dev"])
def test_along_a_map(load: Callable[[str], Painter], kind: str) -> None:
    loaded = load(kind)
    mode: Mode = "canny" if "Canny" in kind else "depth"
    wanted = stock(loaded, "FluxControlPipeline", control_image=picture(1), **told(loaded))
    assert same(drawn(loaded, Change(mode, (picture(1),))), wanted)
    assert not takes_strength(loaded, mode)


@pytest.mark.parametrize("kind", ["FLUX.1-dev", "FLUX.1-schnell"])
def test_redux_reads_pictures_for_the_model_that_draws(
    load: Callable[[str], Painter], kind: str
) -> None:
    prior, base = load("FLUX.1-Redux-dev"), load(kind)
    assert is_prior(prior)
    assert not is_prior(base)
    painter, change = joined(prior, base, (picture(1), picture(2)), "")
    assert painter.system == "FLUX.1-Redux-dev"
    assert painter.run == (prior.run if kind == "FLUX.1-dev" else base.run)
    read = diffusers.FluxPriorReduxPipeline.from_pretrained(
        prior.folder,
        **{
            name: base.pipeline.components[name]
            for name in ("text_encoder", "tokenizer", "text_encoder_2", "tokenizer_2")
        },
    )
    with torch.inference_mode():
        said = read(
            [picture(1), picture(2)],
            prompt="",
            prompt_embeds_scale=[0.5, 0.5],
            pooled_prompt_embeds_scale=[0.5, 0.5],
        )
    given = {"prompt": None, "guidance_scale": painter.run.guidance}
    assert same(drawn(painter, change), stock(base, "FluxPipeline", **given, **said))


def test_progress_counts_the_steps_that_are_left_and_a_stop_is_within_one(
    load: Callable[[str], Painter],
) -> None:
    loaded = load("FLUX.1-dev")
    change, orders = Change("img2img", (picture(1),), strength=0.4), (order(loaded),) * 2
    told = Reports()
    assert len(list(draw(loaded, change, orders, told))) == 2
    assert [done for done, _ in told.told] == [0.25, 0.5, 0.75, 1.0]
    stopping = Reports(stop=Stopped(), stop_at=1)
    with pytest.raises(Stopped):
        list(draw(loaded, change, orders, stopping))
    assert len(stopping.told) == 2


def test_the_other_pipelines_take_no_weights_of_their_own(load: Callable[[str], Painter]) -> None:
    loaded = load("FLUX.1-dev")
    before = {id(weight) for weight in loaded.pipeline.transformer.parameters()}
    drawn(loaded, Change("img2img", (picture(1),), strength=0.5))
    assert {id(weight) for weight in loaded.pipeline.transformer.parameters()} == before
    assert type(loaded.pipeline).__name__ == "FluxPipeline"
