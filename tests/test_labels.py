"""Readings are told in words, tables and files, with figures that are measurements."""

from pathlib import Path

import pytest

from tests.contexts import Kept, context
from tools import labels
from tools.engines.convnet import Reading
from tools.labels import MOST_ROWS, Seen


def seen(count: int, each: int) -> list[Seen]:
    ranked = tuple((f"label {chr(97 + i)}", (each - i) / 1000) for i in range(each))
    return [Seen(f"pic{n}.png", Reading(ranked, False)) for n in range(count)]


def test_each_figure_is_kept_once(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    guesses = labels.kept(ctx, "pocket-convnext", seen(2, 3))
    assert isinstance(ctx.evidence, Kept)
    assert ctx.evidence.measured == [guess.fact for guess in guesses]
    assert len({fact.id for fact in ctx.evidence.measured}) == 6
    assert [first.label for first in labels.firsts(guesses)] == ["label a", "label a"]
    assert guesses[0].fact.value == pytest.approx(0.3)


@pytest.mark.parametrize(("count", "rows"), [(1, 26), (20, 100), (150, 150)])
def test_a_table_has_a_row_for_each_picture_but_not_for_every_label(
    tmp_path: Path, count: int, rows: int
) -> None:
    guesses = labels.kept(context(tmp_path), "pocket-convnext", seen(count, 26))
    table = labels.table("pocket-convnext", guesses)
    assert len(table.rows) == rows
    assert {row[0] for row in table.rows} == {f"pic{n}.png" for n in range(count)}
    assert rows <= max(MOST_ROWS, count)


@pytest.mark.parametrize(("label", "words"), [("eagle", "an eagle"), ("Star", "a Star")])
def test_a_sentence_has_the_right_article(tmp_path: Path, label: str, words: str) -> None:
    one = [Seen("x.png", Reading(((label, 0.5),), False))]
    first = labels.kept(context(tmp_path), "pocket-convnext", one)[0]
    assert labels.sentence(first) == f"x.png: most likely {words} (probability 50 %)."
