"""Draws charts: readable on light and dark pages, and on a phone of 390 px."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.evidence import Fact
from tools.base import Plot

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_WIDTH = 4.6  # inches; 442 CSS pixels, so that 9 points stay legible when scaled to a phone
_DPI = 200
_LETTERS = 9  # points
_CARD, _INK, _FAINT = "#f7f5ef", "#26282c", "#d5d0c4"
_COLOURS = ("#2f6fb2", "#c4622d", "#3d8b57", "#8a5aa8", "#b08a1e", "#57707c")
_LABEL_LETTERS = 22  # from which a label is broken into lines
_TITLE_LETTERS = 46


@dataclass(frozen=True)
class Bar:
    """One bar.

    Attributes:
        label: what it stands for.
        value: its length.
        shown: the value with its unit, as it is written at its end.
    """

    label: str
    value: float
    shown: str


def bars(path: Path, title: str, drawn: Sequence[Bar], alt: str, cites: Sequence[Fact]) -> Plot:
    """Horizontal bars, the first on top.

    Args:
        path: the PNG file to write.
        title: drawn above.
        drawn: the bars.
        alt: what it shows, in words.
        cites: the facts behind the bars.
    """
    labels = [textwrap.fill(_plain(bar.label), _LABEL_LETTERS) for bar in drawn]
    lines = sum(label.count("\n") + 1 for label in labels)
    figure, axes = _card(title, 0.5 + 0.14 * len(drawn) + 0.15 * lines)
    places = range(len(drawn))
    axes.barh(places, [bar.value for bar in drawn], height=0.62, color=_COLOURS[0])
    axes.set_yticks(places, labels)
    axes.set_ylim(len(drawn) - 0.4, -0.6)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    longest = max((bar.value for bar in drawn), default=1.0) or 1.0
    axes.set_xlim(0, longest * 1.3)
    for place, bar in zip(places, drawn, strict=True):
        axes.text(
            bar.value + longest * 0.02, place, bar.shown, va="center", size=_LETTERS, color=_INK
        )
    figure.savefig(path, dpi=_DPI)
    said = tuple(f"{bar.label}: {bar.shown}" for bar in drawn)
    return Plot(path, alt, title, said, tuple(cites))


def lines(
    path: Path,
    title: str,
    axis_labels: tuple[str, str],
    series: Mapping[str, Sequence[tuple[float, float]]],
    alt: str,
    cites: Sequence[Fact],
) -> Plot:
    """One line for each series of points, with the series' names below.

    Args:
        path: the PNG file to write.
        title: drawn above.
        axis_labels: of the horizontal and the vertical axis.
        series: points by name; horizontal values are spread evenly on a scale of factors of two.
        alt: what it shows, in words.
        cites: the facts behind the points.
    """
    figure, axes = _card(title, 2.5 + 0.2 * len(series))
    for colour, (name, points) in zip(_cycled(len(series)), series.items(), strict=True):
        across, up = zip(*points, strict=True)
        axes.plot(across, up, marker="o", markersize=5, color=colour, label=_plain(name))
    axes.set_xscale("log", base=2)
    ticks = sorted({across for points in series.values() for across, _ in points})
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_ylim(bottom=0)
    axes.set_xlabel(axis_labels[0], size=_LETTERS, color=_INK)
    axes.set_ylabel(axis_labels[1], size=_LETTERS, color=_INK)
    axes.grid(axis="y", color=_FAINT, linewidth=0.8)
    figure.legend(loc="outside lower left", frameon=False, fontsize=_LETTERS, labelcolor=_INK)
    figure.savefig(path, dpi=_DPI)
    return Plot(path, alt, title, (*axis_labels, *series), tuple(cites))


def course(
    path: Path, title: str, axis_labels: tuple[str, str], points: Sequence[tuple[float, float]]
) -> Plot:
    """How one figure of our own work has gone so far, such as the loss of a training.

    Args:
        path: the PNG file to write.
        title: drawn above.
        axis_labels: of the horizontal and the vertical axis.
        points: in order.
    """
    figure, axes = _card(title, 2.2)
    axes.plot(*zip(*points, strict=True), color=_COLOURS[0], linewidth=1.5)
    axes.set_xlabel(axis_labels[0], size=_LETTERS, color=_INK)
    axes.set_ylabel(axis_labels[1], size=_LETTERS, color=_INK)
    axes.grid(axis="y", color=_FAINT, linewidth=0.8)
    figure.savefig(path, dpi=_DPI)
    return Plot(path, f"A line: {axis_labels[1]} over {axis_labels[0]}", title, axis_labels)


def pictures(path: Path, title: str, rows: Mapping[str, Sequence["Picture"]], alt: str) -> Plot:
    """Rows of pictures, each with its name above, such as what a model drew before and after.

    Args:
        path: the PNG file to write.
        title: drawn above.
        rows: pictures by the name of their row, as many in each.
        alt: what it shows, in words.
    """
    across = max(len(row) for row in rows.values())
    figure = _figure(title, 0.45 + len(rows) * (0.24 + (_WIDTH - 0.4) / across))
    for name, band in zip(rows, figure.subfigures(len(rows), 1, squeeze=False)[:, 0], strict=True):
        band.set_facecolor(_CARD)
        band.suptitle(_plain(name), x=0.03, ha="left", fontsize=_LETTERS, color=_INK)
        for axes, picture in zip(
            band.subplots(1, across, squeeze=False)[0], rows[name], strict=True
        ):
            axes.imshow(picture)
            axes.set_axis_off()
    figure.savefig(path, dpi=_DPI)
    return Plot(path, alt, title, tuple(rows))


def _figure(title: str, height: float) -> Any:
    """A figure with a card behind it, so that it does not depend on the page's colour."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    wrapped = textwrap.fill(_plain(title), _TITLE_LETTERS, break_on_hyphens=False)
    space = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1)
    figure = Figure((_WIDTH, height + 0.17 * wrapped.count("\n")), layout=space)
    figure.set_facecolor(_CARD)
    figure.suptitle(wrapped, x=0.03, ha="left", fontsize=10, fontweight="bold", color=_INK)
    return figure


def _card(title: str, height: float) -> tuple[Any, Any]:
    """A figure with a title and one chart."""
    figure = _figure(title, height)
    axes = figure.add_subplot(facecolor=_CARD)
    axes.tick_params(length=0, colors=_INK, labelsize=_LETTERS)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(_FAINT)
    return figure, axes


def _cycled(count: int) -> tuple[str, ...]:
    return tuple(_COLOURS[place % len(_COLOURS)] for place in range(count))


def _plain(text: str) -> str:
    """Text without the dollar signs that would start a formula."""
    return text.replace("$", r"\$")
