"""Which limits of a use case a system keeps, by its facts: kept, broken, or unknown."""

import re
from collections.abc import Callable, Iterator, Sequence

from tools import limits_classifiers as classifiers
from tools import limits_pictures as pictures
from tools import wording
from tools.dossiers import Dossier, Finding, is_target, runs_elsewhere, value
from tools.limits_demands import demands, named
from tools.needs import PICTURE_TASKS, Needs, group

_NO_GPL = re.compile(
    r"\b(?:no|not|without|avoid\w*|never)\b.{0,12}\ba?gpl"
    r"|\ba?gpl\b.{0,25}\b(?:forbidden|banned|prohibited|not allowed|no[\s-]go|impossible"
    r"|out|taboo|off limits|excluded)\b"
)
_OLD = "2024"  # a trainer not changed since runs on no current machine


def findings(found: Dossier, needs: Needs) -> tuple[Finding, ...]:
    """Every limit that concerns a system, kept or not."""
    checks = _CHECKS[group(needs.task)]
    return tuple(finding for check in checks for finding in check(found, needs))


# --- what holds for every system
def _status(found: Dossier, needs: Needs) -> Iterator[Finding]:
    card = found.card
    if card.status == "withdrawn":
        told = wording.shown(found.first("status")[0]) if found.first("status") else card.status
        yield Finding("status", False, f"its status is: {told}", found.first("status"))
    elif card.status == "facts only" and needs.task in PICTURE_TASKS:
        yield Finding("status", False, "it is indexed for comparison only", found.first("status"))
    elif card.kind == "pocket":
        yield Finding("status", False, "it is for trying out only: it knows drawn things")


def _licence(found: Dossier, needs: Needs) -> Iterator[Finding]:
    told = (*found.first("licence"), *found.first("commercial_use"))
    name = found.card.licence or "not stated"
    if needs.limit("commercial"):
        use = found.card.commercial_use
        if use == "conditions" and (broken := _above_revenue(found, needs)):
            yield broken
        else:
            words = {
                "yes": f"commercial use is allowed, licence {name}",
                "conditions": f"commercial use is allowed on the conditions of its licence, {name}",
                "no": f"its licence forbids commercial use: {name}",
            }.get(use or "", "no source here says whether commercial use is allowed")
            yield Finding("commercial", None if use is None else use != "no", words, told)
    if wanted := needs.limit("licence"):
        kept = _same_licence(str(wanted), found.card.licence) if found.card.licence else None
        yield Finding("licence", kept, f"its licence is {name}", found.first("licence"))
    if _NO_GPL.search(needs.words) and "GPL" in name:
        yield Finding("licence", False, f"its licence is {name}", found.first("licence"))


def _above_revenue(found: Dossier, needs: Needs) -> Finding | None:
    income, stated = needs.limit("revenue"), found.first("revenue_limit")
    if income is None or not stated or income < value(stated[0]):
        return None
    words = (
        f"it is free of charge below a yearly revenue of {wording.shown(stated[0])}, which you pass"
    )
    return Finding("commercial", False, words, stated)


def _same_licence(wanted: str, licence: str) -> bool:
    """Whether a licence is the wanted one, or as free where "open" or "permissive" is wanted."""
    if re.search(r"permissive|open[\s-]?source|free", wanted, re.IGNORECASE):
        return bool(re.search(r"apache|mit\b|bsd", licence, re.IGNORECASE))
    parts = [part for part in re.split(r"\s*(?:,|\bor\b|/|\|)\s*", wanted.lower()) if part]
    plain = re.sub(r"[\s_-]", "", licence.lower())
    return any(plain.startswith(re.sub(r"[\s_-]|licence|license", "", part)) for part in parts)


def _size(found: Dossier, needs: Needs) -> Iterator[Finding]:
    count = found.first("parameters")
    words = f"parameters: {wording.shown(count[0])}" if count else "its size is not published"
    if most := needs.limit("max_parameters"):
        kept = value(count[0]) * 1e6 <= most if count else None
        yield Finding("max_parameters", kept, words, count)
    if least := needs.limit("min_parameters"):
        kept = value(count[0]) * 1e6 >= least if count else None
        yield Finding("min_parameters", kept, words, count)


# --- trainers and their bases
def _training(found: Dossier, needs: Needs) -> Iterator[Finding]:
    trainer = found.card.kind != "weights"
    if "hosted" in needs.flags and needs.place == "hosted":
        hosted = runs_elsewhere(found.card)
        yield Finding("hosted", hosted, "it trains for you" if hosted else "you train yourself")
    elif trainer != ("trainer" in needs.flags):
        yield Finding("task", False, "it is a trainer" if trainer else "it is a base, no trainer")
        return
    old = [fact for fact in found.find("last_change") if str(fact.value) < _OLD]
    if old and "history" not in needs.flags:
        yield Finding(
            "status", False, f"last change: {wording.shown(old[0])}, too old to run", tuple(old)
        )
    yield from _trains(found, needs)


def _trains(found: Dossier, needs: Needs) -> Iterator[Finding]:
    if not needs.targets:
        return
    if found.card.kind == "weights":
        yield Finding("targets", is_target(found.card, needs), f"it is of {found.card.family}")
        return
    named = found.first("trainable_models")
    said = str(named[0].value if named else found.card.summary).lower().split("; not")[0]
    told = f"models it trains: {wording.shown(named[0])}" if named else found.card.summary
    yield Finding("targets", all(target in said for target in needs.targets), told, named)


_Check = Callable[[Dossier, Needs], Iterator[Finding]]
_CHECKS: dict[str, Sequence[_Check]] = {
    "classifier": (
        _status,
        _licence,
        _size,
        classifiers.accuracy,
        classifiers.footprint,
        demands,
        named,
    ),
    "picture": (
        _status,
        _licence,
        pictures.device,
        pictures.price,
        pictures.memory,
        _size,
        pictures.pace,
        pictures.abilities,
        pictures.fields,
        demands,
        named,
    ),
    "trainer": (
        _status,
        _licence,
        pictures.device,
        _training,
        pictures.memory,
        _size,
        demands,
        named,
    ),
}
