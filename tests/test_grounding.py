"""Every figure must stand in its evidence: planted faults are caught, true answers pass."""

from dataclasses import replace
from pathlib import Path

import pytest

from assistant.grounding import checked, faults
from index.catalog import load
from index.evidence import Fact, Measurement
from tests.answers import index, text_context
from tools.base import Block, Image, Plot, Table, Text
from tools.compare import compare
from tools.explain import explain

NAMES = index().names
FEMTO, LARGE = "convnext_femto.d1_in1k", "mobilenetv3_large_100.ra_in1k"


def fact(system: str, name: str, at: str = "") -> Fact:
    found = [f for f in load().find(system, name) if f.at == at and f.value != "x"]
    return found[0]


SIZES = (fact(FEMTO, "parameters"), fact(LARGE, "parameters"))
TRUE = f"{FEMTO} has 5.22 million parameters; {LARGE} has 5.48 million parameters."


def text(words: str) -> Text:
    return Text(words, SIZES)


@pytest.mark.parametrize(
    "words",
    [
        TRUE,
        f"{FEMTO} has 5.2 million parameters.",
        f"With 5.22 million parameters, {FEMTO} is small.",
        "FLUX.1 and ImageNet-1k hold digits but are names.",
        f"{FEMTO} is best for small machines.",
    ],
)
def test_true_text_passes(words: str) -> None:
    assert faults(text(words), NAMES) == ()


@pytest.mark.parametrize(
    "words",
    [
        TRUE.replace("5.22", "5.23"),
        TRUE.replace("5.22", "5.48"),
        TRUE.replace("5.22", "#").replace("5.48", "5.22").replace("#", "5.48"),
        TRUE.replace("5.22 million", "5.22 billion"),
        TRUE.replace("5.22 million parameters", "5.22 %"),
        f"{FEMTO} has 5.22 million activations.",
        f"{LARGE} has more than twice the parameters.",
        f"{LARGE} has 3 times the parameters.",
        f"{LARGE} has half the parameters.",
        f"{FEMTO} has five million parameters.",
        f"{FEMTO} costs $5.22.",
    ],
)
def test_planted_faults_in_prose_are_caught(words: str) -> None:
    assert faults(text(words), NAMES)


ROWS = (("parameters", "5.22 million", "5.48 million"),)
TABLE = Table(("", FEMTO, LARGE), ROWS, "Facts", SIZES)


def test_a_true_table_passes() -> None:
    assert faults(TABLE, NAMES) == ()


@pytest.mark.parametrize(
    "row",
    [
        ("parameters", "5.23 million", "5.48 million"),
        ("parameters", "5.48 million", "5.22 million"),
        ("file size", "5.22 million", "5.48 million"),
        ("parameters (twice)", "5.22 million", "5.48 million"),
    ],
)
def test_planted_faults_in_a_table_are_caught(row: tuple[str, str, str]) -> None:
    assert faults(replace(TABLE, rows=(row,)), NAMES)


def test_a_fault_in_a_heading_or_title_is_caught() -> None:
    assert faults(replace(TABLE, title="99 facts"), NAMES)
    assert faults(replace(TABLE, columns=("", f"{FEMTO} 7 million parameters", LARGE)), NAMES)


def test_a_plot_is_read_too() -> None:
    title = f"Parameters of {FEMTO}: 5.22 million parameters"
    plot = Plot(Path("p.png"), title, title, ("parameters",), SIZES)
    assert faults(plot, NAMES) == ()
    assert faults(replace(plot, title=title.replace("5.22", "5.32")), NAMES)
    assert faults(replace(plot, alt=title.replace("5.22", "5.32")), NAMES)
    assert faults(replace(plot, labels=("7.5 million parameters",)), NAMES)


MEASURED = Measurement(
    FEMTO, "probability", 97.31, "%", "cat 7.jpg: tabby", "cpu", "", "", "run", "2026-01-01"
)


def test_a_measurement_belongs_to_its_picture() -> None:
    words = f"{FEMTO}: cat 7.jpg is most likely tabby, probability 97.3 %."
    assert faults(Text(words, (MEASURED,)), NAMES, ("cat 7.jpg",)) == ()
    assert faults(Text(words.replace("97.3", "97.4"), (MEASURED,)), NAMES, ("cat 7.jpg",))
    assert faults(Text(words.replace("tabby", "tiger"), (MEASURED,)), NAMES, ("cat 7.jpg",))


@pytest.mark.parametrize("at", ["2012_7.jpg: half track", "resnet50.jpg: tabby", "a: 3 cats"])
def test_names_of_pictures_and_labels_are_no_figures(at: str) -> None:
    picture, label = at.split(": ")
    seen = replace(MEASURED, at=at)
    words = f"{FEMTO}: {picture} is most likely {label}, probability 97.3 %."
    assert faults(Text(words, (seen,)), NAMES) == ()
    assert faults(Text(words.replace("97.3", "97.4"), (seen,)), NAMES)


def test_an_image_without_evidence_may_not_state_figures() -> None:
    assert faults(Image(Path("x.png"), "a picture"), NAMES) == ()
    assert faults(Image(Path("x.png"), "a picture, 97.3 % sure"), NAMES)


def test_an_ungrounded_block_is_withheld(caplog: pytest.LogCaptureFixture) -> None:
    shown = checked(text(TRUE.replace("5.22", "9.99")), NAMES)
    assert isinstance(shown, Text)
    assert "withheld" in shown.text
    assert "9.99" not in shown.text
    assert "ungrounded" in caplog.text


QUESTIONS = (
    "How many parameters does convnext_femto have?",
    "Tell me about FLUX.1 schnell",
    "What does FLUX.2 pro cost?",
    "May I use FLUX.1 dev commercially?",
    "learning rate of Xavier's dreambooth repo",
    "vit tiny accuracy at 224",
)


def swapped(block: Block, old: str, new: str) -> Block:
    """The block with one text exchanged wherever it is shown."""
    if isinstance(block, Text):
        return replace(block, text=block.text.replace(old, new))
    if isinstance(block, Table):
        rows = tuple(tuple(cell.replace(old, new) for cell in row) for row in block.rows)
        return replace(block, rows=rows)
    return block


@pytest.mark.parametrize("query", QUESTIONS)
def test_explanations_are_grounded_and_faults_in_them_caught(query: str, tmp_path: Path) -> None:
    for block in explain(text_context(tmp_path), query):
        assert faults(block, NAMES) == ()
        for cited in block.cites:
            if isinstance(cited.value, float) and f"{cited.value:g}" in str(block):
                wrong = swapped(block, f"{cited.value:g}", f"{cited.value * 1.17:.6g}")
                assert wrong == block or faults(wrong, NAMES)


def test_comparisons_are_grounded(tmp_path: Path) -> None:
    context = text_context(tmp_path)
    for pair in ((FEMTO, LARGE), ("FLUX.1-schnell", "FLUX.2-klein-4B"), (FEMTO, "FLUX.1-pro")):
        for block in compare(context, pair):
            assert faults(block, NAMES) == (), block


def test_a_picture_with_the_name_of_a_letter_hides_no_word() -> None:
    assert faults(text(TRUE), NAMES, ("c.png", "c")) == ()
    assert faults(text(f"c: {FEMTO} has 5.32 million parameters."), NAMES, ("c.png", "c"))
