"""The pocket world: what it holds, that it is reproducible, varied and true to its words."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from tools.pocket import captions, edits, world
from tools.pocket.world import Scene, Thing

PLAIN = Scene((Thing("star", "red", "solid", "medium", "centre", 5),), "white", 3)


def _prints(pictures: world.Pictures) -> set[str]:
    return {hashlib.sha256(picture.tobytes()).hexdigest() for picture in pictures}


def _differing(before: Scene, after: Scene) -> set[str]:
    """The fields in which two scenes of equal count differ."""
    fields = {"background"} if before.background != after.background else set()
    for a, b in zip(before.things, after.things, strict=True):
        names = ("kind", "colour", "fill", "size", "place", "look")
        fields |= {name for name in names if getattr(a, name) != getattr(b, name)}
    return fields


def _extent(scene: Scene) -> tuple[float, float, float]:
    """Middle and longer side of what a scene's thing covers, as shares of the picture."""
    empty = replace(scene, things=())
    rows, columns = np.nonzero((world.draw(scene) != world.draw(empty)).any(axis=2))
    across, down = np.ptp(columns) + 1, np.ptp(rows) + 1
    return (
        (columns.min() + across / 2) / world.PIXELS,
        (rows.min() + down / 2) / world.PIXELS,
        max(across, down) / world.PIXELS,
    )


def test_the_world_is_as_large_as_promised() -> None:
    assert len(set(world.KINDS)) >= 24
    assert len(world.COLOURS) == 10
    assert len(world.BACKGROUNDS) == 12
    assert len(world.FILLS) == 4
    assert len(world.SIZES) == 3
    assert len(world.PLACES) == 9


def test_every_name_is_sampled_and_none_of_the_reserved() -> None:
    scenes = world.scenes(1, 0, 10_000)
    things = [thing for scene in scenes for thing in scene.things]
    assert {thing.kind for thing in things} == set(world.KINDS)
    assert not set(world.KINDS) & set(world.RESERVED)
    assert {thing.colour for thing in things} == set(world.COLOURS)
    assert {thing.fill for thing in things} == set(world.FILLS)
    assert {thing.size for thing in things} == set(world.SIZES)
    assert {thing.place for thing in things} == set(world.PLACES)
    assert {scene.background for scene in scenes} == set(world.BACKGROUNDS)
    assert 0.25 < sum(len(scene.things) == 2 for scene in scenes) / len(scenes) < 0.35
    assert all(world.fits(scene) for scene in scenes)


def test_edits_never_bring_in_the_reserved() -> None:
    rng = np.random.default_rng(2)
    for made in (edits.edit(rng) for _ in range(3_000)):
        assert not {thing.kind for thing in made.after.things} & set(world.RESERVED)


@pytest.mark.parametrize("kind", world.RESERVED)
def test_reserved_kinds_are_drawn_when_asked_for(kind: str) -> None:
    asked = replace(PLAIN, things=(replace(PLAIN.things[0], kind=kind),))
    changed = (world.draw(asked) != world.draw(replace(PLAIN, things=()))).any(axis=2)
    assert 0.02 < changed.mean() < 0.5
    assert kind in captions.describe(asked)


def test_a_seed_gives_the_same_pictures_every_time_and_in_any_parts() -> None:
    pictures, scenes = world.pictures(4, 0, 300)
    with ThreadPoolExecutor(2) as executor:
        again, told = world.pictures(4, 0, 300, executor=executor)
    assert np.array_equal(pictures, again)
    assert scenes == told
    assert np.array_equal(world.pictures(4, 290, 10)[0], pictures[290:])
    assert pictures.shape == (300, 96, 96, 3)
    assert pictures.dtype == np.uint8


def test_this_version_of_the_world_draws_what_it_always_drew() -> None:
    assert world.VERSION == 1
    told = "".join(captions.describe(scene) for scene in world.scenes(3, 0, 500))
    assert hashlib.sha256(told.encode()).hexdigest()[:16] == "9483074e784a1955"
    means = world.pictures(3, 0, 100)[0].mean(axis=(0, 1, 2))
    assert np.allclose(means, (176.6, 173.4, 176.0), atol=0.2)


def test_held_out_pictures_are_never_training_pictures() -> None:
    trained = _prints(world.pictures(7, 0, 300)[0]) | _prints(world.pictures(11, 0, 300)[0])
    held = _prints(world.pictures(world.HELD_OUT[1], 0, 300)[0])
    assert len(trained) == 600
    assert len(held) == 300
    assert not trained & held


def test_other_sizes_show_the_same_scene() -> None:
    small, large = world.draw(PLAIN, 48), world.draw(PLAIN, 192)
    assert large.shape == (192, 192, 3)
    coarse = large.reshape(48, 4, 48, 4, 3).mean(axis=(1, 3))
    assert np.abs(coarse - small).mean() < 4


def test_edges_are_antialiased() -> None:
    assert len(np.unique(world.draw(PLAIN)[..., 1])) > 10


def test_a_pixel_nearest_neighbour_gets_kind_right_in_at_most_half() -> None:
    def seen(seed: int, count: int) -> tuple[np.ndarray, list[str]]:
        scenes = [s for s in world.scenes(seed, 0, 2 * count) if len(s.things) == 1][:count]
        pictures = world.draw_many(scenes).reshape(count, 48, 2, 48, 2, 3).mean(axis=(2, 4))
        return pictures.reshape(count, -1).astype(np.float32), [s.things[0].kind for s in scenes]

    known, names = seen(1, 2_500)
    asked, right = seen(2, 300)
    distances = (known**2).sum(1) - 2 * asked @ known.T
    nearest = [names[i] for i in distances.argmin(1)]
    assert np.mean([a == b for a, b in zip(nearest, right, strict=True)]) <= 0.5


def test_sizes_and_places_are_where_they_say() -> None:
    solid = [s for s in world.scenes(5, 0, 600) if len(s.things) == 1 and s.background == "white"]
    assert len(solid) > 20
    for scene in solid:
        x, y, side = _extent(scene)
        thing = scene.things[0]
        row, column = divmod(world.PLACES.index(thing.place), 3)
        reach = {"small": 0.08, "medium": 0.08, "large": 0.14}[thing.size]
        assert abs(x - (0.22 + 0.28 * column)) < reach, scene
        assert abs(y - (0.22 + 0.28 * row)) < reach, scene
        assert abs(side / world.SIZES[thing.size] - 1) < 0.18, scene


def test_relations_agree_with_where_things_are() -> None:
    a, b = replace(PLAIN.things[0], place="left"), replace(PLAIN.things[0], place="right")
    assert world.relations(a, b) == ("left of",)
    assert world.relations(b, a) == ("right of",)
    up, down = replace(a, place="top"), replace(a, place="bottom left")
    assert world.relations(up, down) == ("above",)
    assert world.relations(down, up) == ("below",)
    corner = replace(a, place="bottom right")
    assert world.relations(replace(a, place="top left"), corner) == ("left of", "above")


def _said(words: dict[str, captions.Words], caption: str) -> set[str]:
    """The names whose words stand in a caption, the longest words read first."""
    rest, found = f" {caption.replace(',', '')} ", set()
    by_word = {word: name for name, row in words.items() for word in row}
    for word in sorted(by_word, key=len, reverse=True):
        if f" {word} " in rest:
            found.add(by_word[word])
            rest = rest.replace(f" {word} ", "  ")
    return found


def test_captions_tell_the_truth_in_few_and_varied_words() -> None:
    rng = np.random.default_rng(6)
    scenes = world.scenes(6, 0, 2_000)
    told = [captions.caption(scene, rng) for scene in scenes]
    assert len(set(told)) > 1_900
    assert max(len(caption.split()) for caption in told) <= captions.MOST_WORDS
    grounds = {word for row in captions.BACKGROUND_WORDS.values() for word in row}
    for scene, caption in zip(scenes, told, strict=True):
        assert _said(captions.BACKGROUND_WORDS, caption) <= {scene.background}
        plain = caption
        for ground in sorted(grounds, key=len, reverse=True):
            plain = plain.replace(ground, "")
        assert _said(captions.KIND_WORDS, plain) == {thing.kind for thing in scene.things}
        assert _said(captions.COLOUR_WORDS, plain) <= {thing.colour for thing in scene.things}
        assert _said(captions.SIZE_WORDS, plain) <= {thing.size for thing in scene.things}


def test_captions_place_things_truly() -> None:
    rng = np.random.default_rng(8)
    for scene in world.scenes(8, 0, 1_500):
        caption = captions.caption(scene, rng)
        if len(scene.things) == 1:
            assert _said(captions.PLACE_WORDS, caption) <= {scene.things[0].place}
            continue
        for link in _said(captions.RELATION_WORDS, caption):
            first = min(scene.things, key=lambda t: _position(t.kind, caption))
            other = next(thing for thing in scene.things if thing is not first)
            assert link in world.relations(first, other), caption


def _position(kind: str, caption: str) -> int:
    places = [f" {caption} ".find(f" {word} ") for word in captions.KIND_WORDS[kind]]
    return min(place for place in places if place >= 0)


def test_a_full_description_tells_everything_and_is_unique() -> None:
    assert captions.describe(PLAIN) == (
        "a medium red solid star in the centre on a white background"
    )
    scenes = world.scenes(9, 0, 2_000)
    assert max(len(captions.describe(scene).split()) for scene in scenes) <= 18


@pytest.mark.parametrize("change", edits.CHANGES)
def test_an_edit_changes_what_it_says_and_only_that(change: str) -> None:
    field = {"recolour": "colour", "kind": "kind", "refill": "fill", "resize": "size"}
    rng = np.random.default_rng(10)
    for made in (edits.edit(rng, change) for _ in range(60)):
        before, after = made.before, made.after
        assert world.fits(before)
        assert world.fits(after)
        if change in {"add", "remove"}:
            fewer, more = sorted((before, after), key=lambda scene: len(scene.things))
            assert (before is fewer) == (change == "add")
            assert (len(fewer.things), len(more.things)) == (1, 2)
            assert fewer.things[0] in more.things
            assert replace(fewer, things=more.things) == more
        else:
            named = {"background": "background", "move": "place"} | field
            assert _differing(before, after) == {named[change]}
            assert before.look == after.look


def test_an_edited_picture_changes_only_around_the_edited_thing() -> None:
    rng = np.random.default_rng(12)
    for made in (edits.edit(rng, "recolour") for _ in range(60)):
        changed = (world.draw(made.before) != world.draw(made.after)).any(axis=2)
        assert changed.any()
        pairs = zip(made.before.things, made.after.things, strict=True)
        thing = next(a for a, b in pairs if a != b)
        alone = (world.draw(replace(made.before, things=(thing,)))) != world.draw(
            replace(made.before, things=())
        )
        assert not (changed & ~alone.any(axis=2)).any()


def test_instructions_name_the_new_value() -> None:
    rng = np.random.default_rng(14)
    for made in (edits.edit(rng, "recolour") for _ in range(200)):
        pairs = zip(made.before.things, made.after.things, strict=True)
        new = next(b.colour for a, b in pairs if a != b)
        assert new in _said(captions.COLOUR_WORDS, made.instruction), made.instruction
    told = {edits.edit(rng).instruction for _ in range(500)}
    assert len(told) > 350
