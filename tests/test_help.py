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
