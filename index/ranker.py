"""Which fact answers a question: a small ranker over sentence vectors and shared words.

It scores each fact of a few systems by how near the question is to the ways of asking for its
property, to the fact itself, and by the rare words that both share. What these weigh, and a small
change of the vectors, is fitted by `index fit` to questions that people wrote about the facts.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from index.encoder import Vectors
from index.evidence import Claim, Fact
from index.properties import properties, show

WEIGHTS = Path(str(files("index"))) / "routing" / "ranker.safetensors"
OVERVIEW = "what it is, what it can do, what it is good for, its limits; all that is known of it"
FEATURES = (
    "asks", "outright", "condition", "detail", "unknown", "unconditional", "refuted", "near",
    "overview", "named", "named first", "found", "hosted", "not hosted",
)  # fmt: skip
_LONGEST_TEXT = 300  # characters of a fact that are encoded
_CHANCE = 4.0  # so that one common word shared by chance weighs little
_PLAIN, _MARGIN = 0.7, 0.25  # when a property is asked for so plainly that its lack is the answer
_LONG = 16  # letters of a phrase that cannot be chance
_WORD = re.compile(r"[a-z0-9.]+")
_TOP = re.compile(r"\btop[\s-]?(\d)\b")
_HOSTED = re.compile(
    r"\b(api|endpoint|hosted|bfl|credits?|webhooks?|poll\w*|post|request\w*|/?v1/|http|header"
    r"|servers?|moderat\w+)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Candidate:
    """A system that a question may be about.

    Attributes:
        system: its id.
        facts: what is known of it.
        text: the question, with "it" for this system's name.
        vector: vector of `text`, shape (dimensions,).
        named: its place among the systems that the question names, from 0; -1 if it is not named.
        found: its search score less that of the best system found; at most 0.
    """

    system: str
    facts: Sequence[Fact]
    text: str
    vector: Vectors
    named: int
    found: float


@dataclass(frozen=True)
class Ranked:
    """A fact and how well it answers a question.

    Attributes:
        system: id of the system.
        fact: the fact; none stands for all that is known of the system.
        score: in logits, to be compared within one question.
        missing: name of the property that is plainly asked for, if nothing is known of it here.
    """

    system: str
    fact: Fact | None
    score: float
    missing: str = ""


@dataclass(frozen=True)
class Phrases:
    """The ways in which people ask for each property.

    Attributes:
        properties: names of properties, each once.
        starts: where the phrases of each begin in `vectors`.
        vectors: unit vectors of the phrases, shape (phrases, dimensions).
    """

    properties: tuple[str, ...]
    starts: tuple[int, ...]
    vectors: Vectors

    def near(self, vector: Vectors) -> Mapping[str, float]:
        """Cosine of a question to the nearest phrase of each property."""
        best = np.maximum.reduceat(self.vectors @ vector, self.starts)
        return dict(zip(self.properties, best.tolist(), strict=True))


@dataclass(frozen=True)
class Ranker:
    """The fitted weights.

    Attributes:
        weights: of the features, shape (features,).
        scale: what the cosine of the changed vectors weighs.
        question: two matrices whose product is added to a question, shapes (dimensions, rank) and
            (rank, dimensions).
        fact: the same for a fact.
    """

    weights: Vectors
    scale: float
    question: tuple[Vectors, Vectors]
    fact: tuple[Vectors, Vectors]

    def rank(
        self, candidate: Candidate, near: Mapping[str, float], vectors: Vectors
    ) -> Iterator[Ranked]:
        """The facts of a candidate, and last its overview.

        Args:
            candidate: the system.
            near: cosine of its text to the phrases of each property.
            vectors: of its facts and of the overview, shape (facts + 1, dimensions).
        """
        rows = features(candidate, near, vectors @ candidate.vector)
        scores = self.scores(rows, candidate.vector, vectors).tolist()
        for fact, score in zip(candidate.facts, scores, strict=False):
            yield Ranked(candidate.system, fact, score)
        yield Ranked(candidate.system, None, scores[-1], _missing(candidate, near))

    def scores(self, features: Vectors, question: Vectors, facts: Vectors) -> Vectors:
        """Logits of facts.

        Args:
            features: shape (facts, features).
            question: unit vector, shape (dimensions,).
            facts: unit vectors, shape (facts, dimensions).
        """
        asked = _changed(question[None], self.question)[0]
        return np.asarray(
            features @ self.weights + self.scale * (_changed(facts, self.fact) @ asked)
        )

    def save(self, path: Path = WEIGHTS) -> None:
        """Writes the weights in half precision."""
        parts = {
            "weights": self.weights,
            "scale": np.array([self.scale], dtype="float32"),
            **{f"question.{place}": part for place, part in enumerate(self.question)},
            **{f"fact.{place}": part for place, part in enumerate(self.fact)},
        }
        save_file({name: part.astype("float16") for name, part in parts.items()}, path)


@cache
def load_ranker() -> Ranker:
    """The fitted ranker, once a process."""
    parts = {name: part.astype("float32") for name, part in load_file(WEIGHTS).items()}
    return Ranker(
        parts["weights"],
        float(parts["scale"][0]),
        (parts["question.0"], parts["question.1"]),
        (parts["fact.0"], parts["fact.1"]),
    )


def _missing(candidate: Candidate, near: Mapping[str, float]) -> str:
    """The property that is plainly asked for, if the candidate has no fact about it."""
    known = {fact.property for fact in candidate.facts}
    name = max(near, key=lambda name: near[name])
    best = max((near[here] for here in known), default=0.0)
    plainly = name not in known and near[name] >= _PLAIN and near[name] - best >= _MARGIN
    return name if plainly else ""


def _changed(vectors: Vectors, change: tuple[Vectors, Vectors]) -> Vectors:
    moved = vectors + vectors @ change[0] @ change[1]
    return np.asarray(moved / np.linalg.norm(moved, axis=1, keepdims=True))


def fact_text(fact: Fact) -> str:
    """What is encoded of a fact; a number is left out, since no question holds it."""
    label = properties()[fact.property].label
    value = show(fact.value, fact.unit) if isinstance(fact.value, str) else ""
    note = fact.note if isinstance(fact, Claim) else "measured here"
    return f"{label} {fact.at}: {value}. {note}"[:_LONGEST_TEXT]


def features(candidate: Candidate, near: Mapping[str, float], cosines: Vectors) -> Vectors:
    """Features of the facts of a candidate, and last those of its overview.

    Args:
        candidate: the system.
        near: cosine of its text to the phrases of each property.
        cosines: of its text to each fact and to the overview, shape (facts + 1,).

    Returns:
        Shape (facts + 1, features).
    """
    asked = frozenset(_words(candidate.text))
    conditions = _Shared([_condition(fact) for fact in candidate.facts])
    details = _Shared([_details(fact) for fact in candidate.facts])
    outright = _outright(candidate)
    hosted = bool(_HOSTED.search(candidate.text))
    own = candidate.system.startswith("api:")
    system = [
        candidate.named >= 0,
        candidate.named == 0,
        candidate.found,
        hosted and own,
        hosted and not own,
    ]
    rows = [
        [
            near.get(fact.property, 0.0),
            outright[fact.property],
            condition,
            detail,
            isinstance(fact, Claim) and fact.truth is None,
            not fact.at,
            isinstance(fact, Claim) and fact.verdict == "refuted",
            cosine,
            0.0,
            *system,
        ]
        for fact, condition, detail, cosine in zip(
            candidate.facts,
            conditions.with_(asked),
            details.with_(asked),
            cosines[:-1],
            strict=True,
        )
    ]
    rows.append([0.0] * 7 + [cosines[-1], 1.0, *system])
    return np.array(rows, dtype="float32")


def _condition(fact: Fact) -> str:
    return fact.at if isinstance(fact, Claim) else f"{fact.at} {fact.device} here"


def _details(fact: Fact) -> str:
    return f"{fact.value} {fact.right or ''} {fact.note}" if isinstance(fact, Claim) else ""


@dataclass(frozen=True)
class _Shared:
    """How much of what a question says stands in texts, rare words first."""

    texts: Sequence[str]

    @cached_property
    def _sets(self) -> Sequence[frozenset[str]]:
        return [_word_set(text) for text in self.texts]

    @cached_property
    def _rarity(self) -> Mapping[str, float]:
        """Inverse document frequency of each word."""
        counts = Counter(word for words in self._sets for word in words)
        return {word: math.log(1 + len(self.texts) / count) for word, count in counts.items()}

    def with_(self, asked: Iterable[str]) -> list[float]:
        """From 0 to 1 for each text."""
        asked = frozenset(asked)
        said = sum(self._rarity.get(word, 0.0) for word in asked) + _CHANCE
        return [sum(self._rarity[word] for word in asked & words) / said for words in self._sets]


@cache
def _word_set(text: str) -> frozenset[str]:
    return frozenset(_words(text))


def _outright(candidate: Candidate) -> Mapping[str, float]:
    """The share of the question, up to one, that is a phrase which asks for each property."""
    words = f" {' '.join(_words(candidate.text))} "
    said = {}
    for name in {fact.property for fact in candidate.facts}:
        found = (len(phrase) for phrase in _phrases(name) if f" {phrase} " in words)
        said[name] = min(1.0, max(found, default=0) / _LONG)
    return said


@cache
def _phrases(name: str) -> tuple[str, ...]:
    rule = properties()[name]
    return tuple(" ".join(_words(phrase)) for phrase in (rule.label, *rule.asks))


def _words(text: str) -> list[str]:
    """Lower-case words without plural endings; "top-1" is one word."""
    plain = _TOP.sub(r"top\1", text.lower()).replace("-", " ")
    words = (word.strip(".") for word in _WORD.findall(plain))
    return [word[:-1] if len(word) > 3 and word.endswith("s") else word for word in words if word]
