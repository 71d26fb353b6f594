"""Search: the right card is found, the index is saved whole and rebuilt when stale."""

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np

from index.documents import Document
from index.search import build, load, save
from tests.answers import index

QUERIES = Path(__file__).parent / "questions" / "cards.toml"


def test_labelled_queries_find_their_card() -> None:
    rows = tomllib.loads(QUERIES.read_text(encoding="utf-8"))["query"]
    missed = []
    for row in rows:
        right = {row["card"], *row.get("also", ())}
        found = [hit.system for hit in index().search(row["text"], 12) if hit.system][:5]
        if not right & set(found):
            missed.append(row["text"])
    assert len(rows) == 200
    assert len(missed) / len(rows) <= 0.03, missed


def test_each_system_is_found_once() -> None:
    hits = index().search("which flux model edits pictures", 20)
    assert len({hit.id.partition("#")[0] for hit in hits}) == len(hits)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_a_named_system_comes_first() -> None:
    hits = index().search("is FLUX.1-schnell better than femto at drawing dogs")
    assert [hit.id for hit in hits[:2]] == ["FLUX.1-schnell", "convnext_femto.d1_in1k"]
    assert all(hit.score >= 2 for hit in hits[:2])


def test_phrases_tell_what_is_asked() -> None:
    [asked] = index().encoder.encode(["how many parameters does it have"])
    near = index().phrases.near(asked)
    assert max(near, key=lambda name: near[name]) == "parameters"


def small() -> tuple[Document, ...]:
    return (Document("a", "a red fish"), Document("b#c", "a fast car"), Document("tool:x", "go"))


def test_saved_and_loaded(tmp_path: Path) -> None:
    built = build(small(), index().encoder, index().names)
    save(built, tmp_path / "saved")
    again = load(tmp_path / "saved", small(), built.encoder, built.names)
    assert again is not None
    assert np.array_equal(again.vectors, built.vectors)
    assert again.search("automobile", 1)[0].id == "b#c"


def test_a_stale_or_broken_index_is_not_taken(tmp_path: Path) -> None:
    built = build(small(), index().encoder, index().names)
    folder = tmp_path / "saved"
    save(built, folder)
    changed = (*small()[:2], Document("tool:x", "stop"))
    assert load(folder, changed, built.encoder, built.names) is None
    (folder / "vectors.npy").write_bytes(b"\x93NUMPY")
    assert load(folder, small(), built.encoder, built.names) is None
    (folder / "manifest.json").unlink()
    assert load(folder, small(), built.encoder, built.names) is None
    assert load(tmp_path / "nothing", small(), built.encoder, built.names) is None


def test_only_changed_texts_are_encoded_anew(tmp_path: Path) -> None:
    built = build(small(), index().encoder, index().names)
    marked = replace(built, vectors=-built.vectors)
    save(marked, tmp_path / "saved")
    texts = (*small(), Document("d", "a new text"))
    again = build(texts, built.encoder, built.names, old=[tmp_path / "saved"])
    assert np.array_equal(again.vectors[:3], marked.vectors)
    assert again.vectors[3] @ built.encoder.encode(["a new text"])[0] > 0.999


def test_words_that_no_text_has_are_no_trouble() -> None:
    built = build(small(), index().encoder, index().names)
    assert built.search("\N{GRINNING FACE}")
    assert built.search("")
