"""Every kind of picture comes out upright, in the right colours, and without metadata."""

import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from assistant.settings import Settings
from assistant.uploads import Upload, Uploads
from tests.pictures import (
    BLUE,
    GREEN,
    RED,
    SECRET,
    WHITE,
    chunks,
    encoded,
    quarters,
    swapped_profile,
    tagged,
    take,
)

ORIENTATION = 0x0112


@pytest.fixture
def uploads(settings: Settings) -> Iterator[Uploads]:
    taker = Uploads(settings)
    yield taker
    taker.close()


def pixel(upload: Upload, x: int, y: int) -> tuple[int, ...]:
    with Image.open(upload.path) as image:
        assert image.mode == "RGB"
        value = image.getpixel((x, y))
    assert isinstance(value, tuple)
    return value


def near(found: Sequence[int], wanted: Sequence[int], most: int = 12) -> bool:
    return all(abs(one - other) <= most for one, other in zip(found, wanted, strict=True))


def corners(upload: Upload) -> list[tuple[int, ...]]:
    """The middles of the four quarters: upper left and right, lower left and right."""
    width, height = upload.width, upload.height
    places = ((0, 0), (1, 0), (0, 1), (1, 1))
    return [
        pixel(upload, width // 4 + x * width // 2, height // 4 + y * height // 2) for x, y in places
    ]


# --- what is taken
@pytest.mark.parametrize(
    ("kind", "mode", "options"),
    [
        ("JPEG", "RGB", {"quality": 95, "subsampling": 0}),
        ("JPEG", "CMYK", {"quality": 95, "subsampling": 0}),
        ("PNG", "RGB", {}),
        ("PNG", "RGBA", {}),
        ("PNG", "P", {}),
        ("WEBP", "RGB", {"lossless": True}),
        ("WEBP", "RGBA", {"lossless": True}),
        ("GIF", "P", {}),
    ],
)
def test_colours_survive(
    uploads: Uploads, tmp_path: Path, kind: str, mode: str, options: dict[str, Any]
) -> None:
    upload = take(uploads, tmp_path, encoded(quarters(mode), kind, **options))
    assert (upload.width, upload.height, upload.note) == (40, 20, "")
    for found, wanted in zip(corners(upload), (RED, GREEN, BLUE, WHITE), strict=True):
        assert near(found, wanted)


def test_one_pixel(uploads: Uploads, tmp_path: Path) -> None:
    upload = take(uploads, tmp_path, encoded(Image.new("RGB", (1, 1), RED), "PNG"))
    assert (upload.width, upload.height, pixel(upload, 0, 0)) == (1, 1, RED)


def test_one_bit(uploads: Uploads, tmp_path: Path) -> None:
    image = Image.new("1", (2, 1))
    image.putpixel((1, 0), 1)
    upload = take(uploads, tmp_path, encoded(image, "PNG"))
    assert [pixel(upload, x, 0) for x in (0, 1)] == [(0, 0, 0), WHITE]


def wide_grey(**options: Any) -> bytes:
    image = Image.new("I;16", (5, 1))
    for x, value in enumerate((0, 255, 257, 32768, 65535)):
        image.putpixel((x, 0), value)
    return encoded(image, "PNG", **options)


def test_sixteen_bits_are_scaled(uploads: Uploads, tmp_path: Path) -> None:
    upload = take(uploads, tmp_path, wide_grey())
    assert [pixel(upload, x, 0)[0] for x in range(5)] == [0, 1, 1, 128, 255]


def test_sixteen_bits_with_a_clear_value(uploads: Uploads, tmp_path: Path) -> None:
    upload = take(uploads, tmp_path, wide_grey(transparency=255))
    assert [pixel(upload, x, 0)[0] for x in range(5)] == [0, 255, 1, 128, 255]


def test_sixteen_bit_colours_are_scaled(uploads: Uploads, tmp_path: Path) -> None:
    row = struct.pack(">B6H", 0, 65535, 32768, 256, 0, 255, 65280)
    header = struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in ((b"IHDR", header), (b"IDAT", zlib.compress(row)), (b"IEND", b""))
    )
    upload = take(uploads, tmp_path, png)
    assert pixel(upload, 0, 0) == (255, 128, 1)
    assert pixel(upload, 1, 0) == (0, 0, 255)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_lies_on_white(uploads: Uploads, tmp_path: Path, mode: str) -> None:
    image = Image.new("RGBA", (3, 1), (0, 0, 0, 255))
    image.putpixel((1, 0), (0, 0, 0, 128))
    image.putpixel((2, 0), (0, 0, 0, 0))
    upload = take(uploads, tmp_path, encoded(image.convert(mode), "PNG"))
    assert pixel(upload, 0, 0) == (0, 0, 0)
    assert near(pixel(upload, 1, 0), (127, 127, 127), 1)
    assert pixel(upload, 2, 0) == WHITE


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_clear_palette_entry_lies_on_white(uploads: Uploads, tmp_path: Path, kind: str) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([*RED, *BLUE])
    image.putpixel((1, 0), 1)
    upload = take(uploads, tmp_path, encoded(image, kind, transparency=1))
    assert [pixel(upload, x, 0) for x in (0, 1)] == [RED, WHITE]


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_clear_colour_lies_on_white(uploads: Uploads, tmp_path: Path, mode: str) -> None:
    image = Image.new(mode, (2, 1))
    image.putpixel((1, 0), WHITE if mode == "RGB" else 255)
    clear = (0, 0, 0) if mode == "RGB" else 0
    upload = take(uploads, tmp_path, encoded(image, "PNG", transparency=clear))
    assert [pixel(upload, x, 0) for x in (0, 1)] == [WHITE, WHITE]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_upright(uploads: Uploads, tmp_path: Path, kind: str, orientation: int) -> None:
    inverse = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    image = quarters()
    if orientation in inverse:
        image = image.transpose(inverse[orientation])
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    options = {"quality": 95, "subsampling": 0} if kind == "JPEG" else {}
    upload = take(uploads, tmp_path, encoded(image, kind, exif=exif, **options))
    assert upload.note == ("" if orientation == 1 else "turned upright")
    assert (upload.width, upload.height) == (40, 20)
    for found, wanted in zip(corners(upload), (RED, GREEN, BLUE, WHITE), strict=True):
        assert near(found, wanted, 40)


@pytest.mark.parametrize("exif", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b""])
def test_broken_exif_is_ignored(uploads: Uploads, tmp_path: Path, exif: bytes) -> None:
    assert take(uploads, tmp_path, encoded(quarters(), "JPEG", exif=exif)).note == ""


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_colour_profile_is_applied(uploads: Uploads, tmp_path: Path, mode: str) -> None:
    content = encoded(quarters(mode), "PNG", icc_profile=swapped_profile())
    for found, wanted in zip(
        corners(take(uploads, tmp_path, content)), (GREEN, RED, BLUE, WHITE), strict=True
    ):
        assert near(found, wanted, 3)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_profile_of_another_kind_is_ignored(uploads: Uploads, tmp_path: Path, mode: str) -> None:
    image = quarters(mode)
    plain = take(uploads, tmp_path, encoded(image, "JPEG"), "plain.jpg")
    odd = take(uploads, tmp_path, encoded(image, "JPEG", icc_profile=swapped_profile()), "odd.jpg")
    assert odd.path.read_bytes() == plain.path.read_bytes()


def test_broken_profile_is_ignored(uploads: Uploads, tmp_path: Path) -> None:
    upload = take(uploads, tmp_path, encoded(quarters(), "PNG", icc_profile=SECRET))
    assert corners(upload) == [RED, GREEN, BLUE, WHITE]
    assert SECRET not in upload.path.read_bytes()


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_first_frame_of_an_animation(uploads: Uploads, tmp_path: Path, kind: str) -> None:
    frames = [Image.new("RGB", (4, 4), (0, 20 * place, 200)) for place in range(12)]
    content = encoded(frames[0], kind, save_all=True, append_images=frames[1:], lossless=True)
    upload = take(uploads, tmp_path, content)
    assert upload.note == "animated: the first of 12 frames is used"
    assert near(pixel(upload, 1, 1), (0, 0, 200), 6)


def test_second_view_of_an_mpo_is_no_frame(uploads: Uploads, tmp_path: Path) -> None:
    content = encoded(quarters(), "MPO", save_all=True, append_images=[quarters()])
    assert take(uploads, tmp_path, content).note == ""


# --- what never comes back out
def test_jpeg_metadata_is_gone(uploads: Uploads, tmp_path: Path) -> None:
    thumbnail = encoded(Image.new("RGB", (8, 8)), "JPEG", comment=SECRET)
    content = encoded(
        quarters(), "JPEG", exif=tagged(), comment=SECRET, xmp=b"<x:xmpmeta>" + SECRET
    )
    iptc = b"Photoshop 3.0\x008BIM" + SECRET
    content = content[:2] + b"\xff\xed" + struct.pack(">H", len(iptc) + 2) + iptc + content[2:]
    assert content.count(SECRET) == 5
    clean = take(uploads, tmp_path, content + thumbnail).path.read_bytes()
    assert chunks(clean) == {b"IHDR", b"IDAT", b"IEND"}
    assert SECRET not in clean


def test_png_metadata_is_gone(uploads: Uploads, tmp_path: Path) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", SECRET.decode())
    text.add_itxt("XML:com.adobe.xmp", SECRET.decode())
    content = encoded(
        quarters(), "PNG", pnginfo=text, exif=tagged(), icc_profile=swapped_profile(), dpi=(72, 72)
    )
    assert {b"tEXt", b"iTXt", b"eXIf", b"iCCP", b"pHYs"} <= chunks(content)
    clean = take(uploads, tmp_path, content + SECRET).path.read_bytes()
    assert chunks(clean) == {b"IHDR", b"IDAT", b"IEND"}
    assert SECRET not in clean


def test_webp_and_gif_metadata_are_gone(uploads: Uploads, tmp_path: Path) -> None:
    webp = encoded(quarters(), "WEBP", exif=tagged(), xmp=SECRET, icc_profile=swapped_profile())
    gif = encoded(quarters("P"), "GIF", comment=SECRET)
    for content in (webp, gif):
        assert SECRET in content
        clean = take(uploads, tmp_path, content).path.read_bytes()
        assert chunks(clean) == {b"IHDR", b"IDAT", b"IEND"}
