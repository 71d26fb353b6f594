"""A use case that goes on: what stays of the earlier advice, and what changes, in a few words."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from index.gloss import in_english
from index.replies import BRIEF
from tools.base import Block, Context, Text
from tools.choice import Choice, chooser
from tools.guiding import advice
from tools.needs import Needs, read_needs
from tools.picks import counting, table
from tools.relative import surpassing

THEN = "\n\N{HORIZONTAL ELLIPSIS} "  # stands between what was told and what is told now
_NEXT = 2  # other picks that are told
# What another system may keep better, but is no reason to change from one that keeps it.
_KEPT = {"offline", "commercial", "licence", "device_memory_gib", "max_price_usd", "self-made"}
_ANOTHER = re.compile(
    r"\b(?:another|other|different|second|next best|alternative) (?:one|model)s?\b"
    r"|\balternatives?\b|\bsomething else\b|\bis there (?:one|something|anything)\b",
    re.IGNORECASE,
)


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
    data: Callable[[Sequence[Choice]], Mapping[str, Any]],
) -> Iterator[Block]:
    """Says what stays, or what is taken instead and why.

    Args:
        ctx: the context.
        use_case: all the words, as above.
        needs: what is asked for now.
        choices: all systems, those that fit now first, best first.
        before: what came first before.
        data: what programs read of some picks, best first.
    """
    fitting = [choice for choice in choices if not choice.broken]
    old = next((choice for choice in choices if choice.card.id == before.card.id), before)
    others = [choice for choice in fitting if choice is not old]
    now = in_english(use_case.rpartition(THEN)[2], ctx.index.names)
    if old in fitting and (found := surpassing(now, fitting, old)):
        both = (found.choice, old) if found.choice else (old,)
        yield Text(found.said, found.cites, data(both))
        if found.choice:
            yield table(ctx, needs, both)
        return
    wishes = read_needs(ctx, now, {"task": before.card.tasks[0]})
    asked, another = {*wishes.limits, *wishes.flags}, _ANOTHER.search(now) is not None
    holds = old in fitting and not another and (old is fitting[0] or asked <= _KEPT)
    if holds or not others:
        picks = (old, *others[:_NEXT])
        yield _unchanged(ctx, now, bool(asked), picks, data(picks))
        return
    picks = tuple((others if another else fitting)[: 1 + _NEXT])
    counts, cites = counting(picks[0])
    facts = tuple(fact for finding in old.broken for fact in finding.facts)
    taken = _taken(picks[0].card.name, old, another)
    yield Text(f"{taken} {picks[0].card.summary} {counts}", (*cites, *facts), data(picks))
    yield table(ctx, needs, picks)


def _taken(name: str, old: Choice, another: bool) -> str:
    """What is taken instead of the earlier choice, and why."""
    if lost := "; ".join(finding.words for finding in old.broken):
        return f"Then take **{name}** instead of {old.card.name} ({lost})."
    if another:
        return f"After {old.card.name} comes **{name}**."
    what = f"**{name}** instead of {old.card.name}"
    return f"Then take {what}, which comes after it by what you add."


def _unchanged(
    ctx: Context, now: str, wished: bool, picks: Sequence[Choice], data: Mapping[str, Any]
) -> Text:
    """That the choice stays: in brief, with why, or with what is asked about it.

    Args:
        ctx: the context.
        now: the last words, in English.
        wished: whether they hold a wish or a limit.
        picks: the choice, and those that come after it.
        data: what programs read.
    """
    best = picks[0]
    counts, cites = counting(best)
    name, why = best.card.name, f"{best.card.summary} {counts}"
    if ctx.index.topic(now, ctx.before).name == BRIEF:
        return Text(f"Take **{name}**. {why}", cites, data)
    general = None if wished else advice(ctx, now, best.card.id)
    if general and general.sure:
        return Text(f"**{name}** stays my choice. {general.told.text}", general.told.cites, data)
    others = " and ".join(pick.card.name for pick in picks[1:])
    rest = f" After it: {others}." if others else ""
    reason = "." if wished else ": no source here ranks them by what you add."
    return Text(f"**{name}** stays my choice{reason} {why}{rest}", cites, data)
