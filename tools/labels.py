"""The labels of pictures in words, tables and charts, each figure kept as evidence."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from index.evidence import Measurement
from tools import plots, wording
from tools.base import Context, File, Plot, Table
from tools.measure import measure

if TYPE_CHECKING:
    from tools.engines.convnet import Reading

MOST_ROWS = 100  # of the table; the rest is in the file
_MOST_BARS = 12


@dataclass(frozen=True)
class Seen:
    """A picture with what the classifier makes of it."""

    name: str
    reading: "Reading"


@dataclass(frozen=True)
class Guess:
    """One label of one picture, kept as evidence."""

    picture: str
    label: str
    fact: Measurement


def kept(ctx: Context, system: str, known: Sequence[Seen]) -> tuple[Guess, ...]:
    """What is shown of the readings, each figure kept as a measurement."""
    each = max(1, MOST_ROWS // max(1, len(known)))
    return tuple(
        Guess(
            picture.name,
            label,
            measure(ctx, system, "probability", _percent(share), f"{picture.name}: {label}"),
        )
        for picture in known
        for label, share in picture.reading.ranked[:each]
    )


def firsts(guesses: Sequence[Guess]) -> tuple[Guess, ...]:
    """The most likely label of each picture."""
    found: dict[str, Guess] = {}
    for guess in guesses:
        found.setdefault(guess.picture, guess)
    return tuple(found.values())


def sentence(first: Guess) -> str:
    """What is most likely in a picture."""
    article = "an" if first.label[:1].lower() in "aeiou" else "a"
    share = wording.shown(first.fact)
    return f"{first.picture}: most likely {article} {first.label} (probability {share})."


def table(system: str, guesses: Sequence[Guess]) -> Table:
    """All guesses, in order."""
    rows = tuple((guess.picture, guess.label, wording.shown(guess.fact)) for guess in guesses)
    columns = ("Picture", "Label", "Probability")
    return Table(columns, rows, f"What {system} sees", tuple(guess.fact for guess in guesses))


def plot(ctx: Context, system: str, guesses: Sequence[Guess]) -> Plot:
    """One picture: its labels. Many: the first label of each, the least sure ones on top."""
    first = firsts(guesses)
    if len(first) == 1:
        title = f"{first[0].picture}: probability of each label, by {system}"
        drawn = {guess.label: guess.fact for guess in guesses[:_MOST_BARS]}
    else:
        title = f"Probability of the first label, least sure on top, by {system}"
        ranked = sorted(first, key=lambda guess: guess.fact.value)[:_MOST_BARS]
        drawn = {f"{guess.picture}: {guess.label}": guess.fact for guess in ranked}
    bars = [plots.Bar(name, fact.value, wording.shown(fact)) for name, fact in drawn.items()]
    alt = f"Bars. {title}. " + ", ".join(f"{bar.label} {bar.shown}" for bar in bars)
    return plots.bars(ctx.run_folder / "labels.png", title, bars, alt, tuple(drawn.values()))


def file(ctx: Context, system: str, known: Sequence[Seen], kind: str) -> File:
    """Every label of every picture, as `csv` or `json`."""
    rows = [
        {"picture": p.name, "label": label, "probability_percent": _percent(share), "model": system}
        for p in known
        for label, share in p.reading.ranked
    ]
    path = ctx.run_folder / f"labels.{kind}"
    with path.open("w", encoding="utf-8", newline="") as opened:
        if kind == "json":
            json.dump(rows, opened, indent=1, ensure_ascii=False)
        else:
            writer = csv.DictWriter(opened, ("picture", "label", "probability_percent", "model"))
            writer.writeheader()
            writer.writerows(rows)
    return File(path, f"All labels with their probabilities, as {kind.upper()}")


def _percent(share: float) -> float:
    return round(100 * share, 4)
