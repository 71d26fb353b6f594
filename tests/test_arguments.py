"""Arguments are read from words and files; what was not said is left out."""

from pathlib import Path

import pytest

from assistant.arguments import arguments_for
from tests.answers import index
from tools.base import NeedsInput, load_tools

TOOLS = load_tools()
PICTURE = Path("star.png")


def read(tool: str, text: str, *images: Path) -> dict[str, object]:
    return arguments_for(TOOLS[tool], text, images, index().names)


def test_a_picture_and_a_number() -> None:
    found = read("classify", "the top 3 guesses please", PICTURE)
    assert found == {"images": (PICTURE,), "top_k": 3}


def test_a_model_by_name_or_typo() -> None:
    assert read("classify", "classify with femto", PICTURE)["model"] == "convnext_femto.d1_in1k"
    assert read("benchmark", "benchmark mobilnetv3 large 100")["models"] == (
        "mobilenetv3_large_100.ra_in1k",
    )


def test_several_systems_in_order() -> None:
    found = read("compare", "schnell versus klein 4b versus femto")
    assert found["systems"] == ("FLUX.1-schnell", "FLUX.2-klein-4B", "convnext_femto.d1_in1k")


def test_the_query_is_kept_whole() -> None:
    text = "How many parameters has femto?"
    assert read("explain", text) == {"query": text, "systems": ("convnext_femto.d1_in1k",)}


def test_what_is_missing_is_asked_for() -> None:
    with pytest.raises(NeedsInput, match="Which picture"):
        read("classify", "what is this")
    with pytest.raises(NeedsInput, match="Which two"):
        read("compare", "compare schnell")
