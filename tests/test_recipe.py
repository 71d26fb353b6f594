"""A picture's recipe comes back from its file, ours or another's; hostile ones do no harm."""

import io
import json
import re
import struct
import subprocess
import sys
import zlib
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, PngImagePlugin

from tests.pictures import SECRET, encoded, quarters, swapped_profile, tagged
from tools import a1111, recipe
from tools.base import ToolFailed
from tools.recipe import Recipe

FULL = Recipe(
    prompt="a red fox, (oil painting:1.2)\nat dawn <b>|x|</b>",
    negative_prompt="blur, text",
    model="FLUX.1-schnell",
    seed=2**64 - 1,
    width=1024,
    height=768,
    steps=4,
    guidance=3.5,
    strength=0.75,
    mode="inpaint",
    adapters=(("my dog: v2", 0.8), ("style", -1.0)),
    licence='FLUX.1 "dev", Non-Commercial',
    made="2026-11-23",
    version="Fitting Room 0.1.0",
)
# As the other program writes it into a PNG, with an adapter, quoted values and an odd prompt.
THEIRS = """masterpiece, (cat:1.3), <lora:detail-tweaker:0.6>, looking at viewer
 second line: with a colon
Negative prompt: lowres, bad hands
worst quality
Steps: 28, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 6.5, Seed: 965400086, \
Size: 832x1216, Model hash: 31e35c80fc, Model: sd_xl_base_1.0, Denoising strength: 0.4, \
Lora hashes: "detail-tweaker: 7c6bad76eb54, other: 1", Version: v1.10.1"""
READ = Recipe(
    prompt="masterpiece, (cat:1.3),, looking at viewer\nsecond line: with a colon",
    negative_prompt="lowres, bad hands\nworst quality",
    model="sd_xl_base_1.0",
    seed=965400086,
    width=832,
    height=1216,
    steps=28,
    guidance=6.5,
    strength=0.4,
    adapters=(("detail-tweaker", 0.6),),
    made="",
    version="v1.10.1",
)
ENDINGS = (".png", ".jpg", ".webp")


def png(**texts: str) -> bytes:
    info = PngImagePlugin.PngInfo()
    for name, text in texts.items():
        info.add_text(name.replace("_", "-"), text)
    return encoded(quarters(), "PNG", pnginfo=info)


def commented(comment: bytes, order: str = ">") -> bytes:
    """EXIF data whose only entry is a comment, of the type that the standard gives it."""
    head = (b"MM\0*" if order == ">" else b"II*\0") + struct.pack(f"{order}I", 8)
    first = struct.pack(f"{order}HHHIII", 1, 0x8769, 4, 1, 26, 0)
    second = struct.pack(f"{order}HHHIII", 1, 0x9286, 7, len(comment), 44, 0)
    return b"Exif\0\0" + head + first + second + comment


# --- there and back
@pytest.mark.parametrize("ending", ENDINGS)
def test_all_of_it_comes_back(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"fox{ending}"
    recipe.write(quarters(), path, FULL)
    assert recipe.read(path) == FULL
    assert recipe.read(path.read_bytes()) == FULL
    with Image.open(path) as image:
        assert image.size == (40, 20)
        software = image.getexif()[ExifTags.Base.Software]
    licence = 'FLUX.1 "dev", Non-Commercial'
    assert software == f"AI generated with FLUX.1-schnell ({licence}), Fitting Room 0.1.0"
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.just("\n"), max_size=60)
RECIPES = st.builds(
    Recipe,
    prompt=WORDS | st.sampled_from(["Negative prompt: x\nSteps: 1, Seed: 2, Size: 3x4", THEIRS]),
    negative_prompt=WORDS,
    model=WORDS,
    seed=st.none() | st.integers(0, 2**64 - 1),
    width=st.none() | st.integers(1, 65_535),
    height=st.none() | st.integers(1, 65_535),
    steps=st.none() | st.integers(1, 10_000),
    guidance=st.none() | st.floats(0, 1_000),
    strength=st.none() | st.floats(0, 1),
    mode=WORDS,
    adapters=st.lists(st.tuples(WORDS, st.floats(-10, 10)), max_size=3).map(tuple),
    licence=WORDS,
)


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(made=RECIPES, ending=st.sampled_from(ENDINGS))
def test_every_kind_of_character_comes_back(made: Recipe, ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"any{ending}"
    recipe.write(Image.new("RGB", (2, 2)), path, made)
    wanted = recipe.clean(asdict(made))
    assert recipe.read(path) == wanted
    turned = re.compile("[\u202a-\u202e\u2066-\u2069]")
    assert wanted.prompt == turned.sub("", made.prompt)
    assert (wanted.seed, wanted.guidance, wanted.strength) == (
        made.seed, made.guidance, made.strength,
    )  # fmt: skip


@pytest.mark.parametrize("ending", ENDINGS)
def test_very_long_words_still_fit(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"long{ending}"
    made = replace(FULL, prompt="🧀" * 20_000, negative_prompt="🦊" * 20_000)
    recipe.write(quarters(), path, made)
    found = recipe.read(path)
    assert found
    most = 5_000 if ending == ".jpg" else 10_000
    assert (found.prompt, found.negative_prompt) == ("🧀" * most, "🦊" * most)
    assert found.seed == FULL.seed


def test_what_a_picture_was_read_with_is_not_written(tmp_path: Path) -> None:
    photo = Image.open(io.BytesIO(encoded(
        quarters(), "JPEG", exif=tagged(), comment=SECRET, icc_profile=swapped_profile()
    )))  # fmt: skip
    for ending in ENDINGS:
        recipe.write(photo, tmp_path / f"a{ending}", FULL)
        content = (tmp_path / f"a{ending}").read_bytes()
        assert SECRET not in content
        assert b"iCCP" not in content
        assert b"ICC" not in content
    recipe.write(Image.new("RGBA", (3, 3)), tmp_path / "clear.jpg", FULL)


# --- as another program reads and writes it
def test_the_other_programs_form_is_exact(tmp_path: Path) -> None:
    path = tmp_path / "fox.png"
    recipe.write(quarters(), path, FULL)
    with Image.open(path) as image:
        said = image.info["parameters"]
    assert said == (
        "a red fox, (oil painting:1.2)\nat dawn <b>|x|</b> <lora:my dog- v2:0.8> <lora:style:-1>\n"
        "Negative prompt: blur, text\n"
        f"Steps: 4, CFG scale: 3.5, Seed: {2**64 - 1}, Size: 1024x768, Model: FLUX.1-schnell, "
        'Denoising strength: 0.75, Mode: inpaint, Licence: "FLUX.1 \\"dev\\", Non-Commercial", '
        "Made: 2026-11-23, Version: Fitting Room 0.1.0"
    )
    assert recipe.read(png(parameters=said)) == replace(
        FULL, adapters=(("my dog- v2", 0.8), ("style", -1.0))
    )


@pytest.mark.parametrize("ending", [".jpg", ".webp"])
def test_the_comment_has_the_type_and_encoding_that_others_read(
    tmp_path: Path, ending: str
) -> None:
    recipe.write(quarters(), tmp_path / f"a{ending}", FULL)
    content = (tmp_path / f"a{ending}").read_bytes()
    assert struct.pack(">HH", 0x9286, 7) in content
    assert b"UNICODE\0" + FULL.prompt.encode("utf-16-be") in content


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "PNG"])
@pytest.mark.parametrize(
    ("head", "encoding", "order"),
    [
        (b"UNICODE\0", "utf-16-be", ">"),
        (b"UNICODE\0", "utf-16-le", "<"),
        (b"UNICODE\0", "utf-16", "<"),
        (b"UNICODE\0", "utf-8", ">"),
        (b"ASCII\0\0\0", "ascii", "<"),
        (bytes(8), "utf-8", ">"),
        (b"", "utf-8", ">"),
    ],
)
def test_comments_of_other_programs(kind: str, head: bytes, encoding: str, order: str) -> None:
    exif = commented(head + THEIRS.encode(encoding), order)
    assert recipe.read(encoded(quarters(), kind, exif=exif)) == READ


def test_png_texts_of_other_programs() -> None:
    assert recipe.read(png(parameters=THEIRS)) == READ
    assert recipe.read(png(parameters=f"漢字 {THEIRS}")) == replace(
        READ, prompt=f"漢字 {READ.prompt}"
    )
    second_pass = THEIRS.replace("Model hash", "Hires upscale: 2, Model hash")
    assert recipe.read(png(parameters=second_pass)) == replace(READ, strength=None)
    distilled = THEIRS.replace("CFG scale: 6.5", "CFG scale: 1, Distilled CFG Scale: 3.5")
    assert recipe.read(png(parameters=distilled)) == replace(READ, guidance=3.5)
    short = "a cat\nSteps: 20, Seed: -1, Sampler: Euler"
    assert recipe.read(png(parameters=short)) == replace(recipe.clean({}), prompt="a cat", steps=20)


def test_ours_goes_before_another() -> None:
    ours = json.dumps({"fitting-room": 1, "prompt": "ours", "seed": 7})
    found = recipe.read(png(fitting_room=ours, parameters=THEIRS))
    assert found == replace(recipe.clean({}), prompt="ours", seed=7)
    assert recipe.read(png(fitting_room="{broken", parameters=THEIRS)) == READ
    assert recipe.read(png(fitting_room='{"prompt": "no mark"}')) is None


# --- garbage
def chunked(kind: bytes, body: bytes) -> bytes:
    """A PNG with a chunk put in before its pixels."""
    whole = encoded(quarters(), "PNG")
    chunk = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return whole[:33] + chunk + whole[33:]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a",
        encoded(quarters(), "PNG"),
        encoded(quarters(), "JPEG", exif=tagged()),
        encoded(quarters(), "PNG")[:40],
        png(parameters=""),
        png(parameters="just words, of a person: 1, 2, 3"),
        png(parameters="name: Joe, phone: 12, street: 3"),
        png(parameters="{" * 1000),
        png(fitting_room='{"fitting-room": 1}'),
        png(fitting_room='{"fitting-room": 1, "prompt": ["x"], "seed": {}, "steps": NaN}'),
        png(fitting_room="[" * 200_000),
        png(fitting_room='{"fitting-room": 1, "seed": ' + "9" * 5_000 + "}"),
        png(fitting_room="x" * 2_000_000),
        png(parameters=f"{'x' * 400_000}\n{THEIRS}"),
        chunked(b"zTXt", b"parameters\0\0" + zlib.compress(bytes(100_000_000))),
        chunked(b"iTXt", b"fitting-room\0\1\0\0\0" + zlib.compress(bytes(100_000_000))),
        chunked(b"tEXt", b"parameters\0" + bytes(70_000_000)),
        chunked(b"eXIf", b"MM\0*\xff\xff\xff\xff"),
        encoded(quarters(), "JPEG", exif=b"Exif\0\0garbage"),
        encoded(quarters(), "JPEG", exif=commented(SECRET)),
    ],
    ids=range(21),
)
def test_no_recipe(content: bytes, tmp_path: Path) -> None:
    assert recipe.read(content) is None
    path = tmp_path / "a.png"
    path.write_bytes(content)
    assert recipe.read(path) is None


def test_no_file(tmp_path: Path) -> None:
    assert recipe.read(tmp_path / "gone.png") is None
    assert recipe.read(tmp_path) is None
    assert recipe.read(tmp_path / "nul\0.png") is None


@given(st.binary())
def test_any_bytes_are_read(content: bytes) -> None:
    a1111.from_user_comment(content)
    a1111.from_user_comment(b"UNICODE\0" + content)
    recipe.read(content)
    recipe.read(encoded(Image.new("L", (1, 1)), "WEBP", exif=b"Exif\0\0MM\0*" + content))


# --- where it cannot be written
def test_an_ending_that_holds_no_recipe(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match=r"a\.bmp is no picture file\. End its name in \.png"):
        recipe.write(quarters(), tmp_path / "a.bmp", FULL)


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for folder, reason in (("gone", "No such file or directory"), ("file", "Not a directory")):
        with pytest.raises(ToolFailed, match=rf"cannot be kept in .*{folder}: {reason}\. Free"):
            recipe.write(quarters(), tmp_path / folder / "a.png", FULL)


def test_a_full_disk_leaves_the_old_picture(tmp_path: Path) -> None:
    """A file size limit makes the same failing write as a disk without room."""
    old = tmp_path / "a.png"
    recipe.write(quarters(), old, FULL)
    before = old.read_bytes()
    program = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from PIL import Image\n"
        "from tools import recipe\n"
        "from tools.base import ToolFailed\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        "try:\n"
        "    noise = Image.effect_noise((400, 400), 90)\n"
        "    recipe.write(noise, Path(sys.argv[1]), recipe.Recipe('x'))\n"
        "except ToolFailed as failed:\n"
        "    print(failed)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, old], capture_output=True, text=True, check=True
    )
    assert re.match(r"The picture a\.png cannot be kept in .*: File too large\. Free", done.stdout)
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]
    assert old.read_bytes() == before
