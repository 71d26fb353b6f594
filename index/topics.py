"""What a message is after: a linear head over its sentence vector and hashed words.

Beside the guides it knows questions for one fact of a system and for the meaning of a term, wishes
for a model, work to be done, words about the assistant, and what no tool here does, by its kind.
It is fitted by `index fit` to messages that people wrote for each.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import load_file, save_file
from scipy.special import softmax

from index.grams import hashed
from index.replies import ABOUT, BRIEF, DO, ELSEWHERE, FACT, GUIDES, OTHER, PICK, TERM, replies

if TYPE_CHECKING:  # `--help` must not wait for what it imports
    from index.encoder import Vectors

WEIGHTS = Path(str(files("index"))) / "routing" / "topics.safetensors"
BUCKETS = 1 << 13
_SCALE = 6.0  # of a unit vector, whose numbers are small


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


def grams(text: str) -> list[int]:
    """Buckets of the words of a text, for the head."""
    return list(hashed(text.lower(), BUCKETS))


def scaled(vectors: "Vectors") -> "Vectors":
    """Sentence vectors as the head takes them."""
    return _SCALE * vectors


@dataclass(frozen=True)
class Topic:
    """What a message is after.

    Attributes:
        name: the likeliest of `topics`.
        share: its probability.
        guide: the likeliest guide.
        guided: its probability.
        general: probability that it is one of `general`.
        kind: the likeliest of `elsewhere`.
        absent: probability that it is one of those.
    """

    name: str
    share: float
    guide: str
    guided: float
    general: float
    kind: str
    absent: float


@dataclass(frozen=True)
class Topics:
    """The fitted head.

    Attributes:
        weights: shape (topics, dimensions).
        bias: shape (topics,).
        words: shape (BUCKETS, topics).
    """

    weights: "Vectors"
    bias: "Vectors"
    words: "Vectors"

    def read(self, text: str, vector: "Vectors") -> Topic:
        """What a message is after.

        Args:
            text: the message, in English.
            vector: its unit vector, shape (dimensions,).
        """
        logits = self.weights @ scaled(vector) + self.bias + self.words[grams(text)].mean(axis=0)
        shares = softmax(logits)
        told, kinds = len(general()), elsewhere()
        guide = int(shares[: len(replies(GUIDES))].argmax())
        absent = shares[told : told + len(kinds)]
        return Topic(
            topics()[int(shares.argmax())],
            float(shares.max()),
            topics()[guide],
            float(shares[guide]),
            float(shares[:told].sum()),
            kinds[int(absent.argmax())],
            float(absent.sum()),
        )

    def save(self, path: Path = WEIGHTS) -> None:
        """Writes the head where `load_topics` finds it."""
        parts = {"weights": self.weights, "bias": self.bias, "words": self.words}
        save_file({name: part.astype(np.float16) for name, part in parts.items()}, path)


@cache
def load_topics() -> Topics:
    """Loads the fitted head, once a process."""
    parts = load_file(WEIGHTS)
    return Topics(*(parts[name].astype(np.float32) for name in ("weights", "bias", "words")))
