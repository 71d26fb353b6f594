"""The tool `help`: one line for greetings and thanks, else what it can do."""

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
    blocks = list(help_tool(text_context(tmp_path), "what can you do?"))
    assert isinstance(blocks[1], Table)
    assert len(blocks[1].rows) == len(load_tools())
