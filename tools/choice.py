"""The choice among all systems: which fit, which nearly do, and which limit to relax."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from index.card import Card
from tools.base import Context
from tools.dossiers import Dossier, Finding, dossier, value
from tools.limits import findings
from tools.merit import merit
from tools.needs import Needs
from tools.vocabulary import vocabulary

_DEPTH = 200  # hits of the search: as good as all systems
# What may be relaxed, with how that is said; the first that help are told first.
RELAXABLE = {
    "max_price_usd": "pay more for a picture",
    "device_memory_gib": "use a device with more memory",
    "quantised": "allow quantised weights",
    "max_latency_ms": "allow more time",
    "min_fps": "allow fewer pictures a second",
    "max_parameters": "allow a larger model",
    "min_parameters": "allow a smaller model",
    "max_file_mb": "allow a larger file",
    "min_top1": "accept less accuracy",
    "references": "use fewer reference pictures",
    "megapixels": "make smaller pictures",
    **{row["name"]: row["ease"] for row in vocabulary("needs")["demands"]},
    "named": "take another model than the one you name",
    "barred": "allow what you rule out",
    "offline": "allow a hosted endpoint",
    "self-made": "allow a hosted endpoint",
    "hosted": "run it on a machine of your own",
    "licence": "allow another licence",
    "targets": "train another base",
    "device": "use a machine with a graphics card",
    "commercial": "use it for no commercial purpose",
}
_HIGHER = ("min_top1", "min_fps", "references", "megapixels")  # where the most is the least change
_NUMBERS = (*_HIGHER, "max_price_usd", "device_memory_gib", "max_latency_ms", "max_parameters",
            "min_parameters", "max_file_mb")  # fmt: skip
_FOR_PLACE = ("offline", "self-made", "device_memory_gib", "device")  # go together: a hosted one


@dataclass(frozen=True)
class Choice:
    """A system, how it keeps the limits, and its score.

    Attributes:
        found: the system with its facts.
        checked: its findings.
        score: how good it is for the use case.
    """

    found: Dossier
    checked: tuple[Finding, ...]
    score: float

    @property
    def card(self) -> Card:
        """The system's card."""
        return self.found.card

    @property
    def broken(self) -> tuple[Finding, ...]:
        """What it does not keep, or what nobody can tell."""
        return tuple(finding for finding in self.checked if finding.kept is not True)

    def finding(self, limit: str) -> Finding | None:
        """What was found of one limit."""
        return next((finding for finding in self.checked if finding.limit == limit), None)


@dataclass(frozen=True)
class Relaxation:
    """Limits to drop, and the system that would then fit.

    Attributes:
        limits: names of the limits.
        choice: the system, judged by all limits.
        told: the findings that show how far it is from them.
    """

    limits: tuple[str, ...]
    choice: Choice
    told: tuple[Finding, ...]


@dataclass(frozen=True)
class Chooser:
    """Weighs systems against needs; what the search says of them is looked up once."""

    ctx: Context
    fits: Mapping[str, float] = field(default_factory=dict)

    def weigh(self, needs: Needs) -> tuple[Choice, ...]:
        """All systems for the task, those that fit first, best first."""
        choices = [self._choice(card, needs) for card in _candidates(self.ctx, needs)]
        return tuple(sorted(choices, key=_order))

    def _choice(self, card: Card, needs: Needs) -> Choice:
        found = dossier(self.ctx, card, needs)
        checked = findings(found, needs)
        kept = {finding.limit: finding for finding in checked}
        return Choice(found, checked, merit(found, kept, needs, self.fits.get(card.id, 0.0)))

    def relaxed(self, needs: Needs, count: int) -> tuple[Relaxation, ...]:
        """The least changes of the needs that make some system fit."""
        names = [name for name in RELAXABLE if _is_asked(name, needs)]
        judged = {choice.card.id: choice for choice in self.weigh(needs)}
        for size in (1, 2):
            found = [
                relaxation
                for dropped in itertools.combinations(names, size)
                if (relaxation := self._dropping(dropped, needs, judged))
            ]
            told = [one for one in found if math.inf not in _change(one.choice, one.limits)]
            if found:  # one that nobody has figures of only where there is no other
                return tuple(_distinct(told or found))[:count]
        return ()

    def _dropping(
        self, dropped: tuple[str, ...], needs: Needs, judged: Mapping[str, Choice]
    ) -> Relaxation | None:
        eased = needs.without(*dropped, *(_FOR_PLACE if _goes_online(dropped) else ()))
        eased_choices = {one.card.id: one for one in self.weigh(eased) if not one.broken}
        fitting = [judged[system] for system in eased_choices]
        best = min(
            (one for one in fitting if _is_changed_by(one, dropped)),
            key=lambda choice: _change(choice, dropped),
            default=None,
        )
        if best is None:
            return None
        by = eased_choices[best.card.id] if "quantised" in dropped else best
        told = [f for f in by.checked if f.limit == "device_memory_gib" or f.kept is not True]
        return Relaxation(dropped, best, tuple(f for f in told if f.facts))

    def instead(self, needs: Needs, pick: Choice, count: int) -> tuple[Relaxation, ...]:
        """Which other system would be picked without one limit."""
        found = []
        for name in RELAXABLE:
            if _is_asked(name, needs) and not _goes_online((name,)):
                choices = self.weigh(needs.without(name))
                if choices[0].card.id != pick.card.id and not choices[0].broken:
                    judged = next(c for c in self.weigh(needs) if c.card.id == choices[0].card.id)
                    told = tuple(finding for finding in judged.broken if finding.facts)
                    found.append(Relaxation((name,), judged, told))
        return tuple(_distinct(found))[:count]


def chooser(ctx: Context, needs: Needs) -> Chooser:
    """What weighs systems for a use case."""
    hits = ctx.index.search(needs.words, _DEPTH)
    return Chooser(ctx, {hit.system: hit.score for hit in hits if hit.system})


def near_misses(choices: Sequence[Choice], needs: Needs, count: int) -> tuple[Choice, ...]:
    """The best systems that do not fit, those that break the fewest limits first."""
    real = [choice for choice in choices if choice.broken and not _is_beside(choice, needs)]
    return tuple(sorted(real, key=lambda choice: (len(choice.broken), -choice.score)))[:count]


def _is_beside(choice: Choice, needs: Needs) -> bool:
    """Whether nobody would think of a system here, such as a withdrawn one that was not named."""
    beside = {"status", "task", "own fine-tune", "targets"}
    broken = {finding.limit for finding in choice.broken} & beside
    return bool(broken) and choice.card.name.lower() not in needs.words


def _candidates(ctx: Context, needs: Needs) -> Iterator[Card]:
    task = "edit" if needs.task == "inpaint" else needs.task
    for card in ctx.catalog.cards.values():
        if task in card.tasks:
            yield card


def _order(choice: Choice) -> tuple[int, float]:
    return (len(choice.broken), -choice.score)


def _is_asked(name: str, needs: Needs) -> bool:
    if name == "quantised":
        return "not quantised" in needs.flags
    if name in ("named", "barred"):
        return bool(needs.only if name == "named" else needs.barred)
    if name == "targets":
        return bool(needs.targets) and needs.task == "personalize"
    if name == "self-made" and needs.place == "local":
        return not needs.limit("offline")
    return needs.limit(name) not in (None, False) or name in needs.flags


def _goes_online(dropped: Sequence[str]) -> bool:
    return bool({"offline", "self-made"} & set(dropped))


def _is_changed_by(choice: Choice, dropped: Sequence[str]) -> bool:
    """Whether what a system breaks is just what is dropped."""
    if _goes_online(dropped):
        return choice.card.kind == "hosted"
    freed = {*dropped, *(("device_memory_gib",) if "quantised" in dropped else ())}
    return {finding.limit for finding in choice.broken} <= freed


def _change(choice: Choice, dropped: Sequence[str]) -> tuple[float, ...]:
    """How far a system is from the dropped limits; the score decides where there is no figure."""
    parts: list[float] = []
    for name in dropped:
        finding = choice.finding(name)
        if name in _NUMBERS and finding and finding.kept is not True:
            numbers = [value(fact) for fact in finding.facts]
            amount = sum(numbers) if name == "max_price_usd" else next(iter(numbers), 0.0)
            parts.append((-amount if name in _HIGHER else amount) if numbers else math.inf)
    return (*parts, -choice.score)


def _distinct(found: Sequence[Relaxation]) -> Iterator[Relaxation]:
    """Each way of saying it once."""
    said = set()
    for relaxation in found:
        told = tuple(RELAXABLE[name] for name in relaxation.limits)
        if told not in said and len(set(told)) == len(told):
            said.add(told)
            yield relaxation
