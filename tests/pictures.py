"""Pictures in every form that the tests of uploads need, made on the spot."""

import io
import random
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms

from assistant.uploads import Upload, Uploads

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
SECRET = b"S3CR3T-7E57"


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def quarters(mode: str = "RGB") -> Image.Image:
    """Red, green, blue and white quarters, 40 x 20 pixels."""
    image = Image.new("RGB", (40, 20), WHITE)
    for colour, at in ((RED, (0, 0)), (GREEN, (20, 0)), (BLUE, (0, 10))):
        image.paste(colour, (*at, at[0] + 20, at[1] + 10))
    return image.convert(mode)


def take(uploads: Uploads, folder: Path, content: bytes, name: str = "picture.bin") -> Upload:
    path = folder / name
    path.write_bytes(content)
    return uploads.take(path, "me")


def tagged() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F] = SECRET.decode()  # maker
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 12.0), 29: SECRET.decode()}  # GPS
    return exif


def swapped_profile() -> bytes:
    """An sRGB profile whose red and green are exchanged."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile)


def broken(count: int, seed: int) -> Iterator[bytes]:
    """Pictures that were cut short or have wrong bytes, the same for each seed."""
    chance = random.Random(seed)  # noqa: S311 - the same files each time
    originals = [
        encoded(quarters(), "JPEG", exif=tagged()),
        encoded(quarters("RGBA"), "PNG", icc_profile=swapped_profile()),
        encoded(quarters(), "WEBP", exif=tagged()),
        encoded(quarters("P"), "GIF", save_all=True, append_images=[quarters("L")]),
    ]
    for turn in range(count):
        content = bytearray(originals[turn % 4])
        if turn % 3 == 0:
            del content[chance.randrange(1, len(content)) :]
        else:
            for _ in range(chance.choice((1, 5, 40))):
                content[chance.randrange(len(content))] = chance.randrange(256)
        yield bytes(content)


def chunks(png: bytes) -> set[bytes]:
    """The chunk types of a PNG file."""
    found, at = set(), 8
    while at < len(png):
        length = struct.unpack(">I", png[at : at + 4])[0]
        found.add(png[at + 4 : at + 8])
        at += length + 12
    return found
