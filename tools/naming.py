"""Whom a claim is about: short names spelt out, whole families, hosted siblings."""

import re
from collections.abc import Iterator

from index.card import Card
from tools.base import Context
from tools.vocabulary import pattern, vocabulary

_EACH = re.compile(
    r"\b(?:all|every|each|any|no|none|both)\b(?: (?:single|one))?(?: of)?(?: the)?"
    r"(?: (?:hosted|open|public|available|bfl))*\s+",
    re.IGNORECASE,
)
_KIND = re.compile(
    r"^\W*\b(models?|endpoints?|apis?|weights|versions?|variants?|tiers?|sizes?|members?)\b", re.I
)
_SIZES = frozenset((
    "small", "large", "tiny", "nano", "medium", "base", "mini", "stable", "flux", "api", "preview",
    "image", "pocket", "imagenet",
))  # fmt: skip
_LONG = 6  # letters from which a word beside a full name counts
_PRICED = re.compile(r"\b(price|cents?|costs?|charges?|dollars?)\b|\$\s?\d")


def each_named(ctx: Context, claim: str) -> tuple[str, ...]:
    """The claim once for each member of a family that it speaks of as a whole; else empty.

    "All FLUX.2 endpoints take a mask" holds if it holds for each.
    """
    mentions = ctx.index.names.mentions(claim)
    for word in _EACH.finditer(claim):
        rest = claim[word.end() :]
        if word[0].lower().startswith("no") and re.search(r"\bthan\b", claim):
            continue  # "no ConvNeXt is smaller than" sets one before all
        for family in sorted(_families(ctx), key=len, reverse=True):
            named = re.match(rf"{re.escape(family)}(?:s\b|\b)", rest, re.IGNORECASE)
            if not named or any(m.exact and m.start == word.end() for m in mentions):
                continue
            kind = _KIND.match(rest[named.end() :])
            after = rest[named.end() + (kind.end() if kind else 0) :]
            denial = "it is false that " if word[0].lower().startswith("no") else ""
            before = f"{claim[: word.start()]}{denial}"
            cards = _members(ctx, family, claim)
            return tuple(f"{before}{card.name}{after}" for card in cards)
    return ()


def _families(ctx: Context) -> set[str]:
    return {card.family for card in ctx.catalog.cards.values() if card.family}


def _members(ctx: Context, family: str, claim: str) -> Iterator[Card]:
    hosted = bool(re.search(r"\b(hosted|endpoints?|apis?|tiers?)\b", claim.lower()))
    weights = bool(re.search(r"\b(open|weights)\b", claim.lower()))
    for card in ctx.catalog.cards.values():
        other = (hosted and card.kind != "hosted") or (weights and card.kind != "weights")
        if card.family == family and card.status != "withdrawn" and not other:
            yield card


def full_names(ctx: Context, claim: str) -> tuple[str, ...]:
    """The claim with a short name, such as "klein", spelt out in each way that it may mean.

    Beside a system that is named in full, only words that are no ordinary ones count.
    """
    names = ctx.index.names
    claim = _unclipped(ctx, claim)
    mentions = names.mentions(claim)
    if not mentions and (members := _family_named(ctx, claim)):
        return members
    if mentions and not re.search(r"\b(than|versus|vs|against|compared)\b", claim.lower()):
        return (claim,)
    for word in re.finditer(r"[A-Za-z][A-Za-z0-9]{2,}", claim):
        inside = any(m.start <= word.start() < m.end for m in mentions)
        short = word[0].lower()
        if _is_part(ctx, claim[: word.start()]) or re.match(r"[\s-]*v?\d", claim[word.end() :]):
            continue  # part of a name, or of a version, that nobody here bears
        if inside or short in _SIZES or (mentions and (names.is_word(short) or len(short) < _LONG)):
            continue
        if meant := _short_for(ctx, short, claim):
            before, after = claim[: word.start()], claim[word.end() :]
            return tuple(f"{before}{name}{after}" for name in meant)
    return (claim,)


def _family_named(ctx: Context, claim: str) -> tuple[str, ...]:
    """The claim for each member of a family of versions that is named outright: "FLUX.2"."""
    for family in _families(ctx):
        if not re.search(r"\d", family):
            continue
        if named := re.search(rf"\b{re.escape(family)}\b", claim, re.IGNORECASE):
            before, after = claim[: named.start()], claim[named.end() :]
            return tuple(f"{before}{card.name}{after}" for card in _members(ctx, family, claim))
    return ()


def _is_part(ctx: Context, before: str) -> bool:
    """Whether the word before is a name that nobody here bears: "Nano Banana Pro"."""
    last = re.search(r"(?<![^\s(])((?=\S*\d|[A-Z])\S+?)[\s-]+$", before)
    if last is None or last[1].lower() in _FUNCTION:
        return False
    cards = ctx.catalog.cards.values()
    known = {part for card in cards for part in _tokens(f"{card.name} {card.publisher}")}
    return not _tokens(last[1]) <= known


def _tokens(text: str) -> set[str]:
    return set(re.findall(r"\d[\d.]*[a-z]*|[a-z]+\d*", text.lower()))


_FUNCTION = frozenset((
    "the", "a", "an", "our", "my", "is", "does", "can", "that", "this", "but", "and", "if", "for",
    "with", "on", "in", "of", "i", "do", "has", "are", "was", "will", "every", "all", "each",
    "both", "no", "any", "so", "only",
))  # fmt: skip


def _unclipped(ctx: Context, claim: str) -> str:
    """The claim with a name after "than" in full that leaves out what the first name begins with.

    "Klein 4B is smaller than 9B", "Stable Diffusion 3.5 medium is smaller than 3.5 large".
    """
    mentions = ctx.index.names.mentions(claim)
    than = re.search(r"\bthan (the )?", claim)
    if not mentions or than is None or any(m.start >= than.end() for m in mentions):
        return claim
    words = re.findall(r"[A-Za-z0-9.]+", claim[mentions[0].start : mentions[0].end])
    after = list(re.finditer(r"[A-Za-z0-9.]*[A-Za-z0-9]", claim[than.end() :]))[:3]
    for kept in range(len(words), 0, -1):
        for last in reversed(after):
            tail = claim[than.end() : than.end() + last.end()]
            system = ctx.index.names.resolve(f"{' '.join(words[:kept])} {tail}")
            if system and system != mentions[0].system:
                return f"{claim[: than.end()]}{system}{claim[than.end() + last.end() :]}"
    return claim


def _short_for(ctx: Context, short: str, claim: str) -> list[str]:
    """Names of which the word is a part, those with the fewest further parts."""
    further: dict[str, int] = {}
    for card in ctx.catalog.cards.values():
        parts = _parts(card.name.lower().removeprefix(card.family.lower()))
        if short in _parts(card.name) and card.kind != "repository":
            further[card.name] = len(set(parts) - set(re.findall(r"\w+", claim.lower())))
    least = min(further.values(), default=0)
    return [name for name, count in further.items() if count == least]


def meant(ctx: Context, system: str, words: str) -> str:
    """The hosted sibling of a system where the words speak of the API, or of a price."""
    card = ctx.catalog.get(system)
    if card is None or card.kind == "hosted":
        return _hosted_exactly(ctx, card) or system if card and _of_api(words) else system
    if _PRICED.search(words) and not any(c.property.startswith("price") for c in card.claims):
        return _hosted_exactly(ctx, card) or system
    if not _of_api(words):
        return system
    own = set(_parts(card.name)) - set(_parts(card.family)) - {"dev"}
    hosted = [
        other
        for other in ctx.catalog.cards.values()
        if other.kind == "hosted" and other.family == card.family and own <= set(_parts(other.name))
    ]
    if exact := _hosted_exactly(ctx, card):
        return exact
    nearest = sorted(hosted, key=lambda other: (-len(other.id), other.id))
    return nearest[-1].id if own and hosted else system


def _of_api(words: str) -> bool:
    return bool(re.search(r"\bapi\b|\bhosted\b|\bendpoint\b", words))


def _hosted_exactly(ctx: Context, card: Card) -> str:
    named = (other for other in ctx.catalog.cards.values() if other.name == f"{card.name} (API)")
    return next((other.id for other in named if other.kind == "hosted"), "")


def _parts(name: str) -> list[str]:
    return re.findall(r"[a-z]+\d*|\d+b", name.lower())


def is_deictic(words: str) -> bool:
    """Whether a claim without a name speaks of something that was named before, or of nothing."""
    return bool(pattern(vocabulary("claims")["deictic"]).search(words)) or len(words.split()) < 3
