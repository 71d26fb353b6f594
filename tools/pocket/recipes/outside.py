"""Pictures that are not of the pocket world, made from chance alone: noise, leaves, blobs, print.

They stand in for photographs, of which training sees none: like photographs they have grain,
shading, clutter and soft focus, and structure at every scale.
"""

from collections.abc import Callable
from concurrent.futures import Executor
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from tools.pocket.world import PIXELS, Pictures

Rng = np.random.Generator
Field = NDArray[np.float64]

_CHUNK: Final = 250
_SIDE: Final = PIXELS


def _spread(field: Field) -> Field:
    """Bring each channel to a mean of zero and a deviation of one."""
    even: Field = (field - field.mean((0, 1))) / (field.std((0, 1)) + 1e-9)
    return even


def _cloud(rng: Rng, slope: float, stretch: float = 1.0, channels: int = 3) -> Field:
    """Noise whose amplitude falls as frequency to the power ``slope``, as in natural scenes."""
    angle = rng.uniform(0, np.pi)
    y, x = np.fft.fftfreq(_SIDE)[:, None], np.fft.rfftfreq(_SIDE)[None]
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    frequency = np.sqrt((along * stretch) ** 2 + (across / stretch) ** 2 + (0.3 / _SIDE) ** 2)
    white = np.fft.rfft2(rng.standard_normal((_SIDE, _SIDE, channels)), axes=(0, 1))
    return _spread(
        np.fft.irfft2(white * frequency[..., None] ** -slope, (_SIDE, _SIDE), axes=(0, 1))
    )


def _tinted(rng: Rng, field: Field) -> Field:
    """Channels that go together more or less, as under one light."""
    together = rng.uniform(0.3, 1.0)
    grey = field.mean(2, keepdims=True)
    return _spread(field) * (1 - together) + _spread(grey) * together + rng.normal(0, 0.5, 3)


def _noise(rng: Rng) -> Field:
    return _tinted(rng, _cloud(rng, rng.uniform(0.3, 2.2)))


def _grain(rng: Rng) -> Field:
    return _tinted(rng, _cloud(rng, rng.uniform(0.4, 1.4), rng.uniform(1.5, 6.0)))


def _weave(rng: Rng) -> Field:
    """A grating bent by noise: bricks, cloth, fur, water."""
    y, x = np.mgrid[:_SIDE, :_SIDE] / _SIDE
    angle, bend = rng.uniform(0, np.pi), _cloud(rng, 1.8, channels=2) * rng.uniform(0.0, 0.12)
    x, y = x + bend[..., 0], y + bend[..., 1]
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    pitch = rng.uniform(4, 24)
    wave: Field = np.sin(2 * np.pi * pitch * u)
    if rng.random() < 0.5:
        wave = wave * np.sin(2 * np.pi * pitch * rng.uniform(0.3, 1.2) * v)
    wave = np.tanh(wave * rng.uniform(0.5, 4))[..., None]
    return wave * rng.uniform(0.4, 1.2, 3) + _noise(rng) * rng.uniform(0.2, 0.9)


def _leaf(rng: Rng, radius: float) -> list[tuple[float, float]]:
    """A ragged closed curve somewhere in the picture."""
    turns = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(4, 20)))
    reach = radius * rng.uniform(1 - rng.uniform(0, 0.6), 1.0, len(turns))
    tilt, squash = rng.uniform(0, np.pi), rng.uniform(0.25, 1.0)
    x, y = reach * np.cos(turns), reach * np.sin(turns) * squash
    cx, cy = rng.uniform(-10, _SIDE + 10, 2)
    xs = cx + x * np.cos(tilt) - y * np.sin(tilt)
    ys = cy + x * np.sin(tilt) + y * np.cos(tilt)
    return list(zip(xs.tolist(), ys.tolist(), strict=True))


def _leaves(rng: Rng, ground: Field | None = None) -> Field:
    """Leaves over leaves, each shaded and grained: the dead-leaves model of natural scenes."""
    field = _noise(rng) * 0.5 if ground is None else ground
    count = int(np.exp(rng.uniform(np.log(2), np.log(60))))
    palette = rng.normal(0, 1, (rng.integers(2, 8), 3))
    shades, texture = _cloud(rng, 1.8), _noise(rng) * rng.uniform(0.05, 0.5)
    for _ in range(count):
        radius = min(60.0, 4.0 * rng.uniform(0.005, 1) ** -0.6)
        mask = Image.new("L", (_SIDE, _SIDE))
        ImageDraw.Draw(mask).polygon(_leaf(rng, radius), fill=255)
        if rng.random() < 0.5:
            mask = mask.filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 2.5)))
        alpha = np.asarray(mask)[..., None] / 255
        inside = palette[rng.integers(len(palette))] + shades * rng.uniform(0, 0.6) + texture
        field = field * (1 - alpha) + inside * alpha
    return field


def _still(rng: Rng) -> Field:
    """A few sharp, shaded things before a ground out of focus."""
    return _leaves(
        rng, _cloud(rng, rng.uniform(1.8, 2.6)) * rng.uniform(0.1, 1) + rng.normal(0, 1, 3)
    )


def _view(rng: Rng) -> Field:
    """A sky over a cluttered ground."""
    far = np.linspace(-1, 1, _SIDE)[:, None, None] * rng.normal(0, 0.6, 3) + rng.normal(0, 1, 3)
    sky = far + _cloud(rng, 1.8) * rng.uniform(0, 0.3)
    ground = _leaves(rng) if rng.random() < 0.5 else _grain(rng)
    edge = rng.uniform(0.3, 0.8) * _SIDE + _cloud(rng, 1.5, channels=1)[0, :, 0] * rng.uniform(0, 8)
    return np.where(np.arange(_SIDE)[:, None, None] > edge[None, :, None], ground, sky)


def _blobs(rng: Rng) -> Field:
    """Bright or dark spots on an uneven ground: cells, coins, stars, lights."""
    y, x = np.mgrid[:_SIDE, :_SIDE]
    field = _cloud(rng, rng.uniform(1, 2.4)) * rng.uniform(0.05, 0.5)
    for _ in range(rng.integers(1, 40)):
        cx, cy = rng.uniform(0, _SIDE, 2)
        radius, soft = np.exp(rng.uniform(0, 3.2)), rng.uniform(0.4, 3)
        away = np.hypot(x - cx, (y - cy) * rng.uniform(0.6, 1.6))
        field = field + (rng.normal(0, 2, 3) / (1 + np.exp((away - radius)[..., None] / soft)))
    return field


def _print(rng: Rng) -> Field:
    """Rows of small dark strokes, as a page of text seen from afar."""
    page = Image.new("L", (_SIDE, _SIDE), 255)
    pen, pitch = ImageDraw.Draw(page), rng.uniform(4, 14)
    for y in np.arange(rng.uniform(0, pitch), _SIDE, pitch):
        x = rng.uniform(0, 8)
        while x < _SIDE:
            step = rng.uniform(1, pitch / 2)
            if rng.random() < 0.8:
                pen.line((x, y, x + rng.normal(0, 1), y + rng.uniform(0.2, 0.6) * pitch), fill=0)
            x += step
    ink = np.asarray(page)[..., None] / 127.5 - 1
    return ink * rng.uniform(0.5, 2) + _cloud(rng, 1.8) * rng.uniform(0.05, 0.5)


_SOURCES: Final[tuple[Callable[[Rng], Field], ...]] = (
    _noise, _grain, _weave, _leaves, _leaves, _still, _still, _view, _blobs, _print,
)  # fmt: skip


def _exposed(rng: Rng, field: Field) -> Pictures:
    """As a camera gives it: focus, light fall-off, exposure, often no colour, and grain."""
    if rng.random() < 0.3:
        field = np.repeat(field.mean(2, keepdims=True), 3, axis=2)
    if rng.random() < 0.4:
        y, x = np.mgrid[-1 : 1 : _SIDE * 1j, -1 : 1 : _SIDE * 1j]
        field = field - rng.uniform(0, 1) * (x**2 + y**2)[..., None]
    light = 128 + rng.normal(0, 35) + rng.uniform(15, 70) * (field - field.mean())
    image = Image.fromarray(np.clip(light, 0, 255).astype(np.uint8))
    if rng.random() < 0.5:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 1.6)))
    grain = rng.standard_normal((_SIDE, _SIDE, 3)) * rng.uniform(0, 1) ** 2 * 20
    return np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8)


def _part(seed: int, start: int, count: int) -> Pictures:
    made = []
    for index in range(start, start + count):
        rng = np.random.default_rng((seed, index))
        made.append(_exposed(rng, _SOURCES[rng.integers(len(_SOURCES))](rng)))
    return np.stack(made)


def outside(seed: int, start: int, count: int, executor: Executor) -> Pictures:
    """Pictures ``start`` to ``start + count`` of a seed's stream, shape (count, 96, 96, 3)."""
    starts = range(start, start + count, _CHUNK)
    jobs = [executor.submit(_part, seed, s, min(_CHUNK, start + count - s)) for s in starts]
    return np.concatenate([job.result() for job in jobs])
