"""A line that a job has drawn so far, as SVG in the colours of the page."""

import math
from collections.abc import Iterator, Sequence
from html import escape

Point = tuple[float, float]

_WIDTH, _HEIGHT = 360, 200  # of the drawing; it is scaled to the room that there is
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 12, 8, 34  # room for the labels
_MOST = 240  # points drawn; more cannot be told apart, and are sent again and again
_TICKS = 4


def curve_html(name: str, points: Sequence[Point]) -> str:
    """A figure with a line over its steps.

    Args:
        name: what is measured, such as `loss`.
        points: step and value, in order; what is no number is left out.

    Returns:
        HTML; empty if there are not two points yet.
    """
    drawn = _thinned([point for point in points if all(map(math.isfinite, point))])
    if len(drawn) < 2:
        return ""
    (first, began), (last, now) = drawn[0], drawn[-1]
    told = f"{name} over step: {began:.4g} at step {first:,.0f}, {now:.4g} at step {last:,.0f}"
    return (
        f"<figure><figcaption>{escape(name)} over step</figcaption>"
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(told)}">'
        f"{_inside(drawn)}</svg></figure>"
    )


def _inside(drawn: Sequence[Point]) -> str:
    steps, values = zip(*drawn, strict=True)
    along, up = _ticks(min(steps), max(steps), 1.0), _ticks(min(values), max(values))
    across = _Scale((steps[0], steps[-1]), (_LEFT, _WIDTH - _RIGHT))
    height = _Scale((min(*values, *up), max(*values, *up)), (_HEIGHT - _BOTTOM, _TOP))
    line = " ".join(f"{across(step):.1f},{height(value):.1f}" for step, value in drawn)
    grid = [_across(tick, height(tick)) for tick in up]
    grid += [_below(tick, across(tick)) for tick in along]
    return (
        # In a group, so that the line keeps its place when there is another label.
        f"<g>{''.join(grid)}</g>"
        f'<text x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 3}" text-anchor="end">step</text>'
        f'<polyline points="{line}"/>'
        f'<circle cx="{across(steps[-1]):.1f}" cy="{height(values[-1]):.1f}" r="3.5"/>'
    )


class _Scale:
    """From figures to places on the drawing."""

    def __init__(self, figures: Point, places: Point) -> None:
        self._least, self._start = figures[0], places[0]
        self._unit = (places[1] - places[0]) / ((figures[1] - figures[0]) or 1.0)

    def __call__(self, figure: float) -> float:
        return self._start + (figure - self._least) * self._unit


def _across(tick: float, place: float) -> str:
    """A line of the grid with its label at the left."""
    return (
        f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{place:.1f}" y2="{place:.1f}"/>'
        f'<text x="{_LEFT - 6}" y="{place + 4:.1f}" text-anchor="end">{tick:,.4g}</text>'
    )


def _below(tick: float, place: float) -> str:
    """A label below the line."""
    where = f'x="{place:.1f}" y="{_HEIGHT - _BOTTOM + 17}"'
    return f'<text {where} text-anchor="middle">{tick:,.6g}</text>'


def _ticks(least: float, most: float, finest: float = 0.0) -> tuple[float, ...]:
    """Round figures between two others, a few of them."""
    rough = max((most - least or abs(most) or 1.0) / _TICKS, finest)
    power: float = 10.0 ** math.floor(math.log10(rough))
    unit = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    return tuple(_multiples(unit, least, most)) or (least,)


def _multiples(unit: float, least: float, most: float) -> Iterator[float]:
    for count in range(math.ceil(least / unit), math.floor(most / unit) + 1):
        yield count * unit


def _thinned(points: Sequence[Point]) -> list[Point]:
    """Evenly chosen points, the last one among them."""
    every = len(points) // _MOST + 1
    return [*points[:-1:every], *points[-1:]]
