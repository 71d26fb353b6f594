"""Search among 100,000 synthetic cards: time, recall against the exact search, memory.

The cards are the real ones, each repeated with noise in its vector and words taken from others.
"""

import re
import statistics
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import psutil
import pytest

from index import search
from index.catalog import load
from index.documents import Document, documents
from index.encoder import Vectors
from index.search import SearchIndex
from tests.answers import index

CARDS, QUERIES, K = 100_000, 200, 10
_NOISE = 0.7  # length of the noise beside a unit vector
_WORD = re.compile(r"\w+")


def _near(vectors: Vectors, rng: np.random.Generator) -> Vectors:
    """Unit vectors near the given ones."""
    noise = rng.normal(size=vectors.shape, scale=_NOISE / vectors.shape[1] ** 0.5)
    moved = vectors + noise.astype("float32")
    return np.asarray(moved / np.linalg.norm(moved, axis=1, keepdims=True), dtype="float32")


def _texts(real: Sequence[Document], rng: np.random.Generator) -> tuple[Document, ...]:
    words = [word for found in real for word in _WORD.findall(found.text)]
    picked = rng.integers(len(words), size=(CARDS, 30))
    return tuple(
        Document(f"synthetic-{row}", " ".join(words[place] for place in places))
        for row, places in enumerate(picked)
    )


def _searched(
    searched: SearchIndex, texts: Sequence[str], vectors: Vectors
) -> tuple[list[set[str]], list[float]]:
    """The ids of the best for each query, and the milliseconds it took."""
    searched.search(texts[0], K, vectors[0])
    found, times = [], []
    for text, vector in zip(texts, vectors, strict=True):
        started = time.perf_counter()
        hits = searched.search(text, K, vector)
        times.append(1000 * (time.perf_counter() - started))
        found.append({hit.id for hit in hits})
    return found, times


def test_search_of_100_000_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    """p50 <= 15 ms given the query's vector; recall@10 >= 0.98 against the exact search."""
    rng, small = np.random.default_rng(1), index()
    real = len(documents(load()))
    base = small.vectors[rng.choice(real, CARDS)]
    before = psutil.Process().memory_info().rss
    large = SearchIndex(
        _texts(small.documents[:real], rng), _near(base, rng), small.encoder, small.names
    )
    asked = rng.choice(CARDS, QUERIES)
    texts = [" ".join(large.documents[place].text.split()[:8]) for place in asked]
    vectors = _near(large.vectors[asked], rng)

    started = time.perf_counter()
    found, times = _searched(large, texts, vectors)
    built = time.perf_counter() - started - sum(times) / 1000
    memory = (psutil.Process().memory_info().rss - before) / 2**20

    monkeypatch.setattr(search, "FLAT_BELOW", CARDS + 1)
    exact, exact_times = _searched(replace(large), texts, vectors)
    recall = statistics.mean(len(a & b) / K for a, b in zip(found, exact, strict=True))

    p50, slow = statistics.median(times), float(np.percentile(times, 95))
    print(
        f"\n{CARDS:,} cards, {QUERIES} queries: p50 {p50:.1f} ms, p95 {slow:.1f} ms, "
        f"exact search p50 {statistics.median(exact_times):.1f} ms, recall@{K} {recall:.3f}, "
        f"built in {built:.0f} s, {memory:.0f} MiB"
    )
    assert p50 <= 15
    assert recall >= 0.98
