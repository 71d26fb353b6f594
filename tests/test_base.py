"""Tools: discovered by file, their arguments checked against the signature."""

import pytest

from tools.base import NotBuiltYet, ToolFailed, load_tools

TOOLS = load_tools()


def test_arguments_are_checked_and_defaults_filled() -> None:
    checked = TOOLS["classify"].check({"top_k": 3})
    assert checked["top_k"] == 3
    assert checked["images"] == ()


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("classify", {"top_k": 0}, "top_k is 0, but should be greater than or equal to 1"),
        ("classify", {"top_k": -5}, "top_k is -5"),
        ("classify", {"top_k": 10**9}, "top_k is 1000000000"),
        ("classify", {"topk": 3}, "classify has no argument 'topk'. It takes: images"),
        ("export", {}, "export needs model"),
        ("generate", {"prompt": "x", "steps": "many"}, "steps is 'many'"),
        ("export", {"model": "x", "format": "zip"}, "format is 'zip', but should be 'onnx'"),
    ],
)
def test_a_wrong_argument_gets_a_sentence(
    tool: str, arguments: dict[str, object], words: str
) -> None:
    with pytest.raises(ToolFailed) as failed:
        TOOLS[tool].check(arguments)
    assert words in str(failed.value)


def test_what_is_not_built_says_so() -> None:
    assert "generate is not built yet" in str(NotBuiltYet("generate"))
