"""Adapters (LoRA) as a person names them: "mine", "a:0.8, b:0.5", a file or a folder."""

import difflib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tools.base import ToolFailed

if TYPE_CHECKING:
    from tools.engines.adapters import Adapter

_ENDING = ".safetensors"
_MOST = 8  # at once
_STRONGEST = 4.0


def adapters(told: str, home: Path, *, paths: bool) -> tuple["Adapter", ...]:
    """The adapters that are named, with how strongly each counts; none for empty words.

    Args:
        told: names with strengths, commas between them; 1 where none is said.
        home: the folder that holds adapters of one's own, by their names.
        paths: whether a path of this machine will do, too.

    Raises:
        ToolFailed: one is not here, a strength is no number, or there are too many.
    """
    from tools.engines.adapters import Adapter

    parts = [part.strip() for part in told.split(",") if part.strip()]
    if len(parts) > _MOST:
        raise ToolFailed(f"There are {len(parts)} adapters; at most {_MOST} are worn at once.")
    named = [_named(part) for part in parts]
    return tuple(Adapter(_found(name, home, paths=paths), strength) for name, strength in named)


def _named(part: str) -> tuple[str, float]:
    """A name and its strength; a drive letter of a path has no number behind its colon."""
    name, colon, number = part.rpartition(":")
    try:
        strength = float(number) if colon else 1.0
    except ValueError:
        if "/" in number or "\\" in number:
            return part, 1.0
        raise ToolFailed(
            f"{number!r} is no strength of an adapter. Give a number after the colon, such as "
            f"{name}:0.8."
        ) from None
    if not math.isfinite(strength) or abs(strength) > _STRONGEST:
        raise ToolFailed(
            f"The strength {number.strip()} of the adapter {name} is out of bounds. Give one from "
            f"{-_STRONGEST:g} to {_STRONGEST:g}; 1 is as it was trained."
        )
    return (name if colon else part).strip(), strength


def _found(name: str, home: Path, *, paths: bool) -> Path:
    """The file or folder of an adapter; one of another form is left to be refused with a reason."""
    here = {path.name.removesuffix(_ENDING): path for path in _listed(home)}
    others = {path.stem: path for path in here.values() if path.is_file()}
    mine = here.get(name.removesuffix(_ENDING)) or others.get(name)
    told = Path(name).expanduser()
    if mine is not None:
        return mine
    if paths and told.exists():
        return told
    close = difflib.get_close_matches(name, here, 3, 0.4) or sorted(here)[:3]
    nearest = f"The nearest: {', '.join(close)}." if close else "None is here yet."
    way = f" Put it into {home}, or name its file." if paths else ""
    raise ToolFailed(f"No adapter is called {name!r}. {nearest}{way}")


def _listed(home: Path) -> Iterator[Path]:
    """What lies in the folder of adapters and leads nowhere else."""
    if home.is_dir():
        yield from sorted(path for path in home.iterdir() if not path.name.startswith("."))
