"""The network that is run with NumPy is the one that was fitted with torch."""

from pathlib import Path

import numpy as np
import pytest
import torch

from assistant import fit_router
from assistant.fit_router import Lesson, fit
from assistant.lessons import lessons
from assistant.router import (
    AGAIN,
    CHOICES,
    LABELS,
    ROLES,
    SEVERAL,
    Router,
    Situation,
    features,
    load_router,
)
from index import reader
from index.encoder import load_encoder
from index.gloss import gloss
from index.grams import hashed
from index.reader import tokens
from index.topics import topics
from tests.answers import index

NAMES = index().names
ROWS = (
    {"text": "draw a red fox, 4 steps, seed 7", "outcome": "run",
     "steps": [{"tool": "generate", "arguments": {"prompt": "a red fox", "steps": 4, "seed": 7}}]},
    {"text": "is it true that schnell is free", "outcome": "run",
     "steps": [{"tool": "verify", "arguments": {"claim": "schnell is free"}}]},
    {"text": "classify this, then draw it as a watercolour", "attachments": ["image"],
     "parts": ["classify this,", "then draw it as a watercolour"], "outcome": "run",
     "steps": [{"tool": "classify", "arguments": {"images": ["attachment:1"]}},
               {"tool": "edit", "arguments": {"images": ["attachment:1"]}}]},
    {"text": "what's the weather", "outcome": "decline", "steps": []},
    {"text": "stop it", "last": "generate", "history": [{"role": "user", "text": "draw"}],
     "outcome": "run", "steps": [{"tool": "jobs", "arguments": {"action": "cancel"}}]},
)  # fmt: skip


def taught() -> list[Lesson]:
    return [lesson for row in ROWS for lesson in lessons(row, NAMES)]


def test_a_row_teaches_tool_roles_starts_and_choices() -> None:
    found = taught()
    drawn = found[0]
    spans = tokens(load_encoder(), drawn.gloss.text, drawn.situation.before_it).spans
    marked = {
        drawn.gloss.text[first:last]: ROLES[role]
        for (first, last), role in zip(spans, drawn.roles, strict=True)
        if role > 0
    }
    assert marked == {"a": "prompt", "red": "prompt", "fox": "prompt", "4": "steps", "7": "seed"}
    whole, first, second = found[2:5]
    assert whole.labels == (LABELS.index(SEVERAL),)
    assert sum(whole.starts) == 1
    assert [LABELS[part.labels[0]] for part in (first, second)] == ["classify", "edit"]
    assert (second.situation.later, second.situation.last) == (True, "classify")
    assert CHOICES["action"][found[6].choices["action"]] == "cancel"


def test_numpy_reads_as_torch_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = taught()
    told: list[float] = []
    tensors = fit(found * 8, lambda done, note="": told.append(done), epochs=2)
    assert told
    monkeypatch.setattr(fit_router, "WEIGHTS", tmp_path / "router.safetensors")
    monkeypatch.setattr(reader, "WEIGHTS", tmp_path / "router.safetensors")
    fit_router.keep(tensors)
    reader.load_reader.cache_clear()
    router = Router(reader.load_reader())
    reader.load_reader.cache_clear()
    network = fit_router.loaded(tensors)
    for lesson in found:
        text = lesson.gloss.text
        read = tokens(load_encoder(), text, lesson.situation.before_it)
        ids, before = torch.tensor([read.ids]), torch.tensor([read.before])
        plain = torch.from_numpy(features(lesson.gloss, lesson.situation))[None]
        with torch.no_grad():
            found = network(ids, torch.ones(ids.shape), before, plain, [text])
        if not lesson.situation.last:
            found.tools[0, LABELS.index(AGAIN)] = -1e9
        reading = router.read(lesson.gloss, lesson.situation)
        assert np.allclose(reading.tools, torch.log_softmax(found.tools[0], 0), atol=2e-3)
        shares = torch.softmax(found.tokens[0, :, :-1], 1)
        assert np.allclose(reading.roles, shares, atol=2e-3)
        share, place = torch.softmax(found.topics[0], 0).max(0)
        assert abs(reading.topic.share - share) < 2e-3
        assert reading.topic.name == topics()[place]


def test_once_more_needs_a_step_before() -> None:
    reading = load_router().read(gloss("again", NAMES), Situation())
    assert reading.tools[LABELS.index(AGAIN)] < -100


def test_every_text_has_words() -> None:
    assert hashed("")
    assert hashed("a") != hashed("b")
