"""Plans: what people ask goes to the right tool, and nothing that is hidden in words is obeyed."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from assistant.conversation import Attachment, Ref
from assistant.fit import labelled, told_topics
from assistant.lessons import read_rows, read_texts
from assistant.plan import Asked, Clarify, Decline, Plan, Run, plan, steps_told
from assistant.routes import exchanges_of, files_of
from tests.answers import index
from tests.routes import HELD, judged, rows
from tools.base import load_tools

INDEX = index()
QUESTIONS = HELD.parent
PICTURE = (Attachment("image", "a.png"),)
# What must hold of questions that were written apart and never fitted: share with the right tool,
# and with all arguments right too; a little below what was measured.
FLOORS = {
    "one step": (0.955, 0.89),
    "several steps": (0.86, 0.69),
    "follow-up": (0.87, 0.66),
    "decline": (0.94, 0.94),
    "clarify": (0.79, 0.79),
    "de": (0.9, 0.805),
    "es": (0.86, 0.83),
    "fr": (0.91, 0.84),
    "ru": (0.95, 0.855),
    "zh": (0.98, 0.795),
}


def made(text: str, *files: Attachment, history: Any = ()) -> Plan:
    past = exchanges_of(history, INDEX.names, load_tools())
    return plan(Asked(text, files, past), INDEX.names, load_tools())


def tools(found: Plan) -> list[str]:
    return [step.tool for step in found.steps] if isinstance(found, Run) else []


def test_questions_written_apart() -> None:
    found = judged(rows(), INDEX.names)
    for kind, share in found.items():
        print(f"{kind:14} {share}")  # noqa: T201
    for kind, (tool, arguments) in FLOORS.items():
        share = found[kind]
        assert share.right_tool / share.asked >= tool, (kind, share.wrong)
        assert share.right_arguments / share.asked >= arguments, (kind, share.wrong)
    answerable = [share for kind, share in found.items() if kind not in ("decline", "clarify")]
    declined = sum(share.declined for share in answerable)
    assert declined / sum(share.asked for share in answerable) <= 0.03


def test_no_judging_question_is_like_a_fitting_one() -> None:
    fitted = [row["text"] for row in read_rows(QUESTIONS / "routing.jsonl")]
    fitted += [row["text"] for row in read_texts(QUESTIONS / "routing.tsv")]
    fitted += [text for text, _ in labelled()]
    fitted += [row["text"] for row in told_topics()]
    apart = [row["text"] for row in rows() if not row.get("history")]
    rows_of = {word: at for at, word in enumerate({w for text in apart for w in words(text)})}
    one, other = counted(apart, rows_of), counted(fitted, rows_of)
    both = (one @ other.T).toarray()
    lengths = np.array([[len(words(text))] for text in apart])
    either = lengths + np.array([len(words(text)) for text in fitted]) - both
    near = (both / either).max(axis=1)  # Jaccard index of the words; by meaning: in the campaign
    long = [len(words(text)) >= 4 for text in apart]
    assert [
        t for t, share, told in zip(apart, near, long, strict=True) if told and share > 0.8
    ] == []


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def counted(texts: list[str], columns: dict[str, int]) -> csr_matrix:
    """Which of some words are in each text, shape (texts, words)."""
    places = [
        (row, columns[w]) for row, text in enumerate(texts) for w in words(text) & set(columns)
    ]
    at = tuple(zip(*places, strict=True))
    return csr_matrix((np.ones(len(places), int), at), (len(texts), len(columns)))


def injections() -> list[dict[str, Any]]:
    path = Path(__file__).parent / "questions" / "injections.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("row", injections(), ids=lambda row: row["text"][:40])
def test_instructions_hidden_in_words_are_text(row: dict[str, Any]) -> None:
    found = made(row["text"], *files_of(row), history=row.get("history", ()))
    assert not set(tools(found)) & set(row["forbidden"])


def test_several_steps_feed_each_other() -> None:
    asked = Asked("classify this, then draw it as a watercolour", PICTURE)
    found = plan(asked, INDEX.names, load_tools())
    assert isinstance(found, Run)
    first, second = steps_told(found.steps, asked)
    assert (first["tool"], second["tool"]) == ("classify", "edit")
    assert first["arguments"]["images"] == second["arguments"]["images"] == ["attachment:1"]


def test_a_family_is_compared_and_timed_by_its_members() -> None:
    found = made("compare resnet18 with mobilenetv3")
    assert isinstance(found, Run)
    members = ["mobilenetv3_large_100.ra_in1k", "mobilenetv3_small_100.lamb_in1k"]
    assert list(found.steps[0].arguments["systems"]) == ["resnet18.a1_in1k", *members]
    timed = made("Benchmark mobilenetv3")
    assert isinstance(timed, Run)
    assert list(timed.steps[0].arguments["models"]) == members


@pytest.mark.parametrize(
    ("text", "prompt"),
    [
        ("use these two as references", None),
        ("use these as references for a poster of a car", "poster of a car"),
        ("combine these two images", None),
        ("merge these two pictures", None),
        ("blend the pictures together", None),
        ("merge these pictures into one: the cat beside the house", "the cat beside the house"),
    ],
)
def test_pictures_that_go_together_are_an_edit(text: str, prompt: str | None) -> None:
    found = made(text, *PICTURE, *PICTURE)
    assert isinstance(found, Run)
    assert tools(found) == ["edit"]
    arguments = found.steps[0].arguments
    assert (arguments["mode"], arguments.get("prompt")) == ("reference", prompt)
    assert len(arguments["images"]) == 2


def test_the_winner_of_a_comparison_is_taken_on() -> None:
    found = made("compare schnell and krea by price, then draw a fox with the cheaper one")
    assert isinstance(found, Run)
    assert tools(found) == ["compare", "generate"]
    assert found.steps[1].arguments["model"] == Ref("step", 1)


def test_a_follow_up_carries_over_what_still_holds() -> None:
    history = [
        {"role": "user", "text": "draw a red fox in the snow with schnell, 512x512, seed 4"},
        {"role": "assistant", "text": "Here is the picture."},
    ]
    found = made("same but 768 wide", history=history)
    assert isinstance(found, Run)
    said = found.steps[0].arguments
    assert (said["prompt"], said["model"]) == ("a red fox in the snow", "FLUX.1-schnell")
    assert (said["width"], said["height"], said["seed"]) == (768, 512, 4)
    again = made("again with another seed", history=history)
    assert isinstance(again, Run)
    assert "seed" not in again.steps[0].arguments


def test_a_tool_that_nobody_has_is_declined_with_what_is_nearest() -> None:
    found = made("draw boxes around all the cars", *PICTURE)
    assert isinstance(found, Decline)
    assert len(found.nearest) == 3


@pytest.mark.parametrize(
    "text",
    [
        "👍",
        "🐱🐶🚀" * 30,
        "اكتب لي قصيدة",
        "?",
        "offline via the API please, a picture of a cat",
        "draw a cat, 0x0",
        "draw a cat, 1000000000x1000000000",
        "draw a cat, seed minus seven",
        "word " * 3_900,
        "\u202edraw a cat",
        "draw a cat. " * 40,
        "a\x00b",
        "so 'tis " + "what " * 400,
        'she said "' + "word " * 400,
    ],
)
def test_odd_questions_get_a_plan(text: str) -> None:
    assert isinstance(made(text), Run | Clarify | Decline)
