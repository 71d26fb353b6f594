"""The tool `compare`: same job or not first, then rows, then a verdict that follows from them."""

from pathlib import Path

import pytest

from tests.answers import text_context
from tools.base import NeedsInput, NotBuiltYet, Table, Text, ToolFailed
from tools.compare import compare

FEMTO, LARGE = "convnext_femto.d1_in1k", "mobilenetv3_large_100.ra_in1k"


def test_different_jobs_come_first(tmp_path: Path) -> None:
    first = next(iter(compare(text_context(tmp_path), (FEMTO, "FLUX.1-pro"))))
    assert isinstance(first, Text)
    assert first.text.startswith("These do different jobs")


def test_the_verdict_follows_from_the_rows(tmp_path: Path) -> None:
    blocks = list(compare(text_context(tmp_path), (FEMTO, LARGE)))
    assert isinstance(blocks[0], Text)
    assert "do the same job" in blocks[0].text
    titles = [block.title for block in blocks if isinstance(block, Table)]
    assert titles[:2] == ["Facts", "Published scores"]
    verdict = blocks[-1]
    assert isinstance(verdict, Text)
    size = next(line for line in verdict.text.splitlines() if line.startswith("- parameters"))
    assert size.index("ConvNeXt Femto 5.22 million") < size.index("MobileNetV3 Large 5.48 million")
    speed = next(line for line in verdict.text.splitlines() if line.startswith("- latency (224 px"))
    assert speed.index("MobileNetV3 Large") < speed.index("ConvNeXt Femto")


def test_every_row_has_a_source_with_a_date(tmp_path: Path) -> None:
    for block in compare(text_context(tmp_path), ("schnell", "klein 4b")):
        if isinstance(block, Table) and block.title in ("Facts", "Published scores"):
            assert block.columns[-1] == "Source"
            assert all("20" in row[-1] for row in block.rows)


def test_properties_can_be_chosen(tmp_path: Path) -> None:
    blocks = list(compare(text_context(tmp_path), (FEMTO, LARGE), properties=("parameters",)))
    tables = [block for block in blocks if isinstance(block, Table)]
    assert [row[0] for row in tables[0].rows] == ["parameters"]


def test_bad_input_gets_a_sentence(tmp_path: Path) -> None:
    context = text_context(tmp_path)
    with pytest.raises(NeedsInput, match="Which two"):
        list(compare(context, (FEMTO,)))
    with pytest.raises(NeedsInput, match="Which two"):
        list(compare(context, (FEMTO, "femto")))
    with pytest.raises(ToolFailed, match="nearest"):
        list(compare(context, (FEMTO, "convnextish-9000")))
    with pytest.raises(ToolFailed, match="nothing to compare by"):
        list(compare(context, (FEMTO, LARGE), properties=("beauty",)))
    with pytest.raises(NotBuiltYet):
        list(compare(context, (FEMTO, LARGE), prompts=("a star",)))


def test_one_that_leads_in_all_that_was_asked_is_the_pick(tmp_path: Path) -> None:
    ctx = text_context(tmp_path)
    *_, verdict = compare(ctx, ("vit_base_patch16_224.augreg2_in21k_ft_in1k", FEMTO), ("size",))
    assert isinstance(verdict, Text)
    assert verdict.data == {"picks": [{"system": FEMTO}]}
    *_, split = compare(ctx, (FEMTO, LARGE))
    assert isinstance(split, Text)
    assert split.data == {"picks": []}
