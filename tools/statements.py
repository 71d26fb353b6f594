"""A claim as it can be checked: systems, numbers, bounds, orders, negation; part by part."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from index.gloss import gloss
from index.quantities import Quantity, quantities
from tools.base import Context
from tools.naming import meant
from tools.orders import STAND_IN, Order, orders
from tools.vocabulary import pattern, vocabulary

_POSSESSIVE = re.compile(r"['\u2019]s\b")  # "resnet50's" is no resnet50s
_GERMAN_FASTER = re.compile(r"\bschneller\s+als\b", re.IGNORECASE)  # no misspelt schnell
_TAG = re.compile(
    r",?\s*\b(was|is|are|does|do|did|wo|ca|has|have)n't (it|they|he|she|that|you)\b\s*\??\s*$"
)
_GLOSSED = re.compile(r"\b(?:picture|image)s?\s?-\s?(?=\d+k\b)")  # of "ImageNet-1k", word by word
_ONE = re.compile(
    r"\b(?:one|a single|single) (?=(\w+ )?(steps?|references?|pictures?|images?|photos?"
    r"|seconds?|cents?|dollars?|megapixels?|gb|million|billion|thousand)\b)"
)
# "45 thousand"; Chinese counts in ten thousands and hundred millions
_TENS = (
    (r"(([\d.]+) (?:1000|thousand)\b)", "", 1000.0),
    (r"(([\d.]+) (?:ten|10) ?(?:thousand|1000|000)\b)", "million", 0.01),
    (r"(([\d.]+) (?:hundred|100) million\b)", "billion", 0.1),
)
_CONTRAST = re.compile(
    r"(?:, (?:and |but )?not| and not| but not|,? rather than|,? instead of) "
    r"(?:just |only |by |from |the |an? |under )*"
    r"(?!(?:\w+ ){0,3}(?:if|when|for)\b)[$€]?[\w.]+(?: [a-z%]+){0,2}(?=[.,;!?]|$)"
)
_NOT_BUT = re.compile(
    r"(?: not|n't) [\w $.]{1,30}?,? but (?=(?:by|from|under|with|an?|the|\d|\$)\b|[$\d])"
)
_LEADING = re.compile(r"^\W*(is|are|was|were|does|do|did|has|have|ca|wo)(n't| not) (?=.*\?\s*$)")
_VERB = (
    r"(?:is|are|has|have|had|costs?|runs?|takes?|needs?|comes?|was|were|can|does|weighs|uses"
    r"|supports?|may|reaches|gets|knows|ships|expects?|reads?|accepts?|works?|wants|requires"
    r"|cannot|can't|doesn't|isn't|belongs?|makes?|draws?|fits?|beats?|edits?|generates?|returns?"
    r"|trains?|allows?|permits?|forbids?|hits|scores?|contains?)"
)
_CLAUSE = re.compile(
    rf"\s*(?:,|;|\.)?\s*\b(?:and|but|yet|while|whereas|although|though)\b,?\s+"
    rf"(?=(?:it |so |also |that it |still |even |only |{STAND_IN}[a-z] )*{_VERB}\b)"
)


@dataclass(frozen=True)
class Number:
    """A claimed number.

    Attributes:
        quantity: the value with its unit.
        decimals: digits after the point, as written.
        scale: what the written number was multiplied with to get the value.
        bound: `about`, `least`, `most`, `over`, `under`, or empty if it is said outright.
        beside: the words around it.
    """

    quantity: Quantity
    decimals: int
    scale: float
    bound: str
    beside: str = ""


@dataclass(frozen=True)
class Statement:
    """A claim as it can be checked.

    Attributes:
        question: the claim in English words with the names of systems, for the ranker.
        words: the same with stand-ins for the names and without what the claim is wrapped in.
        systems: ids of the systems named, in order.
        negated: whether the claim denies what its words say.
        numbers: the numbers claimed, in order.
        comparisons: orders claimed of systems against others.
        superlatives: orders claimed of a system against all others.
    """

    question: str
    words: str
    systems: tuple[str, ...]
    negated: bool
    numbers: tuple[Number, ...]
    comparisons: tuple[Order, ...]
    superlatives: tuple[Order, ...]


def read_statement(ctx: Context, claim: str) -> tuple[Statement, ...]:
    """Reads a claim in any of the languages: its parts, each of which must hold."""
    claim = _GERMAN_FASTER.sub("faster than", _POSSESSIVE.sub(" ", claim))
    mentions = ctx.index.names.mentions(claim)
    systems = tuple(dict.fromkeys(mention.system for mention in mentions))
    stand_ins = {system: f"{STAND_IN}{_letter(n)}" for n, system in enumerate(systems)}
    names = {mention.system: claim[mention.start : mention.end] for mention in mentions}
    words = _core(gloss(claim, ctx.index.names, stand_ins).text.lower())
    if re.search(r"\bMIT\b", claim):
        words = re.sub(r"\bwith(?= licen|$)", "mit", words)  # no German preposition
    ids = {stand_ins[system]: meant(ctx, system, words) for system in systems}
    spelt = {stand_ins[system]: names[system] for system in systems}
    whole = _statement(gloss(claim, ctx.index.names, names).text, words, ids)
    parts = tuple(part for one in _clauses(words) for part in _parts(one, ids, spelt))
    return parts if len(parts) > 1 else (whole,)


def _statement(question: str, words: str, ids: Mapping[str, str]) -> Statement:
    compared, extremes = orders(words, ids)
    return Statement(
        question=question,
        words=words,
        systems=tuple(ids.values()),
        negated=_is_negated(words),
        numbers=_numbers(words),
        comparisons=compared,
        superlatives=extremes,
    )


def _parts(clause: str, ids: Mapping[str, str], spelt: Mapping[str, str]) -> Iterator[Statement]:
    """A clause of a claim with its system; one that names none is about the first of the claim.

    What is said of several systems together is said of each.
    """
    named = [name for name in ids if re.search(rf"\b{name}\b", clause)]
    subject = next(iter(ids), "")
    text = clause if named else f"{subject} {re.sub(r'^(it|also|that it) ', '', clause)}"
    together = _TOGETHER.match(text)
    if together and not any(orders(text, ids)):
        for name in re.findall(rf"{STAND_IN}[a-z]", together[1]):
            yield from _parts(f"{name} {text[together.end() :]}", ids, spelt)
        return
    inside = {name: ids[name] for name in named or [subject] if name in ids}
    question = re.sub(rf"\b{STAND_IN}[a-z]\b", lambda m: spelt.get(m[0], m[0]), text)
    yield _statement(question, text, inside)


_TOGETHER = re.compile(
    rf"^\W*(?:both )?((?:{STAND_IN}[a-z](?:,? and |, | & | as well as )(?:the )?)+{STAND_IN}[a-z]) "
    r"(?!cost the|have the same|share)"
)


def _clauses(words: str) -> list[str]:
    pieces = [piece.strip() for piece in _CLAUSE.split(words)]
    kept: list[str] = []
    for piece in pieces:
        bare = not re.search(rf"\b{_VERB}\b|\d", piece)
        unfinished = bool(kept) and not _SAYING.sub(" ", kept[-1]).strip()
        if kept and (bare or unfinished or " than " in f" {piece} " or " than " in f" {kept[-1]} "):
            kept[-1] = f"{kept[-1]} and {piece}"
        else:
            kept.append(piece)
    first = kept[0] if kept else ""
    return _spelt_out(kept) if re.search(rf"\b{STAND_IN}[a-z]\b", first) else [words]


# of a clause that only names
_SAYING = re.compile(rf"\b({STAND_IN}[a-z]|both|and|the|models?|also|as well as)\b|[^\w\s]")
_SHORT = re.compile(
    rf"^({STAND_IN}[a-z]) (?:does|is|can|has|do|may|was)( not|n't|not)?(?: too| either)?\W*$"
    rf"|^so (?:does|is|can|has|do|may|was) ({STAND_IN}[a-z])\W*$"
)


def _spelt_out(clauses: list[str]) -> list[str]:
    """The clauses with "B does not", or "B does" after a denial, in full.

    It is false of B what is said before of A.
    """
    for place in range(1, len(clauses)):
        if short := _SHORT.match(clauses[place]):
            said = re.sub(rf"^.*?\b{STAND_IN}[a-z]\b", "", clauses[place - 1])
            differs = short[2] or (short[1] and _is_negated(clauses[place - 1]))
            denial = "it is false that " if differs else ""
            clauses[place] = f"{denial}{short[1] or short[3]}{said}"
    return clauses


def _letter(place: int) -> str:
    return chr(ord("a") + place % 26)


def _core(words: str) -> str:
    """The words without what wraps them."""
    plain = words.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").replace("license", "licence")
    wrapping = pattern([rf"\b(?:{word})" for word in vocabulary("claims")["wrapping"]])
    plain = _GLOSSED.sub("imagenet-", _TAG.sub("", plain))
    plain = _LEADING.sub(r"\1 ", plain)
    for said, unit, factor in _TENS:
        for written, number in re.findall(said, plain):
            plain = plain.replace(written, f"{float(number) * factor:.10g} {unit}".strip())
    for row in vocabulary("claims")["rewritten"]:
        plain = pattern(row["words"]).sub(row["to"], plain)
    plain = re.sub(r"\s+", " ", wrapping.sub(" ", plain)).strip()
    plain = _NOT_BUT.sub(" ", plain)
    plain = _CONTRAST.sub("", plain) if plain.count(" ") else plain
    return _ONE.sub("1 ", re.sub(r"\s+", " ", plain)).strip()


def _is_negated(words: str) -> bool:
    """Whether the sentences that name a system deny what they say."""
    sentences = re.split(r"(?<=[.!?;])\s", words)
    about = [one for one in sentences if f"{STAND_IN}a" in one] or sentences
    said = _words("no_negation").sub(" ", " ".join(about))
    return len(list(_words("negation").finditer(said))) % 2 == 1


def denies(words: str, at: int) -> bool:
    """Whether the clause that stands at a place denies what it says."""
    start = max((m.end() for m in _BREAK.finditer(words, 0, at)), default=0)
    end = _BREAK.search(words, at)
    clause = _words("no_negation").sub(" ", words[start : end.start() if end else None])
    return len(list(_words("negation").finditer(clause))) % 2 == 1


_BREAK = re.compile(r"[,;:.!?]\s|\b(?:but|because|since|although|so)\b")


def _words(name: str) -> re.Pattern[str]:
    return pattern(vocabulary("claims")[name])


def _numbers(words: str) -> tuple[Number, ...]:
    plain = _words("names").sub(lambda match: " " * len(match[0]), words)
    return tuple(_number(found, plain) for found in quantities(plain))


_BESIDE = 34  # characters before and after a number that say what it counts


def _number(found: Quantity, words: str) -> Number:
    written = re.match(r"[$€]?\s?([\d,]*\.?\d+)", words[found.start : found.end])
    digits = _thousands(written[1]) if written else ""
    shown = float(digits) if digits else found.value
    before, after = words[: found.start], words[found.end :]
    bound = _bound("before", before, r"\b(?:{})\W{{0,2}}\s*$") or ""
    bound = _bound("after", after, r"^\W*(?:{})") or bound
    scale = found.value / shown if shown else 1.0
    found = _of_things(found, after)
    beside = f"{before[-_BESIDE:]} {after[:_BESIDE]}"
    return Number(found, len(digits.partition(".")[2]), scale, bound, beside)


def _thousands(written: str) -> str:
    """A number with a point for the decimals: "1,000.5" and "88,6"."""
    grouped = re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", written)
    return written.replace(",", "") if grouped else written.replace(",", ".")


_THINGS = re.compile(
    r"^\W*(?:of )?(?P<USD>dollars?|usd|euros?|\$)|^\W*(?:of )?(?P<images>images|pictures|photos)"
    r"|^\W*(?:of )?(?P<steps>steps)"
    r"|^\W*(?P<things>times|people|users|downloads|pixels|captions|samples|examples|triples|hours"
    r"|gpus|files|customers|stars|copies|prompts|days|requests|label(?:s|led)|items|products|rows)\b"
)


def _of_things(found: Quantity, after: str) -> Quantity:
    """A bare million is of parameters, unless the next word says of what it is."""
    things = _THINGS.match(after) if found.unit == "number" else None
    return replace(found, unit=str(things.lastgroup)) if things else found


def _bound(table: str, words: str, form: str) -> str | None:
    """The bound that the words beside a number make of it."""
    rows = vocabulary("claims")[table].items()
    found = (name for name, told in rows if pattern([form.format(w) for w in told]).search(words))
    return next(found, None)
