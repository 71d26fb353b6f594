"""How a picture was made, kept in its file: written, read back, and told.

A PNG holds it twice as text: as AUTOMATIC1111's web UI writes it, which other programs and sites
read, and as our own JSON, which is exact. A JPEG or WebP holds the same in its EXIF data. All of
them carry the EXIF tag `Software`, which says that the picture is AI generated. What is read may
come from anywhere: it is bounded, and has no control characters. The decoder of uploads imports
this module, so that it loads nothing but the standard library and Pillow.
"""

import io
import json
import os
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from PIL import ExifTags, Image, PngImagePlugin, TiffImagePlugin, TiffTags

from tools import a1111
from tools.recipe_values import Recipe, clean

if TYPE_CHECKING:
    from tools.blocks import Image as Picture
    from tools.blocks import Table

__all__ = [
    "GENERATED", "Recipe", "caption", "clean", "found", "labelled", "metadata", "picture", "read",
    "saving", "told", "write",
]  # fmt: skip
GENERATED = "AI generated"
_LABELS = {
    "prompt": "Prompt", "negative_prompt": "Negative prompt", "model": "Model", "seed": "Seed",
    "size": "Size in pixels", "steps": "Steps", "guidance": "Guidance", "strength": "Strength",
    "mode": "Mode", "adapters": "Adapters", "licence": "Licence of the model", "cost": "Cost",
    "made": "Made on",
    "version": "Made with",
}  # fmt: skip
_FORMAT = 1
_KEY = "fitting-room"  # of our JSON in a PNG, and of its format in the JSON
_KINDS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
_SAVED: Mapping[str, Mapping[str, Any]] = {
    "PNG": {},
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 95},
}
_EXIF_BYTES = 65_500  # that fit into a JPEG
_MOST_BYTES = 100_000_000  # of a file that is looked into
_MOST_TEXT = 300_000  # characters of a text that is looked into
_CUT = 5_000  # characters of a prompt that always fit into a JPEG
_SHOWN = 600  # characters of a prompt in an answer


# --- into a file
def write(image: Image.Image, path: Path, recipe: Recipe) -> None:
    """Saves a picture with its recipe, whole or not at all; a file of that name is replaced.

    Args:
        image: the picture; nothing of its own metadata is written.
        path: the file, ending in .png, .jpg, .jpeg or .webp.
        recipe: how it was made.

    Raises:
        ToolFailed: the file cannot be written or signed, or its ending is another.
    """
    from tools import provenance
    from tools.base import ToolFailed

    if path.suffix.lower() not in _KINDS:
        raise ToolFailed(f"{path.name} is no picture file. End its name in .png, .jpg or .webp.")
    kind = _KINDS[path.suffix.lower()]
    data = provenance.signed(_encoded(image, kind, recipe), kind, recipe)
    aside = path.with_name(f".{uuid.uuid4().hex}")
    try:
        with aside.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        raise ToolFailed(
            f"The picture {path.name} cannot be kept in {path.parent}: "
            f"{error.strerror or error}. Free some space there, or set FITTING_ROOM_HOME to "
            "another folder."
        ) from None
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)


def saving(recipe: Recipe, kind: str) -> dict[str, Any]:
    """What `Image.save` is given beside the picture, so that the file carries its recipe.

    Args:
        recipe: how the picture was made.
        kind: PNG, JPEG or WEBP.
    """
    made = clean(asdict(recipe))
    if kind != "PNG":
        return {"exif": _fitting(made, _EXIF_BYTES if kind == "JPEG" else _MOST_BYTES)}
    text = PngImagePlugin.PngInfo()
    text.add_text(a1111.PNG_KEY, a1111.write(_infotext(made)))
    text.add_itxt(_KEY, _json(made, ascii_only=False))
    return {"pnginfo": text, "exif": _exif(made, "", "")}


def _encoded(image: Image.Image, kind: str, recipe: Recipe) -> bytes:
    plain = image.convert("RGB") if kind == "JPEG" else image.copy()
    # Pillow would write a comment and a colour profile that the picture was read with.
    plain.info = {name: plain.info[name] for name in {"transparency"} & plain.info.keys()}
    file = io.BytesIO()
    plain.save(file, kind, **_SAVED[kind], **saving(recipe, kind))
    return file.getvalue()


def _infotext(made: Recipe, longest: int | None = None) -> a1111.Infotext:
    size = f"{made.width}x{made.height}" if made.width and made.height else ""
    settings = {
        "Steps": _figure(made.steps),
        "CFG scale": _figure(made.guidance),
        "Seed": _figure(made.seed),
        "Size": size,
        "Model": made.model,
        "Denoising strength": _figure(made.strength),
        "Mode": made.mode,
        "Licence": made.licence,
        "Made": made.made,
        "Version": made.version,
    }
    adapters = tuple((name, _figure(weight)) for name, weight in made.adapters)
    return a1111.Infotext(made.prompt[:longest], made.negative_prompt[:longest], adapters, settings)


def _json(made: Recipe, *, ascii_only: bool) -> str:
    known = {name: value for name, value in asdict(made).items() if value not in (None, "", ())}
    return json.dumps({_KEY: _FORMAT, **known}, ensure_ascii=ascii_only)


def _fitting(made: Recipe, room: int) -> bytes:
    """EXIF data with both forms, or with what fits; very long words leave no room for our own."""
    ours, whole = _json(made, ascii_only=True), a1111.write(_infotext(made))
    for own, text in ((ours, whole), ("", whole)):
        if len(exif := _exif(made, own, text)) <= room:
            return exif
    return _exif(made, "", a1111.write(_infotext(made, _CUT)))


def _exif(made: Recipe, own: str, text: str) -> bytes:
    """EXIF data: `Software`, and if they are given, our JSON and the text of the other program."""
    licence = f" ({made.licence})" if made.licence else ""
    by = f" with {made.model}{licence}" if made.model else ""
    head = b"MM\0*\0\0\0\x08"
    first = TiffImagePlugin.ImageFileDirectory_v2(head)
    first[ExifTags.Base.Software] = ", ".join(filter(None, (f"{GENERATED}{by}", made.version)))
    if own:
        first[ExifTags.Base.ImageHistory] = own
    if not text:
        return b"Exif\0\0" + head + first.tobytes(len(head))
    # Pillow alone would give the comment a type that other programs do not read.
    second = TiffImagePlugin.ImageFileDirectory_v2(head)
    second.tagtype[ExifTags.Base.UserComment] = TiffTags.UNDEFINED
    second[ExifTags.Base.UserComment] = a1111.user_comment(text)
    first[ExifTags.IFD.Exif] = 0
    place = len(head) + len(first.tobytes(len(head)))
    first[ExifTags.IFD.Exif] = place
    return b"Exif\0\0" + head + first.tobytes(len(head)) + second.tobytes(place)


# --- out of a file
def read(source: Path | bytes) -> Recipe | None:
    """The recipe in a picture file, ours before another program's; none if there is none.

    Args:
        source: the file, or what it holds; whatever that is, nothing is raised.
    """
    with suppress(Exception):
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
        if size <= _MOST_BYTES:
            file = io.BytesIO(source) if isinstance(source, bytes) else source
            with Image.open(file, formats=sorted(set(_KINDS.values()))) as image:
                return found(image)
    return None


def found(image: Image.Image) -> Recipe | None:
    """The recipe in an opened picture; that of a PNG that holds it last only if it is loaded."""
    sources: tuple[Callable[[Image.Image], Recipe | None], ...] = (_ours, _theirs)
    for source in sources:
        with suppress(Exception):  # broken metadata raise anything, and say nothing
            recipe = source(image)
            if recipe and recipe != clean({}):
                return recipe
    return None


def _ours(image: Image.Image) -> Recipe | None:
    text = image.info.get(_KEY) or image.getexif().get(ExifTags.Base.ImageHistory)
    if not isinstance(text, str) or len(text) > _MOST_TEXT:
        return None
    data = json.loads(text)
    return clean(data) if isinstance(data, dict) and _KEY in data else None


def _theirs(image: Image.Image) -> Recipe | None:
    text = image.info.get(a1111.PNG_KEY)
    if not isinstance(text, str):
        comment = image.getexif().get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.UserComment)
        text = a1111.from_user_comment(comment)
    info = a1111.parse(text) if len(text) <= _MOST_TEXT else None
    if info is None:
        return None
    given = info.settings
    width, _, height = given.get("Size", "").partition("x")
    # A second pass that enlarges the picture has a strength, too, which is not that of an edit.
    strength = None if "Hires upscale" in given else given.get("Denoising strength")
    told = {name.lower(): given.get(name) for name in ("Model", "Mode", "Licence", "Made")}
    return clean(
        {
            **told,
            "prompt": info.prompt,
            "negative_prompt": info.negative_prompt,
            "seed": given.get("Seed"),
            "width": width,
            "height": height,
            "steps": given.get("Steps"),
            "guidance": given.get("Distilled CFG Scale", given.get("CFG scale")),
            "strength": strength,
            "adapters": info.adapters,
            "version": given.get("Version"),
        }
    )


# --- in an answer
def told(recipe: Recipe) -> "Table":
    """How a picture was made, as rows of an answer: words of its file, not facts about a model."""
    from tools.blocks import Table

    title = "How this picture was made, as its file says"
    rows = tuple((label, _short(value)) for label, value in labelled(metadata(recipe)))
    return Table(("Setting", "Value"), rows, title, state=tuple(value for _, value in rows))


def picture(path: Path, recipe: Recipe, alt: str = "") -> "Picture":
    """The block that shows a generated picture, marked as such.

    Args:
        path: the file, in the run folder.
        recipe: how it was made.
        alt: what it shows, in words; the prompt if it is empty.
    """
    from tools.blocks import Image as Picture

    given, shows = metadata(recipe), alt or _short(recipe.prompt)
    return Picture(path, shows, given, state=(shows, *given.values()))


def metadata(recipe: Recipe) -> Mapping[str, str]:
    """The metadata of the block of a generated picture: what is known, as words."""
    made = clean(asdict(recipe))
    size = f"{made.width}x{made.height}" if made.width and made.height else ""
    given = {
        "origin": GENERATED,
        "prompt": made.prompt,
        "negative_prompt": made.negative_prompt,
        "model": made.model,
        "seed": _figure(made.seed),
        "size": size,
        "steps": _figure(made.steps),
        "guidance": _figure(made.guidance),
        "strength": _figure(made.strength),
        "mode": made.mode,
        "adapters": _named(made),
        "licence": made.licence,
        "cost": "" if made.usd is None else f"${made.usd:g}",
        "made": made.made,
        "version": made.version,
    }
    return MappingProxyType({name: value for name, value in given.items() if value})


def labelled(given: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """How a picture was made, by the metadata of its block: what each value is, and the value."""
    return tuple((label, given[name]) for name, label in _LABELS.items() if name in given)


def caption(given: Mapping[str, str]) -> str:
    """The line under a generated picture, by the metadata of its block; empty for another one."""
    if given.get("origin") != GENERATED:
        return ""
    seed = f"seed {given['seed']}" if "seed" in given else ""
    parts = (GENERATED, given.get("model"), seed, given.get("licence"))
    return " \N{MIDDLE DOT} ".join(filter(None, parts))


def _named(made: Recipe) -> str:
    return ", ".join(f"{name} ({_figure(weight)})" for name, weight in made.adapters)


def _short(prompt: str) -> str:
    """A prompt in one line, cut if it is very long."""
    line = " ".join(prompt.split())
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN].rstrip()} ..."


def _figure(value: float | None) -> str:
    """A number as it was given, and no more of it."""
    if value is None:
        return ""
    return str(int(value)) if value == int(value) else repr(value)
