"""Edits in the pocket world: a picture or two, an instruction, and the picture it asks for."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from tools.pocket.captions import (
    COLOUR_WORDS,
    FILL_WORDS,
    KIND_WORDS,
    PLACE_WORDS,
    RELATION_WORDS,
    SIZE_WORDS,
    Words,
    name,
    pick,
    with_article,
)
from tools.pocket.world import (
    BACKGROUNDS,
    COLOURS,
    FILLS,
    KINDS,
    PLACES,
    SIZES,
    Scene,
    Thing,
    fits,
    relations,
    sample,
)


@dataclass(frozen=True)
class Edit:
    """Scenes and the words that lead from one to the other."""

    change: str
    before: Scene
    instruction: str
    after: Scene
    second: Scene | None = None  # the picture beside the one that is changed


_PLACES: Final = {
    "centre": ("the middle", "the centre", "the center"),
    "top": ("the top",),
    "bottom": ("the bottom",),
    "left": ("the left side", "the left"),
    "right": ("the right side", "the right"),
}
_BACKGROUNDS: Final[dict[str, Words]] = {
    "white": ("white", "plain white"),
    "grey": ("grey", "gray"),
    "black": ("black",),
    "cream": ("cream",),
    "sky": ("a clear sky", "blue"),
    "sunset": ("a sunset",),
    "night": ("a night sky",),
    "meadow": ("a meadow",),
    "checkered": ("a checkered pattern", "a checkerboard"),
    "striped": ("a striped pattern", "striped wallpaper"),
    "spotted": ("a spotted pattern", "spotted wallpaper"),
    "grid": ("grid paper", "squared paper"),
}
_SAYINGS: Final[dict[str, Words]] = {
    "recolour": (
        "make {it} {new}",
        "paint {it} {new}",
        "turn {it} {new}",
        "change the colour of {it} to {new}",
    ),
    "kind": ("turn {it} into {new}", "replace {it} with {new}", "swap {it} for {new}"),
    "refill": ("make {it} {new}", "change {it} to {new}"),
    "resize": ("make {it} {new}", "resize {it} to {new}"),
    "move": ("move {it} to {new}", "shift {it} to {new}", "put {it} at {new}"),
    "background": (
        "change the background to {new}",
        "make the background {new}",
        "replace the background with {new}",
    ),
    "remove": ("remove {it}", "take away {it}", "erase {it}", "delete {it}"),
    "add": ("add {new}", "draw {new}", "put {new}"),
}
CHANGES: Final = tuple(_SAYINGS)
_JOINS: Final = (
    "put {it} of the first on the background of the second",
    "{it} of the first picture on the background of the second",
    "move {it} from the first picture to the second background",
    "take {it} of the first and the background of the second",
)


def _pointed(thing: Thing, scene: Scene, rng: np.random.Generator) -> str:
    """Words that point at one thing of a scene: "it" will do when it is alone."""
    choices = _named(thing, rng)
    return pick([*choices, "it"] if len(scene.things) == 1 else choices, rng)


def _named(thing: Thing, rng: np.random.Generator) -> list[str]:
    kind = pick(KIND_WORDS[thing.kind], rng)
    return [f"the {kind}", f"the {pick(COLOUR_WORDS[thing.colour], rng)} {kind}"]


def _other(names: tuple[str, ...], than: str, rng: np.random.Generator) -> str:
    return pick([name for name in names if name != than], rng)


def _step_words(before: str, after: str) -> Words:
    """Words for a new size; "bigger" and "smaller" only where they leave no doubt."""
    step = list(SIZES).index(after) - list(SIZES).index(before)
    return (*SIZE_WORDS[after], *{1: ("bigger", "larger"), -1: ("smaller",)}.get(step, ()))


def _changed(thing: Thing, change: str, rng: np.random.Generator) -> tuple[Thing, Words]:
    """The thing after a change of one attribute, and the ways to say the new one."""
    if change == "recolour":
        new = _other(COLOURS, thing.colour, rng)
        return replace(thing, colour=new), COLOUR_WORDS[new]
    if change == "kind":
        new = _other(KINDS, thing.kind, rng)
        return replace(thing, kind=new), [with_article(word) for word in KIND_WORDS[new]]
    if change == "refill":
        new = _other(FILLS, thing.fill, rng)
        return replace(thing, fill=new), FILL_WORDS[new]
    if change == "resize":
        new = _other(tuple(SIZES), thing.size, rng)
        return replace(thing, size=new), _step_words(thing.size, new)
    new = _other(PLACES, thing.place, rng)
    return replace(thing, place=new), _PLACES.get(new, (f"the {new} corner", f"the {new}"))


def _of_a_thing(change: str, rng: np.random.Generator) -> Edit:
    before = sample(rng)
    index = int(rng.integers(len(before.things)))
    thing = before.things[index]
    changed, words = _changed(thing, change, rng)
    things = (*before.things[:index], changed, *before.things[index + 1 :])
    told = pick(_SAYINGS[change], rng).format(it=_pointed(thing, before, rng), new=pick(words, rng))
    return Edit(change, before, told, replace(before, things=things))


def _of_the_background(change: str, rng: np.random.Generator) -> Edit:
    before = sample(rng)
    new = _other(BACKGROUNDS, before.background, rng)
    told = pick(_SAYINGS[change], rng).format(new=pick(_BACKGROUNDS[new], rng))
    return Edit(change, before, told, replace(before, background=new))


def _of_the_count(change: str, rng: np.random.Generator) -> Edit:
    both = sample(rng, 2)
    index = int(rng.integers(2))
    thing, rest = both.things[index], both.things[1 - index]
    alone = replace(both, things=(rest,))
    saying = pick(_SAYINGS[change], rng)
    if change == "remove":
        return Edit(change, both, saying.format(it=_pointed(thing, both, rng)), alone)
    where = pick(PLACE_WORDS[thing.place], rng)
    if rng.random() < 0.5:
        link = pick(RELATION_WORDS[pick(relations(thing, rest), rng)], rng)
        where = f"{link} {_pointed(rest, both, rng)}"
    return Edit(change, alone, saying.format(new=f"{name(thing, rng)} {where}"), both)


def join(rng: np.random.Generator) -> Edit:
    """Two pictures, and the thing of the first on the background of the second."""
    while True:
        first, second = sample(rng, 1), sample(rng, 1)
        after = replace(first, background=second.background, look=second.look)
        if first.background != second.background and fits(after):
            it = pick([*_named(first.things[0], rng), "the thing"], rng)
            return Edit("join", first, pick(_JOINS, rng).format(it=it), after, second)


def edit(rng: np.random.Generator, change: str | None = None) -> Edit:
    """A random edit whose two scenes can both be told by eye.

    Args:
        rng: Where the choice comes from.
        change: One of ``CHANGES``, or any.
    """
    wanted = change or pick(CHANGES, rng)
    by_change: dict[str, Callable[[str, np.random.Generator], Edit]] = {
        "background": _of_the_background,
        "add": _of_the_count,
        "remove": _of_the_count,
    }
    make = by_change.get(wanted, _of_a_thing)
    while not fits((made := make(wanted, rng)).after):
        pass
    return made
