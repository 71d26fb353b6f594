"""The photos of a subject: read, told apart, and refused with a reason."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from tests.photographs import photographs
from tools.base import NeedsInput, ToolFailed
from tools.photos import MOST, Photos, checked

Write = Callable[..., Path]


@pytest.fixture
def photo(tmp_path: Path) -> Write:
    """Writes one of several photographs, changed if that is asked, and gives its file."""
    known = photographs()[:6]

    def write(
        number: int, name: str = "", change: Callable[[Image.Image], Image.Image] = Image.Image.copy
    ) -> Path:
        path = tmp_path / (name or f"photo-{number}.png")
        change(known[number]).save(path)
        return path

    return write


def names(found: Photos) -> list[str]:
    return [source.name for source in found.sources]


def test_a_zip_of_photos_will_do(photo: Write, tmp_path: Path) -> None:
    archive = tmp_path / "mug.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for number in range(3):
            opened.write(photo(number), f"mug/{number}.png")
    assert names(checked([archive], 64)) == ["mug/0.png", "mug/1.png", "mug/2.png"]


def test_good_photos_pass_without_advice(photo: Write) -> None:
    found = checked([photo(0), photo(1), photo(2)], 96)
    assert names(found) == ["photo-0.png", "photo-1.png", "photo-2.png"]
    assert [picture.mode for picture in found.pictures] == ["RGB"] * 3
    assert found.advice == ()


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_are_asked_for(count: int, photo: Write) -> None:
    with pytest.raises(NeedsInput, match="3 to 5") as asked:
        checked([photo(number) for number in range(count)], 96)
    assert count == 0 or str(count) in asked.value.question


def test_too_many_are_refused(photo: Write) -> None:
    with pytest.raises(ToolFailed, match=rf"500 photos; at most {MOST}"):
        checked([photo(0)] * 500, 96)


def test_the_same_photo_again_does_not_count(photo: Write) -> None:
    def again(picture: Image.Image) -> Image.Image:
        file = io.BytesIO()
        picture.resize((picture.width // 2, picture.height // 2)).save(file, "JPEG", quality=60)
        return Image.open(file).convert("RGB")

    same = photo(0, "copy.png", again)
    with pytest.raises(NeedsInput, match=r"copy\.png shows? the same again|copy\.png"):
        checked([photo(0), same, photo(1)], 64)
    found = checked([photo(0), same, photo(1), photo(2)], 64)
    assert "copy.png" not in names(found)
    assert found.advice == ("copy.png is the same as another photo and left out.",)


def test_a_tiny_one_is_refused(photo: Write) -> None:
    tiny = photo(1, "tiny.png", lambda picture: picture.resize((10, 10)))
    with pytest.raises(ToolFailed, match=r"tiny\.png is 10 x 10 px"):
        checked([photo(0), tiny, photo(2)], 96)


def test_what_is_no_picture_is_refused(photo: Write, tmp_path: Path) -> None:
    text = tmp_path / "notes.png"
    text.write_text("no picture")
    with pytest.raises(ToolFailed, match=r"notes\.png is not a JPEG"):
        checked([photo(0), text, photo(2)], 96)


def test_blurred_and_small_ones_get_advice(photo: Write) -> None:
    blurred = photo(1, "soft.png", lambda picture: picture.filter(ImageFilter.GaussianBlur(12)))
    found = checked([photo(0), blurred, photo(2)], 4_096)
    assert "soft.png is blurred" in found.advice[1]
    assert "smaller than the 4096 px" in found.advice[0]
    assert all(np.asarray(picture).shape[2] == 3 for picture in found.pictures)
