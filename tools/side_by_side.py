"""Pictures of several models beside each other: one picture with captions, and a table."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from index.evidence import Fact
from tools import recipe, wording
from tools.base import Image, Table
from tools.dossiers import value

if TYPE_CHECKING:
    from PIL import Image as Pictures
    from PIL import ImageFont

GRID = "grid"  # what the metadata of such a picture says that it shows
_LOWEST, _HIGHEST = 256, 768  # px of a row; larger pictures are shrunk to it
_GAP = 12  # px
_LETTERS, _LINE = 15, 21  # px
_CARD, _INK, _FAINT = "#f7f5ef", "#26282c", "#d5d0c4"
_LETTERS_WIDE = 8  # px of a letter, about, by which lines are broken
_COLUMNS = ("Model", "Seconds (latency)", "Peak memory", "Price", "Remark")


@dataclass(frozen=True)
class Column:
    """What one model made.

    Attributes:
        name: of the model.
        pictures: files; none if it could not run.
        speed: the measured time of a picture; none if nobody measured it.
        memory: the measured peak of memory; none if nobody can.
        price: in words.
        why: why there is no picture; empty if there is one.
    """

    name: str
    pictures: tuple[Path, ...] = ()
    speed: Fact | None = None
    memory: Fact | None = None
    price: str = ""
    why: str = ""

    @property
    def facts(self) -> tuple[Fact, ...]:
        """What was measured."""
        return tuple(fact for fact in (self.speed, self.memory) if fact)


def grid(path: Path, made: recipe.Recipe, columns: Sequence[Column]) -> tuple[Image, Table]:
    """Draws what several models made of the same, at equal height, and tells what it took.

    Args:
        path: the PNG file to write.
        made: the words and the seed that they were given.
        columns: the models, in order.

    Raises:
        ToolFailed: the file cannot be written.
        OSError: a picture cannot be read.
    """
    drawn = [_column(column, _height(columns)) for column in columns]
    wide = sum(one.width for one in drawn) + _GAP * (len(drawn) + 1)
    sheet = _card((wide, max(one.height for one in drawn) + 2 * _GAP))
    left = _GAP
    for one in drawn:
        sheet.paste(one, (left, _GAP))
        left += one.width + _GAP
    recipe.write(sheet, path, made)
    given = {**recipe.metadata(made), "shows": GRID}
    alt = f"Side by side: {', '.join(column.name for column in columns)}"
    return Image(path, alt, given, state=(alt, *given.values())), _table(made, columns)


def _table(made: recipe.Recipe, columns: Sequence[Column]) -> Table:
    rows = tuple((column.name, *_figures(column), column.why or "-") for column in columns)
    facts = tuple(fact for column in columns for fact in column.facts)
    said = (made.prompt, f"seed {made.seed}", *(column.why for column in columns))
    title = f"Side by side: {made.prompt}, seed {made.seed}"
    return Table(_COLUMNS, rows, title, facts, (*said, *(column.price for column in columns)))


def _figures(column: Column) -> tuple[str, str, str]:
    """Seconds, memory and price, as far as they are known."""
    speed, memory = column.speed, column.memory
    seconds = f"{float(f'{value(speed) / 1000:.3g}'):g} s" if speed else "-"
    return seconds, wording.shown(memory) if memory else "-", column.price or "-"


def _height(columns: Sequence[Column]) -> int:
    """Pixels of a row: as high as the highest picture, within bounds."""
    from PIL import Image as Pictures

    highest = _LOWEST
    for path in (path for column in columns for path in column.pictures):
        with Pictures.open(path) as picture:
            highest = max(highest, picture.height)
    return min(highest, _HIGHEST)


def _column(column: Column, height: int) -> "Pictures.Image":
    """The pictures of a model below each other, each as high as told, with what they took."""
    from PIL import Image as Pictures
    from PIL import ImageDraw

    shown = []
    for path in column.pictures:
        with Pictures.open(path) as picture:
            wide = max(1, round(picture.width * height / picture.height))
            shown.append(picture.convert("RGB").resize((wide, height), Pictures.Resampling.LANCZOS))
    shown = shown or [_reason(column.why, height)]
    lines = [column.name, *(told for told in _figures(column) if told != "-")]
    wide = max(*(one.width for one in shown), *(round(_font().getlength(line)) for line in lines))
    below = len(shown) * (height + _GAP)
    sheet = _card((wide, below + _LINE * len(lines)))
    for place, one in enumerate(shown):
        sheet.paste(one, (0, place * (height + _GAP)))
    ImageDraw.Draw(sheet).text(
        (0, below), "\n".join(lines), _INK, _font(), spacing=_LINE - _LETTERS
    )
    return sheet


def _reason(why: str, height: int) -> "Pictures.Image":
    """A card that says why there is no picture."""
    from PIL import Image as Pictures
    from PIL import ImageDraw

    lines = textwrap.wrap(why, (height - 2 * _GAP) // _LETTERS_WIDE)
    most = (height - 2 * _GAP) // _LINE
    told = [*lines[: most - 1], "..."] if len(lines) > most else lines
    card = Pictures.new("RGB", (height, height), _FAINT)
    ImageDraw.Draw(card).text(
        (_GAP, _GAP), "\n".join(told), _INK, _font(), spacing=_LINE - _LETTERS
    )
    return card


def _card(size: tuple[int, int]) -> "Pictures.Image":
    from PIL import Image as Pictures

    return Pictures.new("RGB", size, _CARD)


def _font() -> "ImageFont.FreeTypeFont | ImageFont.ImageFont":
    from PIL import ImageFont

    return ImageFont.load_default(_LETTERS)
