"""Scenes in words: plain and complete, or varied as people would put them; always true."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from tools.pocket.world import Scene, Thing, relations

Words = Sequence[str]

MOST_WORDS: Final = 16

# The first word of every row is the plain one.
KIND_WORDS: Final[dict[str, Words]] = {
    "circle": ("circle", "disc"),
    "square": ("square", "box"),
    "triangle": ("triangle",),
    "star": ("star",),
    "heart": ("heart",),
    "cross": ("cross", "plus sign"),
    "moon": ("moon", "crescent"),
    "ring": ("ring", "donut"),
    "arrow": ("arrow", "pointer"),
    "bolt": ("bolt", "lightning bolt"),
    "cloud": ("cloud",),
    "house": ("house", "home", "cottage"),
    "tree": ("tree",),
    "flower": ("flower", "blossom"),
    "mushroom": ("mushroom", "toadstool"),
    "apple": ("apple",),
    "fish": ("fish",),
    "cat": ("cat", "kitten"),
    "butterfly": ("butterfly",),
    "cup": ("cup", "mug"),
    "car": ("car", "automobile"),
    "boat": ("boat", "sailboat", "ship"),
    "rocket": ("rocket", "spaceship"),
    "crown": ("crown",),
    "robot": ("robot",),
    "teapot": ("teapot",),
    "bicycle": ("bicycle", "bike"),
    "umbrella": ("umbrella",),
    "key": ("key",),
}
COLOUR_WORDS: Final[dict[str, Words]] = {
    "red": ("red", "scarlet"),
    "orange": ("orange",),
    "yellow": ("yellow",),
    "green": ("green",),
    "turquoise": ("turquoise", "teal"),
    "blue": ("blue",),
    "purple": ("purple", "violet"),
    "pink": ("pink", "rose"),
    "brown": ("brown",),
    "black": ("black",),
}
FILL_WORDS: Final[dict[str, Words]] = {
    "solid": ("solid", "filled", "plain"),
    "outline": ("outlined", "hollow"),
    "striped": ("striped", "stripy"),
    "dotted": ("dotted", "polka-dot"),
}
FILL_TAILS: Final[dict[str, Words]] = {
    "solid": ("in one colour",),
    "outline": ("in outline",),
    "striped": ("with stripes",),
    "dotted": ("with dots",),
}
SIZE_WORDS: Final[dict[str, Words]] = {
    "small": ("small", "little", "tiny"),
    "medium": ("medium", "medium-sized"),
    "large": ("large", "big", "huge"),
}
PLACE_WORDS: Final[dict[str, Words]] = {
    "top left": ("in the top left corner", "at the upper left", "top left"),
    "top": ("at the top", "near the top"),
    "top right": ("in the top right corner", "at the upper right", "top right"),
    "left": ("on the left", "at the left side"),
    "centre": ("in the centre", "in the middle", "in the center"),
    "right": ("on the right", "at the right side"),
    "bottom left": ("in the bottom left corner", "at the lower left", "bottom left"),
    "bottom": ("at the bottom", "near the bottom"),
    "bottom right": ("in the bottom right corner", "at the lower right", "bottom right"),
}
BACKGROUND_WORDS: Final[dict[str, Words]] = {
    "white": ("on a white background", "on white", "on white paper"),
    "grey": ("on a grey background", "on grey", "on a gray background"),
    "black": ("on a black background", "against black"),
    "cream": ("on a cream background", "on cream paper"),
    "sky": (
        "against the sky",
        "on a blue background",
        "in front of a clear sky",
        "on a blue background",  # as most people say it
    ),
    "sunset": ("at sunset", "in front of a sunset"),
    "night": ("at night", "in the night sky", "in a starry night"),
    "meadow": ("in a meadow", "on a grassy meadow"),
    "checkered": ("on a checkered background", "on a checkerboard"),
    "striped": ("on a striped background", "on striped wallpaper"),
    "spotted": ("on a spotted background", "on spotted wallpaper"),
    "grid": ("on grid paper", "on squared paper"),
}
RELATION_WORDS: Final[dict[str, Words]] = {
    "left of": ("left of", "to the left of"),
    "right of": ("right of", "to the right of"),
    "above": ("above", "over"),
    "below": ("below", "under", "beneath"),
}
_LEADS: Final = ("", "", "a picture of", "a drawing of", "an icon of", "an image with")
_FILLERS: Final = ("simple", "nice", "cute")
_SAID: Final = {"small": 0.8, "medium": 0.3, "large": 0.8, "solid": 0.3}


def pick(words: Words, rng: np.random.Generator | None) -> str:
    """One of the words at random, or the plain one."""
    return words[0] if rng is None else words[int(rng.integers(len(words)))]


def with_article(words: str) -> str:
    """The words after "a" or "an"."""
    return f"an {words}" if words[0] in "aeiou" else f"a {words}"


def name(thing: Thing, rng: np.random.Generator | None = None, keep: float = 1.0) -> str:
    """A thing in words, such as "a small red striped star".

    Args:
        thing: The thing.
        rng: Where the variety comes from; without one every attribute is told, in plain words.
        keep: How readily attributes are told, from 0 (the kind only) to 1.
    """

    def said(attribute: str, usual: float) -> bool:
        return rng is None or rng.random() < keep * _SAID.get(attribute, usual)

    size = [pick(SIZE_WORDS[thing.size], rng)] if said(thing.size, 0.8) else []
    colour = [pick(COLOUR_WORDS[thing.colour], rng)] if said(thing.colour, 0.9) else []
    fill = [pick(FILL_WORDS[thing.fill], rng)] if said(thing.fill, 0.85) else []
    tail: list[str] = []
    if rng is not None and fill and rng.random() < 0.25:
        fill, tail = [], [pick(FILL_TAILS[thing.fill], rng)]
    if rng is not None and rng.random() < 0.08 * keep:
        size.insert(0, pick(_FILLERS, rng))
    middle = fill + colour if rng is not None and rng.random() < 0.3 else colour + fill
    return with_article(" ".join([*size, *middle, pick(KIND_WORDS[thing.kind], rng), *tail]))


def describe(scene: Scene) -> str:
    """Everything there is to tell about a scene, in plain words."""
    ground = BACKGROUND_WORDS[scene.background][0]
    if len(scene.things) == 1:
        thing = scene.things[0]
        return f"{name(thing)} {PLACE_WORDS[thing.place][0]} {ground}"
    a, b = scene.things
    return f"{name(a)} {relations(a, b)[0]} {name(b)} {ground}"


def caption(scene: Scene, rng: np.random.Generator) -> str:
    """A scene as somebody might put it: synonyms, things left out, one order or another."""
    keep = 1.0
    while len((text := _draft(scene, rng, keep)).split()) > MOST_WORDS:
        keep *= 0.8
    return text


def _draft(scene: Scene, rng: np.random.Generator, keep: float) -> str:
    told, place = _subject(scene, rng, keep)
    ground = ""
    if rng.random() < 0.8 * keep:
        ground = pick(BACKGROUND_WORDS[scene.background], rng)
    orders = ((told, place, ground), (told, ground, place), (ground, told, place))
    order = orders[rng.choice(3, p=(0.6, 0.2, 0.2))]
    lead = pick(_LEADS, rng) if order[0] == told else ""
    first, *rest = [words for words in (lead, *order) if words]
    comma = "," if first == ground and rest else ""
    return " ".join([first + comma, *rest])


def _subject(scene: Scene, rng: np.random.Generator, keep: float) -> tuple[str, str]:
    """The things in words, and the place if there is one to tell."""
    if len(scene.things) == 1:
        thing = scene.things[0]
        place = pick(PLACE_WORDS[thing.place], rng) if rng.random() < 0.75 * keep else ""
        return name(thing, rng, keep), place
    a, b = scene.things if rng.random() < 0.5 else scene.things[::-1]
    link = "and"
    if rng.random() < 0.85:
        link = pick(RELATION_WORDS[pick(relations(a, b), rng)], rng)
    return f"{name(a, rng, keep)} {link} {name(b, rng, keep)}", ""
