"""All systems: the cards, and the table of every timm weight that has published results."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType

from index.card import Card, CardError, Run, read_card
from index.evidence import Claim, Fact, Measurement
from index.properties import properties

HERE = Path(__file__).parent
TIMM_SOURCE = "https://github.com/huggingface/pytorch-image-models/tree/aa4b585/results"
TIMM_DATE = "2026-08-08"
_CPU = "i7-12700H, fp32, batch 1"
_GPU = "RTX 4090, amp, channels last"
# Column of timm.csv -> property, condition beside the input size.
_COLUMNS = {
    "top1": ("top1", ""),
    "param_count_m": ("parameters", ""),
    "gmacs": ("macs", ""),
    "cpu_ms_i7_12700h_fp32_b1": ("latency_ms", _CPU),
    "imgs_per_s_rtx4090_amp_nhwc": ("images_per_second", _GPU),
}


@dataclass(frozen=True)
class Catalog:
    """Cards by id, and timm's published results by weight name.

    Attributes:
        cards: the cards, by id.
        timm: rows of `timm.csv`, by weight name; one row per input size, best top-1 first.
    """

    cards: Mapping[str, Card]
    timm: Mapping[str, tuple[Mapping[str, str], ...]]

    def get(self, system: str) -> Card | None:
        """The card with this exact id; a timm weight without one gets a card from the table."""
        if card := self.cards.get(system):
            return card
        return _table_card(system, self.timm[system]) if system in self.timm else None

    def names(self) -> Iterator[tuple[str, str]]:
        """Every name by which a system goes, with the system's id: ids, names, aliases.

        A family of which there is one card stands for that card.
        """
        families = Counter(card.family for card in self.cards.values())
        for card in self.cards.values():
            for name in (card.id, card.name, *card.aliases):
                yield name, card.id
        for card in self.cards.values():
            if card.family and families[card.family] == 1:
                yield card.family, card.id
        for weight in self.timm:
            if weight not in self.cards:
                yield weight, weight

    def families(self) -> Mapping[str, tuple[str, ...]]:
        """The classifiers of each family of which there are several cards, by its name."""
        members: dict[str, tuple[str, ...]] = {}
        for card in self.cards.values():
            if card.run.engine == "convnet" and card.family:
                members[card.family] = (*members.get(card.family, ()), card.id)
        return {family: cards for family, cards in members.items() if len(cards) > 1}

    def find(self, system: str, property: str = "") -> Sequence[Fact]:
        """Claims about a system, all or those of one property, verified ones first."""
        card = self.get(system)
        claims = card.claims if card else ()
        order = {"verified": 0, "claimed": 1, "refuted": 2, "unverifiable": 3}
        wanted = [claim for claim in claims if property in ("", claim.property)]
        return sorted(wanted, key=lambda claim: order[claim.verdict])

    def add(self, measurement: Measurement) -> None:
        """Refuses: a catalog holds cited facts only.

        Raises:
            TypeError: always.
        """
        raise TypeError(f"the catalog keeps no measurements: {measurement.id}")


@cache
def load(folder: Path = HERE) -> Catalog:
    """Reads `cards/*.toml` and `timm.csv` below `folder`.

    Raises:
        CardError: a card is broken, or two cards share an id.
    """
    table = _read_table(folder / "timm.csv")
    cards = (_with_table(card, table) for card in read_cards(folder / "cards"))
    return Catalog(
        MappingProxyType({card.id: card for card in cards}), MappingProxyType(dict(table))
    )


def read_cards(folder: Path) -> tuple[Card, ...]:
    """All cards of a folder, by file name.

    Raises:
        CardError: a card is broken, or names a successor that has no card.
    """
    cards = tuple(read_card(path) for path in sorted(folder.glob("*.toml")))
    known = {card.id for card in cards}
    for card in cards:
        if card.successor and card.successor not in known:
            raise CardError(
                f"{card.id}, field successor: {card.successor!r} has no card. Name one that has."
            )
    return cards


def _read_table(path: Path) -> dict[str, tuple[Mapping[str, str], ...]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows: dict[str, list[Mapping[str, str]]] = {}
        for row in csv.DictReader(file):
            rows.setdefault(row["model"], []).append(row)
    return {name: tuple(found) for name, found in rows.items()}


def _with_table(card: Card, table: Mapping[str, tuple[Mapping[str, str], ...]]) -> Card:
    if card.id not in table:
        return card
    return replace(card, claims=card.claims + tuple(_table_claims(card.id, table[card.id])))


def _table_claims(system: str, rows: Iterable[Mapping[str, str]]) -> Iterator[Claim]:
    units = properties()
    seen = set()
    for row in rows:
        size = f"{row['img_size']} px"
        for column, (name, at) in _COLUMNS.items():
            condition = "" if name == "parameters" else ", ".join(filter(None, (size, at)))
            if row[column] and (name, condition) not in seen:
                seen.add((name, condition))
                yield Claim(
                    system, name, float(row[column]), units[name].unit, condition, "timm",
                    TIMM_SOURCE, TIMM_DATE, "verified", None, "",
                    f"timm.csv:{system}@{row['img_size']}:{column}",
                )  # fmt: skip


def _table_card(weight: str, rows: Sequence[Mapping[str, str]]) -> Card:
    """A card for a timm weight that has results but no card file of its own."""
    licence = rows[0]["license_if_verified"]
    claims = tuple(_table_claims(weight, rows))
    if licence:
        where = f"timm.csv:{weight}@{rows[0]['img_size']}:license_if_verified"
        claims += (
            Claim(
                weight, "licence", licence, "", "", "timm", TIMM_SOURCE, TIMM_DATE,
                "verified", None, "", where,
            ),
        )  # fmt: skip
    return Card(
        id=weight,
        name=weight,
        kind="weights",
        tasks=("classify",),
        family=weight.split("_", maxsplit=1)[0],
        publisher="timm",
        summary="An image classifier of the timm library, known here from its published results.",
        licence=licence,
        commercial_use=None,
        aliases=(),
        status="available",
        successor="",
        page=f"https://huggingface.co/timm/{weight}",
        source=TIMM_SOURCE,
        date=TIMM_DATE,
        run=Run(engine="convnet", repository=f"timm/{weight}"),
        training=None,
        capabilities=(),
        claims=claims,
    )
