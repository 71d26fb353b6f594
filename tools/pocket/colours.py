"""The ten colours of the pocket world, as ranges of shades."""

import colorsys

from tools.pocket.shapes import Uniform

RGB = tuple[int, int, int]

# Hue in degrees, saturation and value: ranges that a person still calls by one name.
_SHADES = {
    "red": ((-6, 6), (0.8, 0.95), (0.75, 0.95)),
    "orange": ((22, 32), (0.85, 1.0), (0.9, 1.0)),
    "yellow": ((49, 57), (0.75, 1.0), (0.92, 1.0)),
    "green": ((95, 140), (0.6, 0.9), (0.5, 0.75)),
    "turquoise": ((170, 182), (0.65, 0.95), (0.68, 0.85)),
    "blue": ((213, 230), (0.7, 0.95), (0.75, 0.98)),
    "purple": ((267, 284), (0.55, 0.85), (0.55, 0.8)),
    "pink": ((322, 342), (0.4, 0.6), (0.95, 1.0)),
    "brown": ((18, 28), (0.55, 0.75), (0.4, 0.55)),
    "black": ((0, 360), (0.0, 0.2), (0.08, 0.17)),
}
COLOURS = tuple(_SHADES)


def hsv(hue: float, saturation: float, value: float) -> RGB:
    """An 8-bit colour from hue in degrees, saturation and value in 0 to 1."""
    r, g, b = colorsys.hsv_to_rgb(hue % 360 / 360, saturation, value)
    return round(r * 255), round(g * 255), round(b * 255)


def shade(colour: str, u: Uniform) -> RGB:
    """One shade of a named colour."""
    hue, saturation, value = _SHADES[colour]
    return hsv(u(*hue), u(*saturation), u(*value))


def _mix(colour: RGB, other: int, share: float) -> RGB:
    r, g, b = (round(c * (1 - share) + other * share) for c in colour)
    return r, g, b


def pale(colour: RGB) -> RGB:
    """A tint of a colour, for stripes, dots and light details."""
    return _mix(colour, 255, 0.68)


def dark(colour: RGB) -> RGB:
    """A darker tone for details; of near-black a lighter one, which would not show otherwise."""
    return _mix(colour, 0, 0.5) if max(colour) > 60 else _mix(colour, 255, 0.4)
