"""Answers to questions about image models in general, with facts of the system talked about."""

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from index.card import Card
from index.evidence import Fact
from index.replies import FACT, GUIDES, TERM, Reply, named_reply, outsiders, terms_in
from tools import wording
from tools.base import Context, Text
from tools.classes import named_classes
from tools.own_machine import fits, times
from tools.reckoning import priced

if TYPE_CHECKING:  # `--help` must not wait for what it imports
    from index.topics import Topic

# Probability from which a guide fits at all, fits, and is what is asked for.
_HARDLY, _PERHAPS, _SURELY = 0.06, 0.2, 0.45
_SENTENCES = re.compile(r"(?<=[.!?])\s+")
_SAYS = 3  # words of a sentence that says something
_TERMS = 2  # terms that are explained
_FACTS = 2  # facts told after the words
_CLASSES = 6  # classes that are named
_KNOWS, _RIVAL = "knows", "rival"  # answered from the classes themselves; of other systems
# Guides that are told from facts, where there are any that decide.
_COMPUTED = {"my-machine": fits, "mac": fits, "graphics-card": fits, "my-time": times}
_PRICES = ("cost", "picture-price")  # guides that tell what many pictures cost
_OF_IMAGENET = 1000  # classes


@dataclass(frozen=True)
class Advice:
    """What is said in general to a question.

    Attributes:
        told: the words.
        sure: whether the question is about just this, and not about a fact.
        covers: properties whose facts belong to the words.
        computed: whether the words were found for this question and system.
    """

    told: Text
    sure: bool
    covers: tuple[str, ...] = ()
    computed: bool = False


def advice(ctx: Context, query: str, system: str = "") -> Advice | None:
    """What is said in general to a question, of one system if one is talked about.

    Args:
        ctx: the context.
        query: the question, in English.
        system: id of the system; empty if none is meant.

    Returns:
        None where neither a guide nor a term fits.
    """
    topic = _topic(ctx, query)
    rival = bool(outsiders(query))
    reply = named_reply(GUIDES, _RIVAL if rival else topic.guide)
    share = 1.0 if rival else topic.guided
    if reply and share >= _PERHAPS and (rival or topic.name not in (FACT, TERM)):
        told, computed = guided(ctx, query, reply, system), reply.name in _COMPUTED
        return Advice(told, share >= _SURELY, reply.facts, computed and bool(system))
    unclear = topic.name != FACT and topic.guided < _HARDLY
    if (topic.name == TERM or unclear) and (terms := terms_in(query)):
        words = "\n\n".join(term.say["any"] for term in terms[:_TERMS])
        return Advice(Text(words), topic.name == TERM)
    return None


def nearest_advice(ctx: Context, query: str, system: str) -> Text | None:
    """What the likeliest guide says, where nothing fits better; none if it hardly fits.

    Args:
        ctx: the context.
        query: the question, in English.
        system: id of the system that is talked about.
    """
    topic = ctx.index.topic(query, ctx.before)
    reply = named_reply(GUIDES, topic.guide)
    return guided(ctx, query, reply, system) if reply and topic.guided >= _HARDLY else None


def _topic(ctx: Context, query: str) -> "Topic":
    """What a question is about; where that is unsure, what the surest of its sentences is about."""
    whole = ctx.index.topic(query, ctx.before)
    sentences = [part for part in _SENTENCES.split(query) if len(part.split()) >= _SAYS]
    if whole.share >= _SURELY or len(sentences) < 2:
        return whole
    each = [ctx.index.topic(part, ctx.before) for part in sentences]
    told = [found for found in each if found.name == found.guide]
    return max((whole, *told), key=lambda found: found.share)


def not_known(text: str) -> str:
    """That systems which a text names are not known here; empty if there are none."""
    if not (names := outsiders(text)):
        return ""
    verb = "is" if len(names) == 1 else "are"
    return f"{' and '.join(names)} {verb} not among the systems that I know."


def guided(ctx: Context, query: str, reply: Reply, system: str) -> Text:
    """What a guide says, of one system if one is talked about.

    Args:
        ctx: the context.
        query: the question, in English.
        reply: the guide.
        system: id of the system; empty if none is meant.
    """
    card = ctx.catalog.get(system) if system else None
    if card and (computed := _COMPUTED.get(reply.name)) and (found := computed(ctx, query, card)):
        return found
    named = _classes_told(ctx, query, card) if reply.name == _KNOWS else ""
    words = named or reply.say.get(_group(card), reply.say["any"])
    if card:
        where = card.run.repository or card.id
        words = words.format(name=card.name, id=card.id, repository=where, page=card.page)
    owner = _sold(ctx, card) if reply.name in _PRICES else card
    about = owner if owner and _facts(ctx, reply, owner) else ctx.catalog.get(reply.card)
    facts = _facts(ctx, reply, about) if about else ()
    facts = (*facts, *priced(query.lower(), facts)) if reply.name in _PRICES else facts
    told = wording.sentence(about, *facts) if about and facts else ""
    if card and not told:
        told = reply.lacks.format(name=card.name)
    said = (told, words) if reply.lead else (words, told)
    parts = (not_known(query), *said, _unbuilt(ctx, reply))
    return Text(" ".join(filter(None, parts)), facts)


def _group(card: Card | None) -> str:
    """What kind of system the words are for."""
    if card is None:
        return "any"
    if card.kind in ("hosted", "service"):
        return "hosted"
    if card.run.engine == "convnet":
        return "classifier"
    return "trainer" if card.kind == "repository" else "maker"


def _facts(ctx: Context, reply: Reply, card: Card) -> tuple[Fact, ...]:
    """The first facts of a system that the guide asks for."""
    best = (wording.best(ctx.evidence.find(card.id, name)) for name in reply.facts)
    return tuple(islice((fact for fact in best if fact is not None), _FACTS))


def _sold(ctx: Context, card: Card | None) -> Card | None:
    """The system whose price counts: a maker with weights has one where a service runs it."""
    if card is None or _group(card) != "maker":
        return card
    hosted = (one for one in ctx.catalog.cards.values() if one.kind == "hosted")
    return next((one for one in hosted if one.name.startswith(card.name)), card)


def _unbuilt(ctx: Context, reply: Reply) -> str:
    card = ctx.tools[reply.tool].card if reply.tool else None
    if card is None or card.built:
        return ""
    return f"My own tool for that is not built yet: {card.title}."


def _classes_told(ctx: Context, query: str, card: Card | None) -> str:
    """Which of the things in a question a classifier of ImageNet names; empty if it is none."""
    if card and (_group(card) != "classifier" or not _is_of_imagenet(ctx, card)):
        return ""
    who = card.name if card else "A classifier trained on ImageNet"
    if not (known := named_classes(query)):
        return (
            f"Not by name: no class of ImageNet that {who} has is called so. "
            "It can be taught such things with labelled pictures of your own."
        )
    more = ", and more" if len(known) > _CLASSES else ""
    told = ", ".join(f"'{name}'" for name in known[:_CLASSES])
    return (
        f"{who} has these classes of ImageNet among those that it names: {told}{more}. "
        "What is not among them it must be taught with labelled pictures of your own."
    )


def _is_of_imagenet(ctx: Context, card: Card) -> bool:
    count = wording.best(ctx.evidence.find(card.id, "classes"))
    return count is not None and wording.truth(count) == _OF_IMAGENET
