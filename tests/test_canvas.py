"""What an edit starts from: pictures that are read, masked, and extended by what words say."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage
from PIL import Image

from tools.base import ToolFailed
from tools.canvas import Margins, extended, margins, mask, picture, resized
from tools.engines.edges import canny, is_edges, is_grey

data: Any = skimage.data  # these two have no types
feature: Any = skimage.feature


@pytest.mark.parametrize(
    ("told", "added"),
    [
        ("left 50", Margins(left=50)),
        ("50 px on the left", Margins(left=50)),
        ("left by 50 pixels", Margins(left=50)),
        ("Top 10%, right 50 px", Margins(top=10, right=50)),
        ("left 10 and right 20", Margins(left=10, right=20)),
        ("all 25%", Margins(50, 25, 50, 25)),
        ("25% on all sides", Margins(50, 25, 50, 25)),
        ("both sides by 10%", Margins(left=20, right=20)),
        ("up", Margins(top=25)),
        ("16:9", Margins(top=6, bottom=6)),
        ("4:1", Margins(left=100, right=100)),
        ("1:1", Margins(top=50, bottom=50)),
        ({"left": 256}, Margins(left=256)),
        ({"all": None}, Margins(50, 25, 50, 25)),
        ({"top": 30, "bottom": None}, Margins(top=30, bottom=25)),
    ],
)
def test_how_far_a_picture_of_200_by_100_is_extended(
    told: str | Mapping[str, int | None], added: Margins
) -> None:
    assert margins(told, (200, 100)) == added


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ("upwards", "'upwards' does not tell how far to extend it"),
        ("further", "'further' does not tell how far to extend it. Say a side"),
        ("50", "'50' does not tell how far"),
        ("left right 50", "does not tell how far"),
        ("left -50", "does not tell how far"),
        ("left 0", "'left 0' adds nothing to a picture of 200 x 100"),
        ("2:1", "'2:1' adds nothing"),
        ("0:9", "0:9 is no shape of a picture"),
        ("left 1000000", "adds more than twice the picture of 200 x 100 on a side"),
        ("999999:1", "adds more than twice"),
        ({"left": -7}, "does not tell how far"),
        ({"middle": 7}, "does not tell how far"),
    ],
)
def test_extending_that_makes_no_sense(told: str | Mapping[str, int | None], says: str) -> None:
    with pytest.raises(ToolFailed, match=says):
        margins(told, (200, 100))


def test_the_canvas_keeps_the_picture_and_masks_what_is_new() -> None:
    given = Image.effect_noise((40, 30), 90).convert("RGB")
    canvas, inside = extended(given, Margins(left=5, bottom=7))
    assert canvas.size == inside.size == (45, 37)
    kept = np.asarray(inside) == 0
    assert kept.sum() == 40 * 30
    assert (np.asarray(canvas)[:30, 5:] == np.asarray(given)).all()
    assert kept[:30, 5:].all()


def test_a_mask_is_black_or_white(tmp_path: Path) -> None:
    shades = Image.linear_gradient("L")
    shades.save(tmp_path / "mask.png")
    told = np.asarray(mask(tmp_path / "mask.png", (256, 256)))
    assert set(np.unique(told)) == {0, 255}
    assert ((told == 255) == (np.asarray(shades) >= 128)).all()
    assert set(np.unique(np.asarray(resized(Image.fromarray(told), (100, 90))))) == {0, 255}


@pytest.mark.parametrize(
    ("shade", "size", "says"),
    [
        (0, (64, 64), "is all black, so that nothing may change"),
        (127, (64, 64), "is all black"),
        (255, (64, 64), "is all white, so that nothing would stay"),
        (255, (64, 32), "is 64 x 32 pixels, but the picture is 64 x 64"),
    ],
)
def test_a_mask_that_will_not_do(
    tmp_path: Path, shade: int, size: tuple[int, int], says: str
) -> None:
    Image.new("L", size, shade).save(tmp_path / "mask.png")
    with pytest.raises(ToolFailed, match=says):
        mask(tmp_path / "mask.png", (64, 64))


def test_pictures_are_upright_and_flat(tmp_path: Path) -> None:
    turned = Image.new("RGB", (40, 20), "red")
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(tmp_path / "turned.jpg", exif=exif)
    assert picture(tmp_path / "turned.jpg").size == (20, 40)
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    assert picture(tmp_path / "clear.png").getpixel((4, 4)) == (255, 255, 255)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    with pytest.raises(ToolFailed, match=r"^broken.png is .*\. (Give|Convert)"):
        picture(tmp_path / "broken.png")


def test_edges_lie_where_another_program_finds_them() -> None:
    photo = data.astronaut()[:256, :256]
    mine = np.asarray(canny(Image.fromarray(photo)).convert("L")) > 0
    grey = np.asarray(Image.fromarray(photo).convert("L")) / 255
    # Its slopes are four times as steep, and it leaves the border out.
    other = feature.canny(grey, sigma=1.0, low_threshold=0.2, high_threshold=0.6)
    inner = (slice(2, -2), slice(2, -2))
    both = (mine & other)[inner].sum()
    assert both / other[inner].sum() > 0.9
    assert both / mine[inner].sum() > 0.9


def test_a_map_is_told_from_a_picture() -> None:
    photo = Image.fromarray(data.astronaut()[:128, :128])
    found = canny(photo)
    assert is_edges(found)
    assert is_grey(found)
    assert not is_edges(photo)
    assert not is_grey(photo)
    depth = Image.linear_gradient("L").convert("RGB")
    assert is_grey(depth)
    assert not is_edges(depth)
    assert not np.asarray(canny(Image.new("RGB", (64, 64), "red"))).any()
