"""The text in which AUTOMATIC1111's web UI keeps how a picture was made, and where files hold it.

A PNG holds it under the key `parameters`, a JPEG or WebP in the EXIF tag `UserComment`:

    prompt, over any number of lines
    Negative prompt: what is not wanted
    Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 512x768, Model: name

Source: `modules/infotext_utils.py` and `create_infotext` of that program, version 1.10.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

PNG_KEY = "parameters"
_NEGATIVE = "Negative prompt:"
_LONGEST_LINE = 20_000  # characters of the settings
_LEAST = 3  # settings: a last line with fewer belongs to the prompt
_UNICODE = b"UNICODE\0"
_OTHERS = (b"ASCII\0\0\0", bytes(8))
# Bounded names keep the search linear, whatever the text is.
_SETTING = re.compile(r'(\w[\w \-/]{1,60}):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
_ADAPTER = re.compile(r"[ \t]?<lora:([^:<>\n]{1,200}):(-?[\d.]{1,12})(?::[^<>\n]{0,80})?>")


@dataclass(frozen=True)
class Infotext:
    """How a picture was made, in the terms of that program.

    Attributes:
        prompt: the words, without the marks of adapters.
        negative_prompt: what is not wanted.
        adapters: name and strength of each, both as they are written.
        settings: the values of the last line, by name.
    """

    prompt: str
    negative_prompt: str = ""
    adapters: tuple[tuple[str, str], ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict, hash=False)


def write(info: Infotext) -> str:
    """The text; values with a comma, a colon or a new line stand in quotes."""
    marks = [f"<lora:{re.sub('[<>:]', '-', name)}:{weight}>" for name, weight in info.adapters]
    lines = (
        " ".join(filter(None, (info.prompt, *marks))),
        f"{_NEGATIVE} {info.negative_prompt}" if info.negative_prompt else "",
        ", ".join(f"{name}: {_quoted(value)}" for name, value in info.settings.items() if value),
    )
    return "\n".join(filter(None, lines)).strip()


def parse(text: str) -> Infotext | None:
    """What a text says; none if its last line does not tell how a picture was made."""
    *lines, last = text.strip().split("\n")
    found = [] if len(last) > _LONGEST_LINE else _SETTING.findall(last)
    settings = {name: _unquoted(value.strip()) for name, value in found}
    # Comments of cameras and people have colons, too, but neither steps nor seeds.
    if len(found) < _LEAST or not {"Steps", "Seed"} & settings.keys():
        return None
    lines = [line.strip() for line in lines]
    begins = [place for place, line in enumerate(lines) if line.startswith(_NEGATIVE)]
    end = begins[0] if begins else len(lines)
    prompt = "\n".join(lines[:end])
    negative = "\n".join(lines[end:]).removeprefix(_NEGATIVE).strip()
    adapters = tuple((name, weight) for name, weight in _ADAPTER.findall(prompt))
    return Infotext(_ADAPTER.sub("", prompt).strip(), negative, adapters, settings)


def user_comment(text: str) -> bytes:
    """The text as the EXIF tag holds it."""
    return _UNICODE + text.encode("utf-16-be", "replace")


def from_user_comment(value: object) -> str:
    """The text of the EXIF tag; empty if it holds none. Programs differ in its encoding."""
    if isinstance(value, str):
        return value
    if not isinstance(value, bytes):
        return ""
    head, body = value[:8], value[8:]
    if head == _UNICODE:
        return body.decode(_wide(body), "replace").removeprefix("\ufeff")
    return (body if head in _OTHERS else value).decode("utf-8", "replace").strip("\0")


def _wide(body: bytes) -> str:
    """The encoding of a text in Unicode: most of its letters have a byte that is zero."""
    high, low = body[::2].count(0), body[1::2].count(0)
    if not high and not low:
        return "utf-8"
    return "utf-16-be" if high >= low else "utf-16-le"


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False) if re.search("[,\n:]", value) else value


def _unquoted(value: str) -> str:
    if len(value) < 2 or not (value.startswith('"') and value.endswith('"')):
        return value
    try:
        return str(json.loads(value))
    except ValueError:
        return value
