"""Fits the ranker of facts to questions that people wrote about them; run by `index fit`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from assistant.wiring import searched
from index.catalog import Catalog, load
from index.encoder import DIMENSIONS, Vectors, load_encoder
from index.evidence import Fact
from index.names import Names
from index.ranker import FEATURES, Ranker, features
from index.search import SHIPPED, SearchIndex, build
from tools.base import Report, load_tools

QUESTIONS = Path(__file__).parents[1] / "tests" / "questions" / "facts.jsonl"
_RANK = 128  # of the change of the vectors
_EPOCHS, _BATCH, _SEED = 20, 32, 1
_RATE, _FEATURE_RATE, _DECAY = 1e-3, 1e-2, 0.3
_DROP = 0.4  # share of the numbers of a vector that the change does not see while fitting


@dataclass(frozen=True)
class Asked:
    """A question with what answers it.

    Attributes:
        text: the question.
        system: the system that it is about.
        facts: property and condition of each fact that answers it; none if an overview does.
    """

    text: str
    system: str
    facts: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Example:
    """A question as the ranker sees it, all its systems in one row.

    Attributes:
        features: shape (facts, features).
        questions: one vector for each fact, since a question hides the name of the fact's system;
            shape (facts, dimensions).
        facts: shape (facts, dimensions).
        right: whether a fact answers it, shape (facts,).
    """

    features: Vectors
    questions: Vectors
    facts: Vectors
    right: Vectors


def fit_ranker(report: Report) -> Mapping[str, float]:
    """Fits the ranker, keeps it, and returns what it gets right of questions it was not shown."""
    known, encoder = load(), load_encoder()
    texts = searched(known, load_tools())
    index = build(texts, encoder, Names(known, encoder.is_word), old=(SHIPPED,))
    questions, examples = read(QUESTIONS), []
    for place, asked in enumerate(questions):
        if place % 100 == 0:
            report(0.3 * place / len(questions), "reading the questions")
        examples.append(example(asked, index, known))
    examples = [each for each in examples if each.right.any()]
    report(0.3, "fitting to nine questions of ten")
    held = right_first(fit([e for n, e in enumerate(examples) if n % 10]), examples[::10])
    report(0.65, "fitting to all")
    fit(examples).save()
    return held


def read(path: Path) -> tuple[Asked, ...]:
    """The questions of a file of JSON lines."""
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return tuple(
        Asked(row["text"], row["system"], frozenset((name, at) for name, at in row["facts"]))
        for row in rows
    )


def example(asked: Asked, index: SearchIndex, catalog: Catalog) -> Example:
    """What the ranker is given for a question, with the answer."""
    rows, questions, vectors, right = [], [], [], []
    for candidate in index.candidates(asked.text, catalog.find):
        found = index.fact_vectors(candidate.facts)
        near = index.phrases.near(candidate.vector)
        rows.append(features(candidate, near, found @ candidate.vector))
        vectors.append(found)
        questions.append(np.tile(candidate.vector, (len(found), 1)))
        right += [
            candidate.system == asked.system and _answers(fact, asked)
            for fact in (*candidate.facts, None)
        ]
    return Example(
        np.concatenate(rows),
        np.concatenate(questions),
        np.concatenate(vectors),
        np.array(right, dtype="float32"),
    )


def _answers(fact: Fact | None, asked: Asked) -> bool:
    return (fact.property, fact.at) in asked.facts if fact else not asked.facts


class _Network(torch.nn.Module):
    """The ranker with gradients."""

    def __init__(self) -> None:
        super().__init__()
        first = {"asks": 5.0, "outright": 2.5, "condition": 3.5, "detail": 1.0, "unknown": -1.0}
        start = [first.get(name, 0.0) for name in FEATURES]
        self.weights = torch.nn.Parameter(torch.tensor(start))
        self.scale = torch.nn.Parameter(torch.tensor(5.0))
        self.question = _change()
        self.fact = _change()

    def forward(self, rows: torch.Tensor, asked: torch.Tensor, facts: torch.Tensor) -> torch.Tensor:
        """Logits, of the shape of all but the last dimension."""
        near = (_changed(asked, self.question) * _changed(facts, self.fact)).sum(-1)
        return rows @ self.weights + self.scale * near

    def ranker(self) -> Ranker:
        """The fitted weights."""

        def plain(part: torch.Tensor) -> Vectors:
            return np.asarray(part.detach().numpy().astype("float16").astype("float32"))

        return Ranker(
            plain(self.weights),
            self.scale.item(),
            (plain(self.question[0]), plain(self.question[1])),
            (plain(self.fact[0]), plain(self.fact[1])),
        )


def _change() -> torch.nn.ParameterList:
    down = torch.randn(DIMENSIONS, _RANK) / DIMENSIONS**0.5
    return torch.nn.ParameterList([down, torch.zeros(_RANK, DIMENSIONS)])


def _changed(vectors: torch.Tensor, change: torch.nn.ParameterList) -> torch.Tensor:
    seen = functional.dropout(vectors, _DROP)
    return functional.normalize(vectors + seen @ change[0] @ change[1], dim=-1)


def fit(examples: Sequence[Example]) -> Ranker:
    """Fits the weights: of all facts of a question's systems, the right ones should win."""
    torch.manual_seed(_SEED)
    network = _Network()
    changes = [*network.question, *network.fact]
    optimiser = torch.optim.AdamW(
        [
            {"params": changes, "weight_decay": _DECAY},
            {"params": [network.weights, network.scale], "lr": _FEATURE_RATE},
        ],
        lr=_RATE,
    )
    steps = _EPOCHS * (len(examples) // _BATCH)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.0, steps)
    for _ in range(_EPOCHS):
        order = torch.randperm(len(examples))
        for batch in order[: len(order) // _BATCH * _BATCH].reshape(-1, _BATCH):
            loss = _loss(network, [examples[place] for place in batch])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    return network.ranker()


def _loss(network: _Network, examples: Sequence[Example]) -> torch.Tensor:
    """Minus the logarithm of the probability that is given to right facts."""

    def joined(name: str) -> torch.Tensor:
        return torch.from_numpy(np.concatenate([getattr(each, name) for each in examples]))

    logits = network(joined("features"), joined("questions"), joined("facts"))
    ends = np.cumsum([len(each.right) for each in examples])[:-1].tolist()
    parts = zip(logits.tensor_split(ends), joined("right").tensor_split(ends), strict=True)
    losses = [scores.logsumexp(0) - scores[right > 0].logsumexp(0) for scores, right in parts]
    return torch.stack(losses).mean()


def right_first(ranker: Ranker, examples: Sequence[Example]) -> Mapping[str, float]:
    """Share of the questions whose best fact, or one of the best two, is right."""
    tops: list[Any] = []
    for each in examples:
        near = np.concatenate(
            [
                ranker.scores(rows[None], question, fact[None])
                for rows, question, fact in zip(
                    each.features, each.questions, each.facts, strict=True
                )
            ]
        )
        tops.append(each.right[near.argsort()[::-1][:2]])
    found = np.array(tops) > 0
    return {"first": float(found[:, 0].mean()), "first two": float(found.any(axis=1).mean())}
