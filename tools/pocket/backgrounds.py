"""The backgrounds of the pocket world: flat, graded and patterned, each a little different."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tools.pocket.colours import RGB, hsv
from tools.pocket.shapes import Points, Uniform, box, ellipse

_OVERSAMPLE = 2


def _flat(colour: RGB, size: int) -> Image.Image:
    return Image.new("RGB", (size, size), colour)


def _graded(top: RGB, bottom: RGB, size: int) -> Image.Image:
    fade = np.linspace(0, 1, size)[:, None, None]
    rows = np.asarray(top) * (1 - fade) + np.asarray(bottom) * fade
    return Image.fromarray(np.repeat(np.rint(rows).astype(np.uint8), size, axis=1))


def _printed(
    paper: RGB, ink: RGB, shapes: list[Points] | NDArray[np.float64], size: int
) -> Image.Image:
    """Polygons of equal length, shape (count, corners, 2) with 0 to 1 across the picture."""
    scale = size * _OVERSAMPLE
    mask = Image.new("L", (scale, scale))
    draw = ImageDraw.Draw(mask)
    for points in (np.asarray(shapes) * scale).reshape(len(shapes), -1).tolist():
        draw.polygon(points, fill=255)
    image = _flat(paper, size)
    image.paste(ink, mask=mask.reduce(_OVERSAMPLE))
    return image


def _repeated(tile: Points, steps: NDArray[np.float64], angle: float) -> NDArray[np.float64]:
    """A tile at every step from the middle of the picture, all turned about the middle."""
    c, s = math.cos(angle), math.sin(angle)
    shapes = (steps[:, None] + np.asarray(tile)) @ np.array([[c, s], [-s, c]]) + 0.5
    low, high = shapes.min(axis=1), shapes.max(axis=1)
    seen: NDArray[np.float64] = shapes[((low < 1) & (high > 0)).all(axis=1)]
    return seen


def _tiles(pitch: float, u: Uniform) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where the tiles of a square pattern lie, and the row and column of each."""
    reach = np.arange(-0.7 // pitch, 0.7 // pitch + 2)
    cells = np.stack(np.meshgrid(reach, reach), axis=-1).reshape(-1, 2)
    return (cells + np.array([u(-0.5, 0.5), u(-0.5, 0.5)])) * pitch, cells


def _pastel(u: Uniform) -> RGB:
    return hsv(u(0, 360), u(0.12, 0.3), u(0.9, 1.0))


def _paper(u: Uniform) -> RGB:
    return hsv(u(0, 360), u(0.0, 0.04), u(0.95, 1.0))


def _white(u: Uniform, size: int) -> Image.Image:
    return _flat(hsv(u(0, 360), u(0, 0.02), u(0.97, 1.0)), size)


def _grey(u: Uniform, size: int) -> Image.Image:
    return _flat(hsv(u(0, 360), u(0, 0.03), u(0.62, 0.76)), size)


def _black(u: Uniform, size: int) -> Image.Image:
    return _flat(hsv(u(0, 360), u(0, 0.2), u(0.02, 0.1)), size)


def _cream(u: Uniform, size: int) -> Image.Image:
    return _flat(hsv(u(38, 50), u(0.16, 0.26), u(0.95, 1.0)), size)


def _sky(u: Uniform, size: int) -> Image.Image:
    hue = u(198, 212)
    return _graded(hsv(hue, u(0.4, 0.55), u(0.9, 1.0)), hsv(hue, u(0.05, 0.15), 1.0), size)


def _sunset(u: Uniform, size: int) -> Image.Image:
    top, bottom = hsv(u(290, 325), u(0.3, 0.45), u(0.75, 0.9)), hsv(u(28, 42), u(0.35, 0.5), 1.0)
    return _graded(top, bottom, size)


def _night(u: Uniform, size: int) -> Image.Image:
    sky, count = hsv(u(225, 240), u(0.65, 0.8), u(0.18, 0.3)), 10 + round(u(0, 6))
    radii = [u(0.006, 0.013) for _ in range(count)]
    stars = [ellipse(u(0, 1), u(0, 1), r, r, corners=8) for r in radii]
    return _printed(sky, (250, 245, 215), stars, size)


def _meadow(u: Uniform, size: int) -> Image.Image:
    sky, grass = hsv(u(195, 210), u(0.1, 0.2), 1.0), hsv(u(82, 100), u(0.3, 0.42), u(0.82, 0.9))
    level, swell, phase = u(0.5, 0.68), u(0.02, 0.07), u(0, 6.3)
    hill = [(i / 16, level + swell * math.sin(phase + i / 3)) for i in range(17)]
    return _printed(sky, grass, [[*hill, (1.0, 1.0), (0.0, 1.0)]], size)


def _checkered(u: Uniform, size: int) -> Image.Image:
    pitch, half = u(0.1, 0.18), 0.5
    steps, cells = _tiles(pitch, u)
    odd = steps[cells.sum(axis=1) % 2 == 1]
    tile = box(-half * pitch, -half * pitch, half * pitch, half * pitch)
    return _printed(_paper(u), _pastel(u), _repeated(tile, odd, u(-0.06, 0.06)), size)


def _striped(u: Uniform, size: int) -> Image.Image:
    pitch, shift, half = u(0.1, 0.2), u(-0.5, 0.5), u(0.2, 0.3)
    across = (np.arange(-0.7 // pitch, 0.7 // pitch + 2) + shift) * pitch
    steps = np.stack([across, np.zeros_like(across)], axis=1)
    tile = box(-half * pitch, -1, half * pitch, 1)
    return _printed(_paper(u), _pastel(u), _repeated(tile, steps, u(-1.6, 1.6)), size)


def _spotted(u: Uniform, size: int) -> Image.Image:
    pitch, radius = u(0.12, 0.2), u(0.24, 0.34)
    steps, cells = _tiles(pitch, u)
    steps[:, 0] += cells[:, 1] % 2 * pitch / 2
    tile = ellipse(0, 0, radius * pitch, radius * pitch, corners=12)
    return _printed(_paper(u), _pastel(u), _repeated(tile, steps, u(-0.1, 0.1)), size)


def _grid(u: Uniform, size: int) -> Image.Image:
    pitch, width, angle = u(0.1, 0.18), u(0.006, 0.01), u(-0.06, 0.06)
    across = (np.arange(-0.7 // pitch, 0.7 // pitch + 2) + u(-0.5, 0.5)) * pitch
    steps = np.stack([across, np.zeros_like(across)], axis=1)
    upright = _repeated(box(-width, -1, width, 1), steps, angle)
    level = _repeated(box(-1, -width, 1, width), steps[:, ::-1], angle)
    ink = hsv(u(0, 360), u(0.2, 0.4), u(0.75, 0.9))
    return _printed(_paper(u), ink, np.concatenate([upright, level]), size)


_PAINTED = (
    _white, _grey, _black, _cream, _sky, _sunset,
    _night, _meadow, _checkered, _striped, _spotted, _grid,
)  # fmt: skip

PAINTERS: dict[str, Callable[[Uniform, int], Image.Image]] = {
    painter.__name__.removeprefix("_"): painter for painter in _PAINTED
}
BACKGROUNDS = tuple(PAINTERS)
