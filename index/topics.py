"""What a message is after: a head of the fitted network over its mean and hashed words.

Beside the guides it knows questions for one fact of a system and for the meaning of a term, wishes
for a model, work to be done, words about the assistant, and what no tool here does, by its kind.
It is fitted by `index fit` to messages that people wrote for each.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import softmax

from index.encoder import Vectors, gelu
from index.grams import hashed
from index.reader import load_reader
from index.replies import ABOUT, BRIEF, DO, ELSEWHERE, FACT, GUIDES, OTHER, PICK, TERM, replies

BUCKETS = 1 << 13
_MEANT = 0.5  # probability of what no tool here does from which that is meant


@cache
def general() -> tuple[str, ...]:
    """Names of what is told in words: the guides, facts, and terms."""
    return (*(reply.name for reply in replies(GUIDES)), FACT, TERM)


@cache
def elsewhere() -> tuple[str, ...]:
    """Names of what no tool here does."""
    return tuple(reply.name for reply in replies(ELSEWHERE))


@cache
def topics() -> tuple[str, ...]:
    """Names of all that a message may be after."""
    return (*general(), *elsewhere(), PICK, BRIEF, DO, ABOUT, OTHER)


@cache
def answered_by() -> Mapping[str, tuple[str, ...]]:
    """What messages for a tool are after, by the tool; those for the others are after work."""
    return {
        "none": elsewhere(),
        "recommend": (PICK, BRIEF),
        "help": (ABOUT,),
        "explain": general(),
    }


def grams(text: str) -> tuple[int, ...]:
    """Buckets of the words of a text, for the head."""
    return hashed(text.lower(), BUCKETS)


@dataclass(frozen=True)
class Topic:
    """What a message is after.

    Attributes:
        name: the likeliest of `topics`.
        share: its probability.
        guide: the likeliest guide.
        guided: its probability.
        kind: the likeliest of `elsewhere`, where what no tool here does is meant; else empty.
        answered: probability that a tool answers it, by those of `answered_by`.
        work: probability that it is after work, as a tool does.
    """

    name: str
    share: float
    guide: str
    guided: float
    kind: str
    answered: Mapping[str, float]
    work: float


def read_topic(text: str, before: str = "") -> Topic:
    """What a message is after.

    Args:
        text: its gloss.
        before: the step and the words before it; empty if there are none.
    """
    network = load_reader()
    return topic_of(text, network.read(text, before).mean, network.heads)


def topic_of(text: str, mean: Vectors, heads: Mapping[str, Vectors]) -> Topic:
    """What a message is after.

    Args:
        text: its gloss.
        mean: what the network makes of it, shape (dimensions,).
        heads: tensors of the heads.
    """
    inner = gelu(mean @ heads["topic_inner.weight"].T + heads["topic_inner.bias"])
    both = np.concatenate([inner, mean])
    logits = both @ heads["topic.weight"].T + heads["topic.bias"]
    shares = softmax(logits + heads["topic_words"][list(grams(text))].mean(axis=0))
    guide = int(shares[: len(replies(GUIDES))].argmax())
    share = dict(zip(topics(), map(float, shares), strict=True))
    answered = {tool: sum(map(share.__getitem__, after)) for tool, after in answered_by().items()}
    return Topic(
        topics()[int(shares.argmax())],
        float(shares.max()),
        topics()[guide],
        float(shares[guide]),
        max(elsewhere(), key=share.__getitem__) if answered["none"] >= _MEANT else "",
        answered,
        share[DO],
    )
