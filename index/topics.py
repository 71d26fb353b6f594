"""Which guide a question is about: a linear head over its sentence vector and hashed words.

Beside the guides it knows questions for one fact of a system, for the meaning of a term, and for
something else. It is fitted by `index fit` to questions that people wrote about each.
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
from index.replies import FACT, GUIDES, OTHER, TERM, replies

if TYPE_CHECKING:  # `--help` must not wait for what it imports
    from index.encoder import Vectors

WEIGHTS = Path(str(files("index"))) / "routing" / "topics.safetensors"
BUCKETS = 1 << 13
_SCALE = 6.0  # of a unit vector, whose numbers are small


def topics() -> tuple[str, ...]:
    """Names of what a question may be about: the guides, then what is none."""
    return (*(reply.name for reply in replies(GUIDES)), FACT, TERM, OTHER)


def grams(text: str) -> list[int]:
    """Buckets of the words of a text, for the head."""
    return list(hashed(text.lower(), BUCKETS))


def scaled(vectors: "Vectors") -> "Vectors":
    """Sentence vectors as the head takes them."""
    return _SCALE * vectors


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

    def read(self, text: str, vector: "Vectors") -> tuple[str, float]:
        """What a question is most likely about, and its probability.

        Args:
            text: the question, in English.
            vector: its unit vector, shape (dimensions,).
        """
        logits = self.weights @ scaled(vector) + self.bias + self.words[grams(text)].mean(axis=0)
        shares = softmax(logits)
        return topics()[int(shares.argmax())], float(shares.max())

    def save(self, path: Path = WEIGHTS) -> None:
        """Writes the head where `load_topics` finds it."""
        parts = {"weights": self.weights, "bias": self.bias, "words": self.words}
        save_file({name: part.astype(np.float16) for name, part in parts.items()}, path)


@cache
def load_topics() -> Topics:
    """Loads the fitted head, once a process."""
    parts = load_file(WEIGHTS)
    return Topics(*(parts[name].astype(np.float32) for name in ("weights", "bias", "words")))
