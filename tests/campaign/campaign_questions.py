"""Every question that was ever written for the tools: a plan for each, and no figure invented."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np
import pytest

from assistant.ask import ask, decide
from assistant.conversation import Question
from assistant.fit import QUESTIONS, labelled
from assistant.grounding import faults
from assistant.lessons import read_rows, read_texts
from assistant.plan import Asked, plan
from assistant.routes import exchanges_of, files_of
from assistant.settings import Settings
from assistant.steps import Assistant
from assistant.wiring import open_assistant
from index.encoder import load_encoder

TOLD = ("help", "explain", "recommend", "compare", "verify")  # tools that run no model
_ODD = ("\u202e", "\x00", "\ud7ff", "\t\n", "😀", "'; drop table turns; --", "<script>", "%s{}\\")


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    settings = Settings(home=tmp_path_factory.mktemp("home"), offline=True)
    with closing(open_assistant(settings)) as opened:
        yield opened


def rows() -> list[dict[str, Any]]:
    whole = [dict(row) for row in read_rows(QUESTIONS / "routing.jsonl")]
    return whole + [dict(row) for row in read_texts(QUESTIONS / "routing.tsv")]


def broken(text: str, chance: random.Random) -> str:
    """The text as an accident would leave it: cut, doubled, shuffled, shouted, turned."""
    words = text.split()
    chance.shuffle(words)
    at = chance.randrange(len(text) + 1)
    ways = (text[:at], text * 3, " ".join(words), text.upper(), text[::-1])
    odd = chance.choice(_ODD)
    return chance.choice((*ways, text[:at] + odd + text[at:]))


def test_every_question_gets_a_plan(assistant: Assistant) -> None:
    """As it was written, and broken in some way."""
    chance, outcomes, slowest = random.Random(7), Counter[str](), 0.0  # noqa: S311 - no secret
    for row in (*rows(), *read_rows(QUESTIONS / "held.jsonl")):
        past = exchanges_of(row.get("history", ()), assistant.names, assistant.tools)
        for text in (row["text"], broken(row["text"], chance)):
            started = time.perf_counter()
            made = plan(Asked(text, files_of(row), past), assistant.names, assistant.tools)
            slowest = max(slowest, time.perf_counter() - started)
            outcomes[type(made).__name__] += 1
    print(f"\n{outcomes.total():,} plans: {dict(outcomes)}; the slowest took {slowest:.2f} s")


def test_no_judging_question_means_what_a_fitting_one_does() -> None:
    """But for a few words that everybody says: "thanks"."""
    fitted = [row["text"] for row in rows()] + [t for t, _ in labelled()]
    apart = [row["text"] for row in read_rows(QUESTIONS / "held.jsonl") if not row.get("history")]
    encoder = load_encoder()
    near = (encoder.encode(apart) @ encoder.encode(fitted).T).max(axis=1)
    print(f"\n{len(apart)} questions against {len(fitted):,}: {np.quantile(near, 0.99):.2f} (p99)")
    assert [text for text, cosine in zip(apart, near, strict=True) if cosine > 0.9] == []


def test_what_is_told_is_grounded(assistant: Assistant) -> None:
    """The questions of tools that run no model, from the words to the kept answer."""
    outcomes: Counter[str] = Counter()
    asked = [row for row in read_texts(QUESTIONS / "routing.tsv") if row["tool"] in TOLD]
    for row in asked:
        planned, _ = decide(assistant, Question(row["text"]))
        if not {step.tool for step in getattr(planned, "steps", ())} <= {*TOLD}:
            continue
        answer = list(ask(assistant, Question(row["text"])))[-1]
        outcomes[answer.outcome] += 1
        assert answer.outcome != "failed", (row["text"], answer.ask)
        assert "withheld" not in " ".join(map(str, answer.blocks)), row["text"]
        for block in answer.blocks:
            assert faults(block, assistant.names) == (), row["text"]
    print(f"\n{outcomes.total():,} questions answered: {dict(outcomes)}; every figure grounded")
