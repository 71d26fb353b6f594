"""A claim as it can be checked: systems, numbers, bounds, comparisons, negation."""

import re
from dataclasses import dataclass

from index.gloss import gloss
from index.quantities import Quantity, quantities
from tools.base import Context
from tools.vocabulary import pattern, vocabulary

STAND_IN = "system"  # what stands for each name, with its number
_POSSESSIVE = re.compile(r"['\u2019]s\b")  # "resnet50's" is no resnet50s
_TAG = re.compile(
    r",?\s*\b(was|is|are|does|do|did|wo|ca|has|have)n't (it|they|he|she|that|you)\b\s*\??\s*$"
)
_GLOSSED = re.compile(r"\b(?:picture|image)s?\s?-\s?(?=\d+k\b)")  # of "ImageNet-1k", word by word
_ONE = re.compile(
    r"\b(?:one|a single|single) (?=(\w+ )?(steps?|references?|pictures?|images?|photos?"
    r"|seconds?|cents?|dollars?|megapixels?|gb|million|billion)\b)"
)


@dataclass(frozen=True)
class Order:
    """A claimed order of systems in one property.

    Attributes:
        properties: what may be meant, best first.
        direction: `lower`, `higher`, `better`, `worse` or `equal` of the first system.
    """

    properties: tuple[str, ...]
    direction: str


@dataclass(frozen=True)
class Number:
    """A claimed number.

    Attributes:
        quantity: the value with its unit.
        decimals: digits after the point, as written.
        scale: what the written number was multiplied with to get the value.
        bound: `about`, `least`, `most`, `over`, `under`, or empty if it is said outright.
    """

    quantity: Quantity
    decimals: int
    scale: float
    bound: str


@dataclass(frozen=True)
class Statement:
    """A claim as it can be checked.

    Attributes:
        question: the claim in English words with the names of systems, for the ranker.
        words: the same with stand-ins for the names and without what the claim is wrapped in.
        systems: ids of the systems named, in order.
        negated: whether the claim denies what its words say.
        numbers: the numbers claimed, in order.
        comparisons: orders claimed of the first system against the second.
        superlatives: orders claimed of the first system against all others.
    """

    question: str
    words: str
    systems: tuple[str, ...]
    negated: bool
    numbers: tuple[Number, ...]
    comparisons: tuple[Order, ...]
    superlatives: tuple[Order, ...]


def read_statement(ctx: Context, claim: str) -> Statement:
    """Reads a claim in any of the languages."""
    claim = _POSSESSIVE.sub(" ", claim)
    mentions = ctx.index.names.mentions(claim)
    systems = tuple(dict.fromkeys(mention.system for mention in mentions))
    stand_ins = {system: f"{STAND_IN}{_letter(n)}" for n, system in enumerate(systems)}
    names = {mention.system: claim[mention.start : mention.end] for mention in mentions}
    words = _core(gloss(claim, ctx.index.names, stand_ins).text.lower())
    if re.search(r"\bMIT\b", claim):
        words = re.sub(r"\bwith(?= licen|$)", "mit", words)  # no German preposition
    return Statement(
        question=gloss(claim, ctx.index.names, names).text,
        words=words,
        systems=tuple(_meant(ctx, system, words) for system in systems),
        negated=len(list(_words("negation").finditer(words))) % 2 == 1,
        numbers=_numbers(words),
        comparisons=_orders("comparisons", words) if _is_comparison(words) else (),
        superlatives=_orders("superlatives", words),
    )


def _meant(ctx: Context, system: str, words: str) -> str:
    """The hosted sibling of a system where the words speak of the API."""
    card = ctx.catalog.get(system)
    if card is None or not re.search(r"\bapi\b|\bhosted\b|\bendpoint\b", words):
        return system
    own = set(_parts(card.name)) - set(_parts(card.family)) - {"dev"}
    hosted = [
        other
        for other in ctx.catalog.cards.values()
        if other.kind == "hosted" and other.family == card.family and own <= set(_parts(other.name))
    ]
    exact = [other for other in hosted if other.name == f"{card.name} (API)"]
    if card.kind == "hosted" or not own or not hosted:
        return exact[0].id if exact else system
    return max(exact or hosted, key=lambda other: (-len(other.id), other.id)).id


def _parts(name: str) -> list[str]:
    return re.findall(r"[a-z]+\d*|\d+b", name.lower())


def full_names(ctx: Context, claim: str) -> tuple[str, ...]:
    """The claim with a short name, such as "klein", spelt out in each way that it may mean.

    Beside a system that is named in full, only words that are no ordinary ones count.
    """
    names = ctx.index.names
    mentions = names.mentions(claim)
    if mentions and not re.search(r"\b(than|versus|vs|against|compared)\b", claim.lower()):
        return (claim,)
    for word in re.finditer(r"[A-Za-z][A-Za-z0-9]{2,}", claim):
        inside = any(m.start <= word.start() < m.end for m in mentions)
        short = word[0].lower()
        if inside or short in _SIZES or (mentions and (names.is_word(short) or len(short) < _LONG)):
            continue
        if meant := _short_for(ctx, short, claim):
            before, after = claim[: word.start()], claim[word.end() :]
            return tuple(f"{before}{name}{after}" for name in meant)
    return (claim,)


_SIZES = frozenset(
    (
        "small",
        "large",
        "tiny",
        "nano",
        "medium",
        "base",
        "mini",
        "stable",
        "flux",
        "api",
        "preview",
        "image",
        "pocket",
        "imagenet",
    )
)  # fmt: skip
_LONG = 6  # letters from which a word beside a full name counts


def _short_for(ctx: Context, short: str, claim: str) -> list[str]:
    """Names of which the word is a part, those with the fewest further parts."""
    further: dict[str, int] = {}
    for card in ctx.catalog.cards.values():
        parts = _parts(card.name.lower().removeprefix(card.family.lower()))
        if short in _parts(card.name) and card.kind != "repository":
            further[card.name] = len(set(parts) - set(re.findall(r"\w+", claim.lower())))
    least = min(further.values(), default=0)
    return [name for name, count in further.items() if count == least]


def _letter(place: int) -> str:
    return chr(ord("a") + place % 26)


def _core(words: str) -> str:
    """The words without what wraps them."""
    plain = words.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").replace("license", "licence")
    wrapping = pattern([rf"\b(?:{word})" for word in vocabulary("claims")["wrapping"]])
    plain = _GLOSSED.sub("imagenet-", _TAG.sub("", plain))
    plain = re.sub(r"\ban (?=hour)|\ba (?=(minute|second|cent|dollar)\b)", "1 ", plain)
    return _ONE.sub("1 ", re.sub(r"\s+", " ", wrapping.sub(" ", plain)).strip())


def _is_comparison(words: str) -> bool:
    """Whether another system is set against the first: "more than five" compares with none."""
    return bool(_OTHER.search(words) or (_ALIKE.search(words) and f"{STAND_IN}b" in words))


_OTHER = re.compile(
    rf"\b(than|compared (to|with)|beats?|versus|against)\b.{{0,30}}\b{STAND_IN}[b-z]"
)
_ALIKE = re.compile(r"\bsame\b|\bas \w+ as\b|\bequally\b")


def _orders(table: str, words: str) -> tuple[Order, ...]:
    return tuple(
        Order(tuple(row["properties"]), row["direction"])
        for row in vocabulary("claims")[table]
        if pattern([rf"\b(?:{word})\b" for word in row["words"]]).search(words)
    )


def _words(name: str) -> re.Pattern[str]:
    return pattern(vocabulary("claims")[name])


def _numbers(words: str) -> tuple[Number, ...]:
    plain = _words("names").sub(lambda match: " " * len(match[0]), words)
    return tuple(_number(found, plain) for found in quantities(plain))


def _number(found: Quantity, words: str) -> Number:
    written = re.match(r"[$€]?\s?([\d,]*\.?\d+)", words[found.start : found.end])
    digits = written[1].replace(",", "") if written else ""
    shown = float(digits) if digits else found.value
    before, after = words[: found.start], words[found.end :]
    bound = _bound("before", before, r"\b(?:{})\W{{0,2}}\s*$") or ""
    bound = _bound("after", after, r"^\W*(?:{})") or bound
    scale = found.value / shown if shown else 1.0
    return Number(found, len(digits.partition(".")[2]), scale, bound)


def _bound(table: str, words: str, form: str) -> str | None:
    """The bound that the words beside a number make of it."""
    rows = vocabulary("claims")[table].items()
    found = (name for name, told in rows if pattern([form.format(w) for w in told]).search(words))
    return next(found, None)
