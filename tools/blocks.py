"""The blocks that a tool yields: text, tables, pictures, plots and files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from index.evidence import Fact


@dataclass(frozen=True)
class Text:
    """Prose in Markdown.

    Attributes:
        text: the prose.
        cites: the facts behind its figures.
        data: what programs read of it, as plain JSON; it stands at the top of the answer's JSON.
        state: words in it that tell how far our own work is, which is no claim about a system.
    """

    text: str
    cites: tuple[Fact, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict, hash=False)
    state: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """Rows of cells that are already words.

    Attributes:
        columns: headings; a unit stands here or in the cell, not in both.
        rows: cells, as many in each row as there are columns.
        title: what the table is about; names the system where no row or column does.
        cites: the facts behind its figures.
        state: words in it that tell how far our own work is, which is no claim about a system.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""
    cites: tuple[Fact, ...] = ()
    state: tuple[str, ...] = ()


@dataclass(frozen=True)
class Image:
    """A picture in the run folder.

    Attributes:
        path: the file.
        alt: what it shows, in words.
        metadata: the recipe it was made with, or what was seen in it.
        cites: the facts behind figures in `alt` and `metadata`.
        state: words in them that are no claim about a system, such as those of a recipe.
    """

    path: Path
    alt: str
    metadata: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    cites: tuple[Fact, ...] = ()
    state: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plot:
    """A drawn chart in the run folder.

    Attributes:
        path: the PNG file.
        alt: what it shows, in words.
        title: the title drawn on it.
        labels: every other text drawn on it beside the axis ticks.
        cites: the facts behind its figures.
    """

    path: Path
    alt: str
    title: str
    labels: tuple[str, ...] = ()
    cites: tuple[Fact, ...] = ()


@dataclass(frozen=True)
class File:
    """A file to take away.

    Attributes:
        path: the file, in the run folder.
        alt: what it holds, in words.
    """

    path: Path
    alt: str
    cites: tuple[Fact, ...] = ()


Block = Text | Table | Image | Plot | File
