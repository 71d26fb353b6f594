"""Charts are drawn whole, on a card of their own, small enough for a phone."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tools import plots
from tools.plots import Bar

LONG = "a label that is far too long to stand in one line of a chart for 5 $"


def pixels(path: Path) -> "np.ndarray[tuple[int, ...], np.dtype[np.int16]]":
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(np.int16)


def check_card(path: Path) -> None:
    """The edge is bare card: nothing is cut off, and the page's colour does not matter."""
    drawn = pixels(path)
    card = drawn[0, 0]
    assert card.min() > 200  # light, whatever the page is
    edge = np.concatenate([drawn[:6].reshape(-1, 3), drawn[-6:].reshape(-1, 3)])
    sides = np.concatenate([drawn[:, :6].reshape(-1, 3), drawn[:, -6:].reshape(-1, 3)])
    assert np.abs(np.concatenate([edge, sides]) - card).max() == 0
    assert drawn.min() < 60  # dark letters on it
    assert drawn.shape[1] == 920  # 460 CSS pixels on a fine screen; a phone shows 390


@pytest.mark.parametrize("count", [1, 5, 15])
def test_bars_are_whole(tmp_path: Path, count: int) -> None:
    drawn = [
        Bar(LONG if i % 2 else f"label {i}", 100.0 - 6 * i, f"{100 - 6 * i} %")
        for i in range(count)
    ]
    plot = plots.bars(
        tmp_path / "bars.png", f"A title that needs two lines: {LONG}", drawn, "alt", ()
    )
    check_card(plot.path)
    assert plot.labels[0] == "label 0: 100 %"
    assert len(plot.labels) == count


def test_longer_bars_are_longer(tmp_path: Path) -> None:
    drawn = [Bar("a", 10.0, "10"), Bar("b", 40.0, "40"), Bar("c", 0.0, "0")]
    image = pixels(plots.bars(tmp_path / "bars.png", "t", drawn, "", ()).path)
    blue = (image[..., 2] - image[..., 0]) > 80
    lengths = [int(row.sum()) for row in blue if row.sum() > 3]
    short, long = min(lengths), max(lengths)
    assert long / short == pytest.approx(4, rel=0.02)


def test_nothing_but_zeros_is_drawn(tmp_path: Path) -> None:
    check_card(plots.bars(tmp_path / "bars.png", "t", [Bar("a", 0.0, "0 %")], "", ()).path)


def test_lines_are_whole_and_named(tmp_path: Path) -> None:
    series = {
        "convnext_femto.d1_in1k": [(1.0, 24.0), (8.0, 31.0), (32.0, 35.0)],
        "vit_tiny_patch16_224.augreg_in21k_ft_in1k": [(1.0, 40.0), (8.0, 55.0)],
    }
    plot = plots.lines(tmp_path / "l.png", "Speed", ("batch", "pictures/s"), series, "alt", ())
    check_card(plot.path)
    assert plot.labels == ("batch", "pictures/s", *series)
    assert plot.title == "Speed"


def test_one_point_is_drawn(tmp_path: Path) -> None:
    plot = plots.lines(tmp_path / "l.png", "Speed", ("batch", "rate"), {"a": [(1.0, 3.0)]}, "", ())
    check_card(plot.path)
