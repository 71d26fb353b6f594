"""What as many pictures as a question tells of cost."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from index.evidence import Claim, Fact
from index.quantities import number_of, quantities
from tools import wording

_MONEY = re.compile(r"\s?(?:quid|pounds?|euros?|bucks|kr)\b|\s?[\u00a3\u20ac]")
_NUMBER = r"\b(\d[\d,]*)"
_RATE = re.compile(
    rf"{_NUMBER}\s(?:[a-z-]+\s){{0,3}}?(?:a|per|each|every)\s(day|week|month|year)\b"
)
_EACH = re.compile(
    rf"{_NUMBER}\s(?:[a-z-]+\s){{0,2}}?(?:each\b(?! (?:day|week|month|year))|apiece\b"
    r"|(?:per|for every)\s(?!day|week|month|year)[a-z])"
)
_PERIOD = re.compile(r"\b(?:a|per|each|every|the)?\s?(day|week|month|mont|year)(?:ly)?\b")
_DAYS = {"day": 1.0, "week": 7.0, "month": 365 / 12, "mont": 365 / 12, "year": 365.0}
_NAMES = {"mont": "month"}


def pictures_asked(words: str) -> tuple[float, str]:
    """How many pictures a question is about, and in what time: "month"; empty if that is not told.

    "40 flats a week, 12 photos each: what is that monthly" asks about 2,086 a month.

    Args:
        words: plain English, lower case.
    """
    if not (rate := _RATE.search(words)):
        counts = (
            found.value
            for found in quantities(words)
            if found.unit in ("images", "number", "") and not _MONEY.match(words, found.end)
        )
        return max(counts, default=0.0), ""
    each = _EACH.search(words)
    count = number_of(rate[1]) * (number_of(each[1]) if each else 1)
    asked = _PERIOD.findall(words[: rate.start()] + words[rate.end() :]) or [rate[2]]
    name = _NAMES.get(asked[-1], asked[-1])
    return count * _DAYS[name] / _DAYS[rate[2]], name


def priced(words: str, facts: Sequence[Fact]) -> Iterator[Fact]:
    """What those pictures cost, by the price of one; nothing if there are not several.

    Args:
        words: plain English, lower case.
        facts: facts of a system, its price among them.
    """
    count, period = pictures_asked(words)
    for fact in facts:
        if fact.property == "price" and isinstance(fact, Claim) and isinstance(fact.truth, float):
            many = f"{count:,.0f} pictures{' a ' * bool(period)}{period}"
            if count > 1:
                at = f"{many} at {wording.shown(fact)} each"
                total = round(count) * fact.truth
                yield replace(fact, property="total_usd", value=round(total, 2), at=at)
