"""The tool `help`: one line for greetings and thanks, else what it can do."""

import inspect
from pathlib import Path

import pytest

from tests.answers import text_context
from tools.base import Table, Text, load_tools
from tools.help import help as help_tool


@pytest.mark.parametrize("words", ["hello", "Hi there!", "good morning", "thanks!", "Thank you"])
def test_greetings_get_one_line(words: str, tmp_path: Path) -> None:
    blocks = list(help_tool(text_context(tmp_path), words))
    assert len(blocks) == 1
    assert isinstance(blocks[0], Text)
    assert "\n" not in blocks[0].text


@pytest.mark.parametrize(
    ("words", "reply"),
    [
        ("who gets to see the pictures of my kids that i sent you", "stays on the machine"),
        ("Speichern Sie meine Bilder?", "stays on the machine"),
        ("and what is all this going to cost me, talking to you", "costs nothing"),
        ("is that a human typing", "I am a program"),
        ("where do I put my photo", "Drop pictures on the box"),
        ("say that again in easier words, I am 81", "In short"),
        ("wrong answer, try harder", "try again"),
        ("you did in ten seconds what took me a week", "You are welcome"),
        ("my bus is here, see you", "Until then"),
    ],
)
def test_what_is_said_to_the_assistant_gets_its_reply(
    words: str, reply: str, tmp_path: Path
) -> None:
    (block,) = help_tool(text_context(tmp_path), words)
    assert isinstance(block, Text)
    assert reply in block.text


def test_the_tools_are_listed(tmp_path: Path) -> None:
    _, table, later = help_tool(text_context(tmp_path), "what can you do?")
    assert isinstance(table, Table)
    assert isinstance(later, Text)
    listed = {row[0] for row in table.rows}
    for tool in load_tools().values():
        assert (tool.card.title in listed) == tool.card.built
        assert (tool.card.title in later.text) != tool.card.built


def test_a_tool_that_is_not_built_says_so(tmp_path: Path) -> None:
    for tool in load_tools().values():
        stub = "raise NotBuiltYet(" in inspect.getsource(tool.call).splitlines()[-1]
        assert stub != tool.card.built, tool.name
