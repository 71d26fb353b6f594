"""A use case that goes on: what stays of the earlier advice, and what changes, in a few words."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from index.gloss import in_english
from tools.base import Block, Context, Text
from tools.choice import Choice, chooser
from tools.guiding import advice
from tools.needs import Needs, read_needs
from tools.picks import counting, table

THEN = "\n\N{HORIZONTAL ELLIPSIS} "  # stands between what was told and what is told now
_NEXT = 2  # other picks that are told


def advised_before(
    ctx: Context, use_case: str, given: Mapping[str, Any], needs: Needs
) -> Choice | None:
    """What came first before the last words of a use case; none if they begin another one.

    Args:
        ctx: the context.
        use_case: all the words, with `THEN` between those of different turns.
        given: the typed limits, those of the last words among them.
        needs: what all of that asks for.
    """
    earlier, _, now = use_case.rpartition(THEN)
    if not earlier:
        return None
    new = read_needs(ctx, now, {"task": needs.task}).limits
    kept = {name: value for name, value in given.items() if name not in new}
    before = read_needs(ctx, earlier, {**kept, "task": needs.task})
    choices = chooser(ctx, before).weigh(before)
    return next((choice for choice in choices if not choice.broken), None)


def advised_again(
    ctx: Context,
    use_case: str,
    needs: Needs,
    choices: Sequence[Choice],
    before: Choice,
    data: Mapping[str, Any],
) -> Iterator[Block]:
    """Says what stays, or what is taken instead and why.

    Args:
        ctx: the context.
        use_case: all the words, as above.
        needs: what is asked for now.
        choices: all systems, those that fit now first, best first.
        before: what came first before.
        data: what programs read.
    """
    picks = [choice for choice in choices if not choice.broken][: 1 + _NEXT]
    best = picks[0]
    counts, cites = counting(best)
    name, why = best.card.name, f"{best.card.summary} {counts}"
    if best.card.id == before.card.id:
        if general := _asked(ctx, use_case, best):
            yield Text(f"**{name}** stays my choice. {general.text}", general.cites, data)
            return
        others = " and ".join(pick.card.name for pick in picks[1:])
        rest = f" After it: {others}." if others else ""
        yield Text(f"**{name}** stays my choice. {why}{rest}", cites, data)
        return
    old = next((choice for choice in choices if choice.card.id == before.card.id), before)
    lost = "; ".join(finding.words for finding in old.broken)
    instead = (
        f"{old.card.name} ({lost})"
        if lost
        else f"{old.card.name}, which comes after it by what you add"
    )
    facts = tuple(fact for finding in old.broken for fact in finding.facts)
    words = f"Then take **{name}** instead of {instead}. {why}"
    yield Text(words, (*cites, *facts), data)
    yield table(ctx, needs, picks)


def _asked(ctx: Context, use_case: str, best: Choice) -> Text | None:
    """What is said in general to the last words, if they tell no wish but ask about the advice."""
    now = use_case.rpartition(THEN)[2]
    wishes = read_needs(ctx, now, {"task": best.card.tasks[0]})
    if wishes.limits or wishes.flags:
        return None
    general = advice(ctx, in_english(now, ctx.index.names), best.card.id)
    return general.told if general and general.sure else None
