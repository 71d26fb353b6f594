"""Of a dropped picture's metadata its recipe survives, and nothing else."""

import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import ExifTags, Image, PngImagePlugin

from assistant.settings import Settings
from assistant.uploads import Uploads
from tests.pictures import SECRET, chunks, encoded, quarters, swapped_profile, tagged, take
from tools import a1111, recipe
from tools.recipe import Recipe

MADE = Recipe("a fox\nat dawn, 7 hens", "blur", "FLUX.1-schnell", 42, 1024, 768, 4, 3.5)
THEIRS = "a cat\nNegative prompt: dog\nSteps: 20, CFG scale: 7, Seed: 5, Size: 512x768, Model: sdxl"
CAT = replace(
    recipe.clean({}), prompt="a cat", negative_prompt="dog", model="sdxl", seed=5, width=512,
    height=768, steps=20, guidance=7.0,
)  # fmt: skip
WITH_RECIPE = {b"IHDR", b"IDAT", b"IEND", b"eXIf", b"tEXt", b"iTXt"}


@pytest.fixture
def uploads(settings: Settings) -> Iterator[Uploads]:
    taker = Uploads(settings)
    yield taker
    taker.close()


def private(comment: str = "") -> Image.Exif:
    """EXIF data with a maker, a place, a name, a thumbnail's worth of words, and a comment."""
    exif = tagged()
    exif[ExifTags.Base.Artist] = SECRET.decode()
    exif[ExifTags.Base.ImageDescription] = SECRET.decode()
    if comment:
        own = exif.get_ifd(ExifTags.IFD.Exif)
        own[ExifTags.Base.UserComment] = a1111.user_comment(comment)
        own[ExifTags.Base.BodySerialNumber] = SECRET.decode()
    return exif


def described(made: Recipe) -> PngImagePlugin.PngInfo:
    """The texts of our own PNG, with private ones beside them."""
    text: PngImagePlugin.PngInfo = recipe.saving(made, "PNG")["pnginfo"]
    text.add_text("Author", SECRET.decode())
    text.add_text("workflow", SECRET.decode())
    text.add_itxt("XML:com.adobe.xmp", SECRET.decode())
    return text


def test_our_recipe_survives_a_place_and_names(uploads: Uploads, tmp_path: Path) -> None:
    content = encoded(
        quarters(), "PNG", pnginfo=described(MADE), exif=private(),
        icc_profile=swapped_profile(), dpi=(72, 72),
    )  # fmt: skip
    assert content.count(SECRET) >= 5
    path = take(uploads, tmp_path, content + SECRET, "fox.png").path
    clean = path.read_bytes()
    assert recipe.read(path) == MADE
    assert SECRET not in clean
    assert chunks(clean) == WITH_RECIPE
    with Image.open(path) as image:
        assert dict(image.getexif()) == {
            ExifTags.Base.Software: f"AI generated with FLUX.1-schnell, {MADE.version}"
        }
        assert image.info.keys() == {"parameters", "fitting-room", "exif"}


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_another_programs_recipe_survives_a_place_and_names(
    uploads: Uploads, tmp_path: Path, kind: str
) -> None:
    extra = {"comment": SECRET} if kind == "JPEG" else {"xmp": SECRET}
    content = encoded(quarters(), kind, exif=private(THEIRS), **extra)
    assert content.count(SECRET) >= 5
    path = take(uploads, tmp_path, content).path
    assert recipe.read(path) == CAT
    assert SECRET not in path.read_bytes()
    assert chunks(path.read_bytes()) == WITH_RECIPE


def test_a_comment_of_a_person_is_no_recipe(uploads: Uploads, tmp_path: Path) -> None:
    for words in ("Joe, call me: 555, at: home, before: noon", SECRET.decode()):
        path = take(uploads, tmp_path, encoded(quarters(), "JPEG", exif=private(words))).path
        assert chunks(path.read_bytes()) == {b"IHDR", b"IDAT", b"IEND"}


@pytest.mark.parametrize("ending", [".png", ".jpg", ".webp"])
def test_our_own_pictures_can_be_dropped_again_and_again(
    uploads: Uploads, home: Path, tmp_path: Path, ending: str
) -> None:
    made = home / "runs" / "me" / "r1" / f"picture-1{ending}"
    made.parent.mkdir(parents=True)
    recipe.write(quarters(), made, MADE)
    first = uploads.take(made, "me").path
    copy = tmp_path / "again.png"
    copy.write_bytes(first.read_bytes())
    second = uploads.take(copy, "me").path
    assert recipe.read(first) == recipe.read(second) == MADE
    assert first.read_bytes() == second.read_bytes()
    assert uploads.take(second, "me").path == second


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def test_a_recipe_that_follows_the_pixels_survives(uploads: Uploads, tmp_path: Path) -> None:
    whole = encoded(quarters(), "PNG")
    late = whole[:-12] + chunk(b"tEXt", b"parameters\0" + THEIRS.encode()) + whole[-12:]
    assert recipe.read(take(uploads, tmp_path, late).path) == CAT


def test_it_survives_a_turn_and_a_palette(uploads: Uploads, tmp_path: Path) -> None:
    exif = private(THEIRS)
    exif[ExifTags.Base.Orientation] = 6
    turned = take(uploads, tmp_path, encoded(quarters(), "JPEG", exif=exif))
    assert (turned.note, turned.width, recipe.read(turned.path)) == ("turned upright", 20, CAT)
    palette = encoded(quarters("P"), "PNG", pnginfo=described(MADE), transparency=1)
    assert recipe.read(take(uploads, tmp_path, palette).path) == MADE


def test_values_out_of_bounds_do_not_come_through(uploads: Uploads, tmp_path: Path) -> None:
    odd = {
        "fitting-room": 1, "prompt": "a\x1b[31mb\u202e" + "c" * 50_000, "seed": -1,
        "guidance": float("nan"), "gps": SECRET.decode(), "adapters": [[SECRET.decode()]],
        "licence": {"name": SECRET.decode()},
    }  # fmt: skip
    text = PngImagePlugin.PngInfo()
    text.add_itxt("fitting-room", json.dumps(odd))
    path = take(uploads, tmp_path, encoded(quarters(), "PNG", pnginfo=text)).path
    wanted = replace(recipe.clean({}), prompt=("a[31mb" + "c" * 50_000)[:10_000])
    assert recipe.read(path) == wanted
    assert SECRET not in path.read_bytes()
    assert b"nan" not in path.read_bytes().lower()


@pytest.mark.parametrize(
    "text",
    ["[" * 500_000, "{}", "null", '{"fitting-room": 1, "prompt": ' + "[" * 90_000, "9" * 250_000],
    ids=range(5),
)
def test_a_hostile_recipe_costs_only_itself(uploads: Uploads, tmp_path: Path, text: str) -> None:
    held = PngImagePlugin.PngInfo()
    held.add_itxt("fitting-room", text)
    held.add_text("parameters", text)
    upload = take(uploads, tmp_path, encoded(quarters(), "PNG", pnginfo=held))
    assert (upload.width, upload.note) == (40, "")
    assert chunks(upload.path.read_bytes()) == {b"IHDR", b"IDAT", b"IEND"}
