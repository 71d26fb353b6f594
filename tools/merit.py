"""How good a fitting system is for a use case: one simple score of sourced parts."""

import math
import re
from collections.abc import Mapping

from tools.dossiers import Dossier, Finding, quantised, value, worth
from tools.limits_pictures import cost_of
from tools.needs import CLASSIFIER_TASKS, PICTURE_TASKS, Needs
from tools.vocabulary import pattern, vocabulary

_WIDE = re.compile(r"12k|21k|22k|JFT")
_FREEDOM = {"yes": 0.6, "conditions": 0.2, "no": -1.2, None: -1.2}
_WORDS, _CAP = 2.0, 1.3  # what the search weighs; a system that is named gets no more than this
_SMALL = 2.0  # points of top-1 for a doubling of the parameters, where small is wanted
_SMALLEST = 12.0  # the same where nothing but the size counts
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
    if size:
        score -= _bulk(value(size[0]), needs)
    return score


def _bulk(millions: float, needs: Needs) -> float:
    """What parameters cost where a small one is wanted, or where few pictures train it."""
    cost = max(0.0, math.log2(millions / 30)) if "few pictures" in needs.flags else 0.0
    if "small" in needs.flags and not needs.limit("max_parameters"):
        only = "smallest" in needs.flags and "accuracy" not in needs.flags
        cost += (_SMALLEST if only else _SMALL) * math.log2(max(millions, 1.0))
    return cost


def _wished(found: Dossier, needs: Needs) -> float:
    """What its card says about what the use case wishes for."""
    told = [found.card.summary, *(str(fact.value) for fact in found.find("positioning"))]
    for capability in found.card.capabilities:
        told += [capability.title, capability.summary, *capability.best_for]
    good = " ".join(told).lower()
    bad = " ".join(limit for c in found.card.capabilities for limit in c.limits).lower()
    score = 0.0
    for row in vocabulary("needs")["wishes"]:
        if pattern(row["words"]).search(needs.words):
            score += _WISH * row.get("worth", 1.0) * bool(pattern(row["praise"]).search(good))
            score -= _FLAW * bool("flaw" in row and pattern(row["flaw"]).search(bad))
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
    elif quality < 1.0 and needs.task in PICTURE_TASKS:
        score -= 0.1 * _slowness(found)
    if found.card.kind == "weights" and needs.limit("device_memory_gib") is None:
        score -= _appetite(found) * (2 if needs.place == "local" else 1)
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
    rows = vocabulary("needs")["standing"]
    return 1.0 + sum(float(row["worth"]) for row in rows if pattern(row["words"]).search(text))


def _first(found: Dossier, needs: Needs) -> float:
    """Whether the wanted kind of edit is what the system does first of all."""
    wanted = {"mask": r"inpaint|mask|removal", "outpaint": r"outpaint", "control": r"control",
              "variation": r"variation"}  # fmt: skip
    for flag, ids in wanted.items():
        if flag in needs.flags and needs.task in ("edit", "inpaint"):
            places = [n for n, c in enumerate(found.card.capabilities) if re.search(ids, c.id)]
            return 1.0 if places[:1] == [0] else 0.5 if places else 0.0
    return 0.0
