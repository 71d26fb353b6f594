"""Whether a system runs on the machine that somebody has, and how long it takes there."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from index.card import Card
from index.evidence import Fact
from tools import wording
from tools.base import Context, Text
from tools.choice import chooser
from tools.dossiers import Dossier, Finding, dossier, runs_elsewhere, value
from tools.limits import findings
from tools.needs import CLASSIFIER_TASKS, Needs, read_needs

_OF_MACHINES = ("device", "device_memory_gib")  # limits that a machine sets
_TIMES = ("latency_ms", "images_per_second", "seconds_per_image")
_SHOWN = 2  # published times


def fits(ctx: Context, query: str, card: Card) -> Text | None:
    """Whether a system runs on the machine that a question tells of; none if nothing decides.

    Args:
        ctx: the context.
        query: the question.
        card: the system.
    """
    name = card.name
    needs = read_needs(ctx, query, {"task": card.tasks[0]})
    found = dossier(ctx, card, needs)
    judged = [finding for finding in findings(found, needs) if finding.limit in _OF_MACHINES]
    if not judged or runs_elsewhere(card):
        return None
    facts = tuple(fact for finding in judged for fact in finding.facts)
    because = "; ".join(finding.words for finding in judged)
    if any(finding.kept is False for finding in judged):
        instead = _instead(ctx, needs)
        return Text(f"No, {name} does not fit there: {because}.{instead}", facts)
    if any(finding.kept is None for finding in judged):
        return Text(f"Nobody can tell for {name}: {because}.", facts)
    return Text(f"Yes, {name} fits there: {because}.{_mind(needs, judged)}", facts)


def _instead(ctx: Context, needs: Needs) -> str:
    """What fits the machine, without any other wish; else what is run elsewhere."""
    only = {name: value for name, value in needs.limits.items() if name in _OF_MACHINES}
    there = replace(needs, limits=only, flags=frozenset(), only=(), barred=())
    elsewhere = replace(there, limits={}, flags=frozenset({"hosted"}))
    for asked in (there, elsewhere):
        best = chooser(ctx, asked).weigh(asked)[0]
        if not best.broken:
            hosted = runs_elsewhere(best.card)
            return f" **{best.card.name}** {'needs only internet' if hosted else 'fits there'}."
    return ""


def _mind(needs: Needs, judged: Sequence[Finding]) -> str:
    """What a yes leaves open."""
    large = needs.task not in CLASSIFIER_TASKS
    if large and needs.limit("device") == "mps" and any(finding.facts for finding in judged):
        return " A Mac shares its memory with the system, so close what else is open."
    return " How fast it is there no source tells."


def times(ctx: Context, query: str, card: Card) -> Text | None:
    """Published times of a system, those of the machine in a question first; or none.

    Args:
        ctx: the context.
        query: the question.
        card: the system.
    """
    needs = read_needs(ctx, query, {"task": card.tasks[0]})
    published = list(_published(dossier(ctx, card, needs)))
    there = [fact for fact in published if needs.machine and needs.machine in fact.at.lower()]
    if not published:
        return None
    told = (there or published)[:_SHOWN]
    words = "" if there else f"No source here times {card.name} on your machine. "
    return Text(f"{words}{wording.sentence(card, *told)}{_enough(told[0], needs)}", tuple(told))


def _enough(fact: Fact, needs: Needs) -> str:
    """Whether a published time keeps the time or the rate that is asked for; empty if none is."""
    rate, most = needs.limit("min_fps"), needs.limit("max_latency_ms")
    longest = most or (1000 / rate if rate else None)
    if longest is None or fact.property != "latency_ms":
        return ""
    return f" There that is {'quick enough' if value(fact) <= longest else 'too slow'} for you."


def _published(found: Dossier) -> Iterator[Fact]:
    for name in _TIMES:
        yield from found.find(name)
