"""A dropped-in picture with a recipe: told how it was made, and drawn once more."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pictures

from assistant.answer import Answer
from assistant.ask import ask
from assistant.conversation import Attachment, Question
from assistant.remaking import drawn_before, told_recipes
from assistant.settings import Settings
from assistant.steps import Assistant
from assistant.wiring import open_assistant
from tests.answers import index
from tools import recipe
from tools.base import Image, Table, Text
from tools.recipe import Recipe

STAR = "a large red star on a white background"
MADE = Recipe(STAR, model="pocket-flux", seed=7, width=96, height=96, steps=4, guidance=5.0)


def dropped(folder: Path, made: Recipe | None = MADE) -> Path:
    path = folder / "dropped.png"
    picture = Pictures.new("RGB", (96, 96), "red")
    if made:
        recipe.write(picture, path, made)
    else:
        picture.save(path)
    return path


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    settings = Settings(home=tmp_path_factory.mktemp("home"), offline=True)
    with closing(open_assistant(settings)) as opened:
        yield opened


def last(assistant: Assistant, text: str, *images: Path) -> Answer:
    return list(ask(assistant, Question(text, images)))[-1]


def test_how_it_was_made_is_told(assistant: Assistant, tmp_path: Path) -> None:
    answer = last(assistant, "How was this picture made?", dropped(tmp_path))
    assert answer.outcome == "run"
    (table,) = answer.blocks
    assert isinstance(table, Table)
    assert ("Prompt", STAR) in table.rows
    assert ("Seed", "7") in table.rows


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("what prompt was used?", True),
        ("which seed and settings did this have", True),
        ("Show me the recipe of this picture", True),
        ("what is in this picture?", False),
        ("which model can change the settings of my camera", False),
        ("make the star blue", False),
    ],
)
def test_only_a_question_about_its_making_is_told(tmp_path: Path, words: str, told: bool) -> None:
    assert bool(told_recipes(words, [dropped(tmp_path)])) == told
    assert told_recipes(words, []) == ()


def test_a_picture_without_a_recipe(tmp_path: Path) -> None:
    (said,) = told_recipes("how was this drawn", [dropped(tmp_path, None)])
    assert isinstance(said, Text)
    assert "holds no recipe" in said.text
    assert told_recipes("what prompt was used", [dropped(tmp_path, None)]) == ()


def test_the_same_with_another_seed(assistant: Assistant, tmp_path: Path) -> None:
    answer = last(assistant, "same with seed 8", dropped(tmp_path))
    assert [(step.tool, step.status) for step in answer.steps] == [("generate", "done")]
    (drawn,) = [block for block in answer.blocks if isinstance(block, Image)]
    made = recipe.read(drawn.path)
    assert made
    assert made == replace(MADE, seed=8, licence=made.licence, made=made.made)
    again = last(assistant, "once more with seed 8 please", drawn.path)
    (other,) = [block for block in again.blocks if isinstance(block, Image)]
    found = assistant.store.pictures.page("me", "pocket-flux").pictures
    assert [picture.path for picture in found] == [other.path, drawn.path]
    assert all(picture.seconds and picture.seconds < answer.seconds for picture in found)
    with Pictures.open(drawn.path) as one, Pictures.open(other.path) as two:
        assert (np.asarray(one) == np.asarray(two)).all()


def test_what_is_drawn_again(tmp_path: Path) -> None:
    def turns(words: str, made: Recipe | None) -> int:
        file = Attachment("image", "dropped.png", dropped(tmp_path, made))
        others, before = drawn_before(words, (file,), index().names)
        assert others == (() if before else (file,))
        return len(before)

    assert turns("the same but with another seed", MADE) == 1
    assert turns("make the star blue", MADE) == 0
    assert turns("same with seed 8", None) == 0
    assert turns("same with seed 8", replace(MADE, mode="inpaint")) == 0
    theirs = replace(MADE, model="somebodys_mix_v3", adapters=(("style", 0.8),))
    file = Attachment("image", "dropped.png", dropped(tmp_path, theirs))
    _, (before,) = drawn_before("redo this", (file,), index().names)
    assert "model" not in before.steps[0].arguments
    assert before.steps[0].arguments["adapter"] == "style:0.8"
