"""Limits of a use case on makers of pictures: device, memory, price, time, abilities."""

import math
import re
from collections.abc import Iterator, Sequence

from index.evidence import Claim, Fact
from tools import wording
from tools.dossiers import Dossier, Finding, quantised, runs_elsewhere, value
from tools.needs import PICTURE_TASKS, Needs

_PARTIAL = re.compile(r"\balone\b|\bwithout the\b|estimate|wrong model size", re.IGNORECASE)
_REMOTE = re.compile(r"\bremote\b", re.IGNORECASE)
_LARGE = 40  # GiB from which a graphics card is one for data centres
_CONSUMER = re.compile(r"RTX \d{4}|laptop")
_INSTRUCT = re.compile(r"^(instruction-|fast-|early-|series-)?editing$|^fast-multi")
_ABILITIES = {
    "outpaint": re.compile(r"outpainting"),
    "control": re.compile(r"(edges|depth)-control"),
    "variation": re.compile(r"variation|image-to-image|multi-reference"),
    "no prompt": re.compile(r"^image-variation$"),
}
_SHARED = 2 / 3  # of a Mac's memory a graphics program gets; the system keeps the rest
_NVIDIA = re.compile(r"TensorRT|NVFP4|CUDA|RTX")


def device(found: Dossier, needs: Needs) -> Iterator[Finding]:
    """Whether it runs where it shall."""
    hosted = runs_elsewhere(found.card)
    if needs.limit("offline") and hosted:
        yield Finding("offline", False, "it is hosted, so it needs a network")
    elif needs.place == "local" and hosted:
        yield Finding("self-made", False, "it is hosted, so it does not run on your machine")
    elif needs.place == "hosted" and not hosted:
        yield Finding("hosted", False, "it is no hosted endpoint: you run it yourself")
    elif not hosted and "weak" in needs.flags:
        yield Finding("device", False, "no phone or small board runs it in sensible time")
    elif not hosted and needs.limit("device") == "cpu":
        able = not needs.limit("max_latency_ms") and any(
            "CPU" in n for c in found.card.capabilities for n in c.needs
        )
        words = "it runs on a CPU, with patience" if able else "it needs a graphics card"
        yield Finding("device", able, words)


def memory(found: Dossier, needs: Needs) -> Iterator[Finding]:
    """Whether it fits into the memory, by what is stated of it or of its kin."""
    memory = needs.limit("device_memory_gib")
    if memory is None or runs_elsewhere(found.card):
        return
    if needs.limit("device") == "mps":
        memory *= _SHARED
    name = "memory_gib" if needs.task in PICTURE_TASKS else "training_memory_gib"
    usable = [fact for fact in found.find(name) if _counts(fact, needs)]
    if not usable and found.kin:
        usable = [fact for fact in found.kin.find(name) if _counts(fact, needs)]
    if not usable:
        yield Finding("device_memory_gib", None, "no source here states the memory that it needs")
        return
    fitting = [fact for fact in usable if value(fact) <= memory]
    best = min(fitting, key=_nearness) if fitting else min(usable, key=value)
    label = "memory to run" if name == "memory_gib" else "memory to train"
    told = f"{label}: {wording.cell(best)}"
    if found.kin and best.system == found.kin.card.id:
        like = "as large" if name == "memory_gib" else "a base that it trains"
        told = f"none is stated of its own; for {found.kin.card.name}, {like}, {told}"
    yield Finding("device_memory_gib", bool(fitting), told, (best,))


def _counts(fact: Fact, needs: Needs) -> bool:
    """Whether a stated memory is that of the whole model in a form that is wanted."""
    if _PARTIAL.search(fact.at) or (_REMOTE.search(fact.at) and needs.place == "local"):
        return False
    if needs.limit("device") == "mps" and _NVIDIA.search(fact.at):
        return False
    if fact.system.startswith("repo:") and not _concerns(fact, needs):
        return False
    return "not quantised" not in needs.flags or not quantised(fact)


def _concerns(fact: Fact, needs: Needs) -> bool:
    """Whether a trainer's memory is stated for what shall be trained, or for anything."""
    return all(target in fact.at.lower() for target in needs.targets)


def _nearness(fact: Fact) -> tuple[bool, bool, bool, float]:
    """Whole weights first, verified first, without a condition first, the least memory first."""
    verified = isinstance(fact, Claim) and fact.verdict == "verified"
    return (quantised(fact), not verified, bool(fact.at), value(fact))


def price(found: Dossier, needs: Needs) -> Iterator[Finding]:
    """Whether a picture is cheap enough; only hosted systems have a price per picture."""
    most = needs.limit("max_price_usd")
    if most is None or found.card.kind not in ("hosted", "service"):
        return
    parts, cost = cost_of(found, needs)
    told = ", ".join(f"{_PRICES[fact.property]}: {wording.cell(fact)}" for fact in parts)
    kept = cost <= most + 1e-9 if parts else None
    yield Finding("max_price_usd", kept, told or "its price is not published", parts)


_PRICES = {
    "price": "price per picture",
    "price_edit": "price per edit",
    "price_next_megapixel": "price per further megapixel",
}


def cost_of(found: Dossier, needs: Needs) -> tuple[tuple[Fact, ...], float]:
    """What a picture costs, with the facts that say so; no facts if it is unknown."""
    further, area = found.first("price_next_megapixel"), max(needs.limits.get("megapixels", 1.0), 1)
    name = "price" if needs.task == "generate" else "price_edit"
    facts = found.find(name) or found.find("price")
    if not facts:
        return (), math.inf
    usual = [fact for fact in facts if not fact.at.startswith("lowest")] or list(facts)
    base, more = usual[0], 0.0
    flat = "flat" in base.at
    if not flat:
        more = math.ceil(area) - 1 + max(needs.limits.get("references", 1.0) - 1, 0)
    if more and further:
        return (base, *further), value(base) + more * value(further[0])
    return ((base,), value(base)) if flat or not more else ((), math.inf)


def pace(found: Dossier, needs: Needs) -> Iterator[Finding]:
    """Published times of another machine are evidence: the words say whose."""
    slowest = needs.limit("max_latency_ms") or (
        1000 / needs.limits["min_fps"] if needs.limit("min_fps") else None
    )
    if slowest is None:
        return
    name = "max_latency_ms" if needs.limit("max_latency_ms") else "min_fps"
    facts = [
        fact
        for fact in found.find("latency_ms")
        if not re.search(r"batch of|alone|hosted|requests", fact.at)
    ]
    best = min(_alike(facts, needs), key=value, default=None)
    told = f"latency: {wording.cell(best)}" if best else "no speed is published for such a machine"
    yield Finding(name, value(best) <= slowest if best else None, told, (best,) if best else ())


def _alike(facts: Sequence[Fact], needs: Needs) -> Sequence[Fact]:
    """Those of the machine that is named, else of its class: a gaming card is no data centre."""
    named = [fact for fact in facts if needs.machine and needs.machine in fact.at.lower()]
    small = needs.machine.startswith("rtx") or (needs.limit("device_memory_gib") or _LARGE) < _LARGE
    return named or [fact for fact in facts if not small or _CONSUMER.search(fact.at)]


def abilities(found: Dossier, needs: Needs) -> Iterator[Finding]:
    """Whether it does the kind of edit that is wanted."""
    ids = [capability.id for capability in found.card.capabilities]
    for flag, pattern in _ABILITIES.items():
        if flag in needs.flags and needs.task == "edit":
            kept = any(pattern.search(name) for name in ids)
            yield Finding(flag, kept, "it can do this" if kept else f"it does not do this: {flag}")
    if needs.task == "edit" and not needs.flags & {*_ABILITIES, "mask"}:
        kept = any(_INSTRUCT.search(name) for name in ids)
        yield Finding(
            "task", kept, "it edits as told" if kept else "it does not follow instructions to edit"
        )
    if any("id of a fine-tune" in n for c in found.card.capabilities for n in c.needs):
        yield Finding(
            "own fine-tune", "own fine-tune" in needs.flags, "it needs a fine-tune of yours"
        )


def fields(found: Dossier, needs: Needs) -> Iterator[Finding]:
    """How many references and how large an area its facts say it takes."""
    for limit, name, label in (
        ("references", "max_references", "reference pictures"),
        ("megapixels", "max_megapixels", "largest area"),
    ):
        if (least := needs.limit(limit)) and (limit == "references" or least > 1):
            fact = found.first(name)
            told = f"{label}: {wording.cell(fact[0])}" if fact else f"no source states: {label}"
            yield Finding(limit, value(fact[0]) >= least if fact else None, told, fact)
