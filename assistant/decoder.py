"""Decodes uploaded pictures in limited processes: the only code that looks into their bytes.

`uploads.py` runs this file as a program. It waits on a Unix socket (standard input) and forks one
short-lived process per picture, so that nothing is imported twice and nothing outlives a picture.
A request is `REQUEST` (most pixels, longest side, seconds of processor time; twice as long by the
clock) with three file descriptors: the picture, where the clean PNG goes, and where the reply goes.
The PNG says how the picture was made, if the picture did, and holds no other metadata.
The reply is one JSON object: `width`, `height` and `note`, or `refused` (the rest of a sentence
that begins with the file name), or `unwritten` (why the PNG could not be written). A reply that
never comes means that the process broke a limit or crashed.
"""

import io
import json
import os
import re
import resource
import signal
import socket
import struct
import sys
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

# Imported here, before any fork, so that each picture's process finds them loaded.
from PIL import (
    ExifTags,
    GifImagePlugin,
    Image,
    ImageCms,
    ImageFile,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

# This file runs isolated, without the folder of the program among those that are searched.
sys.path.append(str(Path(__file__).parents[1]))

from tools import recipe

REQUEST = struct.Struct("!QQQ")
_MEMORY = 2**30  # bytes of address space
_OPEN_FILES = 32

_FORMATS = (
    JpegImagePlugin.JpegImageFile.format,
    PngImagePlugin.PngImageFile.format,
    WebPImagePlugin.WebPImageFile.format,
    GifImagePlugin.GifImageFile.format,
)
_OURS = re.compile(rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|RIFF.{4}WEBP|GIF8[79]a", re.DOTALL)
_SAVE = "Save it as PNG or JPEG and send that."
_OTHERS = (
    (rb".{4}ftyp.{0,48}?avi[fs]", f"is an AVIF picture, which is not read here. {_SAVE}"),
    (
        rb".{4}ftyp.{0,48}?(hei[cxms]|hev[cxms]|mif1|msf1)",
        "is a HEIC photo, which is not read here. Export it as JPEG; on an iPhone, Settings > "
        "Camera > Formats > Most Compatible takes the next photos as JPEG.",
    ),
    (rb"(II[*+]\0|MM\0[*+])", f"is a TIFF or camera raw picture, which is not read here. {_SAVE}"),
    (rb"BM.{4}\0{4}", f"is a BMP picture, which is not read here. {_SAVE}"),
    (rb"8BPS", f"is a Photoshop file, which is not read here. {_SAVE}"),
    (rb"\0\0\0\x0c(JXL|jP) |\xff\x0a", f"is a JPEG XL or JPEG 2000 picture, not a JPEG. {_SAVE}"),
    (rb"\0\0\x01\0.\0", f"is an icon, which is not read here. {_SAVE}"),
    (
        rb"(\xef\xbb\xbf)?\s*<(\?xml|!--|!doctype svg|svg).*?(?<=<)svg[\s>]|\s*<svg[\s>]",
        "is an SVG drawing, which can carry programs. Export it as PNG and send that.",
    ),
    (rb".{0,1019}?%PDF-", "is a PDF document. Export the page as PNG or JPEG and send that."),
    (
        rb".{4}ftyp|\x1a\x45\xdf\xa3|RIFF.{4}AVI |FLV\x01|OggS|\0\0\x01[\xb3\xba]",
        "is a video. Send one frame of it: a screenshot saved as PNG or JPEG.",
    ),
    (
        rb"PK(\x03\x04|\x05\x06)|\x1f\x8b|7z\xbc\xaf\x27\x1c|Rar!",
        "is a zip file or another archive. Unpack it and send the pictures in it.",
    ),
)
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_GREY = ("1", "L", "LA")
_SPACES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}  # of an ICC profile, as a mode
_SRGB = ImageCms.createProfile("sRGB")


class Refusal(Exception):
    """The picture is not taken; the message goes on after the file's name."""


def serve() -> None:
    """Forks a process for each request until the other end of standard input closes."""
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are not waited for
    control = socket.socket(fileno=0)
    while True:
        request, files, _, _ = socket.recv_fds(control, REQUEST.size, 3)
        if not request:
            return
        if os.fork() == 0:
            try:
                control.close()
                _answer(*files, *REQUEST.unpack(request))
            finally:
                os._exit(0)
        for file in files:
            os.close(file)
        control.send(b"+")


def _answer(source: int, target: int, reply: int, pixels: int, side: int, seconds: int) -> None:
    _confine(pixels, seconds)
    Image.MAX_IMAGE_PIXELS = pixels
    with os.fdopen(source, "rb") as picture, os.fdopen(target, "wb") as png:
        answer = _reply(picture, png, side)
    os.write(reply, json.dumps(answer).encode())


def _confine(pixels: int, seconds: int) -> None:
    """Limits this process for good; a system that lacks a limit goes without it."""
    for limit, value in (
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_FSIZE, 4 * pixels + 2**20),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(limit)[1]
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        with suppress(OSError, ValueError):  # macOS knows no limit on address space
            resource.setrlimit(limit, (most, most))
    signal.setitimer(signal.ITIMER_REAL, 2 * seconds)


def _reply(picture: BinaryIO, png: BinaryIO, side: int) -> Mapping[str, object]:
    try:
        clean, note, made = decode(picture, side)
    except Refusal as refusal:
        return {"refused": str(refusal)}
    try:
        text = recipe.saving(made, "PNG") if made else {}
        clean.save(png, "PNG", compress_level=1, **text)
        png.flush()
    except OSError as error:
        return {"unwritten": error.strerror or str(error)}
    return {"width": clean.width, "height": clean.height, "note": note}


def decode(file: BinaryIO, side: int) -> tuple[Image.Image, str, recipe.Recipe | None]:
    """The picture upright, in sRGB, on white, 8 bits, with nothing but its pixels.

    Args:
        file: the uploaded bytes.
        side: the longest width or height that is taken; `Image.MAX_IMAGE_PIXELS` bounds the area.

    Returns:
        The picture (mode RGB), what the person should know about it, if anything, and how it was
        made, if it says so: nothing else of its metadata.

    Raises:
        Refusal: it is no picture that is taken.
    """
    head = file.read(4096)
    file.seek(0)
    if not _OURS.match(head):
        raise Refusal(_what(head))
    try:
        with Image.open(file, formats=_FORMATS) as image:
            if max(image.size) > side:
                size = f"{image.width:,} x {image.height:,} pixels"
                raise Refusal(f"has {size}; a side may have {side:,}. Send a smaller copy.")
            return *_clean(image), recipe.found(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Refusal(_too_many(error)) from None
    except MemoryError:
        raise Refusal("needs over 1 GiB of memory to decode. Send a smaller copy.") from None
    except Refusal:
        raise
    except Exception:  # noqa: BLE001 - a broken file can make a decoder raise anything
        bytes_here = f"{os.fstat(file.fileno()).st_size:,} bytes"
        raise Refusal(
            f"is cut short or damaged ({bytes_here} are here). Send the whole file again, or open "
            "it in a picture viewer and save it as PNG."
        ) from None


def _what(head: bytes) -> str:
    for pattern, what in _OTHERS:
        if re.match(pattern, head, re.DOTALL | re.IGNORECASE):
            return what
    return "is not a picture. Send a JPEG, PNG, WebP or GIF file."


def _too_many(error: Exception) -> str:
    """Pillow tells the number of pixels in its message only."""
    found = re.search(r"(\d+) pixels", str(error))
    has = f"{int(found[1]) / 1e6:,.0f}" if found else "too many"
    most = (Image.MAX_IMAGE_PIXELS or 0) / 1e6
    return f"has {has} megapixels; at most {most:,.0f} are taken. Send a smaller copy."


def _clean(image: ImageFile.ImageFile) -> tuple[Image.Image, str]:
    image.load()
    flat = _on_white(image)
    notes = []
    frames = getattr(image, "n_frames", 1)
    # The further pictures of an MPO file are views of the same scene, not frames.
    if frames > 1 and image.format != MpoImagePlugin.MpoImageFile.format:
        notes.append(f"animated: the first of {frames} frames is used")
    if (turn := _TURNS.get(_orientation(image))) is not None:
        flat = flat.transpose(turn)
        notes.append("turned upright")
    flat.info = {}  # else the colour profile would be written into the PNG
    return flat, "; ".join(notes)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # noqa: BLE001 - EXIF that cannot be read says nothing
        return 1


def _on_white(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I;16"):
        image = _eight_bits(image)
    colours = _in_srgb(image, profile)
    if not image.has_transparency_data:
        return colours
    white = Image.new("RGB", image.size, "white")
    white.paste(colours, mask=image.convert("RGBA").getchannel("A"))
    return white


def _eight_bits(image: Image.Image) -> Image.Image:
    """Scales 16 bits to 8; Pillow's own conversion clips them."""
    wide = image.convert("I")
    grey = wide.point([round(value / 257) for value in range(2**16)], "L")
    grey.info = {}
    if (clear := image.info.get("transparency")) is not None:
        opaque = [255] * 2**16
        opaque[clear] = 0
        grey.putalpha(wide.point(opaque, "L"))
    return grey


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Its colours without transparency; a profile that is broken or of another kind is ignored."""
    plain = "L" if image.mode in _GREY else image.mode if image.mode == "CMYK" else "RGB"
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile)) if profile else None
        if source and _SPACES.get(source.profile.xcolor_space) == plain:
            converted = ImageCms.profileToProfile(
                image.convert(plain), source, _SRGB, outputMode="RGB"
            )
            if converted:
                return converted
    except (ImageCms.PyCMSError, OSError):
        return image.convert("RGB")
    return image.convert("RGB")


if __name__ == "__main__":
    serve()
