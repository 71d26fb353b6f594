"""A system with all its facts, as the choice among systems reads them."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from index.card import Card
from index.evidence import Claim, Fact, Measurement
from tools import wording
from tools.base import Context
from tools.needs import CLASSIFIER_TASKS, Needs

_CPU, _GPU = "i7-12700H", "RTX 4090"  # whose published figures stand in for a machine not named
# What a doubling of the time per picture costs, in points of ImageNet top-1.
_HURRY = {"fastest": 12.0, "weak": 6.0, "cpu": 3.0, "mps": 1.0, "cuda": 0.3, "": 1.5}
_EASY_MS = 4.0  # a time per picture that nobody waits for
_BATCHED = 5.0  # doublings between a picture alone on a CPU and one in a batch on a GPU
_QUANTISED = re.compile(r"\b(fp8|int8|fp4|nf4|int4|nvfp4|[48]-bit|sdnq|qlora)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Finding:
    """Whether a system keeps one limit.

    Attributes:
        limit: name of the limit: an argument of the tool, an amount or a flag of the needs.
        kept: none if its facts do not tell.
        words: why, in words whose figures `facts` carry.
        facts: what it rests on.
    """

    limit: str
    kept: bool | None
    words: str
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True)
class Point:
    """A classifier at one size of its input.

    Attributes:
        top1: its published accuracy there.
        speed: latency or throughput there, on the machine asked about; none if unknown.
    """

    top1: Claim
    speed: Fact | None


@dataclass(frozen=True)
class Dossier:
    """A system with all facts about it.

    Attributes:
        card: the system.
        facts: about it, best first.
        kin: a sibling of the same size whose memory is stated, where this one's is not; of a
            trainer, the base to train.
        point: a classifier's best working point for the needs.
    """

    card: Card
    facts: tuple[Fact, ...]
    kin: "Dossier | None" = None
    point: Point | None = None

    def find(self, property: str) -> tuple[Fact, ...]:
        """Facts of one property that can be believed; refuted ones are left out."""
        return tuple(
            fact
            for fact in self.facts
            if fact.property == property
            and not (isinstance(fact, Claim) and fact.verdict in ("refuted", "unverifiable"))
        )

    def first(self, property: str) -> tuple[Fact, ...]:
        """The best fact of a property, or nothing."""
        return self.find(property)[:1]


def dossier(ctx: Context, card: Card, needs: Needs) -> Dossier:
    """The facts of a system, with its working point for the needs."""
    found = Dossier(card, tuple(ctx.evidence.find(card.id)))
    if needs.task in CLASSIFIER_TASKS:
        return Dossier(card, found.facts, point=_point(found, needs))
    if needs.task == "personalize":
        return Dossier(card, found.facts, kin=_base(ctx, card, needs))
    if card.kind == "weights" and not found.find("memory_gib"):
        return Dossier(card, found.facts, kin=_kin(ctx, found))
    return found


def _base(ctx: Context, trainer: Card, needs: Needs) -> Dossier | None:
    """The base that a trainer shall train, smallest first, if its memory is stated."""
    if trainer.kind == "weights" or not needs.targets:
        return None
    bases = [
        Dossier(card, tuple(ctx.evidence.find(card.id)))
        for card in ctx.catalog.cards.values()
        if card.kind == "weights" and "personalize" in card.tasks and is_target(card, needs)
    ]
    stated = [base for base in bases if base.find("training_memory_gib")]
    return min(stated, key=lambda base: sum(map(value, base.first("parameters"))), default=None)


def runs_elsewhere(card: Card) -> bool:
    """Whether a service runs it, or it is the code of one."""
    return card.kind in ("hosted", "service") or card.capabilities[0].id.startswith("hosted")


def is_target(card: Card, needs: Needs) -> bool:
    """Whether a base is what the words want trained."""
    said = " ".join((card.family, card.name, card.id, *card.aliases)).lower()
    return all(target in said for target in needs.targets)


def _kin(ctx: Context, found: Dossier) -> Dossier | None:
    """A sibling of the same size and text encoder whose memory somebody states."""
    size = [value(fact) for fact in found.first("parameters")]
    reader = [fact.value for fact in found.first("text_encoder")]
    for card in ctx.catalog.cards.values():
        if not size or card.family != found.card.family or card.kind != "weights":
            continue
        other = Dossier(card, tuple(ctx.evidence.find(card.id)))
        same = [value(fact) for fact in other.first("parameters")] == size
        alike = [fact.value for fact in other.first("text_encoder")] == reader
        if same and alike and other.find("memory_gib"):
            return other
    return None


def _point(found: Dossier, needs: Needs) -> Point | None:
    """The working point that keeps most limits; among those the best."""
    points = [Point(fact, _speed(found, fact, needs)) for fact in found.find("top1")
              if isinstance(fact, Claim)]  # fmt: skip

    def rank(point: Point) -> tuple[int, float]:
        kept = [finding.kept for finding in speed_findings(point, needs)]
        return (sum(one is True for one in kept), worth(point, needs))

    return max(points, key=rank, default=None)


def worth(point: Point, needs: Needs) -> float:
    """Accuracy in points of top-1, less what its time costs on the kind of device."""
    hurry = _hurry(needs)
    if point.speed is None:
        return value(point.top1) - hurry
    slower = math.log2(max(milliseconds(point.speed), 0.01) / _EASY_MS)
    on_gpu = point.speed.property == "images_per_second"
    return value(point.top1) - hurry * (slower + _BATCHED * on_gpu)


def _hurry(needs: Needs) -> float:
    """What time costs: little where accuracy counts, or where a limit on time is kept anyway."""
    weak = "weak" in needs.flags
    if "fastest" in needs.flags and "accuracy" not in needs.flags:
        return _HURRY["fastest"]
    if "accuracy" in needs.flags:
        return 1.0 if weak else 0.1
    if (needs.limit("max_latency_ms") or needs.limit("min_fps")) and not weak:
        return 0.1  # on a weak machine no published time shows that a limit is kept with ease
    modest = "modest" in needs.flags
    usual = _HURRY["weak" if weak or modest else needs.limit("device") or ""]
    if "speed" in needs.flags:
        usual = max(usual, _HURRY["cpu"])
    lone = (modest or needs.limit("device") == "cpu") and not weak
    return usual if needs.task == "classify" or lone else usual / 2


def _speed(found: Dossier, top1: Claim, needs: Needs) -> Fact | None:
    """Measured here if that is the machine in question, else published for the machine named."""
    on_cpu = needs.limit("device") != "cuda" and (
        needs.limit("device") == "cpu" or not needs.limit("min_fps")
    )
    name = "latency_ms" if on_cpu else "images_per_second"
    facts = found.find(name)
    if not needs.machine and "weak" not in needs.flags:
        for fact in facts:
            if isinstance(fact, Measurement) and "batch 1," in f"{fact.at},":
                return fact
    wanted = needs.machine or (_CPU if on_cpu else _GPU).lower()
    here = [f for f in facts if isinstance(f, Claim) and f.at.startswith(f"{top1.at},")]
    named = [f for f in here if wanted in f.at.lower()] or (
        here if not needs.machine else [f for f in here if _CPU in f.at or _GPU in f.at]
    )
    slowest = max if on_cpu else min
    return slowest(named, key=value, default=None)


def speed_findings(point: Point, needs: Needs) -> Iterator[Finding]:
    """Whether a classifier is quick and accurate enough at a working point."""
    fact = point.speed
    told = f"{_label(fact)}: {wording.cell(fact)}" if fact else "no speed is published for it"
    facts = (fact,) if fact else ()
    if slowest := needs.limit("max_latency_ms"):
        kept = milliseconds(fact) <= slowest if fact else None
        yield Finding("max_latency_ms", kept, told, facts)
    if rate := needs.limit("min_fps"):
        kept = 1000 / milliseconds(fact) >= rate if fact else None
        yield Finding("min_fps", kept, told, facts)
    if share := needs.limit("min_top1"):
        words = f"ImageNet top-1: {wording.cell(point.top1)}"
        yield Finding("min_top1", value(point.top1) >= share, words, (point.top1,))


def milliseconds(fact: Fact) -> float:
    """Time per picture by a latency or a throughput."""
    return value(fact) if fact.property == "latency_ms" else 1000 / value(fact)


def _label(fact: Fact) -> str:
    return "latency" if fact.property == "latency_ms" else "throughput"


def value(fact: Fact) -> float:
    """The number to believe of a fact; 0 if it is none."""
    truth = wording.truth(fact)
    return float(truth) if isinstance(truth, int | float) else 0.0


def quantised(fact: Fact) -> bool:
    """Whether a fact holds for quantised weights."""
    return bool(_QUANTISED.search(fact.at))
