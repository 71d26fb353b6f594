"""What the page shows of an answer, and answers in the making."""

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from assistant.answer import Answer, StepState, to_json
from assistant.ask import ask, decide
from assistant.conversation import ME, Attachment, Question
from assistant.page.document import as_json, as_markdown, file_name
from assistant.page.examples import examples
from assistant.page.history import history_html, when
from assistant.page.live import Busy, Live
from assistant.page.render import Message, address, answer_messages, user_message
from assistant.plan import Run
from assistant.settings import Settings
from assistant.steps import Assistant
from assistant.store import Conversation
from assistant.wiring import open_assistant
from tools.base import File, Image, Plot, Table, Text

HOME = Path("/home-of-a-test")
RUN = HOME / "runs" / ME / "r1"


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    opened = open_assistant(Settings(home=tmp_path_factory.mktemp("home")))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def femto(assistant: Assistant) -> Answer:
    """A real answer with a verified and a refuted claim."""
    return [*ask(assistant, Question("How many parameters does convnext_femto have?"))][-1]


def contents(messages: list[Message]) -> str:
    return "\n".join(message["content"] for message in messages)


def titled(messages: list[Message], title: str) -> list[Message]:
    return [m for m in messages if m.get("metadata", {}).get("title", "").startswith(title)]


class Words(HTMLParser):
    """The text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def handle_data(self, data: str) -> None:
        """Keeps the text between tags."""
        self.text += data


# --- what an answer looks like
def test_a_real_answer_shows_its_tool_and_folds_its_evidence(femto: Answer) -> None:
    messages = answer_messages(femto, (), HOME)
    (step,) = titled(messages, "explain · done · ")
    assert step["metadata"]["title"].endswith(" s · why this tool?")
    assert step["metadata"]["status"] == "done"
    assert "Why this tool: " in step["content"]
    (evidence,) = titled(messages, f"Evidence · {len(femto.evidence)} facts · answered in ")
    assert evidence["metadata"]["status"] == "done"
    assert "- **convnext_femto.d1_in1k**, parameters: 5.22 million" in evidence["content"]
    assert "~~4.7 million~~ **refuted.** Right: 5.22 million." in evidence["content"]
    assert "5.22 million (**verified**, says timm, [source](https://" in evidence["content"]
    assert "Cards used: convnext_femto.d1_in1k" in evidence["content"]
    said = [message for message in messages if "metadata" not in message]
    assert "5.22 million parameters" in contents(said)


def test_a_running_step_shows_time_progress_and_note() -> None:
    step = StepState("classify", {}, "running", 1.23, done=0.4, note="3 of 21 MB")
    (message,) = answer_messages(Answer("?", "c", 1, "run", (step,)), (), HOME)
    assert message["metadata"] == {"title": "classify · running · 1.2 s", "status": "pending"}
    assert message["content"] == "40% 3 of 21 MB"


def test_before_any_step_the_page_says_that_it_works() -> None:
    (message,) = answer_messages(Answer("?", "c", 1, "run"), (), HOME)
    assert message["metadata"] == {"title": "Looking it up", "status": "pending"}


def test_a_failure_and_a_question_back_are_plain() -> None:
    step = StepState("classify", {}, "failed", 0.1, error="There is no model x.")
    failed = Answer("?", "c", 1, "failed", (step,), "There is no model x.", finished=True)
    shown = answer_messages(failed, (), HOME)
    assert shown[0]["metadata"]["title"] == "classify · failed · 0.1 s"
    assert shown[-1]["content"] == "**This did not work.** There is no model x."
    back = Answer("?", "c", 1, "clarify", ask="Which?", choices=("a", "b"), finished=True)
    (message,) = answer_messages(back, (), HOME)
    assert message["content"] == "Which?"
    assert message["options"] == [{"value": "a"}, {"value": "b"}]
    growing = answer_messages(replace(back, finished=False), (), HOME)
    assert not any("options" in message for message in growing)


def test_a_table_keeps_its_cells_and_aligns_numbers() -> None:
    table = Table(("system", "ms"), (("a|b", "1.5"), ("c\nd", "12 ms")), "Speed")
    answer = Answer("?", "c", 1, "run", blocks=(table,), finished=True)
    (message,) = answer_messages(answer, (), HOME)
    html = MarkdownIt().enable("table").render(message["content"])
    assert "<strong>Speed</strong>" in html
    assert "<td>a|b</td>" in html
    assert "<td>c d</td>" in html
    assert '<td style="text-align:right">12 ms</td>' in html


def test_pictures_plots_and_files_are_served_without_the_owner() -> None:
    blocks = (
        Image(RUN / "one.png", "first"),
        Image(RUN / "two.png", "second"),
        Plot(RUN / "bars.png", "bars", "Bars"),
        File(RUN / "all results.csv", "every row"),
    )
    answer = Answer("?", "c", 1, "run", blocks=blocks, finished=True)
    first, plot, file = answer_messages(answer, (), HOME)[0]["content"].split("\n\n")
    assert first == (
        "[![first](files/runs/r1/one.png)](files/runs/r1/one.png) "
        "[![second](files/runs/r1/two.png)](files/runs/r1/two.png)"
    )
    assert plot == "[![bars](files/runs/r1/bars.png#plot)](files/runs/r1/bars.png#plot)"
    assert file == "[all results.csv](files/runs/r1/all%20results.csv) every row"


def test_a_file_outside_the_home_has_no_address() -> None:
    assert address(Path("/etc/passwd"), HOME) == ""
    answer = Answer("?", "c", 1, "run", blocks=(Image(Path("/etc/x.png"), "x"),), finished=True)
    assert "/etc" not in contents(answer_messages(answer, (), HOME))


def test_an_earlier_answer_stays_readable(femto: Answer) -> None:
    new = replace(femto, blocks=(Text("The new one."),))
    older = replace(femto, blocks=(Text("The oldest."),))
    messages = answer_messages(new, (older, femto), HOME)
    (earlier,) = [m for m in messages if m.get("metadata", {}).get("title") == "Earlier answer"]
    assert "5.22 million parameters" in earlier["content"]
    assert "~~4.7 million~~" in earlier["content"]
    (oldest,) = titled(messages, "Earlier answer, 2 back")
    assert "The oldest." in oldest["content"]


@given(st.text(st.sampled_from("ab1 .*_`<>[]()#+-=~|\\!&\n"), max_size=60))
def test_the_persons_words_are_taken_literally(text: str) -> None:
    words = Words()
    markdown = MarkdownIt("commonmark", {"breaks": True}).enable(["table", "strikethrough"])
    words.feed(markdown.render(user_message(text.strip(), ())["content"]))
    expected = text.split() or ["(empty)"]
    assert "".join(words.text.split()) == "".join(expected)


def test_a_very_long_question_is_cut_when_shown() -> None:
    content = user_message("x" * 1_000_000, ())["content"]
    assert len(content) < 2_100
    assert content.endswith("(1,000,000 characters)")


# --- what to try first
def test_every_example_is_understood(assistant: Assistant, tmp_path: Path) -> None:
    shown = examples(tmp_path)
    assert sum(bool(example.pictures) for example in shown) >= 2
    for example in shown:
        assert all(picture.stat().st_size > 1000 for picture in example.pictures)
        plan, _ = decide(
            assistant,
            Question(example.text),
            tuple(Attachment("image", path.name, path) for path in example.pictures),
        )
        assert isinstance(plan, Run), example.text


# --- answers in the making
def watched(live: Live, question: Question) -> list[Answer]:
    async def run() -> list[Answer]:
        return [answer async for answer in live.start(question, "page").watch()]

    return asyncio.run(run())


@contextmanager
def locked(assistant: Assistant) -> Iterator[None]:
    """Nothing is kept meanwhile, so that no answer comes to its end."""
    file = assistant.settings.home / "fitting-room.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        yield


def test_an_answer_is_watched_to_its_end(assistant: Assistant) -> None:
    live = Live(assistant)
    answers = watched(live, Question("What can you do?"))
    assert [answer.finished for answer in answers] == [False] * (len(answers) - 1) + [True]
    last = answers[-1]
    live.stop(60)
    assert live.find(ME, last.conversation) is None
    assert len(assistant.store.turns(ME, last.conversation)[0].answers) == 1


def test_an_answer_goes_on_when_nobody_watches(assistant: Assistant) -> None:
    live = Live(assistant)
    with locked(assistant):
        going = live.start(Question("What can you do?"), "page")
        assert live.find(ME, "", "page") is going
        assert live.find("another", "", "page") is None
    while not going.answer.finished:
        pass
    assert assistant.store.turns(ME, going.answer.conversation)[0].answers


def test_two_questions_at_once_in_one_conversation(assistant: Assistant) -> None:
    live = Live(assistant)
    first = watched(live, Question("What can you do?"))[-1]
    live.stop(60)
    with locked(assistant):
        live.start(Question("Compare schnell and klein 4B", conversation=first.conversation), "a")
        with pytest.raises(Busy, match="still answering another question"):
            live.start(Question("hello", conversation=first.conversation), "b")
    live.stop(60)
    live.start(Question("hello", conversation=first.conversation), "b")
    live.stop(60)
    assert len(assistant.store.turns(ME, first.conversation)) == 3


# --- its folder
def test_old_uploads_go_and_examples_stay(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.old_files"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.splitlines() == ["upload: gone", "example: there"], done.stderr


# --- beside the chat
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("time", "said"),
    [
        ("2026-11-22T11:59:30.000+00:00", "just now"),
        ("2026-11-22T13:00:00.000+00:00", "just now"),  # a clock that runs ahead
        ("2026-11-22T11:30:00.000+00:00", "30 min ago"),
        ("2026-11-22T02:00:00.000+00:00", "10 h ago"),
        ("2026-11-21T11:00:00.000+00:00", "yesterday"),
        ("2026-11-18T11:00:00.000+00:00", "4 days ago"),
        ("2026-11-05T11:00:00.000+00:00", "5 Nov 2026"),
        ("", ""),
    ],
)
def test_the_list_says_when(time: str, said: str) -> None:
    assert when(time, NOW) == said


def test_the_list_shows_titles_as_they_are() -> None:
    odd = Conversation("k1", '<img src=x onerror="alert(1)"> & "${x}"', "")
    html = history_html([odd], "k1", "", True, NOW)
    assert "<img" not in html
    assert 'onerror="' not in html
    assert "&lt;img src=x" in html
    assert html.count('aria-current="true"') == 1
    assert 'href="conversations/k1.md"' in html
    assert "Show older ones" in html
    assert "aria-current" not in history_html([odd], "other", "", False, NOW)


def test_several_pictures_of_a_question_have_numbers() -> None:
    one, two = user_message("hi", ["a.png"]), user_message("hi", ["a.png", "b.png"])
    assert "**1**" not in one["content"]
    assert "[![Picture 2 of the question](b.png) **2**](b.png)" in two["content"]


def test_a_document_holds_steps_evidence_and_every_attempt(
    assistant: Assistant, femto: Answer
) -> None:
    (turn,) = assistant.store.turns(ME, femto.conversation)
    odd = replace(turn, question="*What*\n# now", answers=turn.answers * 2)
    text = as_markdown("a *title*", [odd])
    assert text.startswith("# a \\*title\\*\n\n## \\*What\\*\n\n\\# now\n\n### Answer 1 of 2\n")
    assert text.count("~~4.7 million~~ **refuted.** Right: 5.22 million.") == 2
    assert text.count("*Step: explain, done, ") == 2
    told = json.loads(as_json("t", [odd]))
    assert list(told["turns"][0]["answers"][1]) == list(to_json(femto))
    assert file_name("Über 100 %: what?", "md") == "über-100-what.md"
    assert file_name("///", "json") == "conversation.json"


def test_an_edit_replaces_what_followed(assistant: Assistant) -> None:
    live = Live(assistant)
    first = watched(live, Question("What can you do?"))[-1]
    live.stop(5)
    watched(live, Question("hello", conversation=first.conversation, replaces=1))
    live.stop(5)
    assert [turn.question for turn in assistant.store.turns(ME, first.conversation)] == ["hello"]


def test_an_answer_to_a_deleted_conversation_ends(assistant: Assistant) -> None:
    live = Live(assistant)
    going = live.start(Question("Compare schnell and klein 4B"), "page")
    while not going.answer.conversation:
        pass
    assistant.store.delete(ME, going.answer.conversation)
    live.stop(20)
    assert going.answer.finished
