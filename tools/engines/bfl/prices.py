"""What a request will cost, from the price claims of the cards.

The rule is the vendor's: the price of the first megapixel, plus that of a further one for each
further megapixel made and each megapixel sent. How it rounds is not published, so there are two
figures: what is expected, and a bound that holds for every way of rounding. What counts is the cost
in the reply to a request.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from index.card import Card
from index.catalog import Catalog
from index.evidence import Claim
from tools.engines.bfl.pictures import Shape
from tools.spending import dollars

_MEGAPIXEL = 2**20  # px: 1024 x 1024 is priced as one megapixel
_SMALLEST = 10**6  # px that a megapixel has at least, by any count
_USUAL = 4.0  # megapixels at most, where a card does not say


@dataclass(frozen=True)
class Price:
    """What a request will cost.

    Attributes:
        usd: US dollars that are expected; none if no price is published.
        most: US dollars that it costs at most, as far as can be known.
        words: how that was found, in one sentence.
        claims: where it was read.
    """

    usd: float | None
    most: float
    words: str
    claims: tuple[Claim, ...]


@dataclass(frozen=True)
class _Rates:
    """Prices of a card, in US dollars.

    Attributes:
        first: of the first megapixel, or of a whole picture.
        next: of a further megapixel; 0 for a flat price.
        claims: where they were read, the one that counts first.
    """

    first: float
    next: float
    claims: tuple[Claim, ...]


@dataclass(frozen=True)
class _Area:
    """Megapixels that are made and sent."""

    made: float
    sent: float


def predicted(
    card: Card, values: Mapping[str, Any], shapes: Mapping[str, Shape | None], catalog: Catalog
) -> Price:
    """What a request will cost.

    Args:
        card: the system that is asked.
        values: the request, checked.
        shapes: of its pictures; none for one whose size is not known.
        catalog: the other hosted systems; the dearest gives the bound where the card has no price.
    """
    likely, most = _areas(card, values, shapes)
    rates = _rates(card)
    if rates is None:
        return _unpublished(card, most, catalog)
    usd = _cost(rates.first, rates.next, likely)
    bound = max(usd, _cost(max(_figures(rates.claims, "price")), rates.next, most))
    if not rates.next:
        words = f"{card.id} costs {dollars(usd)} per picture, whatever its size"
        return Price(usd, bound, words, rates.claims)
    words = (
        f"{card.id} costs {dollars(rates.first)} for the first megapixel and "
        f"{dollars(rates.next)} for each further one, made or sent; this is about "
        f"{round(likely.made, 2):g} made and {round(likely.sent, 2):g} sent"
    )
    return Price(usd, bound, words, rates.claims)


def _unpublished(card: Card, most: _Area, catalog: Catalog) -> Price:
    others = {
        other.id: _cost(rates.first, rates.next, most)
        for other in catalog.cards.values()
        if other.run.engine == "bfl" and (rates := _rates(other))
    }
    dearest = max(others, key=lambda name: others[name])
    words = (
        f"no price of {card.id} is published; the dearest other one, {dearest}, would cost up to "
        f"{dollars(others[dearest])}"
    )
    return Price(None, others[dearest], words, ())


def _rates(card: Card) -> _Rates | None:
    first, further = _claims(card, "price"), _claims(card, "price_next_megapixel")
    if not first:
        return None
    rate = _figures(further, "price_next_megapixel")
    return _Rates(_figures(first, "price")[0], rate[0] if rate else 0.0, (*first, *further[:1]))


def _claims(card: Card, name: str) -> tuple[Claim, ...]:
    """The claims of a property that are not refuted, verified ones first."""
    found = [c for c in card.claims if c.property == name and c.verdict in ("verified", "claimed")]
    return tuple(sorted(found, key=lambda claim: claim.verdict != "verified"))


def _figures(claims: tuple[Claim, ...], name: str) -> list[float]:
    return [float(c.value) for c in claims if c.property == name and not isinstance(c.value, str)]


def _cost(first: float, further: float, area: _Area) -> float:
    """The vendor's rule, in US dollars, to the millionth."""
    return round(first + further * (max(area.made - 1, 0) + area.sent), 6)


def _areas(
    card: Card, values: Mapping[str, Any], shapes: Mapping[str, Shape | None]
) -> tuple[_Area, _Area]:
    """What is expected and what is possible."""
    largest = card.run.max_megapixels or _USUAL
    known = [shape.width * shape.height for shape in shapes.values() if shape]
    unknown = len(shapes) - len(known)
    wide, high = values.get("width"), values.get("height")
    if wide and high:
        likely, most = wide * high / _MEGAPIXEL, float(math.ceil(wide * high / _SMALLEST))
    else:  # it chooses itself: as large as what was sent, as a rule
        likely, most = min(max([_MEGAPIXEL, *known]) / _MEGAPIXEL, largest), float(largest)
    sent = sum(known) / _MEGAPIXEL + unknown
    bound = sum(math.ceil(area / _SMALLEST) for area in known) + unknown * largest
    return _Area(likely, sent), _Area(most, float(bound))
