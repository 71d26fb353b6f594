"""The tool `explain`: the first sentence states what was asked, with its source."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from assistant.grounding import faults
from tests.answers import index, text_context
from tools.base import NeedsInput, Text, ToolFailed
from tools.explain import explain

QUESTIONS = Path(__file__).parent / "questions" / "properties.toml"
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_FIGURE = re.compile(r"(?<![\w.])\$?(\d[\d,]*(?:\.\d+)?)\s?(billion|GB|s)?\b")


def first_sentence(words: str) -> str:
    return re.split(r"(?<=[.!?])\s+(?=[A-Z*\n])|\n\n", words.strip())[0]


def figures(words: str) -> set[float]:
    """Numbers of a text, as they stand and a thousand times smaller or larger by their unit."""
    found = set()
    for number, unit in _FIGURE.findall(words):
        value = float(number.replace(",", ""))
        found |= {value, value * 1000 if unit else value / 1000}
    return found


def states(row: dict[str, Any], words: str) -> bool:
    """Whether a sentence holds an accepted spelling or rounding of the value as a whole word."""
    told = re.sub(r"\]\([^)]*\)", "]", words).lower()
    for accepted in row["accept"]:
        if re.search(rf"(?<![\w.]){re.escape(accepted.lower())}(?![\w]|\.\d)", told):
            return True
        if re.fullmatch(r"[\d,]+\.\d+", accepted):
            places = len(accepted.partition(".")[2])
            right = float(accepted.replace(",", ""))
            if any(abs(round(value, places) - right) < 1e-9 for value in figures(words)):
                return True
    return False


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("How many parameters does convnext_femto have?", "has 5.22 million parameters"),
        ("What is the licence of FLUX.1 schnell?", "Apache-2.0"),
        ("May I use FLUX.1 dev commercially?", "No, commercial use is not allowed"),
        ("How many steps does schnell take?", "runs in 4 steps"),
        ("top-1 of convnext_femto at 288 px", "78.712 % (288 px)"),
        ("parameters of resnest50d.in1k", "27.48 million"),
        ("who publishes SimpleTuner?", "SimpleTuner"),
        ("how many parmeters has mobilnetv3 large 100", "5.48 million"),
    ],
)
def test_the_first_sentence_answers(query: str, words: str, tmp_path: Path) -> None:
    block = next(iter(explain(text_context(tmp_path), query)))
    assert isinstance(block, Text)
    told = first_sentence(block.text)
    assert words in told
    assert DATE.search(told), "the date of the source"


def test_a_wrong_claim_is_corrected(tmp_path: Path) -> None:
    block = next(iter(explain(text_context(tmp_path), "how many parameters has femto")))
    assert isinstance(block, Text)
    assert "4.7 million. That is wrong; right is 5.22 million" in block.text


def test_a_system_may_be_given_by_name(tmp_path: Path) -> None:
    blocks = list(explain(text_context(tmp_path), "licence?", ("schnell",)))
    assert isinstance(blocks[0], Text)
    assert "Apache-2.0" in blocks[0].text


def test_an_unknown_system_gets_the_nearest_names(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match=r"'convnextish-9000'.*nearest"):
        list(explain(text_context(tmp_path), "licence?", ("convnextish-9000",)))


@pytest.mark.parametrize(
    "query",
    ["what is the licence?", "what licence has it?", "who made this?"],
)
def test_a_question_about_nothing_is_asked_back(query: str, tmp_path: Path) -> None:
    with pytest.raises(NeedsInput) as asked:
        list(explain(text_context(tmp_path), query))
    assert len(asked.value.choices) == 3
    for choice in asked.value.choices:  # one click, and the same is asked of that model
        block = next(iter(explain(text_context(tmp_path), choice)))
        assert isinstance(block, Text)


def test_two_systems_are_both_answered(tmp_path: Path) -> None:
    query = "what are the licences of schnell and FLUX.1 dev?"
    told = [b.text for b in explain(text_context(tmp_path), query) if isinstance(b, Text)]
    assert any("schnell" in words and "Apache-2.0" in words for words in told)
    assert any("FLUX.1 [dev]" in words and "Non-Commercial" in words for words in told)


def test_the_hosted_sibling_is_told_apart(tmp_path: Path) -> None:
    for query, steps in (("steps of FLUX.1 dev by default", 50), ("flux dev api: steps", 28)):
        block = next(iter(explain(text_context(tmp_path), query)))
        assert isinstance(block, Text)
        assert f"{steps} steps" in first_sentence(block.text)


def test_what_nobody_says_is_said(tmp_path: Path) -> None:
    query = "what is the guidance scale of mobilenetv3_small_100?"
    block = next(iter(explain(text_context(tmp_path), query)))
    assert isinstance(block, Text)
    assert block.text.startswith("No source here says this of MobileNetV3 Small: guidance")


def test_a_fact_that_fits_plainly_is_not_called_missing(tmp_path: Path) -> None:
    query = "licence on the weights? goes in a product"
    block = next(iter(explain(text_context(tmp_path), query, ("mobilenetv3_small_100.lamb_in1k",))))
    assert isinstance(block, Text)
    assert "Apache-2.0" in block.text


def test_property_questions(tmp_path: Path) -> None:
    rows = tomllib.loads(QUESTIONS.read_text(encoding="utf-8"))["question"]
    context, names = text_context(tmp_path), index().names
    wrong = []
    for row in rows:
        try:
            blocks = list(explain(context, row["text"]))
        except (NeedsInput, ToolFailed):
            blocks = []
        for block in blocks:
            assert faults(block, names) == (), row["text"]
        told = first_sentence(blocks[0].text) if blocks and isinstance(blocks[0], Text) else ""
        stated = states(row, told) and DATE.search(told)
        wrong += [] if stated else [row["text"]]
    assert len(rows) == 150
    assert len(wrong) / len(rows) <= 0.05, wrong
