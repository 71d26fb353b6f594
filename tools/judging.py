"""Judges the numbers of a statement by facts: true, false, or unverifiable."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from index.evidence import Claim, Fact
from tools import wording
from tools.dossiers import value
from tools.statements import Number, Statement

_ABOUT = 0.10  # how far "about" reaches
_HARDWARE = re.compile(
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
    ("number", "USD"): 1.0,
}  # fmt: skip
_COUNTED = ("tokens", "classes", "numbers", "tasks", "models", "times", "blocks", "pictures",
            "of 100", "px", "")  # fmt: skip


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
        fitting = [f for f in facts if _claimed(number, f) is not None and _speaks_of(f, statement)]
        if fitting:
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
        words = re.findall(r"\d+", fact.value) if isinstance(fact.value, str) else []
        if any(number in words for number in bare if len(number) > 1):
            return Judgement(not statement.negated, (fact,))
    return None


_NEAR = 6  # facts, best first, that a bare number may belong to
_PLAINLY = 12  # places from the best fact within which a claim is plainly about a property


def _claims(numbers: Sequence[Number], facts: Sequence[Fact]) -> Sequence[Number]:
    """The numbers without those that state a condition, if others are left."""
    conditions = {part for fact in facts for part in re.findall(r"\d+ px", fact.at)}
    priced = any(number.quantity.unit == "USD" for number in numbers)
    kept = [
        number
        for number in numbers
        if f"{number.quantity.value:g} {number.quantity.unit}" not in conditions
        and not (priced and number.quantity.unit in ("megapixels", "images"))
    ]
    return kept or numbers


def _speaks_of(fact: Fact, statement: Statement) -> bool:
    """Whether the words let a property be meant that is easily mistaken for another."""
    wanted = _MARKED.get(fact.property)
    if wanted is not None:
        return bool(re.search(wanted, statement.words))
    if fact.unit == "USD":
        return bool(re.search(r"\bcents?\b|dollar|usd|euro|[$\u20ac]|price|cost", statement.words))
    return True


_MARKED = {
    "min_steps": r"fewest|minimum|at least|as few as|can",
    "max_steps": r"most|maximum|up to|limit",
    "training_steps": r"train|fine-?tun|dreambooth|lora",
    "text_encoder_parameters": r"encoder|language model",
    "activations": r"activation",
    "training_memory_gib": r"train|lora|fine-?tun|dreambooth",
    "seconds_per_training_step": r"train",
    "compile_s": r"compil",
    "latency_p95_ms": r"95|percentile",
    "price_next_megapixel": r"further|next|additional|extra|each more",
    "price_edit": r"edit",
    "price_month": r"month|plan|subscri",
    "training_price": r"train",
    "training_price_step": r"train",
    "credit_value": r"credit",
}


def _numbered(number: Number, facts: Sequence[Fact], statement: Statement) -> Judgement:
    near = _under_condition(believed(facts), statement.words)
    if near is None:
        return Judgement(None, tuple(believed(facts)[:1]), "No figure is known for that machine.")
    refuted = [f for f in facts if isinstance(f, Claim) and f.verdict == "refuted"]
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


def _disputed(match: Fact, facts: Sequence[Fact]) -> bool:
    """Whether nobody verified a value that another source gives and that cannot be verified."""
    unsure = isinstance(match, Claim) and match.verdict == "claimed"
    return unsure and any(
        isinstance(fact, Claim) and fact.verdict == "unverifiable" and fact.value == match.value
        for fact in facts
    )


def _under_condition(facts: Sequence[Fact], words: str) -> Sequence[Fact] | None:
    """The facts whose conditions the words share most; none if they name another machine."""
    machines = set(_HARDWARE.findall(words))
    if machines and not any(m in f.at.lower() for m in machines for f in facts):
        return None if any(_HARDWARE.search(f.at.lower()) for f in facts) else facts
    shares = [len(_tokens(fact.at) & _tokens(words)) for fact in facts]
    best = max(shares, default=0)
    return [fact for fact, share in zip(facts, shares, strict=True) if share == best]


def _claimed(number: Number, fact: Fact) -> float | None:
    """The claimed number in the unit of a fact; none if it cannot be one of that unit."""
    if not is_number(fact):
        return None
    unit = number.quantity.unit
    if not unit:
        return number.quantity.value if fact.unit in _COUNTED else None
    factor = _UNITS.get((unit, fact.unit))
    return None if factor is None else number.quantity.value * factor


def _agrees(number: Number, fact: Fact, words: str) -> bool:
    claimed = _claimed(number, fact)
    if claimed is None:
        return False
    truth, bound = value(fact), number.bound or _implied(fact, words)
    if bound == "about":
        return abs(truth - claimed) <= _ABOUT * abs(claimed)
    bounds = {"least": truth >= claimed, "most": truth <= claimed,
              "over": truth > claimed, "under": truth < claimed}  # fmt: skip
    if bound == "most" and fact.property.startswith("max_"):
        bound = ""  # "takes up to four"
    if bound in bounds:
        return bounds[bound] or (bound in ("least", "most") and _rounds(number, truth, claimed))
    if bound == "can":
        return claimed <= truth
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
    return set(re.findall(r"[a-z]+\d*|\d{3,}", text.lower())) - _STOP


_STOP = frozenset(
    (
        "a", "an", "and", "the", "of", "on", "in", "at", "to", "with", "for", "is", "are", "it",
        "its", "by", "as", "or", "batch", "per", "than", "be", "was", "from", "that", "this",
    )
)  # fmt: skip
