"""Judges the numbers of a statement by facts: true, false, or unverifiable."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from index.evidence import Claim, Fact
from tools import wording
from tools.dossiers import value
from tools.statements import Number, Statement
from tools.vocabulary import pattern, vocabulary

_ABOUT = 0.10  # how far "about" reaches
HARDWARE = re.compile(
    r"\b(?:rtx|gtx)\s?\d+|\b[hab]\d{3}\b|\bl20\b|\bt4\b|raspberry|jetson|iphone|pixel|tpu|\bm[1-5]\b|\bi[79]\b"
)
# What a number of some unit can be in the unit of a fact: multiplied with.
_UNITS: dict[tuple[str, str], float] = {
    ("number", "million"): 1e-6, ("parameters", "million"): 1e-6, ("GiB", "GiB"): 1.0,
    ("MB", "GiB"): 1e-3, ("MB", "MB"): 1.0, ("GiB", "MB"): 1e3, ("ms", "ms"): 1.0,
    ("s", "ms"): 1e3, ("s", "s"): 1.0, ("ms", "s"): 1e-3, ("s", "minutes"): 1 / 60,
    ("USD", "USD"): 1.0, ("%", "%"): 1.0, ("steps", "steps"): 1.0, ("px", "px"): 1.0,
    ("size", "px"): 1.0, ("images/s", "pictures/s"): 1.0, ("megapixels", "megapixels"): 1.0,
    ("images", "pictures"): 1.0, ("runs", "times"): 1.0, ("number", "models"): 1.0,
    ("number", "USD"): 1.0, ("number", "G"): 1e-9, ("images", ""): 1.0,
}  # fmt: skip
_COUNTED = ("tokens", "classes", "numbers", "tasks", "models", "times", "blocks", "pictures",
            "of 100", "px", "G", "%", "")  # fmt: skip


@dataclass(frozen=True)
class Judgement:
    """The verdict on a statement.

    Attributes:
        verdict: none if nobody can tell.
        facts: what it rests on; the first holds the right value.
        note: a sentence more, without figures.
    """

    verdict: bool | None
    facts: tuple[Fact, ...]
    note: str = ""


Found = Callable[[str], Sequence[Fact]]


def believed(facts: Sequence[Fact]) -> list[Fact]:
    """Those that can be believed: neither refuted nor unverifiable."""
    return [
        f for f in facts if not (isinstance(f, Claim) and f.verdict in ("refuted", "unverifiable"))
    ]


def numeric(facts: Sequence[Fact], statement: Statement) -> Judgement | None:
    """Whether the numbers that are claimed are those of the facts, best first.

    Numbers that only say under which condition are no claims. A wrong number counts beside a
    right one if the claim is plainly about its property.
    """
    if written := _written(facts, statement):
        return written
    judged: list[tuple[int, Judgement]] = []
    for number in _claims(statement.numbers, facts):
        if fitting := _fits(number, facts, statement):
            same = [fact for fact in fitting if fact.property == fitting[0].property]
            place = list(facts).index(fitting[0])
            judged.append((place, _numbered(number, same, statement)))
    judged.sort(key=lambda one: one[0])
    wrong = [one for place, one in judged if one.verdict is False and place <= _PLAINLY]
    return [*wrong, *(one for _, one in judged)][0] if judged else None


def _written(facts: Sequence[Fact], statement: Statement) -> Judgement | None:
    """A bare number, such as that of a port, that stands in what a near fact says in words."""
    bare = [f"{n.quantity.value:g}" for n in statement.numbers if not n.quantity.unit]
    for fact in believed(facts)[:_NEAR]:
        if not isinstance(fact.value, str):
            continue
        if fact.property in _RANGES and (found := _ranged(fact, fact.value, statement)):
            return found
        if fact.property == "error_codes" and (found := _itemised(fact, fact.value, statement)):
            return found
        words = re.findall(r"(?<![a-z\d.])\d+(?![a-z\d])", fact.value.lower())
        if any(number in words for number in bare if len(number) > 1):
            return Judgement(not statement.negated, (fact,))
    return None


def _itemised(fact: Fact, listed: str, statement: Statement) -> Judgement | None:
    """Whether a number stands for what the claim says: "422 a field is wrong, 429 too many"."""
    said = re.findall(r"\b\d{3}\b", statement.words)
    words = _tokens(statement.words) - {"error", "code"}
    items = [item for item in listed.split(", ") if _tokens(item) & words]
    best = max(items, key=lambda item: len(_tokens(item) & words), default="")
    if not said or not best:
        return None
    return Judgement(all(number in best for number in said) != statement.negated, (fact,))


_RANGES = ("subject_photos", "prior_images")


def _ranged(fact: Fact, stated: str, statement: Statement) -> Judgement | None:
    """Whether numbers of pictures lie in the range that a fact states in words: "3 to 5"."""
    ends = [float(number) for number in re.findall(r"\d+", stated)]
    said = [n.quantity.value for n in statement.numbers if n.quantity.unit in ("", "images")]
    wanted = pattern([vocabulary("claims")["speaks"][fact.property]])
    if not ends or not said or not wanted.search(statement.words):
        return None
    inside = all(min(ends) <= number <= max(ends) for number in said)
    return Judgement(inside != statement.negated, (fact,))


_NEAR = 6  # facts, best first, that a bare number may belong to
_PLAINLY = 12  # places from the best fact within which a claim is plainly about a property


def _claims(numbers: Sequence[Number], facts: Sequence[Fact]) -> Sequence[Number]:
    """The numbers without those that state a condition, if others are left."""
    conditions = {part for fact in facts for part in _CONDITION.findall(fact.at)}
    measured = any(number.quantity.unit not in ("", "size") for number in numbers)
    numbers = [n for n in numbers if not (measured and n.quantity.unit == "size")]
    kept = [n for n in numbers if not _is_condition(n, conditions)]
    return kept or numbers


def _is_condition(number: Number, conditions: set[str]) -> bool:
    unit = number.quantity.unit or ("px" if number.quantity.value >= _PIXELS else "")
    return f"{number.quantity.value:g} {unit}" in conditions


_PIXELS = 128  # from which a bare number can be a size
_CONDITION = re.compile(r"\d+ (?:px|steps)")


def _fits(number: Number, facts: Sequence[Fact], statement: Statement) -> list[Fact]:
    """The facts that the number can be meant to state, best first."""
    able = [fact for fact in facts if in_unit(number, fact) is not None]
    fitting = [fact for fact in able if _speaks_of(fact, number, statement)]
    stated = {fact.property for fact in facts}
    return fitting or [
        fact
        for fact in able
        if fact.property in _INSTEAD
        and _INSTEAD[fact.property] not in stated
        and number.quantity.unit not in ("", "number")
    ]


# What a number means where the card does not state the property that it would mean else.
_INSTEAD = {
    "training_memory_gib": "memory_gib", "training_steps": "steps", "price_edit": "price",
    "price_month": "price", "training_price": "price", "training_time_min": "latency_ms",
    "memory_no_text_encoder_gib": "memory_gib",
}  # fmt: skip


def _speaks_of(fact: Fact, number: Number, statement: Statement) -> bool:
    """Whether the words let a property be meant; those near by, of a number without unit."""
    wanted = vocabulary("claims")["speaks"].get(fact.property)
    if not number.quantity.unit:
        near = pattern([wanted]).search(number.beside) if wanted else None
        return near is not None and near[0] != ""
    return wanted is None or bool(pattern([wanted]).search(statement.words))


def _numbered(number: Number, facts: Sequence[Fact], statement: Statement) -> Judgement:
    near = _under_condition(believed(facts), statement.words)
    if near is None:
        return Judgement(None, tuple(believed(facts)[:1]), "No figure is known for that machine.")
    refuted = [f for f in facts if isinstance(f, Claim) and f.verdict == "refuted"]
    if near and "memory" in near[0].property and _ONLY.search(statement.words):
        near = [min(near, key=value)]
        number = replace(number, bound="outright")
    matching = [fact for fact in near if _agrees(number, fact, statement.words)]
    if matching and not _disputed(matching[0], facts):
        return Judgement(not statement.negated, (matching[0],))
    if matching:
        return Judgement(None, (matching[0],))
    if near:
        return Judgement(statement.negated, (_nearest(number, near, statement.words), *refuted))
    if refuted:
        return Judgement(statement.negated, tuple(refuted))
    return Judgement(None, ())


_ONLY = re.compile(r"\bonly (on|with|in|if)\b")  # nothing less will do


def _disputed(match: Fact, facts: Sequence[Fact]) -> bool:
    """Whether nobody verified a value that another source gives and that cannot be verified."""
    unsure = isinstance(match, Claim) and match.verdict == "claimed"
    return unsure and any(
        isinstance(fact, Claim) and fact.verdict == "unverifiable" and fact.value == match.value
        for fact in facts
    )


def _under_condition(facts: Sequence[Fact], words: str) -> Sequence[Fact] | None:
    """The facts whose conditions the words share most; none if they name another machine."""
    machines = set(HARDWARE.findall(words))
    if machines and not any(m in f.at.lower() for m in machines for f in facts):
        timed = any(fact.property in _TIMES for fact in facts)
        return None if timed or any(HARDWARE.search(f.at.lower()) for f in facts) else facts
    said = _tokens(words)
    shares = [len(_tokens(fact.at) & said) for fact in facts]
    best = max(shares, default=0)
    near = [fact for fact, share in zip(facts, shares, strict=True) if share == best]
    return sorted(near, key=lambda fact: len(_tokens(fact.at) - said)) if best else near


_TIMES = ("latency_ms", "images_per_second", "seconds_per_image", "seconds_per_training_step",
          "training_time_min")  # fmt: skip


def in_unit(number: Number, fact: Fact) -> float | None:
    """The claimed number in the unit of a fact; none if it cannot be one of that unit."""
    if not is_number(fact):
        return None
    unit = number.quantity.unit
    if not unit:
        return number.quantity.value if fact.unit in _COUNTED else None
    factor = _UNITS.get((unit, fact.unit))
    return None if factor is None else number.quantity.value * factor


def _agrees(number: Number, fact: Fact, words: str) -> bool:
    claimed = in_unit(number, fact)
    if claimed is None:
        return False
    truth, bound = value(fact), number.bound or _implied(fact, words)
    if bound in ("most", "under") and fact.property.startswith(("max_", "revenue_")):
        bound = "outright"  # "takes up to four", "below a million"
    if bound == "can":
        return claimed <= truth
    return agrees(number, truth, fact, bound)


def agrees(number: Number, truth: float, fact: Fact | None = None, bound: str = "") -> bool:
    """Whether a claimed number, with its bound, agrees with a true value in the unit of a fact."""
    claimed = number.quantity.value if fact is None else in_unit(number, fact) or 0.0
    bound = bound or number.bound
    if bound == "about":
        return abs(truth - claimed) <= _ABOUT * abs(claimed)
    bounds = {"least": truth >= claimed, "most": truth <= claimed,
              "over": truth > claimed, "under": truth < claimed}  # fmt: skip
    if bound in bounds:
        return bounds[bound] or (bound in ("least", "most") and _rounds(number, truth, claimed))
    return _rounds(number, truth, claimed)


def _nearest(number: Number, facts: Sequence[Fact], words: str) -> Fact:
    """The fact that comes nearest to a bound; the best one where the number is said outright."""
    bound = number.bound or _implied(facts[0], words)
    if bound in ("most", "under"):
        return min(facts, key=value)
    return max(facts, key=value) if bound in ("least", "over") else facts[0]


def _implied(fact: Fact, words: str) -> str:
    """What the verb says: running in some memory is a bound, taking some pictures an ability."""
    memory = fact.property.endswith("memory_gib")
    if memory and re.search(
        r"\b(runs?|fits?|works?|enough|suffic\w+|possible|trains?) (on|in|into|with|for)?", words
    ):
        return "most"
    exact = re.search(r"\b(only|exactly|at most|maximum|max|limit\w*)\b", words)
    able = re.search(r"\b(takes?|accepts?|can|handles?|supports?|up to)\b", words)
    return "can" if fact.property.startswith("max_") and able and not exact else ""


def _rounds(number: Number, truth: float, claimed: float) -> bool:
    """Whether the truth, rounded as the claim is written, is the claim."""
    scale = claimed / (number.quantity.value / number.scale) if number.quantity.value else 1.0
    return abs(round(truth / scale, number.decimals) - claimed / scale) < 1e-9


def is_number(fact: Fact) -> bool:
    """Whether the value of a fact is a number."""
    truth = wording.truth(fact)
    value = fact.value if truth is None else truth
    return isinstance(value, int | float) and not isinstance(value, bool)


def _tokens(text: str) -> set[str]:
    """The words of a condition; a count with its unit is one word."""
    counts = {f"{n}{unit[:2]}" for n, unit in _COUNT.findall(text.lower())}
    words = set(re.findall(r"\d+x\d+|[a-z]+\d*|\d{3,}", _COUNT.sub(" ", text.lower())))
    return (words | counts) - _STOP


_COUNT = re.compile(r"\b(\d+)[\s-]?(px|pixels?|steps?|bits?)\b")
_STOP = frozenset(
    (
        "a", "an", "and", "the", "of", "on", "in", "at", "to", "with", "for", "is", "are", "it",
        "its", "by", "as", "or", "batch", "per", "than", "be", "was", "from", "that", "this", "gb",
        "gib", "mb", "ms", "s", "no", "not", "card", "gpu", "gpus", "memory", "picture", "pictures",
        "price", "second", "seconds", "model", "system", "example", "images", "image", "one", "x",
    )
)  # fmt: skip
