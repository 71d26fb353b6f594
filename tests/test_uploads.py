"""What is no picture gets one sentence; the decoder program survives everything."""

import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from PIL import Image

from assistant.settings import Settings
from assistant.uploads import Refused, Uploads, safe_name
from tests.pictures import broken, chunks, encoded, quarters, take

LIMITS = {"AS": 2**30, "CPU": 4, "NOFILE": 32, "FSIZE": 4 * 25_000_000 + 2**20, "CORE": 0}


@pytest.fixture
def uploads(settings: Settings) -> Iterator[Uploads]:
    taker = Uploads(settings)
    yield taker
    taker.close()


@pytest.fixture
def public(home: Path) -> Iterator[Uploads]:
    taker = Uploads(Settings(home=home, audience="public"))
    yield taker
    taker.close()


def refusal(uploads: Uploads, folder: Path, content: bytes, name: str = "picture.bin") -> str:
    with pytest.raises(Refused) as refused:
        take(uploads, folder, content, name)
    assert refused.value.name == name
    return str(refused.value)


def test_lies_where_it_should(uploads: Uploads, home: Path, tmp_path: Path) -> None:
    upload = take(uploads, tmp_path, encoded(quarters(), "PNG"), "my cat.jpeg")
    owner, digest, name = upload.path.relative_to(home / "uploads").parts
    assert (owner, len(digest), name, upload.name) == ("me", 16, "my cat.png", "my cat.jpeg")
    assert chunks(upload.path.read_bytes()) == {b"IHDR", b"IDAT", b"IEND"}
    assert [path for path in (home / "uploads").rglob("*") if path.is_file()] == [upload.path]


def test_clean_upload_is_returned_as_it_is(uploads: Uploads, tmp_path: Path) -> None:
    first = take(uploads, tmp_path, encoded(quarters(), "PNG"))
    before = first.path.stat()
    again = uploads.take(first.path, "me")
    assert (again.path, again.width, again.height) == (first.path, 40, 20)
    assert again.path.stat().st_mtime_ns == before.st_mtime_ns


def test_kept_pictures_are_removed_and_nothing_else(
    uploads: Uploads, home: Path, tmp_path: Path
) -> None:
    one = take(uploads, tmp_path, encoded(quarters(), "PNG"), "one.png").path
    twin = take(uploads, tmp_path, encoded(quarters(), "PNG"), "twin.png").path
    assert one.parent == twin.parent
    outside = tmp_path / "outside.png"
    outside.write_bytes(one.read_bytes())
    uploads.remove((one, outside, one.parent / ".." / ".." / "x", home / "gone" / "a.png"), "me")
    uploads.remove((twin,), "you")
    assert (one.exists(), twin.exists(), outside.exists()) == (False, True, True)
    uploads.remove((one, twin), "me")
    assert not twin.parent.exists()


def test_another_owners_files_do_not_exist(uploads: Uploads, home: Path, tmp_path: Path) -> None:
    mine = take(uploads, tmp_path, encoded(quarters(), "PNG"))
    made = home / "runs" / "me" / "r1" / "made.png"
    made.parent.mkdir(parents=True)
    made.write_bytes(mine.path.read_bytes())
    assert uploads.take(made, "me").width == 40
    for path in (mine.path, made):
        with pytest.raises(Refused, match="There is no file"):
            uploads.take(path, "you")
    with pytest.raises(ValueError, match="owner"):
        uploads.take(made, "../me")


# --- what is not taken
ZIP, HEIC = b"PK\x03\x04", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"


@pytest.mark.parametrize(
    ("content", "says", "do"),
    [
        (b"", "is empty: 0 bytes", "again"),
        (b"hello, this is text", "is not a picture", "JPEG, PNG, WebP or GIF"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG", "PNG"),
        (b"<?xml version='1.0'?>\n<!-- x -->\n<svg>", "SVG", "PNG"),
        (b"<html><svg></svg></html>", "is not a picture", "PNG"),
        (b"%PDF-1.7\n", "PDF", "PNG or JPEG"),
        (HEIC, "HEIC", "Most Compatible"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", "AVIF", "PNG or JPEG"),
        (b"\0\0\0\x20ftypisom\0\0\0\0isomavc1", "video", "screenshot"),
        (b"\x1a\x45\xdf\xa3webm", "video", "screenshot"),
        (ZIP, "zip", "Unpack"),
        (b"\x1f\x8b\x08\0", "archive", "Unpack"),
        (encoded(quarters(), "TIFF"), "TIFF", "PNG or JPEG"),
        (encoded(quarters(), "BMP"), "BMP", "PNG or JPEG"),
        (encoded(quarters(), "JPEG2000"), "JPEG 2000", "PNG or JPEG"),
        (encoded(quarters(), "ICO"), "icon", "PNG or JPEG"),
        (b"8BPS\0\1", "Photoshop", "PNG or JPEG"),
        (b"\xff\xd8\xff", "cut short or damaged (3 bytes", "whole file"),
        (encoded(quarters(), "JPEG")[:-60], "cut short or damaged", "whole file"),
        (encoded(quarters(), "PNG")[:-30], "cut short or damaged", "whole file"),
        (encoded(quarters(), "WEBP", lossless=True)[:-20], "cut short or damaged", "whole file"),
        (encoded(quarters("P"), "GIF")[:-20], "cut short or damaged", "whole file"),
    ],
)  # fmt: skip
def test_refused(uploads: Uploads, tmp_path: Path, content: bytes, says: str, do: str) -> None:
    said = refusal(uploads, tmp_path, content)
    assert said.startswith("picture.bin ")
    assert says in said
    assert do in said
    assert said.endswith(".")


def huge_png(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = b"IDAT" + zlib.compress(bytes(100))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for chunk in (header, body)
    )


def huge_webp(width: int, height: int) -> bytes:
    bits = (width - 1) | (height - 1) << 14
    body = b"WEBPVP8L" + struct.pack("<IBI", 100, 0x2F, bits) + bytes(95)
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (huge_png(30_000, 30_000), "900 megapixels; at most 40"),
        (huge_png(8_000, 6_000), "48 megapixels; at most 40"),
        (huge_png(12_001, 10), "12,001 x 10 pixels; a side may have 12,000"),
        (huge_webp(16_000, 16_000), "256 megapixels; at most 40"),
    ],
)
def test_too_large_from_the_header(
    uploads: Uploads, tmp_path: Path, content: bytes, value: str
) -> None:
    assert value in refusal(uploads, tmp_path, content)


def test_public_limits(public: Uploads, tmp_path: Path) -> None:
    assert "at most 25" in refusal(public, tmp_path, huge_png(6_000, 5_000))
    large = b"\xff\xd8\xff" + bytes(15_000_000)
    assert "has 15.0 MB; at most 15 MB" in refusal(public, tmp_path, large)


def test_too_many_bytes(uploads: Uploads, tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    with path.open("wb") as file:
        file.truncate(52_300_000)
    with pytest.raises(Refused, match=r"large\.jpg has 52\.3 MB; at most 40 MB"):
        uploads.take(path, "me")


def test_what_is_no_file(uploads: Uploads, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(tmp_path / "s.png"))
    loop = tmp_path / "loop.png"
    loop.symlink_to(loop)
    for path, says in (
        (tmp_path / "gone.png", r"There is no file gone\.png"),
        (tmp_path / "nul\0.png", r"There is no file nul\.png"),
        (tmp_path, "is a folder"),
        (pipe, "not a file"),
        (tmp_path / "s.png", "cannot be opened"),
        (loop, "cannot be opened"),
        (tmp_path / ("x" * 300), "cannot be opened: File name too long"),
    ):
        with pytest.raises(Refused, match=says):
            uploads.take(path, "me")


def test_home_that_cannot_be_written(uploads: Uploads, home: Path, tmp_path: Path) -> None:
    home.write_text("a file, not a folder", encoding="utf-8")
    said = refusal(uploads, tmp_path, encoded(quarters(), "PNG"))
    assert "cannot be kept in" in said
    assert "FITTING_ROOM_HOME" in said


def test_full_disk(home: Path, tmp_path: Path) -> None:
    """A file size limit makes the same failing write as a disk without room."""
    photo = tmp_path / "photo.png"
    Image.effect_noise((400, 400), 90).save(photo)
    program = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from assistant.settings import load_settings\n"
        "from assistant.uploads import Refused, Uploads\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        "uploads = Uploads(load_settings())\n"
        "try:\n"
        "    uploads.take(Path(sys.argv[1]), 'me')\n"
        "except Refused as refused:\n"
        "    print(refused)\n"
        "uploads.close()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, photo], capture_output=True, text=True, check=True
    )
    assert re.match(r"Pictures cannot be kept in .*home: File too large\. Free", done.stdout)
    assert not [path for path in home.rglob("*") if path.is_file()]


def test_mutated_and_truncated_files(uploads: Uploads, home: Path, tmp_path: Path) -> None:
    """200 broken files: each is taken or gets a sentence, and nothing dies or is left behind."""
    sentences = []
    for content in broken(200, seed=7):
        try:
            upload = take(uploads, tmp_path, content)
        except Refused as sentence:
            sentences.append(str(sentence))
        else:
            assert chunks(upload.path.read_bytes()) == {b"IHDR", b"IDAT", b"IEND"}
    assert 100 <= len(sentences) < 200
    assert all(re.fullmatch(r"picture\.bin [^\n]{20,250}\.", sentence) for sentence in sentences)
    assert all(path.suffix == ".png" for path in (home / "uploads").rglob("*") if path.is_file())
    assert take(uploads, tmp_path, encoded(quarters(), "JPEG")).width == 40


# --- the decoder program
def programs() -> list[psutil.Process]:
    children = psutil.Process().children()
    return [child for child in children if child.cmdline()[-1].endswith("decoder.py")]


def test_one_program_serves_many_at_once(uploads: Uploads, tmp_path: Path) -> None:
    def work(place: int) -> None:
        done.append(take(uploads, tmp_path, encoded(quarters(), "PNG"), f"{place}.png").width)

    done: list[int] = []
    threads = [threading.Thread(target=work, args=(place,)) for place in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [40] * 8
    assert len(programs()) == 1
    uploads.close()
    assert programs() == []


def test_killed_program_is_started_again(uploads: Uploads, tmp_path: Path) -> None:
    for kill in (signal.SIGKILL, signal.SIGTERM):
        assert take(uploads, tmp_path, encoded(quarters(), "PNG")).width == 40
        [program] = programs()
        program.send_signal(kill)
        program.wait(60)
    assert take(uploads, tmp_path, encoded(quarters(), "PNG")).width == 40


def test_program_has_no_environment_and_no_numpy(uploads: Uploads, tmp_path: Path) -> None:
    take(uploads, tmp_path, encoded(quarters(), "PNG"))
    [program] = programs()
    assert program.environ().keys() <= {"LC_CTYPE"}  # which Python sets itself
    loaded = [mapped.path for mapped in program.memory_maps()]
    assert any("PIL" in path for path in loaded)
    assert not [path for path in loaded if "numpy" in path or "torch" in path]


def endless() -> bytes:
    """A JPEG of 266 kB whose 4,000 scans each go over 25 megapixels."""
    content = encoded(Image.new("L", (5000, 5000), 128), "JPEG", progressive=True)
    last = content[content.rindex(b"\xff\xda") : -2]
    return content[:-2] + last * 4000 + content[-2:]


def _number(limit: str) -> int:
    return int(getattr(psutil, f"RLIMIT_{limit}"))


def test_endless_picture_is_ended(public: Uploads, tmp_path: Path) -> None:
    said: list[str] = []
    bomb, content = endless(), encoded(quarters(), "PNG")
    thread = threading.Thread(target=lambda: said.append(refusal(public, tmp_path, bomb)))
    take(public, tmp_path, content, "first.png")
    [program] = programs()
    started = time.monotonic()
    thread.start()
    limits: dict[str, int] = {}
    while limits != LIMITS and thread.is_alive():
        with suppress(psutil.NoSuchProcess):
            for decoding in program.children():
                limits = {name: decoding.rlimit(_number(name))[1] for name in LIMITS}
    thread.join()
    assert limits == LIMITS
    assert time.monotonic() - started < 20
    assert "more time or memory" in said[0]
    assert take(public, tmp_path, content, "next.png").width == 40


# --- names
@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("holiday.jpg", "holiday.jpg"),
        ("käse 🧀.png", "käse 🧀.png"),
        ("../../etc/passwd", "etcpasswd"),
        ("a\0b\nc\x1b[31m.png", "abc[31m.png"),
        ("photo\u202egnp.exe", "photognp.exe"),
        ("\ud800.png", "png"),
        ("...", "picture"),
        ("", "picture"),
        ("x" * 300, "x" * 120),
        ("🧀" * 100, "🧀" * 30),
        ("a  \u2028 b", "a b"),
    ],
)
def test_safe_name(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@pytest.mark.parametrize("name", ["\u202egnp.exe.png", "a\nb.png", "-rf.png", ".hidden.png"])
def test_odd_names_are_kept_safely(uploads: Uploads, tmp_path: Path, name: str) -> None:
    upload = take(uploads, tmp_path, encoded(quarters(), "PNG"), name)
    assert upload.name == safe_name(name)
    assert upload.path.is_file()
    assert upload.path.stem == safe_name(upload.path.stem)
