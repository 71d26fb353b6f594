"""How good a fitting system is for a use case: one simple score of sourced parts."""

import math
import re
from collections.abc import Mapping

from tools.dossiers import Dossier, Finding, quantised, value, worth
from tools.limits_pictures import cost_of
from tools.needs import CLASSIFIER_TASKS, Needs

_WIDE = re.compile(r"12k|21k|22k|JFT")
_FREEDOM = {"yes": 0.6, "conditions": 0.2, "no": -1.2, None: -1.2}
# How a card and its vendor describe the standing of a model that makes pictures.
_STANDING = (
    (r"preview lane|fine-tune that you own|withdrawn", -2.0),
    (r"legacy|of the flux\.1 generation|first generation|second generation|small classic|first open|no longer offered", -0.8),
    (r"highest quality|best and dearest|best quality of the open", 3.0),
    (r"production quality|production at scale|strong prompt following|better pictures than", 2.0),
    (r"dependable|high-resolution|full-size|undistilled larger", 1.5),
)  # fmt: skip
# What people wish for, and how cards say that a model is good at it, or bad.
_WISHES = (
    (r"plastic|realis\w+|photograph\w*|portraits?|natural|candid|shutter|film look", r"look taken|do not look generated|candid|natural light|photographs", r"weak at people|weak hands"),
    (r"(?<!no )letter\w*|typograph\w*|text in|with text|readable|wording|words on|brand colou?rs?|infographic\w*|\blabels?\b", r"lettering|typograph|quoted text", r"lettering comes out wrong|cannot write|weaker at small print"),
    (r"negative prompts?", r"negative prompts?", r"no negative prompt"),
    (r"\bprints?\b|large (pictures|format)|high[\s-]res\w*|megapixel|4k\b", r"large pictures|high-resolution", r"small picture"),
    (r"references?|combin\w+|same (face|person|product|character)|consisten\w+", r"several (reference|pictures)|references at once|consistent", r"single input picture"),
    (r"several references|many outputs", r"references .{0,20}cost less|cached references", ""),
    (r"anime|manga|illustrat\w+|comics?", r"many styles|illustration", ""),
    (r"remov\w+|erase|gone|tourists?|clutter|scratch\w*|repair\w*|damage", r"removing|object removal|repairing|remove something", ""),
    (r"sketch\w*|drawings? into|layout", r"sketch|outlines", ""),
    (r"\bsell\b.{0,20}lora|lora.{0,30}\b(sell|sold)\b", r"loras that may be sold", ""),
    (r"web[\s-]?(page|ui)|commands|beginner", r"web page|do not want to write commands", ""),
    (r"\b(8|10|12) ?g(i?b|ig)|small card|low memory|old card", r"small (cards|gpus)|fitting small", ""),
    (r"every paper|quote[ds]?|every(one|body)|standard baseline|yardstick", r"most quoted|yardstick", ""),
    (r"reproduc\w+|published comparison", r"reproducing published|reference that papers", ""),
    (r"iphone|ipad|\bios\b|core ml", r"iphone|core ml", ""),
    (r"micro[\s-]?controller|fpga|esp32", r"microcontroller", ""),
    (r"mixed|messy|noisy|robust\w*", r"mixed (archives|quality)|messy|robust", ""),
)  # fmt: skip
_WORDS, _CAP = 2.0, 1.3  # what the search weighs; a system that is named gets no more than this
_MAIN, _ABLE, _WISH, _FLAW = 0.8, 0.7, 1.2, 0.8


def merit(found: Dossier, kept: Mapping[str, Finding], needs: Needs, fit: float) -> float:
    """The score by which fitting systems are ranked; higher is better.

    Args:
        found: the system.
        kept: what it keeps, by the name of the limit.
        needs: the needs.
        fit: how well the search finds the use case in what the card says.
    """
    words = _WORDS * min(fit, _CAP)
    if needs.limit("commercial") is not False:
        words += _FREEDOM[found.card.commercial_use]
    if needs.task in CLASSIFIER_TASKS:
        return _classifier(found, needs) + 1.5 * words + 3 * _wished(found, needs)
    return words + _wished(found, needs) + _maker(found, kept, needs)


def _classifier(found: Dossier, needs: Needs) -> float:
    """Accuracy less what its time costs on the kind of device; wide data help with few pictures."""
    if found.point is None:
        return 0.0
    score = worth(found.point, needs)
    data = found.first("training_data")
    wide = bool(data) and bool(_WIDE.search(str(data[0].value)))
    if needs.task != "classify" or "messy" in needs.flags:
        score += 1.5 * wide
    size = found.first("parameters")
    if "few pictures" in needs.flags and size:
        score -= max(0.0, math.log2(value(size[0]) / 30))
    return score


def _wished(found: Dossier, needs: Needs) -> float:
    """What its card says about what the use case wishes for."""
    told = [found.card.summary, *(str(fact.value) for fact in found.find("positioning"))]
    for capability in found.card.capabilities:
        told += [capability.title, capability.summary, *capability.best_for]
    good = " ".join(told).lower()
    bad = " ".join(limit for c in found.card.capabilities for limit in c.limits).lower()
    score = 0.0
    for wish, praise, flaw in _WISHES:
        if re.search(wish, needs.words):
            score += _WISH * bool(re.search(praise, good))
            score -= _FLAW * bool(flaw and re.search(flaw, bad))
    return score


def _maker(found: Dossier, kept: Mapping[str, Finding], needs: Needs) -> float:
    quality = 1.0 if "quality" in needs.flags or "accuracy" in needs.flags else 0.4
    cheap = 1.2 if "cheap" in needs.flags else 0.1 if quality == 1.0 else 0.5
    score = _standing(found) * (quality if "cheap" not in needs.flags else 0.1)
    score += _MAIN * (found.card.tasks[0] == _card_task(needs.task)) + _ABLE * _first(found, needs)
    parts, cost = cost_of(found, needs)
    if found.card.kind == "hosted":
        score -= cheap * (math.log2(max(cost, 0.001) / 0.014) if parts else 4.0)
    if "speed" in needs.flags:
        score += bool(re.search(r"\bfast|\bquick|handful of", found.card.summary.lower()))
        score -= 0.5 * _slowness(found)
    if found.card.kind == "weights" and needs.limit("device_memory_gib") is None:
        score -= _appetite(found)
    if memory := kept.get("device_memory_gib"):
        score += _room(memory, needs.limits["device_memory_gib"])
    return score


def _slowness(found: Dossier) -> float:
    """Doublings of the number of steps over those of the quickest."""
    steps = found.first("steps")
    return math.log2(max(value(steps[0]), 1.0) / 4) if steps else 0.0


def _appetite(found: Dossier) -> float:
    """What a large or unknown need of memory costs where the machine is not told."""
    stated = found.find("memory_gib") or (found.kin.find("memory_gib") if found.kin else ())
    return max(0.0, 0.35 * math.log2(value(stated[0]) / 12)) if stated else 0.8


def _room(memory: Finding, owned: float) -> float:
    """Room to spare is good, quantised weights are not: the fewer bits, the worse."""
    needed = max((value(fact) for fact in memory.facts), default=owned)
    coarse = any(re.search(r"4-bit|fp4|nf4|int4", fact.at, re.IGNORECASE) for fact in memory.facts)
    loss = 0.9 if coarse else 0.3 * any(quantised(fact) for fact in memory.facts)
    return 0.5 * max(0.0, 1 - needed / owned) - loss


def _card_task(task: str) -> str:
    return "edit" if task == "inpaint" else task


def _standing(found: Dossier) -> float:
    told = [found.card.summary, *(str(fact.value) for fact in found.find("positioning"))]
    text = " ".join(told).lower()
    return sum(worth for pattern, worth in _STANDING if re.search(pattern, text)) + 1.0


def _first(found: Dossier, needs: Needs) -> float:
    """Whether the wanted kind of edit is what the system does first of all."""
    wanted = {"mask": r"inpaint|mask|removal", "outpaint": r"outpaint", "control": r"control"}
    for flag, pattern in wanted.items():
        if flag in needs.flags and needs.task in ("edit", "inpaint"):
            places = [n for n, c in enumerate(found.card.capabilities) if re.search(pattern, c.id)]
            return 1.0 if places[:1] == [0] else 0.5 if places else 0.0
    return 0.0
