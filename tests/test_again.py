"""A use case that goes on: what stays, and what is taken instead."""

from pathlib import Path

import pytest

from assistant.grounding import faults
from tests.answers import text_context
from tools.again import THEN
from tools.base import Block, Text
from tools.recommend import recommend

FIRST = "sort 4000 photos of bouquets by flower for my shop"


def told(tmp_path: Path, *words: str, task: str = "classify") -> list[Block]:
    context = text_context(tmp_path)
    blocks = list(recommend(context, THEN.join(words), task=task))
    assert all(faults(block, context.index.names) == () for block in blocks)
    return blocks


def first_text(blocks: list[Block]) -> str:
    assert isinstance(blocks[0], Text)
    return blocks[0].text


def test_what_stays_is_told_in_one_paragraph(tmp_path: Path) -> None:
    blocks = told(tmp_path, FIRST, "my brother took most of the photos")
    assert len(blocks) == 1
    assert "stays my choice" in first_text(blocks)


def test_what_no_longer_fits_is_named_with_the_reason(tmp_path: Path) -> None:
    blocks = told(tmp_path, "posters from words, I sell prints", "no internet", task="generate")
    assert first_text(blocks).startswith("Then take **")
    assert "it is hosted" in first_text(blocks)
    assert len(blocks) == 2


def test_the_first_advice_is_whole(tmp_path: Path) -> None:
    blocks = told(tmp_path, FIRST)
    assert first_text(blocks).startswith("I recommend **")
    assert "classes of your own it must learn" in first_text(blocks)
    assert len(blocks) > 2


def test_a_limit_that_nothing_keeps_is_told_as_ever(tmp_path: Path) -> None:
    blocks = told(tmp_path, FIRST, "below 100 thousand parameters")
    assert first_text(blocks).startswith("No system here fits")


def test_a_question_about_the_advice_is_answered(tmp_path: Path) -> None:
    blocks = told(tmp_path, FIRST, "must I know how to program for that?")
    assert len(blocks) == 1
    assert "stays my choice. " in first_text(blocks)
    assert "Python" in first_text(blocks)


def test_a_limit_that_the_choice_keeps_does_not_change_it(tmp_path: Path) -> None:
    first = first_text(told(tmp_path, FIRST)).split("**")[1]
    blocks = told(tmp_path, FIRST, "the photos may not leave our network, it must run offline")
    assert first_text(blocks).startswith(f"**{first}** stays my choice")
    data = blocks[0].data if isinstance(blocks[0], Text) else {}
    assert data["picks"][0]["reasons"]
    smaller = told(tmp_path, FIRST, "something smaller please, for an old phone")
    assert first_text(smaller).startswith("Then take **")


def test_the_choice_is_told_in_brief(tmp_path: Path) -> None:
    blocks = told(tmp_path, FIRST, "sum it up in one sentence for my boss")
    assert first_text(blocks).startswith("Take **")


def test_what_no_source_ranks_is_said(tmp_path: Path) -> None:
    wish = "and mostly tulips in vases, on a white table"
    blocks = told(tmp_path, FIRST, wish)
    assert "no source here ranks them by what you add" in first_text(blocks)


def test_another_one_is_the_next_best(tmp_path: Path) -> None:
    first = first_text(told(tmp_path, FIRST)).split("**")[1]
    blocks = told(tmp_path, FIRST, "is there another one that would do?")
    assert first_text(blocks).startswith(f"After {first} comes **")


@pytest.mark.parametrize(
    ("task", "first", "wish", "answer"),
    [
        ("classify", FIRST, "something smaller please", "parameters: "),
        ("classify", FIRST, "anything faster?", "latency: "),
        ("generate", "posters from words, hosted", "anything cheaper?", "price per picture: $"),
        ("generate", "posters, on my 24 GB card", "one with less vram", "memory to run: "),
    ],
)
def test_more_of_something_is_told_by_both_figures(
    task: str, first: str, wish: str, answer: str, tmp_path: Path
) -> None:
    said = first_text(told(tmp_path, first, wish, task=task))
    assert said.startswith("Then take **")
    assert said.count(answer) == 2


def test_what_is_free_has_nothing_cheaper(tmp_path: Path) -> None:
    card = "posters, on my 24 GB card"
    said = first_text(told(tmp_path, card, "anything cheaper?", task="generate"))
    assert said.endswith(
        "has no price per picture where you run it yourself, so nothing that fits is cheaper."
    )


def test_the_best_has_nothing_better(tmp_path: Path) -> None:
    said = first_text(told(tmp_path, FIRST, "is there a more accurate one"))
    assert said.startswith("Nothing that keeps your limits is more accurate than **")
    assert "ImageNet top-1: " in said
