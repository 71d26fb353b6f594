"""The tool `explain`: answers questions about a system from its card and the table of results."""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from index.card import Capability, Card
from index.evidence import Claim, Fact
from index.gloss import in_english
from index.properties import properties
from index.replies import ELSEWHERE, FACT, named_reply
from tools import wording
from tools.base import Block, Context, NeedsInput, Table, Text, ToolCard, ToolFailed
from tools.guiding import Advice, advice, nearest_advice

if TYPE_CHECKING:  # `--help` must not wait for what it imports
    from index.ranker import Ranked

CARD = ToolCard(
    title="Explain a model",
    summary="Answers a question about a model, licence, price, parameter or how-to, with sources.",
    examples=(
        "How many parameters does convnext_femto have?",
        "What is the licence of FLUX.1 schnell?",
        "May I use FLUX.1 dev commercially?",
        "What does FLUX.2 pro cost per image?",
        "How much VRAM does klein 4B need?",
        "How accurate is mobilenetv3 large on ImageNet?",
        "What is Kontext good for?",
        "Tell me about Stable Diffusion XL",
        "How do I authenticate with the Black Forest Labs API?",
        "How many steps does schnell take?",
        "Which text encoder does klein use?",
        "Who publishes SimpleTuner?",
        "How many photos does DreamBooth need?",
        "Is FLUX.1 pro still available?",
        "How long are result links valid?",
        "How fast is resnet50 on a CPU?",
        "Which checkpoint should I train a LoRA on?",
        "What are the stage widths of convnext_femto?",
        "What are the limits of sdxl-turbo?",
        "Give me all you know of mobilenetv4",
        "resnet18 input size?",
        "does kontext accept a negative prompt",
        "What do the safety tolerance levels of the API mean?",
        "My request to the hosted endpoint came back with status 429, what does that mean?",
        "Which image sizes does FLUX.2 flex accept?",
        "What learning rate is usual for a DreamBooth LoRA?",
        "What is prior preservation good for?",
        "Who made dall-e-3 and when did it come out?",
        "I run a little shop, am I allowed to sell prints made with SDXL?",
        "How big is the file of vit_tiny on disk?",
        "On what data was resnet101 trained, and how?",
        "Do I have to pay again when a result is moderated?",
        "can klein be used with several reference pictures, and how many at most?",
        "Published throughput of mobilenetv4 on an A100",
        "How much graphics memory does SDXL want?",
        "What is guidance distillation?",
        "What are known problems of ControlNet?",
        "How do I install kohya sd-scripts and start it?",
        "In which file format do the Krea weights come?",
        "How long does it take to train FLUX on an H100?",
        "top-1 of efficientnet_b0",
        "what is FLUX.2 dev, in simple words",
        "Is Midjourney open source, and can it be downloaded?",
        "What does the fal trainer charge per run?",
        "schnell: maximum prompt length in tokens",
    ),
)
_SHOWN_FACTS = 12  # rows of the overview; the rest is a question away
_OVERVIEW = (
    "parameters", "licence", "commercial_use", "price", "memory_gib", "steps", "guidance",
    "max_text_tokens", "max_references", "top1", "latency_ms", "images_per_second", "file_mb",
    "training_data", "architecture", "text_encoder", "trains", "training_memory_gib",
    "training_steps", "status", "successor", "publisher",
)  # fmt: skip
_CLOSE = 1.5  # logits within which another fact answers about as well
_TOLD = 3  # facts in one sentence, at most
_SAME = 3.0  # logits within which a second system is asked about too
# From which the best fact answers a question: its logit, or its share among the facts.
_FITS, _LIKELY = 10.0, 0.5
_UNKNOWN = (
    "No source here answers this. Tell me what you want to do with pictures, and I name a model "
    "for it; or name a model, and I tell its licence, price, memory, speed or accuracy."
)
_PLAINLY = 12.0  # logit of the best fact from which it is plainly what is asked for
# Words that ask for all that is known of a system.
_ALL = re.compile(
    r"\b(?:tell me|more about|about (?:it|that|this)|describe|what (?:is|are|can) (?:it|that|they)"
    r"|good for|details|everything|introduce|limits)\b",
    re.IGNORECASE,
)
_KNOWN = 6  # properties named where none answers
_OFFERED = 3  # systems to choose from when none was named
# A question that names no system is answered if it describes one so well, and one fact of it fits.
_DESCRIBED, _CERTAIN = 1.0, 0.6  # search score; probability


def explain(ctx: Context, query: str, systems: tuple[str, ...] = ()) -> Iterator[Block]:
    """States what was asked in the first sentence, with its source; then what belongs to it.

    Args:
        ctx: the context.
        query: the question.
        systems: names of the systems it is about; found in the question if left out.

    Raises:
        ToolFailed: a system has no card and no published results.
        NeedsInput: the question is about no system that can be told.
    """
    query = in_english(query, ctx.index.names)
    given, named = _given(ctx, systems), ctx.index.named(query)
    general = advice(ctx, query, next(iter((*given, *named)), ""))
    if general and general.sure and (not named or (general.computed and len(named) == 1)):
        yield general.told
        return
    asks = ctx.index.topic(query, ctx.before).name == FACT
    if set(given) - set(named):  # the question itself does not say which
        of_each = [ctx.index.rank(query, ctx.evidence.find, (system,)) for system in given]
        answering = [ranked for ranked in of_each if _is_meant(query, ranked, asks)]
        if not answering or (general and _asked(answering[0][0]) in general.covers):
            yield _in_general(ctx, query, given, general)
            return
        for ranked in answering:
            yield from _answered(ctx, query, ranked)
        return
    ranked = ctx.index.rank(query, ctx.evidence.find)
    known = _is_answered(ranked) if named else _is_meant(query, ranked, asks)
    if (not named and general) or not (known or named) or (not known and general):
        yield _in_general(ctx, query, (), general)
        return
    for system in _about(ctx, query, named, ranked):
        yield from _answered(ctx, query, [found for found in ranked if found.system == system])


def _in_general(ctx: Context, query: str, systems: Sequence[str], general: Advice | None) -> Text:
    """That no model here does it, if that is asked; else advice, or that no source tells it."""
    kind = named_reply(ELSEWHERE, ctx.index.topic(query, ctx.before).kind)
    if kind and kind.say["any"]:
        return Text(kind.say["any"])
    told = general.told if general else nearest_advice(ctx, query, next(iter(systems), ""))
    return told or Text(_untold(ctx, systems) if systems else _UNKNOWN)


def _given(ctx: Context, systems: Sequence[str]) -> tuple[str, ...]:
    names = ctx.index.names
    found = tuple(names.resolve(system) or system for system in systems)
    for system in found:
        if ctx.catalog.get(system) is None:
            nearest = ", ".join(names.nearest(system))
            raise ToolFailed(f"No card or result is called {system!r}. The nearest: {nearest}.")
    return found


def _about(
    ctx: Context, query: str, named: Sequence[str], ranked: "Sequence[Ranked]"
) -> tuple[str, ...]:
    """The system of the best fact; another one that is named, if the same is asked of it."""
    best = ranked[0]
    if not named:
        scores = {hit.system: hit.score for hit in ctx.index.search(query)}
        told = scores.get(best.system, 0.0) >= _DESCRIBED
        if not told or _share(ranked, lambda found: found.system == best.system) < _CERTAIN:
            systems = list(dict.fromkeys(found.system for found in ranked))[:_OFFERED]
            choices = [f"{_name(ctx, system)}: {query}" for system in systems]
            raise NeedsInput("Which model do you mean?", choices)
    also = {
        found.system
        for found in ranked
        if found.score >= best.score - _SAME and _asked(found) == _asked(best)
    }
    return (best.system, *(system for system in named if system in also - {best.system}))


def _share(ranked: "Sequence[Ranked]", counts: "Callable[[Ranked], bool]") -> float:
    """How likely a question is answered by one of those that count, from 0 to 1."""
    weights = [math.exp(found.score - ranked[0].score) for found in ranked]
    of_these = zip(weights, ranked, strict=True)
    return sum(weight for weight, found in of_these if counts(found)) / sum(weights)


def _asked(found: "Ranked") -> str:
    """The property that a question asks for, if this answers it; empty for a description."""
    return found.fact.property if found.fact else ""


def _is_answered(ranked: "Sequence[Ranked]") -> bool:
    """Whether the best facts fit a question, and are not only the least bad of many."""
    best = ranked[0]
    share = _share(ranked, lambda found: _asked(found) == _asked(best))
    return best.score >= _FITS or share >= _LIKELY


def _is_meant(query: str, ranked: "Sequence[Ranked]", asks: bool) -> bool:
    """Whether a question that names no system asks for the best fact, and not for something else.

    In a talk people ask about their own things as well, where some fact is always the nearest;
    `asks` tells whether one fact is asked for.
    """
    if ranked[0].fact is None:
        return _ALL.search(query) is not None
    return _is_answered(ranked) and (asks or ranked[0].score >= _PLAINLY)


def _name(ctx: Context, system: str) -> str:
    card = ctx.catalog.get(system)
    return card.name if card else system


def _untold(ctx: Context, systems: Sequence[str]) -> str:
    """That nothing known of some systems answers a question, and what is known of the first."""
    names = ", ".join(_name(ctx, system) for system in systems)
    labels = (properties()[name].label for name in _OVERVIEW if ctx.evidence.find(systems[0], name))
    known = ", ".join(islice(labels, _KNOWN))
    first = _name(ctx, systems[0])
    return f"No source here tells this of {names}. What is known of {first}: {known}. Ask for any."


def _answered(ctx: Context, query: str, ranked: "Sequence[Ranked]") -> Iterator[Block]:
    """What is asked of one system."""
    card = ctx.catalog.get(ranked[0].system)
    if card is None:
        raise RuntimeError(f"{ranked[0].system} was ranked, but has no card")
    missing = next((found.missing for found in ranked if found.missing), "")
    if missing and ranked[0].score < _PLAINLY:
        yield Text(f"No source here says this of {card.name}: {properties()[missing].label}.")
        yield _overview(ctx, card)
    elif not _is_answered(ranked):
        yield Text(_untold(ctx, (card.id,)))
    elif ranked[0].fact:
        yield from _stated(card, ranked)
    else:
        yield from _described(ctx, card, query)


def _stated(card: Card, ranked: "Sequence[Ranked]") -> Iterator[Block]:
    """The best facts in a sentence, wrong claims about the same, and the rest in a table.

    Facts that answer about as well stand in the same sentence.
    """
    best = [found.fact for found in ranked if found.score >= ranked[0].score - _CLOSE]
    close = [fact for fact in best if fact is not None]
    same = [f.fact for f in ranked if f.fact and f.fact.property == close[0].property]
    wrong = [f for f in same if isinstance(f, Claim) and f.verdict == "refuted"]
    right = [fact for fact in close if fact not in wrong and wording.truth(fact) is not None]
    told = right[:_TOLD] or [f for f in (wording.best(same), *wrong) if f is not None][:1]
    label = properties()[close[0].property].label
    if not told:
        yield Text(f"Nobody can verify what is said of {card.name} about this: {label}.")
        return
    text = [wording.sentence(card, *told), wording.correction(card, wrong)]
    yield Text("\n\n".join(filter(None, text)), (*told, *wrong))
    rest = [fact for fact in same if fact not in told and fact not in wrong]
    if rest:
        yield _table(f"{card.name}: more on its {label}", rest)


def _table(title: str, facts: Sequence[Fact]) -> Table:
    rows = tuple(
        (
            properties()[fact.property].label,
            wording.shown(fact),
            fact.at or "-",
            wording.source(fact),
        )
        for fact in facts
        if wording.truth(fact) is not None
    )
    return Table(("Fact", "Value", "Condition", "Source"), rows, title, tuple(facts))


def _overview(ctx: Context, card: Card) -> Table:
    facts = (wording.best(ctx.evidence.find(card.id, name)) for name in _OVERVIEW)
    known = [fact for fact in facts if fact is not None][:_SHOWN_FACTS]
    return _table(f"{card.name}: known facts", known)


def _described(ctx: Context, card: Card, query: str) -> Iterator[Block]:
    """What a system is, or the capability that the question is about."""
    cited = ctx.catalog.find(card.id, "publisher")
    who = f" ({wording.source(cited[0])})" if cited else ""
    yield Text(f"{card.name}: {card.summary}{who}", tuple(cited[:1]))
    asked = {hit.id for hit in ctx.index.search(query, 10)}
    for capability in card.capabilities:
        if f"{card.id}#{capability.id}" in asked:
            yield Text(_capability(capability))
    yield _overview(ctx, card)
    if card.capabilities:
        rows = tuple((c.title, "; ".join(c.best_for) or "-") for c in card.capabilities)
        yield Table(("It can", "Best for"), rows, f"{card.name}: capabilities")


def _capability(capability: Capability) -> str:
    parts = [f"**{capability.title}**: {capability.summary}"]
    named = (("Limits", capability.limits), ("Needs", capability.needs))
    parts += [f"{name}: {'; '.join(items)}." for name, items in named if items]
    return "\n\n".join(parts)
