"""The tool `explain`: answers questions about a system from its card and the table of results."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from index.card import Capability, Card
from index.evidence import Claim, Fact
from index.properties import Property, properties
from tools import wording
from tools.base import Block, Context, NeedsInput, Table, Text, ToolCard, ToolFailed

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
_WORD = re.compile(r"[a-z0-9.]+")
_TOP = re.compile(r"\btop[\s-]?(\d)\b")
# Weights of `rank`, chosen on the fitting part of the property questions.
_OUTRIGHT, _CONDITION, _DETAIL, _DOUBT = 0.5, 0.7, 0.15, 0.2
_CHANCE = 4.0  # so that one common word shared by chance weighs little
_LONG = 16  # letters of a phrase that cannot be chance
_CLOSE = 0.1  # within which a second fact answers about as well
_DESCRIBED = 1.0  # search score from which a question without a name singles a system out
_SURE = 0.45  # from which score a fact answers the question
_PLAIN, _MARGIN = 0.7, 0.25  # when a property is asked for so plainly that its lack is the answer


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
    near = ctx.index.asked(query)
    for card in _cards(ctx, query, systems, near):
        ranked = rank(ctx.evidence.find(card.id), ctx.index.names.without(query), near)
        absent = _absent(ranked, near)
        if absent:
            yield Text(f"No source here states the {absent.label} of {card.name}.")
            yield _overview(ctx, card)
        elif ranked and ranked[0].score >= _SURE:
            yield from _stated(card, ranked)
        else:
            yield from _described(ctx, card, query)


@dataclass(frozen=True)
class Ranked:
    """A fact and how well it answers a question."""

    score: float
    fact: Fact


def rank(facts: Sequence[Fact], query: str, near: Mapping[str, float]) -> list[Ranked]:
    """Facts of one system by how well they answer a question, best first.

    The score adds how near the question is to the ways of asking for the property, whether it
    uses one of them outright, and the rare words that it shares with the fact's condition, value
    and note.

    Args:
        facts: the facts.
        query: the question.
        near: cosine of the question to the phrases of each property.
    """
    asked = set(_words(query))
    conditions = [set(_words(_condition(fact))) for fact in facts]
    details = [set(_words(_details(fact))) for fact in facts]
    rare = _rarity(conditions), _rarity(details)
    phrases = {name: _outright(name, query) for name in {fact.property for fact in facts}}
    scored = (
        Ranked(
            near.get(fact.property, 0.0)
            + _OUTRIGHT * phrases[fact.property]
            + _CONDITION * _shared(asked, condition, rare[0])
            + _DETAIL * _shared(asked, detail, rare[1])
            - _DOUBT * (wording.truth(fact) is None),
            fact,
        )
        for fact, condition, detail in zip(facts, conditions, details, strict=True)
    )
    return sorted(scored, key=lambda found: -found.score)


def _condition(fact: Fact) -> str:
    return fact.at if isinstance(fact, Claim) else f"{fact.at} {fact.device} here"


def _details(fact: Fact) -> str:
    return f"{fact.value} {fact.right or ''} {fact.note}" if isinstance(fact, Claim) else ""


def _rarity(texts: Sequence[set[str]]) -> Mapping[str, float]:
    """Inverse document frequency of each word."""
    counts = Counter(word for words in texts for word in words)
    return {word: math.log(1 + len(texts) / count) for word, count in counts.items()}


def _shared(asked: set[str], words: set[str], rarity: Mapping[str, float]) -> float:
    """How much of what the question says stands in the words, from 0 to 1."""
    said = sum(rarity.get(word, 0.0) for word in asked)
    return sum(rarity[word] for word in asked & words) / (said + _CHANCE)


def _outright(name: str, query: str) -> float:
    """The share of the question, up to one, that is a phrase which asks for the property."""
    text = f" {' '.join(_words(query))} "
    rule = properties()[name]
    phrases = (" ".join(_words(phrase)) for phrase in (rule.label, *rule.asks))
    longest = max((len(phrase) for phrase in phrases if f" {phrase} " in text), default=0)
    return min(1.0, longest / _LONG)


def _words(text: str) -> list[str]:
    """Lower-case words without plural endings; "top-1" is one word."""
    plain = _TOP.sub(r"top\1", text.lower()).replace("-", " ")
    words = (word.strip(".") for word in _WORD.findall(plain))
    return [word[:-1] if len(word) > 3 and word.endswith("s") else word for word in words if word]


def _absent(ranked: Sequence[Ranked], near: Mapping[str, float]) -> Property | None:
    """The property that is plainly asked for, if the system has no fact about it."""
    known = {found.fact.property for found in ranked}
    name = max(near, key=lambda name: near[name])
    best = max((near[known_name] for known_name in known), default=0.0)
    absent = name not in known and near[name] >= _PLAIN and near[name] - best >= _MARGIN
    return properties()[name] if absent else None


def _cards(
    ctx: Context, query: str, systems: Sequence[str], near: Mapping[str, float]
) -> tuple[Card, ...]:
    names = ctx.index.names
    found = [names.resolve(system) or system for system in systems] or ctx.index.named(query)
    for system in found:
        if ctx.catalog.get(system) is None:
            nearest = ", ".join(names.nearest(system))
            raise ToolFailed(f"No card or result is called {system!r}. The nearest: {nearest}.")
    if not found:
        found = _likely(ctx, query, near)
    return tuple(card for system in found if (card := ctx.catalog.get(system)))


def _likely(ctx: Context, query: str, near: Mapping[str, float]) -> tuple[str, ...]:
    """The system that a question without a name is most likely about."""
    hits = [hit for hit in ctx.index.search(query, 10) if hit.system]
    name = max(near, key=lambda name: near[name])
    for hit in hits if near[name] >= _PLAIN else hits[:1]:
        known = near[name] < _PLAIN or ctx.catalog.find(hit.system, name)
        if hit.score >= _DESCRIBED and known:
            return (hit.system,)
    raise NeedsInput("Which model do you mean?", [hit.system for hit in hits[:3]])


def _stated(card: Card, ranked: Sequence[Ranked]) -> Iterator[Block]:
    """The best fact in a sentence, wrong claims about the same, and the rest in a table.

    A second fact that answers about as well stands in the same sentence.
    """
    rule = properties()[ranked[0].fact.property]
    same = [found.fact for found in ranked if found.fact.property == rule.name]
    wrong = [f for f in same if isinstance(f, Claim) and f.verdict == "refuted"]
    first = wording.best([f for f in same if f not in wrong]) or wording.best(wrong)
    if first is None:
        yield Text(f"Nobody can verify what is said of the {rule.label} of {card.name}.")
        return
    close = [found.fact for found in ranked if found.score >= ranked[0].score - _CLOSE]
    told = (first, *[f for f in close if f is not first and f not in wrong][:1])
    text = [wording.sentence(card, *told), wording.correction(card, wrong)]
    yield Text("\n\n".join(filter(None, text)), (*told, *wrong))
    rest = [fact for fact in same if fact not in told and fact not in wrong]
    if rest:
        yield _table(f"{card.name}: more on its {rule.label}", rest)


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
