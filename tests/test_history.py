"""What a later question points back to is found in the kept turns, and what is gone is said."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image as PillowImage

from assistant.answer import Answer
from assistant.ask import ask
from assistant.conversation import Question, Ref
from assistant.history import exchanges
from assistant.settings import Settings
from assistant.steps import Assistant
from assistant.wiring import open_assistant
from tools.base import Text
from tools.pocket import world


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    settings = Settings(home=tmp_path_factory.mktemp("home"), offline=True)
    with closing(open_assistant(settings)) as opened:
        yield opened


@pytest.fixture
def three(tmp_path: Path) -> tuple[Path, ...]:
    pictures, _ = world.pictures(1_000_123, 0, 3)
    paths = tuple(tmp_path / name for name in ("left.png", "middle.png", "right.png"))
    for picture, path in zip(pictures, paths, strict=True):
        PillowImage.fromarray(picture).save(path)
    return paths


def last(assistant: Assistant, text: str, *images: Path, conversation: str = "") -> Answer:
    return list(ask(assistant, Question(text, images, conversation=conversation)))[-1]


def test_the_second_of_three_pictures(assistant: Assistant, three: tuple[Path, ...]) -> None:
    first = last(assistant, "What is in these pictures?", *three)
    assert first.steps[0].arguments["images"] == ["attachment:1", "attachment:2", "attachment:3"]
    second = last(assistant, "What is in the second picture?", conversation=first.conversation)
    assert second.outcome == "run", second.ask
    assert second.steps[0].tool == "classify"
    assert second.steps[0].arguments["images"] == ["attachment:2"]
    turns = assistant.store.turns("me", first.conversation)
    past = exchanges(turns)
    assert past[0].steps[0].arguments["images"] == tuple(
        Ref("attachment", number, 1) for number in (1, 2, 3)
    )
    assert past[1].steps[0].arguments["images"] == (Ref("attachment", 2, 1),)


def test_the_system_talked_about(assistant: Assistant) -> None:
    first = last(assistant, "How many parameters does convnext_femto have?")
    second = last(assistant, "and its licence?", conversation=first.conversation)
    assert second.steps[0].arguments["systems"] == ["convnext_femto.d1_in1k"]
    assert any("Apache" in b.text for b in second.blocks if isinstance(b, Text))


def test_a_deleted_picture_is_said(assistant: Assistant, three: tuple[Path, ...]) -> None:
    first = last(assistant, "What is in this picture?", three[0])
    for turn in assistant.store.turns("me", first.conversation):
        for path in turn.images:
            path.unlink()
    second = last(assistant, "What is in that picture?", conversation=first.conversation)
    assert second.outcome == "failed"
    assert "not there any more" in second.ask


def test_a_step_that_fails_stops_only_what_needs_it(
    assistant: Assistant, three: tuple[Path, ...]
) -> None:
    far = "Extend this picture to the left by 9000 pixels"
    text = f"{far}. Then tell me under which licence schnell is."
    answer = last(assistant, text, three[0])
    assert [(step.tool, step.status) for step in answer.steps] == [
        ("edit", "failed"),
        ("explain", "done"),
    ]
    assert answer.outcome == "run"
    chained = last(assistant, f"{far}, then classify it", three[0])
    assert [step.status for step in chained.steps] == ["failed", "failed"]
    assert "step 1" in chained.steps[1].error


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("Welche Lizenz hat FLUX.1 schnell?", "FLUX.1 [schnell], Lizenz"),
        ("Какая лицензия: FLUX.1 schnell?", "FLUX.1 [schnell], лицензия"),
        ("FLUX.1 schnell 的许可证是什么", "FLUX.1 [schnell] 的"),
    ],
)
def test_the_first_sentence_is_in_the_language_of_the_question(
    assistant: Assistant, text: str, begins: str
) -> None:
    answer = last(assistant, text)
    assert answer.outcome == "run"
    assert isinstance(answer.blocks[0], Text)
    assert answer.blocks[0].text.startswith(begins)
