"""How one thing is put into a picture: turned, scaled, placed, filled and edged."""

from dataclasses import dataclass
from itertools import groupby
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw

from tools.pocket.colours import RGB, dark, pale, shade
from tools.pocket.kinds import SHAPES
from tools.pocket.shapes import Part, Uniform, dice

_OVERSAMPLE: Final = 3
# How far a kind may turn, in radians, and still be itself; 0.28 where it is not named.
_TURN: Final = {"arrow": 3.14, "ring": 3.14, "key": 3.14, "moon": 0.6, "star": 0.6}
# How much wider or taller a kind may get, as a logarithm; 0.2 where it is not named.
_STRETCH: Final = {"circle": 0.04, "square": 0.06, "ring": 0.07, "star": 0.12, "cross": 0.12}


@dataclass(frozen=True)
class _Canvas:
    """The parts of a thing in oversampled pixels of its own box in the picture."""

    parts: list[Part]
    left: int
    top: int
    width: int
    height: int
    line: int

    def mask(self, parts: list[Part]) -> Image.Image:
        mask = Image.new("L", (self.width, self.height))
        pen = ImageDraw.Draw(mask)
        for part in parts:
            pen.polygon(part.points, fill=0 if part.tone == "hole" else 255)
        return mask

    def strokes(self, parts: list[Part]) -> Image.Image:
        mask = Image.new("L", (self.width, self.height))
        pen = ImageDraw.Draw(mask)
        for part in parts:
            pen.line([*part.points, part.points[0]], fill=255, width=max(3, self.line // 2))
        return mask


def _pose(kind: str, u: Uniform) -> NDArray[np.float64]:
    """The matrix that turns, stretches, slants and mirrors the unit shape."""
    turn, reach = u(-1, 1) * _TURN.get(kind, 0.28), _STRETCH.get(kind, 0.2)
    stretch, slant = np.exp(u(-reach, reach)), u(-0.6, 0.6) * reach
    mirror = -1.0 if u(0, 1) < 0.5 else 1.0
    c, s = np.cos(turn), np.sin(turn)
    upright = np.array([[mirror * stretch, slant], [0, 1 / stretch]])
    pose: NDArray[np.float64] = np.array([[c, -s], [s, c]]) @ upright
    return pose


def _canvas(kind: str, extent: float, at: tuple[float, float], size: int, u: Uniform) -> _Canvas:
    pose, grow = _pose(kind, u), u(0.93, 1.07)
    shift, line = np.array([u(-0.045, 0.045), u(-0.045, 0.045)]), u(0.02, 0.03)
    parts = SHAPES[kind](u)
    turned = [np.asarray(part.points) @ pose.T for part in parts]
    corners = np.concatenate(turned)
    low, high = corners.min(axis=0), corners.max(axis=0)
    scale = extent * grow * size / (high - low).max()
    half = (high - low) * scale / 2
    margin = 0.02 * size + half
    centre = np.clip((np.asarray(at) + shift) * size, margin, size - margin)
    corner = np.floor(centre - half).astype(int) - 1
    width, height = (np.ceil(centre + half).astype(int) + 1 - corner) * _OVERSAMPLE
    move = centre - (low + high) / 2 * scale - corner
    placed = [
        Part(part.tone, [(x, y) for x, y in ((points * scale + move) * _OVERSAMPLE).tolist()])
        for part, points in zip(parts, turned, strict=True)
    ]
    pen = round(line * np.sqrt(extent / 0.41) * size * _OVERSAMPLE)
    return _Canvas(placed, int(corner[0]), int(corner[1]), int(width), int(height), pen)


def _shrunk(mask: Image.Image, reach: int) -> Image.Image:
    """The mask without a border of ``reach`` pixels: an erosion by an octagon.

    The outermost row and column of the mask are empty, and stay so.
    """
    inner = np.array(mask)
    for step in range(reach):
        core = np.minimum(inner[1:-1, :-2], inner[1:-1, 2:])
        np.minimum(core, inner[:-2, 1:-1], out=core)
        np.minimum(core, inner[2:, 1:-1], out=core)
        if step % 3 == 2:
            for corner in (inner[:-2, :-2], inner[:-2, 2:], inner[2:, :-2], inner[2:, 2:]):
                np.minimum(core, corner, out=core)
        np.minimum(core, inner[1:-1, 1:-1], out=inner[1:-1, 1:-1])
    return Image.fromarray(inner)


def _stripes(canvas: _Canvas, pitch: float, u: Uniform) -> Image.Image:
    angle, shift, share = u(0, np.pi), u(0, 1), u(0.4, 0.55)
    y, x = np.ogrid[: canvas.height, : canvas.width]
    phase = x * (np.cos(angle) / pitch) + (y * (np.sin(angle) / pitch) + shift)
    return Image.fromarray(((phase % 1) < share).astype(np.uint8) * 255)


def _dots(canvas: _Canvas, pitch: float, u: Uniform) -> Image.Image:
    angle, shift, radius = u(0, np.pi), u(0, 1), u(0.27, 0.33)
    y, x = np.ogrid[: canvas.height, : canvas.width]
    c, s = np.float32(np.cos(angle) / pitch), np.float32(np.sin(angle) / pitch)
    across = x * c + (y * s + np.float32(shift))
    down = y * c - (x * s - np.float32(shift))
    across -= np.rint(across)
    down -= np.rint(down)
    return Image.fromarray((across * across + down * down < radius**2).astype(np.uint8) * 255)


def _texture(canvas: _Canvas, fill: str, pitch: float, look: int) -> Image.Image | None:
    if fill == "solid":
        return None
    u = dice(look + 1)
    return _stripes(canvas, pitch, u) if fill == "striped" else _dots(canvas, pitch, u)


def _layers(parts: list[Part]) -> tuple[list[Part], list[Part], list[Part]]:
    """What lies under the body, the body with its holes, and what lies over it."""
    solid = [i for i, part in enumerate(parts) if part.tone in {"body", "hole"}]
    first, last = solid[0], solid[-1] + 1
    return parts[:first], parts[first:last], parts[last:]


def _by_tone(parts: list[Part]) -> list[tuple[str, list[Part]]]:
    return [(tone, list(run)) for tone, run in groupby(parts, key=lambda part: part.tone)]


def _hollow(canvas: _Canvas) -> list[Image.Image]:
    """The masks of a thing drawn in outline: all in one ink."""
    under, body, over = _layers(canvas.parts)
    silhouette = canvas.mask(body)
    behind = ImageChops.lighter(
        canvas.strokes([part for part in under if part.tone == "pale"]),
        canvas.mask([part for part in under if part.tone == "dark"]),
    )
    return [
        ImageChops.subtract(silhouette, _shrunk(silhouette, canvas.line)),
        ImageChops.subtract(behind, silhouette),
        canvas.strokes([part for part in over if part.tone == "pale"]),
        canvas.mask([part for part in over if part.tone == "dark"]),
    ]


def _filled(
    canvas: _Canvas, ink: RGB, texture: Image.Image | None, border: int
) -> list[tuple[RGB, Image.Image]]:
    """The inks and masks of a thing with a filled body, from the lowest to the topmost."""
    under, body, over = _layers(canvas.parts)
    inks = {"dark": dark(ink), "pale": pale(ink)}
    silhouette = canvas.mask(body)
    layers = [(inks[tone], canvas.mask(parts)) for tone, parts in _by_tone(under)]
    layers.append((ink, silhouette))
    if texture is not None:
        layers.append((pale(ink), ImageChops.multiply(silhouette, texture)))
    layers += [(inks[tone], canvas.mask(parts)) for tone, parts in _by_tone(over)]
    whole = ImageChops.lighter(silhouette, canvas.mask([*under, *over]))
    layers.append((dark(ink), ImageChops.subtract(whole, _shrunk(whole, border))))
    return layers


def paint(
    image: Image.Image,
    kind: str,
    colour: str,
    fill: str,
    extent: float,
    at: tuple[float, float],
    look: int,
) -> None:
    """Paint a thing into a square picture.

    Args:
        image: The RGB picture, changed in place.
        kind: Name of the kind.
        colour: Name of the colour.
        fill: solid, outline, striped or dotted.
        extent: Longer side of the thing, as a share of the picture's side.
        at: Its centre, as shares of the picture's sides.
        look: What fixes turn, proportions, shade and jitter.
    """
    u = dice(look)
    ink, border, pitch = shade(colour, u), u(0.004, 0.014), u(0.2, 0.26)
    canvas = _canvas(kind, extent, at, image.width, u)
    pixels = image.width * _OVERSAMPLE
    if fill == "outline":
        layers = [(ink, mask) for mask in _hollow(canvas)]
    else:
        texture = _texture(canvas, fill, pitch * extent * pixels, look)
        layers = _filled(canvas, ink, texture, max(1, round(border * pixels)))
    for tone, mask in layers:
        image.paste(tone, (canvas.left, canvas.top), mask.reduce(_OVERSAMPLE))
