"""Hybrid search over cards, capabilities and tools: vectors in FAISS, words in BM25, fused."""

import hashlib
import json
import logging
import re
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from index.documents import FACT, PROPERTY, REPLY, Document
from index.encoder import Encoder, Vectors
from index.evidence import Fact
from index.gloss import gloss
from index.names import Names, without
from index.ranker import OVERVIEW, Candidate, Phrases, Ranked, fact_text, load_ranker
from index.replies import ABOUT, Replies, Reply, replies
from index.topics import Topic, read_topic

SHIPPED = Path(__file__).with_name("saved")  # the index that `make setup` and a wheel bring
FLAT_BELOW = 50_000  # vectors; above it an approximate index is faster than a scan
_LINKS, _BUILD_EFFORT, _SEARCH_EFFORT = 32, 200, 128  # HNSW
_DEPTH = 100  # candidates from each side before fusion
# Chosen on tests/questions/cards.toml: BM25's k1 and b (a card that says much is penalised little),
# and what the best match of words weighs beside a cosine.
_REPEATS, _LENGTH, _WORDS = 0.9, 0.3, 0.7
_LIKELY = 4  # systems whose facts are looked at
_NAMED = 2.0  # what a system named in the question gets; the rest stays below it
_LATEST = 64  # texts whose vectors are kept
_FORMAT = 1


@dataclass(frozen=True)
class Hit:
    """One result of a search.

    Attributes:
        id: a card id, `card#capability`, or `tool:name`.
        score: cosine plus relative BM25 score; at least 2 if the question names it.
        why: the text that matched, or how it was named.
    """

    id: str
    score: float
    why: str

    @property
    def system(self) -> str:
        """The card id; empty for a tool."""
        return "" if self.id.startswith("tool:") else self.id.partition("#")[0]


@dataclass(frozen=True)
class SearchIndex:
    """A built index; `search` is its one question.

    Attributes:
        documents: the texts, in the order of their vectors; those that are no hits come last.
        vectors: unit vectors, shape (documents, dimensions).
        encoder: turns a question into a vector.
        names: finds the systems that a question names.
    """

    documents: tuple[Document, ...]
    vectors: Vectors
    encoder: Encoder
    names: Names

    def search(self, text: str, k: int = 10, vector: Vectors | None = None) -> tuple[Hit, ...]:
        """The best `k` hits, each system once, best first.

        Args:
            text: the question.
            k: how many.
            vector: the question's vector, shape (dimensions,), if it is already known.
        """
        if vector is None:
            vector = self._vector(text)
        best: dict[str, Hit] = {}
        for system in self.named(text):
            best[system] = Hit(system, _NAMED + 1 / (1 + len(best)), "named in the question")
        for hit in self._fused(text, vector):
            best.setdefault(Document(hit.id, "").key, hit)
        return tuple(sorted(best.values(), key=lambda hit: -hit.score)[:k])

    def named(self, text: str) -> tuple[str, ...]:
        """Ids of the systems that a text names, in order."""
        return tuple(dict.fromkeys(mention.system for mention in self.names.mentions(text)))

    def rank(
        self, text: str, find: Callable[[str], Sequence[Fact]], only: Sequence[str] = ()
    ) -> tuple[Ranked, ...]:
        """Facts by how well they answer a question, best first.

        Args:
            text: the question.
            find: gives the facts of a system.
            only: the systems that it is about, if that is known.
        """
        ranker = load_ranker()
        found: list[Ranked] = []
        for candidate in self.candidates(text, find, only):
            vectors = self.fact_vectors(candidate.facts)
            near = self.phrases.near(candidate.vector)
            found += ranker.rank(candidate, near, vectors)
        return tuple(sorted(found, key=lambda ranked: -ranked.score))

    def candidates(
        self, text: str, find: Callable[[str], Sequence[Fact]], only: Sequence[str] = ()
    ) -> tuple[Candidate, ...]:
        """The systems that a question may be about, with what ranking their facts takes."""
        mentions = self.names.mentions(text)
        named = list(dict.fromkeys(mention.system for mention in mentions))
        scores = {hit.system: hit.score for hit in self.search(text, _DEPTH) if hit.system}
        systems = tuple(only or self._kin(named, scores))[:_LIKELY]
        texts = {system: without(text, mentions, system) for system in systems}
        told = tuple(dict.fromkeys(texts.values()))
        vectors = dict(zip(told, self.encoder.encode(told), strict=True))
        best, least = max(scores.values()), min(scores.values())
        return tuple(
            Candidate(
                system, find(system), texts[system], vectors[texts[system]],
                named.index(system) if system in named else -1,
                scores.get(system, least) - best,
            )
            for system in systems
        )  # fmt: skip

    def _kin(self, named: Sequence[str], found: Iterable[str]) -> Iterator[str]:
        """The systems found, of which, if any is named, only the named ones and their families.

        "flux dev" may mean the hosted sibling, but never a model of another kind.
        """
        cards = self.names.catalog.cards
        families = {cards[system].family for system in named if system in cards}
        for system in found:
            family = cards[system].family if system in cards else ""
            if not named or system in named or family in families:
                yield system

    def fact_vectors(self, facts: Sequence[Fact]) -> Vectors:
        """Vectors of the facts and last of an overview, shape (facts + 1, dimensions)."""
        texts = [*map(fact_text, facts), OVERVIEW]
        new = [text for text in dict.fromkeys(texts) if text not in self._facts]
        if new:  # measurements
            self._facts.update(zip(new, self.encoder.encode(new), strict=True))
        return np.stack([self._facts[text] for text in texts])

    @cached_property
    def phrases(self) -> Phrases:
        """The ways of asking for each property."""
        places = [p for p, found in enumerate(self.documents) if found.id.startswith(PROPERTY)]
        names = [self.documents[place].id.removeprefix(PROPERTY) for place in places]
        starts = {name: names.index(name) for name in dict.fromkeys(names)}
        return Phrases(tuple(starts), tuple(starts.values()), self.vectors[places])

    def reply(self, text: str) -> tuple[Reply, float]:
        """What is said to the way of asking about the assistant nearest to a text; its cosine."""
        return self._replies.nearest(self._vector(text))

    def topic(self, text: str, before: str = "") -> Topic:
        """What a message is after.

        Args:
            text: the person's words.
            before: the step and the words before it; empty if there are none.
        """
        return read_topic(gloss(text, self.names).text, before)

    @cached_property
    def _replies(self) -> Replies:
        places = [p for p, d in enumerate(self.documents) if d.id.startswith(REPLY)]
        owners = [int(self.documents[place].id.removeprefix(REPLY)) for place in places]
        return Replies(replies(ABOUT), owners, self.vectors[places])

    @cached_property
    def _vector(self) -> Callable[[str], Vectors]:
        """Vectors of the latest texts: one question is looked up in several ways at once."""
        turn = threading.Lock()

        @lru_cache(_LATEST)
        def encoded(text: str) -> Vectors:
            only: Vectors = self.encoder.encode([text])[0]
            return only

        def vector(text: str) -> Vectors:
            with turn:  # who asks for a text that another thread encodes waits for that
                return encoded(text)

        return vector

    def nearest(self, vector: Vectors, k: int) -> tuple[tuple[int, float], ...]:
        """Places and cosines of the `k` nearest documents."""
        scores, places = self._dense.search(vector[None].astype("float32"), k)
        pairs = zip(places[0], scores[0], strict=True)
        return tuple((int(place), float(score)) for place, score in pairs if place >= 0)

    def _fused(self, text: str, vector: Vectors) -> Iterator[Hit]:
        """The candidates of either side; cosine and relative BM25 score are added up."""
        words = self._by_words(text)
        near = self.nearest(vector, min(_DEPTH, self._searchable))
        best = dict.fromkeys((*(self.documents[place].key for place, _ in near), *words))
        for key in best:
            places = self._places[key]
            cosines = self.vectors[places] @ vector
            nearest = self.documents[places[int(cosines.argmax())]]
            score = float(cosines.max()) + _WORDS * words.get(key, 0.0)
            yield Hit(nearest.id, score, nearest.text)

    def _by_words(self, text: str) -> Mapping[str, float]:
        """BM25 over everything that is said of each key, as a share of the best score."""
        tokens = [token for token in tokenize(text) if token in self._lexical.vocab_dict]
        if not tokens:
            return {}
        keys = tuple(self._places)
        depth = min(_DEPTH, len(keys))
        places, scores = self._lexical.retrieve([tokens], k=depth, show_progress=False)
        found = zip(places[0], scores[0], strict=True)
        return {keys[int(place)]: float(s / scores[0].max()) for place, s in found if s > 0}

    @cached_property
    def _places(self) -> Mapping[str, list[int]]:
        """Where the documents of each key stand."""
        places: dict[str, list[int]] = {}
        for place, found in enumerate(self.documents[: self._searchable]):
            places.setdefault(found.key, []).append(place)
        return places

    @cached_property
    def _searchable(self) -> int:
        """How many documents, from the first, can be hits."""
        return sum(not found.id.startswith((PROPERTY, FACT, REPLY)) for found in self.documents)

    @cached_property
    def _facts(self) -> dict[str, Vectors]:
        """Vectors of texts of facts."""
        pairs = zip(self.documents, self.vectors, strict=True)
        return {found.text: vector for found, vector in pairs if found.id == FACT}

    @cached_property
    def _dense(self) -> Any:
        import faiss

        width = self.vectors.shape[1]
        if self._searchable < FLAT_BELOW:
            index: Any = faiss.IndexFlatIP(width)
        else:
            index = faiss.IndexHNSWFlat(width, _LINKS, faiss.METRIC_INNER_PRODUCT)
            index.hnsw.efConstruction, index.hnsw.efSearch = _BUILD_EFFORT, _SEARCH_EFFORT
        index.add(self.vectors[: self._searchable])
        return index

    @cached_property
    def _lexical(self) -> Any:
        import bm25s

        logging.getLogger("bm25s").setLevel(logging.WARNING)  # it logs every build to the terminal
        index = bm25s.BM25(k1=_REPEATS, b=_LENGTH)
        texts = ([self.documents[place] for place in places] for places in self._places.values())
        tokens = [[t for d in found for t in tokenize(f"{d.text} {d.words}")] for found in texts]
        index.index(tokens, show_progress=False)
        return index


def tokenize(text: str) -> list[str]:
    """Lower-case words and numbers; ids fall into their parts."""
    return re.findall(r"[a-z]+\d*|\d+(?:\.\d+)?[a-z]*", text.lower())


def fingerprint(texts: Sequence[Document], encoder: Encoder) -> str:
    """Changes whenever the index would have to be rebuilt."""
    content = json.dumps([_FORMAT, encoder.fingerprint, [asdict(text) for text in texts]])
    return hashlib.sha256(content.encode()).hexdigest()


def build(
    texts: Sequence[Document], encoder: Encoder, names: Names, old: Iterable[Path] = ()
) -> SearchIndex:
    """Encodes the texts; vectors of unchanged texts are taken from the saved indexes `old`."""
    known: dict[str, Vectors] = {}
    for folder in old:
        known |= _saved_vectors(folder, encoder)
    missing = [found.text for found in texts if found.text not in known]
    known |= dict(zip(missing, encoder.encode(missing), strict=True))
    vectors = np.stack([known[found.text] for found in texts])
    return SearchIndex(tuple(texts), vectors, encoder, names)


def _saved_vectors(folder: Path, encoder: Encoder) -> dict[str, Vectors]:
    saved = _read(folder)
    if saved is None or saved[0]["encoder"] != encoder.fingerprint:
        return {}
    texts = (row["text"] for row in saved[0]["documents"])
    return dict(zip(texts, saved[1], strict=True))


def save(index: SearchIndex, folder: Path) -> None:
    """Writes `vectors.npy`, then `manifest.json`, whose existence means complete.

    Raises:
        OSError: the folder cannot be written.
    """
    aside = folder.with_name(folder.name + ".new")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    np.save(aside / "vectors.npy", index.vectors)
    manifest = {
        "format": _FORMAT,
        "fingerprint": fingerprint(index.documents, index.encoder),
        "encoder": index.encoder.fingerprint,
        "documents": [asdict(found) for found in index.documents],
    }
    (aside / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    aside.rename(folder)


def load(
    folder: Path, texts: Sequence[Document], encoder: Encoder, names: Names
) -> SearchIndex | None:
    """The saved index, if it is whole and was built from just these texts and this encoder."""
    saved = _read(folder)
    if saved is None or saved[0]["fingerprint"] != fingerprint(texts, encoder):
        return None
    return SearchIndex(tuple(texts), saved[1], encoder, names)


def _read(folder: Path) -> tuple[dict[str, Any], Vectors] | None:
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        vectors = np.load(folder / "vectors.npy", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    whole = manifest.get("format") == _FORMAT and vectors.dtype == np.float32
    return (manifest, vectors) if whole and len(vectors) == len(manifest["documents"]) else None
