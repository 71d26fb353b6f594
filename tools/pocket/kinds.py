"""The kinds of thing in the pocket world, each as polygons in a unit box.

A kind is a function of ``u``, a uniform random source, so that proportions differ from one
drawing to the next. x grows to the right, y grows down, and a shape spans about -1 to 1.
"""

import math
from collections.abc import Callable

from tools.pocket.shapes import Part, Points, Uniform, bar, box, ellipse


def _body(*shapes: Points) -> list[Part]:
    return [Part("body", points) for points in shapes]


def _dark(*shapes: Points) -> list[Part]:
    return [Part("dark", points) for points in shapes]


def _pale(*shapes: Points) -> list[Part]:
    return [Part("pale", points) for points in shapes]


def _mirrored(points: Points) -> Points:
    return [(-x, y) for x, y in points]


def _circle(u: Uniform) -> list[Part]:
    radius = u(0.85, 0.95)
    return _body(ellipse(0, 0, radius, radius))


def _square(u: Uniform) -> list[Part]:
    side = u(0.8, 0.9)
    return _body(box(-side, -side, side, side))


def _triangle(u: Uniform) -> list[Part]:
    return _body([(u(-0.35, 0.35), -0.85), (0.95, 0.75), (-0.95, 0.75)])


def _star(u: Uniform) -> list[Part]:
    inner = u(0.36, 0.5)
    radii = [1.0 if i % 2 == 0 else inner for i in range(10)]
    angles = [math.pi * (i / 5 - 0.5) for i in range(10)]
    return _body([(r * math.cos(a), r * math.sin(a)) for r, a in zip(radii, angles, strict=True)])


def _heart(u: Uniform) -> list[Part]:
    waves = (13, -u(3.5, 5.5), -2, -1)
    turns = [2 * math.pi * i / 40 for i in range(40)]
    heights = [sum(w * math.cos((i + 1) * t) for i, w in enumerate(waves)) / 16 for t in turns]
    return _body([(math.sin(t) ** 3, -y) for t, y in zip(turns, heights, strict=True)])


def _cross(u: Uniform) -> list[Part]:
    arm = u(0.22, 0.36)
    return _body(box(-arm, -0.9, arm, 0.9), box(-0.9, -arm, 0.9, arm))


def _moon(u: Uniform) -> list[Part]:
    shift, radius = u(0.4, 0.6), u(0.72, 0.82)
    return [
        *_body(ellipse(0, 0, 0.95, 0.95)),
        Part("hole", ellipse(shift, u(-0.2, 0.2), radius, radius)),
    ]


def _ring(u: Uniform) -> list[Part]:
    inner = u(0.4, 0.56)
    return [*_body(ellipse(0, 0, 0.92, 0.92)), Part("hole", ellipse(0, 0, inner, inner))]


def _arrow(u: Uniform) -> list[Part]:
    shaft, head, neck = u(0.16, 0.28), u(0.55, 0.75), u(-0.05, 0.25)
    upper = [(-0.95, -shaft), (neck, -shaft), (neck, -head), (1.0, 0.0)]
    return _body([*upper, (neck, head), (neck, shaft), (-0.95, shaft)])


def _bolt(u: Uniform) -> list[Part]:
    slant = u(-0.08, 0.08)
    return _body([
        (0.25 + slant, -1.0), (-0.6, 0.15), (-0.05, 0.15), (-0.3 - slant, 1.0),
        (0.62, -0.25), (0.08, -0.25), (0.5 + slant, -1.0),
    ])  # fmt: skip


def _cloud(u: Uniform) -> list[Part]:
    left, top, right = u(0.36, 0.46), u(0.5, 0.62), u(0.32, 0.42)
    shift = u(-0.2, 0.15)
    return _body(
        ellipse(-0.55, 0.2, left, left),
        ellipse(shift, -0.1, top, top),
        ellipse(0.6, 0.24, right, right),
        box(-0.55, 0.1, 0.6, 0.62),
    )


def _house(u: Uniform) -> list[Part]:
    eaves, wall, door = u(-0.2, 0.05), u(0.68, 0.8), u(-0.45, 0.1)
    parts = _body(box(-wall, eaves, wall, 0.9), [(-0.98, eaves), (0.0, -0.95), (0.98, eaves)])
    if u(0, 1) < 0.5:
        parts += _body(box(0.4, -0.9, 0.65, eaves))
    middle = eaves + 0.22
    return [
        *parts,
        *_dark(box(door, 0.3, door + 0.36, 0.9)),
        *_pale(box(-wall + 0.12, middle, -wall + 0.38, middle + 0.28))[: door > -0.25],
        *_pale(box(0.3, middle, 0.58, middle + 0.28))[: door < -0.1],
    ]


def _tree(u: Uniform) -> list[Part]:
    trunk = u(0.1, 0.17)
    stem = _dark(box(-trunk, 0.35, trunk, 1.0))
    if u(0, 1) < 0.5:
        wide, low = u(0.6, 0.75), u(0.5, 0.6)
        tiers = [(-1.0, -0.35, 0.6), (-0.65, 0.1, 0.8), (-0.25, low, 1.0)]
        return [
            *stem,
            *_body(*([(0.0, top), (w * wide, b), (-w * wide, b)] for top, b, w in tiers)),
        ]
    crown = u(0.38, 0.46)
    return [
        *stem,
        *_body(
            ellipse(-0.34, -0.08, crown, crown),
            ellipse(0.34, -0.08, crown, crown),
            ellipse(0.0, -0.5, crown, crown),
            ellipse(0.0, 0.1, crown, crown),
        ),
    ]


def _flower(u: Uniform) -> list[Part]:
    petals, reach = 5 + round(u(0, 2)), u(0.5, 0.56)
    size = 1.75 / petals
    angles = [2 * math.pi * i / petals - math.pi / 2 for i in range(petals)]
    blossom = [ellipse(reach * math.cos(a), reach * math.sin(a), size, size) for a in angles]
    centre = u(0.24, 0.3)
    parts = [*_body(*blossom, ellipse(0, 0, 0.4, 0.4)), *_dark(ellipse(0, 0, centre, centre))]
    if u(0, 1) < 0.6:
        stalk = [bar(0, 0.6, u(-0.15, 0.15), 1.9, 0.16), ellipse(0.3, 1.4, 0.32, 0.13)]
        return [*_dark(*stalk), *parts]
    return parts


def _mushroom(u: Uniform) -> list[Part]:
    rim, stem = u(0.05, 0.2), u(0.22, 0.32)
    spots = [(-0.45, -0.2, 0.15), (0.1, -0.5, 0.17), (0.5, -0.12, 0.13)]
    return [
        *_pale([(-stem, rim), (stem, rim), (stem * 1.3, 0.95), (-stem * 1.3, 0.95)]),
        *_body(ellipse(0, rim, 0.98, u(0.85, 1.05), start=0.5, end=1)),
        *_pale(*(ellipse(x, y, r, r) for x, y, r in spots)),
    ]


def _apple(u: Uniform) -> list[Part]:
    lobe, tilt = u(0.5, 0.58), u(0.05, 0.25)
    return [
        *_dark(bar(0, -0.3, tilt, -0.95, 0.14), ellipse(tilt + 0.28, -0.8, 0.28, 0.13)),
        *_body(
            ellipse(-0.36, 0.08, lobe, 0.62),
            ellipse(0.36, 0.08, lobe, 0.62),
            ellipse(0, 0.35, 0.58, 0.58),
        ),
    ]


def _fish(u: Uniform) -> list[Part]:
    tall, tail = u(0.42, 0.58), u(0.4, 0.55)
    return [
        *_body(ellipse(0.22, 0, 0.75, tall), [(-0.35, 0.0), (-0.98, -tail), (-0.98, tail)]),
        *_dark([(0.0, -tall * 0.85), (0.42, -tall * 0.85), (-0.05, -tall - 0.3)]),
        *_pale(ellipse(0.62, -0.12, 0.14, 0.14)),
        *_dark(ellipse(0.64, -0.12, 0.07, 0.07)),
    ]


def _cat(u: Uniform) -> list[Part]:
    ear, wide, eye = u(0.9, 1.05), u(0.8, 0.92), u(0.1, 0.14)
    left = [(-wide, 0.0), (-wide * 0.85, -ear), (-0.12, -0.45)]
    eyes = [ellipse(s * 0.34, 0.05, eye, eye * 1.4) for s in (-1, 1)]
    lines = [
        bar(s * 0.25, y, s * 0.8, y + d, 0.06)
        for s in (-1, 1)
        for y, d in ((0.38, -0.08), (0.5, 0.06))
    ]
    nose = [(-0.12, 0.3), (0.12, 0.3), (0.0, 0.45)]
    return [*_body(ellipse(0, 0.2, wide, 0.72), left, _mirrored(left)), *_dark(*eyes, nose, *lines)]


def _butterfly(u: Uniform) -> list[Part]:
    upper, lower = u(0.46, 0.54), u(0.32, 0.4)
    wings = [
        [*ellipse(0.52, -0.38, upper * 0.9, upper), (0.0, 0.0)],
        [*ellipse(0.42, 0.45, lower, lower * 1.1), (0.0, 0.0)],
    ]
    feelers = bar(0, -0.5, 0.3, -1.0, 0.07)
    return [
        *_body(*wings, *(_mirrored(w) for w in wings), box(-0.12, -0.35, 0.12, 0.45)),
        *_dark(ellipse(0, 0, 0.1, 0.65), feelers, _mirrored(feelers)),
    ]


def _cup(u: Uniform) -> list[Part]:
    foot, tall = u(0.42, 0.6), u(0.6, 0.78)
    return [
        *_body(ellipse(0.6, 0.0, 0.4, 0.42)),
        Part("hole", ellipse(0.6, 0.0, 0.22, 0.24)),
        *_body([(-0.8, -tall), (0.62, -tall), (foot, tall), (-foot - 0.18, tall)]),
        *_pale(ellipse(-0.09, -tall, 0.7, 0.16)),
    ]


def _car(u: Uniform) -> list[Part]:
    roof, front, back, wheel = u(-0.6, -0.45), u(0.3, 0.5), u(-0.65, -0.45), u(0.2, 0.26)
    wheels = [ellipse(x, 0.4, wheel, wheel) for x in (-0.52, 0.52)]
    hubs = [ellipse(x, 0.4, wheel * 0.45, wheel * 0.45) for x in (-0.52, 0.52)]
    glass = roof + 0.12
    return [
        *_body(
            [(-0.98, 0.0), (-0.9, -0.12), (0.85, -0.1), (1.0, 0.05), (1.0, 0.38), (-0.98, 0.38)],
            [(-0.8, 0.0), (back, roof), (front - 0.15, roof), (front + 0.25, 0.0)],
        ),
        *_pale(
            [(-0.6, -0.08), (back + 0.08, glass), (-0.14, glass), (-0.14, -0.08)],
            [(-0.02, -0.08), (-0.02, glass), (front - 0.2, glass), (front + 0.06, -0.08)],
        ),
        *_dark(*wheels),
        *_pale(*hubs),
    ]


def _boat(u: Uniform) -> list[Part]:
    mast, deck = u(-0.15, 0.15), u(0.3, 0.42)
    return [
        *_dark(bar(mast, -1.0, mast, deck, 0.09)),
        *_body(
            [(-0.95, deck), (0.95, deck), (0.6, 0.85), (-0.65, 0.85)],
            [(mast + 0.1, -0.95), (u(0.75, 0.9), deck - 0.12), (mast + 0.1, deck - 0.12)],
            [(mast - 0.1, u(-0.75, -0.55)), (mast - 0.1, deck - 0.12), (-0.75, deck - 0.12)],
        ),
    ]


def _rocket(u: Uniform) -> list[Part]:
    wide, fin = u(0.3, 0.38), u(0.6, 0.72)
    hull = [(0.0, -1.0), (wide * 0.7, -0.55), (wide, -0.1), (wide, 0.35), (wide * 0.7, 0.6)]
    left = [(-wide * 0.9, 0.05), (-fin, 0.5), (-fin, 0.78), (-wide * 0.6, 0.6)]
    flame = [(-0.2, 0.6), (0.2, 0.6), (0.0, u(0.9, 1.1))]
    return [
        *_pale(flame),
        *_dark(left, _mirrored(left)),
        *_body([*hull, *reversed(_mirrored(hull[1:]))]),
        *_pale(ellipse(0, -0.25, wide * 0.5, wide * 0.5)),
    ]


def _crown(u: Uniform) -> list[Part]:
    side, dip = u(0.85, 0.98), u(-0.05, 0.12)
    top = [(-side, -0.5), (-0.42, dip), (0.0, -0.75), (0.42, dip), (side, -0.5)]
    tips = [ellipse(x, y, 0.13, 0.13) for x, y in (top[0], top[2], top[4])]
    return [
        *_body([*top, (0.75, 0.7), (-0.75, 0.7)], *tips),
        *_dark(box(-0.77, 0.42, 0.77, 0.62)),
    ]


def _robot(u: Uniform) -> list[Part]:
    head, eye = u(0.42, 0.5), u(0.1, 0.14)
    arm = box(-0.85, 0.1, -0.66, 0.65)
    return [
        *_body(box(-head, -0.7, head, -0.05), box(-0.58, 0.05, 0.58, 0.75), arm, _mirrored(arm)),
        *_dark(bar(0, -0.7, 0, -0.92, 0.08), ellipse(0, -0.95, 0.1, 0.1)),
        *_dark(box(-0.42, 0.75, -0.16, 1.0), box(0.16, 0.75, 0.42, 1.0)),
        *_pale(*(ellipse(s * 0.2, -0.45, eye, eye) for s in (-1, 1)), box(-0.3, 0.2, 0.3, 0.5)),
        *_dark(box(-0.22, -0.24, 0.22, -0.15)),
    ]


def _teapot(u: Uniform) -> list[Part]:
    wide = u(0.56, 0.64)
    return [
        *_body(ellipse(-0.62, 0.1, 0.36, 0.4)),
        Part("hole", ellipse(-0.62, 0.1, 0.2, 0.24)),
        *_body(
            ellipse(0, 0.2, wide, 0.58),
            [(0.4, 0.45), (0.8, -0.4), (1.0, -0.4), (0.55, 0.6)],
            ellipse(0, -0.52, 0.12, 0.12),
        ),
        *_dark(ellipse(0, -0.3, 0.38, 0.12)),
    ]


def _bicycle(u: Uniform) -> list[Part]:
    wheel = u(0.4, 0.46)
    frame = [
        (-0.55, 0.3, -0.2, -0.25), (-0.2, -0.25, 0.0, 0.3), (0.0, 0.3, -0.55, 0.3),
        (-0.2, -0.25, 0.4, -0.3), (0.0, 0.3, 0.4, -0.3), (0.55, 0.3, 0.35, -0.55),
        (0.35, -0.55, 0.6, -0.6), (-0.4, -0.35, -0.05, -0.35),
    ]  # fmt: skip
    return [
        *_body(*(ellipse(x, 0.3, wheel, wheel) for x in (-0.55, 0.55))),
        *(Part("hole", ellipse(x, 0.3, wheel - 0.13, wheel - 0.13)) for x in (-0.55, 0.55)),
        *_dark(*(bar(*line, 0.1) for line in frame)),
    ]


def _umbrella(u: Uniform) -> list[Part]:
    rim = u(-0.05, 0.1)
    bites = [Part("hole", ellipse(x, rim + 0.06, 0.26, 0.2)) for x in (-0.66, 0.0, 0.66)]
    hook = [
        *ellipse(0.16, 0.75, 0.2, 0.2, end=0.5),
        *reversed(ellipse(0.16, 0.75, 0.1, 0.1, end=0.5)),
    ]
    return [
        *_body(ellipse(0, rim, 0.98, 0.9, start=0.5, end=1)),
        *bites,
        *_dark(bar(0.01, rim - 0.15, 0.01, 0.76, 0.1), hook),
        *_dark(bar(0, rim - 0.85, 0, rim - 1.02, 0.1)),
    ]


def _key(u: Uniform) -> list[Part]:
    bow, teeth = u(0.36, 0.44), u(0.25, 0.34)
    hole = bow * 0.5
    return [
        *_body(ellipse(-0.55, 0, bow, bow)),
        Part("hole", ellipse(-0.58, 0, hole, hole)),
        *_body(box(-0.25, -0.1, 1.0, 0.1), box(0.55, 0, 0.7, teeth)),
        *_body(box(0.82, 0, 1.0, teeth + 0.06)),
    ]


_DRAWN = (
    _circle, _square, _triangle, _star, _heart, _cross, _moon, _ring, _arrow, _bolt, _cloud, _house,
    _tree, _flower, _mushroom, _apple, _fish, _cat, _butterfly, _cup, _car, _boat, _rocket, _crown,
)  # fmt: skip
_KEPT_BACK = (_robot, _teapot, _bicycle, _umbrella, _key)

KINDS = tuple(shape.__name__.removeprefix("_") for shape in _DRAWN)
RESERVED = tuple(shape.__name__.removeprefix("_") for shape in _KEPT_BACK)
SHAPES: dict[str, Callable[[Uniform], list[Part]]] = dict(
    zip((*KINDS, *RESERVED), (*_DRAWN, *_KEPT_BACK), strict=True)
)
