"""The one pass, end to end: real store, real uploads, real worker."""

import threading
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image as PillowImage

from assistant.answer import Answer, to_json
from assistant.ask import LONGEST, ask, call, decide
from assistant.conversation import Question
from assistant.grounding import faults
from assistant.plan import Run
from assistant.runs import is_complete
from assistant.settings import Settings
from assistant.steps import Assistant
from assistant.wiring import open_assistant
from tools.base import Table, Text
from tools.pocket import world


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    settings = Settings(home=tmp_path_factory.mktemp("home"), offline=True)
    with closing(open_assistant(settings)) as opened:
        yield opened


def last(assistant: Assistant, text: str, *images: Path, conversation: str = "") -> Answer:
    question = Question(text, images, conversation=conversation)
    answers = list(ask(assistant, question))
    assert [answer.finished for answer in answers] == [False] * (len(answers) - 1) + [True]
    return answers[-1]


@pytest.fixture
def star(tmp_path: Path) -> Path:
    pictures, scenes = world.pictures(1_000_099, 0, 40)
    place = next(i for i, scene in enumerate(scenes) if len(scene.things) == 1)
    path = tmp_path / "drawn.png"
    PillowImage.fromarray(pictures[place]).save(path)
    return path


def test_a_text_question(assistant: Assistant) -> None:
    answer = last(assistant, "How many parameters does convnext_femto have?")
    assert answer.outcome == "run"
    assert [step.status for step in answer.steps] == ["done"]
    assert isinstance(answer.blocks[0], Text)
    assert "5.22 million" in answer.blocks[0].text
    told = to_json(answer)
    assert set(told) == {
        "question", "conversation", "turn", "outcome", "steps", "ask", "choices", "hits", "blocks",
        "evidence", "seconds",
    }  # fmt: skip
    assert set(told["evidence"][0]) == {
        "id", "system", "property", "value", "unit", "origin", "source", "date", "run",
    }  # fmt: skip
    assert told["evidence"][0]["value"] == 5.22
    runs = assistant.settings.home / "runs" / "me"
    assert any(is_complete(path) for path in runs.iterdir())


def test_a_conversation_goes_on(assistant: Assistant) -> None:
    first = last(assistant, "hello")
    second = last(assistant, "thanks", conversation=first.conversation)
    assert (first.turn, second.turn) == (1, 2)
    kept = assistant.store.turns("me", first.conversation)
    assert [turn.question for turn in kept] == ["hello", "thanks"]
    assert all(len(turn.answers) == 1 for turn in kept)


def test_a_retry_keeps_the_old_answer(assistant: Assistant) -> None:
    first = last(assistant, "hello")
    again = Question("hello", conversation=first.conversation, turn=1)
    list(ask(assistant, again))
    assert len(assistant.store.turns("me", first.conversation)[0].answers) == 2


def test_a_picture_is_classified(assistant: Assistant, star: Path) -> None:
    answer = last(assistant, "What is in this picture?", star)
    assert answer.outcome == "run", answer.ask
    assert answer.steps[0].tool == "classify"
    assert to_json(answer)["steps"][0]["arguments"]["images"] == ["attachment:1"]
    tables = [block for block in answer.blocks if isinstance(block, Table)]
    assert "Probability" in tables[0].columns
    assert answer.evidence
    names = assistant.names
    for block in answer.blocks:
        assert faults(block, names, (star.name, star.stem)) == ()


def test_a_tool_by_name_takes_pictures_the_same_way(assistant: Assistant, star: Path) -> None:
    arguments = {"images": (star,), "model": "pocket-convnext"}
    answer = list(call(assistant, "classify", arguments, Question("")))[-1]
    assert answer.outcome == "run", answer.ask


def test_what_no_tool_does_is_declined_with_who_would_do_it(assistant: Assistant) -> None:
    first = last(assistant, "Which licence has resnet18?")
    answer = last(assistant, "and put boxes around all the cars", conversation=first.conversation)
    assert answer.outcome == "decline"
    assert answer.ask.startswith("That would need an object detector")
    assert len(answer.choices) == 3
    licences = [choice for choice in answer.choices if choice.startswith("Under which licence")]
    assert all("ResNet-18" in choice for choice in licences)


def test_no_tool_fits(assistant: Assistant) -> None:
    answer = last(assistant, "what will the weather in Paris be tomorrow")
    assert answer.outcome == "decline"
    assert answer.choices
    assert "nearest" in answer.ask


def test_a_tool_that_is_not_built_says_so(assistant: Assistant) -> None:
    answer = last(assistant, "Export convnext_femto to ONNX")
    assert answer.outcome == "failed"
    assert "not built yet" in answer.ask
    (advised,) = answer.choices
    asked = last(assistant, advised)
    assert [step.tool for step in asked.steps] == ["recommend"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("   \n", "empty"),
        ("a" * (LONGEST + 1), "characters"),
        ("x" * 10**6, "1,000"),
    ],
)
def test_no_question_to_answer(assistant: Assistant, text: str, words: str) -> None:
    answer = last(assistant, text)
    assert answer.outcome == "clarify"
    assert words in answer.ask


def test_a_bad_picture_gets_a_sentence_and_loses_nothing(
    assistant: Assistant, tmp_path: Path
) -> None:
    broken = tmp_path / "holiday.jpg"
    broken.write_bytes(b"\xff\xd8\xff nothing more")
    answer = last(assistant, "What is in this picture?", broken)
    assert answer.outcome == "clarify"
    assert "holiday.jpg" in answer.ask
    kept = assistant.store.turns("me", answer.conversation)
    assert kept[0].question == "What is in this picture?"


def test_a_picture_is_asked_for(assistant: Assistant) -> None:
    answer = last(assistant, "What is in this picture?")
    assert answer.outcome == "clarify"
    assert "Which picture" in answer.ask


def test_an_unknown_conversation_is_said(assistant: Assistant) -> None:
    answer = last(assistant, "hello", conversation="0" * 32)
    assert answer.outcome == "failed"
    assert answer.ask


def test_two_questions_at_once(assistant: Assistant) -> None:
    conversation = last(assistant, "hello").conversation
    with ThreadPoolExecutor(2) as both:
        asked = [
            both.submit(last, assistant, text, conversation=conversation)
            for text in ("How many steps does schnell take?", "licence of femto?")
        ]
    assert sorted(future.result().turn for future in asked) == [2, 3]
    assert all(future.result().outcome == "run" for future in asked)


def test_a_stop_keeps_what_is_there(assistant: Assistant, star: Path) -> None:
    stop = threading.Event()
    stop.set()
    answer = list(ask(assistant, Question("What is in this picture?", (star,)), stop))[-1]
    assert answer.steps[0].status == "stopped"
    assert "Stopped" in answer.ask


def runs_a_model(assistant: Assistant, text: str) -> bool:
    planned, _ = decide(assistant, Question(text))
    steps = planned.steps if isinstance(planned, Run) else ()
    return any(assistant.tools[step.tool].card.runs_model for step in steps)


def test_every_question_that_runs_no_model_is_grounded(assistant: Assistant) -> None:
    folder = Path(__file__).parent / "questions"
    asked = 0
    for tool in ("help", "explain", "compare", "recommend", "verify", "jobs"):
        rows = tomllib.loads((folder / f"{tool}.toml").read_text(encoding="utf-8"))["question"]
        for row in (row for row in rows if not runs_a_model(assistant, row["text"])):
            answer = last(assistant, row["text"])
            asked += 1
            assert "withheld" not in " ".join(map(str, answer.blocks)), row["text"]
            for block in answer.blocks:
                assert faults(block, assistant.names) == (), row["text"]
    assert asked > 80
