"""Pictures of files, folders and zips are read whole and upright, or told why not."""

import io
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tools import pictures
from tools.base import ToolFailed
from tools.pictures import NotRead, Source

RED, WHITE = (255, 0, 0), (255, 255, 255)


def save(path: Path, size: tuple[int, int] = (40, 20)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, RED).save(path)
    return path


def names(*images: Path, dataset: Path | None = None) -> list[str]:
    return [source.name for source in pictures.sources(images, dataset)]


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def png(size: tuple[int, int] = (4, 4)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, RED).save(file, "PNG")
    return file.getvalue()


def test_files_keep_their_order_and_get_names_that_differ(tmp_path: Path) -> None:
    files = [save(tmp_path / folder / "image.png") for folder in "abc"]
    assert names(*files) == ["image.png", "image.png (2)", "image.png (3)"]


def test_a_folder_gives_its_pictures_by_name(tmp_path: Path) -> None:
    for name in ("b.png", "a/x.JPG", ".hidden.png", "c.webp"):
        save(tmp_path / "set" / name)
    (tmp_path / "set" / "labels.csv").write_text("x", encoding="utf-8")
    (tmp_path / "set" / "link.png").symlink_to(save(tmp_path / "outside.png"))
    assert names(dataset=tmp_path / "set") == ["a/x.JPG", "b.png", "c.webp"]


def test_a_zip_gives_its_pictures_and_writes_nothing(tmp_path: Path) -> None:
    members = {
        "../../evil.png": png(),
        "/etc/abs.png": png(),
        "cats/one.png": png(),
        "__MACOSX/cats/._one.png": b"",
        "inner.zip": b"PK",
        "notes.txt": b"",
    }
    archive = zipped(tmp_path / "set.zip", members)
    found = pictures.sources((), archive)
    assert [source.name for source in found] == ["cats/one.png", "etc/abs.png", "evil.png"]
    assert all(pictures.read(source).size == (4, 4) for source in found)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["set.zip"]


@pytest.mark.parametrize("what", ["missing", "text", "broken zip"])
def test_what_is_no_dataset_is_told(tmp_path: Path, what: str) -> None:
    path = tmp_path / "set.zip"
    if what == "text":
        path.write_text("hello", encoding="utf-8")
    if what == "broken zip":
        zipped(path, {"a.png": png()})
        path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ToolFailed, match=r"set\.zip .*(folder|Zip)"):
        pictures.sources((), path)


def test_too_many_files_are_told(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "set.zip", {f"{i}.txt": b"" for i in range(20_002)})
    with pytest.raises(ToolFailed, match="over 20,000 files"):
        pictures.sources((), archive)


def test_a_turned_picture_is_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 20), RED).save(tmp_path / "turned.jpg", exif=exif)
    found = pictures.read(Source("turned.jpg", tmp_path / "turned.jpg"))
    assert found.size == (20, 40)
    assert 0x0112 not in found.getexif()


def test_transparent_parts_are_white(tmp_path: Path) -> None:
    image = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    image.putpixel((0, 0), (*RED, 255))
    image.save(tmp_path / "clear.png")
    found = pictures.read(Source("clear.png", tmp_path / "clear.png"))
    assert (found.getpixel((0, 0)), found.getpixel((1, 0))) == (RED, WHITE)


def test_sixteen_bits_are_scaled_not_clipped(tmp_path: Path) -> None:
    grey = np.array([[0, 257 * 100, 65_535]], np.uint16)
    Image.fromarray(grey).save(tmp_path / "deep.png")
    found = pictures.read(Source("deep.png", tmp_path / "deep.png"))
    assert [found.getpixel((x, 0)) for x in range(3)] == [(v, v, v) for v in (0, 100, 255)]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("x.jpg" if mode == "CMYK" else "x.png")
    Image.new("RGB", (7, 5), WHITE).convert(mode).save(path)
    found = pictures.read(Source(path.name, path))
    assert (found.mode, found.size) == ("RGB", (7, 5))
    assert found.getpixel((3, 3)) == WHITE


def bomb() -> bytes:
    """A PNG whose header claims 30,000 x 30,000 pixels."""
    whole = bytearray(png())
    whole[16:24] = (30_000).to_bytes(4, "big") * 2
    whole[29:33] = zlib.crc32(bytes(whole[12:29])).to_bytes(4, "big")
    return bytes(whole)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.png", b"", "is empty"),
        ("a.png", b"not a picture", "is not a JPEG, PNG, WebP or GIF"),
        ("a.heic", b"ftypheic", "is not a JPEG, PNG, WebP or GIF"),
        ("a.png", png((300, 300))[:400], "is cut short or damaged"),
        ("a.png", bomb(), "has too many pixels"),
        ("a.png", bytes(40_000_001), "is too large a file"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(NotRead, match=words):
        pictures.read(Source(name, tmp_path / name))
    archive = zipped(tmp_path / "set.zip", {name: content})
    with pytest.raises(NotRead, match=words):
        pictures.read(Source(name, archive, name))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotRead, match="cannot be read"):
        pictures.read(Source("gone.png", tmp_path / "gone.png"))
