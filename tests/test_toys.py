"""The toy models: that each loads and runs as the stock class that the real one runs as."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers as library
import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from index import catalog
from tests.toys import KINDS, toy, toy_lora
from tests.toys.words import clip_tokenizer, mistral_tokenizer, qwen_tokenizer, t5_tokenizer

diffusers: Any = library  # its classes have no types

REDUX = "FLUX.1-Redux-dev"
ENCODERS = ("text_encoder", "tokenizer", "text_encoder_2", "tokenizer_2")
READERS = tuple(kind for kind in KINDS if kind.startswith("FLUX.2"))
CONTROLLED = ("FLUX.1-Canny-dev", "FLUX.1-Depth-dev")
MAKERS = (clip_tokenizer, t5_tokenizer, qwen_tokenizer, mistral_tokenizer)

Load = Callable[..., Any]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a kind, built when it is first asked for."""
    home = tmp_path_factory.mktemp("toys")

    def folder(kind: str) -> Path:
        return home / kind if (home / kind).exists() else toy(kind, home / kind)

    return folder


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def load(built: Callable[[str], Path]) -> Load:
    """Loads a kind by the stock `from_pretrained` of its class."""

    def loaded(kind: str, **parts: Any) -> Any:
        folder = built(kind)
        named = diffusers.DiffusionPipeline.load_config(folder)["_class_name"]
        pipeline = getattr(diffusers, named).from_pretrained(folder, **parts)
        pipeline.set_progress_bar_config(disable=True)
        return pipeline

    return loaded


def picture(place: int = 10, size: tuple[int, int] = (64, 64)) -> Image.Image:
    """A red square on blue."""
    drawn = Image.new("RGB", size, (40, 60, 200))
    ImageDraw.Draw(drawn).rectangle((place, place, place + 20, place + 20), fill=(220, 40, 40))
    return drawn


def mask() -> Image.Image:
    """The middle of a picture."""
    drawn = Image.new("L", (64, 64), 0)
    ImageDraw.Draw(drawn).rectangle((16, 16, 47, 47), fill=255)
    return drawn


def given(kind: str, place: int = 10) -> dict[str, Any]:
    """What a kind needs beside a prompt."""
    if kind == "FLUX.1-Kontext-dev":
        return {"image": picture(place), "max_area": 64 * 64, "_auto_resize": False}
    if kind == "FLUX.1-Fill-dev":
        return {"image": picture(place), "mask_image": mask()}
    return {"control_image": picture(place)} if kind in CONTROLLED else {}


def painted(pipeline: Any, prompt: str | None = "a red fox", seed: int = 1, **more: Any) -> Any:
    """One picture of two steps, 64 by 64 pixels, as an array of bytes."""
    if getattr(getattr(pipeline, "config", None), "is_distilled", False):
        more.setdefault("guidance_scale", 1.0)
    ran = pipeline(
        prompt=prompt,
        **{"height": 64, "width": 64, "num_inference_steps": 2, "max_sequence_length": 64} | more,
        generator=torch.Generator().manual_seed(seed),
    )
    return np.asarray(ran.images[0])


def differ(first: Any, second: Any) -> bool:
    """Whether two pictures differ, more than rounding would make them."""
    return bool(np.abs(first.astype(int) - second.astype(int)).max() > 2)


def test_every_local_flux_model_has_a_toy() -> None:
    cards = catalog.load().cards.values()
    run = {card.id for card in cards if card.run and card.run.engine == "flux"}
    assert {system for system in run if system.startswith("FLUX.")} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_toy_is_small_and_in_safetensors(built: Callable[[str], Path], kind: str) -> None:
    files = [path for path in built(kind).rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 5_000_000
    assert {path.suffix for path in files} <= {".json", ".jinja", ".safetensors"}


@pytest.mark.parametrize("kind", ["FLUX.1-schnell", REDUX, "FLUX.2-dev", "FLUX.2-klein-9b-kv"])
def test_a_toy_is_the_same_each_time(
    built: Callable[[str], Path], tmp_path: Path, kind: str
) -> None:
    before = torch.get_rng_state()
    again = toy(kind, tmp_path / "again")
    assert torch.equal(torch.get_rng_state(), before)
    paths = sorted(path.relative_to(again) for path in again.rglob("*") if path.is_file())
    assert paths
    for path in paths:
        assert (again / path).read_bytes() == (built(kind) / path).read_bytes(), path


@pytest.mark.parametrize("make", MAKERS)
def test_a_word_is_one_piece_and_any_other_falls_apart(make: Callable[[], Any]) -> None:
    tokenizer = make()
    specials = len(tokenizer("").input_ids)
    assert len(tokenizer("a red fox").input_ids) == specials + 3
    assert len(tokenizer("a red quokka").input_ids) > specials + 3
    read = tokenizer.decode(tokenizer("a red quokka").input_ids, skip_special_tokens=True)
    assert read == "a red quokka"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != REDUX])
def test_seed_and_prompt_decide_the_picture(load: Load, kind: str) -> None:
    pipeline, more = load(kind), given(kind)
    first = painted(pipeline, **more)
    assert first.shape == (64, 64, 3)
    assert first.std() > 10
    assert np.array_equal(painted(pipeline, **more), first)
    assert np.array_equal(painted(load(kind), **more), first)
    assert differ(painted(pipeline, seed=2, **more), first)
    assert differ(painted(pipeline, prompt="a blue house", **more), first)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if given(kind)])
def test_the_given_picture_counts(load: Load, kind: str) -> None:
    pipeline = load(kind)
    assert differ(painted(pipeline, **given(kind)), painted(pipeline, **given(kind, place=34)))


def test_fill_reads_nothing_under_the_mask(load: Load) -> None:
    pipeline, covered = load("FLUX.1-Fill-dev"), picture()
    covered.paste((255, 255, 0), (20, 20, 40, 40))
    first = painted(pipeline, image=picture(), mask_image=mask())
    assert np.array_equal(painted(pipeline, image=covered, mask_image=mask()), first)
    outside = Image.new("L", (64, 64), 255)
    assert differ(painted(pipeline, image=picture(), mask_image=outside), first)


@pytest.mark.parametrize("kind", READERS)
def test_flux_2_takes_references(load: Load, kind: str) -> None:
    pipeline = load(kind)
    one, other = picture(), picture(30, (96, 80))
    results = [painted(pipeline, image=image) for image in (None, one, [one, other], [other, one])]
    for place, result in enumerate(results):
        assert all(differ(result, later) for later in results[place + 1 :])


@pytest.mark.parametrize("kind", ["FLUX.1-schnell", "FLUX.1-dev"])
def test_redux_varies_a_picture_with_the_encoders_of_its_base(load: Load, kind: str) -> None:
    base = load(kind)
    prior = load(REDUX, **{name: getattr(base, name) for name in ENCODERS})

    def varied(*places: int) -> Any:
        count = len(places)
        told = prior(
            [picture(place) for place in places],
            prompt=[""] * count,
            prompt_embeds_scale=[1 / count] * count,
            pooled_prompt_embeds_scale=[1 / count] * count,
        )
        return painted(base, None, **told)

    results = [varied(10), varied(34), varied(10, 34)]
    assert np.array_equal(varied(10), results[0])
    assert all(differ(results[one], results[two]) for one, two in ((0, 1), (0, 2), (1, 2)))


@pytest.mark.parametrize("kind", ["FLUX.1-schnell", "FLUX.1-dev"])
def test_a_text_model_also_starts_from_a_picture(load: Load, kind: str) -> None:
    pipeline = diffusers.FluxImg2ImgPipeline(**load(kind).components)
    pipeline.set_progress_bar_config(disable=True)
    first = painted(pipeline, image=picture(), strength=0.5)
    assert pipeline.num_timesteps == 1
    assert np.array_equal(painted(pipeline, image=picture(), strength=0.5), first)
    assert differ(painted(pipeline, image=picture(34), strength=0.5), first)
    assert differ(painted(pipeline, image=picture(), strength=1.0), first)


@pytest.mark.parametrize("kind", ["FLUX.1-schnell", "FLUX.1-dev"])
def test_a_text_model_also_paints_inside_a_mask(load: Load, kind: str) -> None:
    pipeline = diffusers.FluxInpaintPipeline(**load(kind).components)
    pipeline.set_progress_bar_config(disable=True)
    told: dict[str, Any] = {"image": picture(), "mask_image": mask(), "strength": 1.0}
    first = painted(pipeline, padding_mask_crop=8, **told)
    assert np.array_equal(painted(pipeline, padding_mask_crop=8, **told), first)
    inside = np.asarray(mask()) > 0
    source = np.asarray(picture())
    assert np.array_equal(first[~inside], source[~inside])
    assert differ(first[inside], source[inside])


def test_klein_also_paints_inside_a_mask(load: Load) -> None:
    loaded = load("FLUX.2-klein-base-4B")
    pipeline = diffusers.Flux2KleinInpaintPipeline(**loaded.components)
    pipeline.set_progress_bar_config(disable=True)
    told: dict[str, Any] = {"image": picture(), "mask_image": mask(), "strength": 1.0}
    assert differ(painted(pipeline, **told), painted(pipeline, seed=2, **told))


@pytest.mark.parametrize(
    ("kind", "heard"),
    [
        ("FLUX.1-schnell", False),
        ("FLUX.1-dev", True),
        ("FLUX.2-dev", True),
        ("FLUX.2-klein-4B", False),
        ("FLUX.2-klein-base-4B", True),
    ],
)
def test_guidance_counts_where_the_real_model_hears_it(load: Load, kind: str, heard: bool) -> None:
    pipeline = load(kind)
    low, high = (painted(pipeline, guidance_scale=guidance) for guidance in (1.0, 4.0))
    assert differ(low, high) == heard


@pytest.mark.parametrize("kind", ["FLUX.1-schnell", "FLUX.2-klein-base-4B", "FLUX.2-klein-9b-kv"])
def test_an_adapter_changes_the_pictures_until_it_goes(
    built: Callable[[str], Path], load: Load, tmp_path: Path, kind: str
) -> None:
    pipeline = load(kind)
    plain = painted(pipeline)
    adapted = []
    for seed in (1, 2):
        path = toy_lora(built(kind), tmp_path / f"{seed}.safetensors", seed)
        assert path.stat().st_size < 200_000
        pipeline.load_lora_weights(path)
        adapted.append(painted(pipeline))
        pipeline.unload_lora_weights()
    assert differ(adapted[0], plain)
    assert differ(adapted[0], adapted[1])
    assert np.array_equal(painted(pipeline), plain)


@pytest.mark.parametrize("kind", ["FLUX.2-klein-base-9B", "FLUX.2-dev"])
def test_an_adapter_of_the_smallest_klein_fits_no_wider_model(
    built: Callable[[str], Path], load: Load, tmp_path: Path, kind: str
) -> None:
    path = toy_lora(built("FLUX.2-klein-base-4B"), tmp_path / "small.safetensors", 1)
    with pytest.raises(RuntimeError, match="size mismatch"):
        load(kind).load_lora_weights(path)
