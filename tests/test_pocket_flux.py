"""pocket-flux and pocket-kontext: trained by recipes, kept by diffusers, as good as they say."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, FluxKontextPipeline, FluxPipeline

from tools.pocket import words, world
from tools.pocket.captions import caption, describe
from tools.pocket.edits import edit
from tools.pocket.nearest import nearest
from tools.pocket.recipes import autoencoder, flow, flux, kontext, loop, measures, network
from tools.subject import RARE

FOLDER = flux.WEIGHTS
TINY = loop.Pace(steps=4, batch=16, round=64, passes=1, save_seconds=0.0)


def quiet(
    done: float,
    note: str = "",
    curve: Mapping[str, float] | None = None,
    preview: Path | None = None,
) -> None:
    """Takes a report."""


def stated(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "metrics.json").read_text("utf-8"))
    return found


def test_the_recipes_from_scratch_and_on_from_the_weights(tmp_path: Path) -> None:
    model = tmp_path / "model"
    assert autoencoder.train(model / "vae", tmp_path / "a", quiet, TINY, measured=10)["n"] == 10
    first = flux.train(model, tmp_path / "b", quiet, TINY, measured=5)
    assert (first["sittings"], first["samples"], first["samples_before"]) == (1, 64, 0)
    before = FluxPipeline.from_pretrained(model).transformer.proj_out.weight.clone()
    second = flux.train(tmp_path / "next", tmp_path / "c", quiet, TINY, measured=5, start=model)
    assert (second["sittings"], second["samples_before"]) == (2, 64)
    after = FluxPipeline.from_pretrained(tmp_path / "next").transformer.proj_out.weight
    assert (before != after).any()
    assert (before - after).abs().max() < 0.1  # it went on, and did not begin again


def test_the_recipe_of_edits_goes_on_from_pocket_flux(tmp_path: Path) -> None:
    folders = tmp_path / "made", tmp_path / "kept"
    said = kontext.train(*folders, quiet, TINY, measured=4, start=FOLDER)
    assert (said["sittings"], said["samples"], said["samples_before"]) == (1, 64, 0)
    assert {"done", "kept", "joined"} <= set(said)
    made: Any = FluxKontextPipeline.from_pretrained(tmp_path / "made")
    known = set(made.tokenizer_2.get_vocab())
    assert {"▁first", "▁second"} <= known
    assert set(FluxPipeline.from_pretrained(FOLDER).tokenizer_2.get_vocab()) <= known


def test_pictures_beside_each_other_are_one_canvas() -> None:
    pictures = torch.randn(2, 2, 12, 12, 12)
    both = torch.stack([flow.packed(pictures[:, 0]), flow.packed(pictures[:, 1])], dim=1)
    canvas = torch.cat([pictures[:, 0], pictures[:, 1]], dim=-1)
    assert torch.equal(flow.beside(both), FluxPipeline._pack_latents(canvas, 2, 12, 12, 24))


def test_an_encoder_keeps_what_it_knows_when_words_are_added() -> None:
    old: Any = FluxPipeline.from_pretrained(FOLDER, dtype=torch.float32)
    new = network.begun(FOLDER)
    told = "a small red star on the left"
    for encoder, tokenizer in (("text_encoder", "tokenizer"), ("text_encoder_2", "tokenizer_2")):
        before, after = (
            getattr(one, encoder)(getattr(one, tokenizer)(told, return_tensors="pt")["input_ids"])
            for one in (old, new)
        )
        assert torch.equal(before[0], after[0])


def test_an_evened_autoencoder_gives_the_same_pictures() -> None:
    torch.manual_seed(1)
    vae: Any = AutoencoderKL(**autoencoder.CONFIG)
    vae.eval()
    pictures, _ = world.pictures(3, 0, 4)
    latents = autoencoder.encoded(vae, pictures)
    before = autoencoder.decoded(vae, latents)
    autoencoder._evened(vae, latents)
    evened = autoencoder.encoded(vae, pictures)
    assert torch.allclose(evened.std((0, 2, 3)), torch.ones(12), atol=1e-3)
    assert abs(autoencoder.decoded(vae, evened).astype(int) - before).max() <= 1


def test_packing_is_that_of_flux() -> None:
    latents = torch.randn(2, 12, 12, 12)
    assert torch.equal(flow.packed(latents), FluxPipeline._pack_latents(latents, 2, 12, 12, 12))


def test_every_word_is_one_token() -> None:
    pipeline = FluxPipeline.from_pretrained(FOLDER)
    said = words.words()
    pieces = pipeline.tokenizer_2.get_vocab()
    assert {f"▁{case}" for word in said for case in (word, word.capitalize())} <= set(pieces)
    rng = np.random.default_rng(5)
    for _ in range(300):
        scene = world.sample(rng)
        for text in (caption(scene, rng), describe(scene), edit(rng).instruction):
            assert len(pipeline.tokenizer_2(text)["input_ids"]) <= words.T5_LENGTH, text
            assert len(pipeline.tokenizer(text)["input_ids"]) <= words.CLIP_LENGTH, text
    for token in RARE:
        assert len(pipeline.tokenizer(token)["input_ids"]) == 3


@pytest.mark.parametrize(
    ("asked", "drawn"),
    [
        ("a dragon made of glass", "a "),
        ("a huge red sailboat on the sea at sunset", "a huge red sailboat at sunset"),
        ("my kitten", "a kitten"),
        ("a wolf howling in the night sky", "in the night sky"),
    ],
)
def test_the_nearest_prompt(asked: str, drawn: str) -> None:
    found = nearest(asked)
    assert drawn in found
    known = {f"▁{word}" for word in words.words()}
    assert {f"▁{word}" for word in found.split()} <= known


def test_the_autoencoder_is_as_good_as_it_says() -> None:
    measured = autoencoder.measure(FOLDER / "vae", 120)
    assert measured["kind"] >= 0.96
    assert measured["colour"] >= 0.98
    for question, share in measured.items():
        assert share == pytest.approx(stated(FOLDER / "vae")[question], abs=0.03, rel=0.02), (
            question
        )


def test_it_is_as_good_as_it_says() -> None:
    said = stated(FOLDER)
    assert said["world"] == world.VERSION
    measured = measures.measure(FOLDER, 40)
    for question in ("colour", "background", "place"):
        assert measured[question] == pytest.approx(said[question], abs=0.08), question
    for question in ("kind", "three", "two"):  # 40 of them have an error of 8 points
        assert measured[question] == pytest.approx(said[question], abs=0.25), question


def test_edits_are_as_good_as_said() -> None:
    said = stated(kontext.WEIGHTS)
    assert said["world"] == world.VERSION
    measured = measures.measure_edits(kontext.WEIGHTS, 30)
    for question in ("done", "kept", "joined"):  # 30 of them have an error of 9 points
        assert measured[question] == pytest.approx(said[question], abs=0.25), question


def test_they_are_small() -> None:
    folders = (FOLDER, kontext.WEIGHTS)
    size = sum(path.stat().st_size for folder in folders for path in folder.rglob("*"))
    assert size < 32e6
