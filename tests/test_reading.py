"""What each word of a caption is about, and that the shipped text encoder knows it."""

import numpy as np
import pytest
import torch
from diffusers import FluxPipeline
from torch.nn import functional

from tools.pocket import world
from tools.pocket.captions import KIND_WORDS, caption, describe
from tools.pocket.edits import edit, join
from tools.pocket.recipes import flow, flux, reading
from tools.pocket.world import COLOURS, FILLS, KINDS, PLACES, SIZES, Scene, Thing

KIND, COLOUR, FILL, SIZE, PLACE, BACKGROUND = range(6)
STAR = Thing("star", "red", "striped", "small", "left", 1)
MOON = Thing("moon", "blue", "dotted", "medium", "right", 2)
NIGHT = Scene((STAR, MOON), "night", 3)


def test_every_word_is_about_its_own_thing() -> None:
    labels = reading.of_caption("At night, a red star with stripes left of a blue moon", NIGHT)
    star = [KINDS.index("star"), COLOURS.index("red"), FILLS.index("striped"), 0]
    moon = [KINDS.index("moon"), COLOURS.index("blue"), FILLS.index("dotted"), 1]
    night = world.BACKGROUNDS.index("night")
    assert labels[:2].tolist() == [[-1] * 5 + [night]] * 2
    assert labels[3:8].tolist() == [[*star, PLACES.index("left"), -1]] * 5
    assert labels[10:13].tolist() == [[*moon, PLACES.index("right"), -1]] * 3
    assert (labels[[2, 8, 9]] == -1).all()  # the comma, "left", "of"
    assert (labels[13:] == -1).all()


def test_a_place_belongs_to_a_thing_that_is_alone() -> None:
    scene = Scene((STAR,), "white", 3)
    labels = reading.of_caption("a star on the left on white paper", scene)
    assert (labels[2:5, PLACE] == PLACES.index("left")).all()
    assert (labels[5:8, BACKGROUND] == world.BACKGROUNDS.index("white")).all()


def test_a_caption_of_another_scene_is_refused() -> None:
    with pytest.raises(ValueError, match="does not name the star"):
        reading.of_caption("a heart", Scene((STAR,), "white", 3))


def test_nouns_of_any_caption_have_their_kind() -> None:
    rng = np.random.default_rng(4)
    for _ in range(400):
        scene = world.sample(rng)
        text = caption(scene, rng)
        labels, words = reading.of_caption(text, scene), reading._tokens(text)
        for thing in scene.things:
            own = labels[: len(words), KIND] == KINDS.index(thing.kind)
            told = " ".join(word for word, mine in zip(words, own, strict=True) if mine)
            assert any(noun in told for noun in KIND_WORDS[thing.kind]), text
            assert set(labels[: len(words), SIZE][own]) == {list(SIZES).index(thing.size)}


def test_an_instruction_is_about_the_thing_as_it_shall_be() -> None:
    rng = np.random.default_rng(5)
    for change in ("recolour", "remove", "background"):
        asked = edit(rng, change)
        labels = reading.of_instruction(asked)[: len(reading._tokens(asked.instruction))]
        if change == "background":
            told = {world.BACKGROUNDS.index(asked.after.background)}
            assert set(labels[:, BACKGROUND]) == told
            assert (labels[:, :BACKGROUND] == -1).all()
            continue
        before, after = set(asked.before.things), set(asked.after.things)
        [thing] = after - before if change == "recolour" else before - after
        assert set(labels[:, COLOUR]) == {COLOURS.index(thing.colour)}
    joined = join(rng)
    [thing] = joined.before.things
    assert reading.of_instruction(joined)[0, KIND] == KINDS.index(thing.kind)


def test_the_shipped_encoder_finds_the_colour_of_each_of_two_things() -> None:
    """A linear probe of its output at the nouns; by pictures alone it found 21 %."""
    pipeline = FluxPipeline.from_pretrained(flux.WEIGHTS, dtype=torch.float32)
    rng = np.random.default_rng(world.HELD_OUT[7])
    scenes = [world.sample(rng, 2) for _ in range(1_500)]
    _, ids = flow.token_ids(pipeline, [describe(scene) for scene in scenes])
    pieces = pipeline.tokenizer_2.get_vocab()
    with torch.no_grad():
        read = pipeline.text_encoder_2(ids.long())[0]
    found, colours = [], []
    for row, tokens, scene in zip(read, ids, scenes, strict=True):
        for thing in scene.things:
            found.append(row[(tokens == pieces[f"▁{thing.kind}"]).nonzero()[0, 0]])
            colours.append(COLOURS.index(thing.colour))
    inputs, right = torch.stack(found), torch.tensor(colours)
    torch.manual_seed(1)
    probe = torch.nn.Linear(inputs.shape[1], len(COLOURS))
    optimizer = torch.optim.Adam(probe.parameters(), 1e-2)
    for _ in range(300):
        optimizer.zero_grad()
        loss = functional.cross_entropy(probe(inputs[:2_000]), right[:2_000])
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert (probe(inputs[2_000:]).argmax(1) == right[2_000:]).float().mean() > 0.9
