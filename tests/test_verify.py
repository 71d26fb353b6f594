"""The tool `verify`: the verdict first, with the right value, who says so, and when."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from assistant.grounding import faults
from tests.answers import index, text_context
from tools.base import Block, NeedsInput, Table, Text
from tools.verify import verify

CLAIMS = Path(__file__).parent / "questions" / "claims.jsonl"
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def claims() -> list[dict[str, Any]]:
    return [json.loads(line) for line in CLAIMS.read_text(encoding="utf-8").splitlines()]


def verdict(claim: str, folder: Path) -> Text:
    first = next(iter(verify(text_context(folder), claim)))
    assert isinstance(first, Text)
    return first


Judged = list[tuple[dict[str, Any], list[Block]]]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """Every claim with its answer; with none where something was asked back."""
    context = text_context(tmp_path_factory.mktemp("run"))
    found = []
    for row in claims():
        try:
            found.append((row, list(verify(context, row["text"]))))
        except NeedsInput:
            found.append((row, []))
    return found


def test_the_claims_are_judged(judged: Judged) -> None:
    wrong = []
    for row, blocks in judged:
        data = blocks[0].data if blocks and isinstance(blocks[0], Text) else {}
        right = data.get("verdict") == row["verdict"]
        right &= "right_value" not in row or data.get("right_value") == row["right_value"]
        wrong += [] if right else [(row["text"], data)]
    assert len(judged) > 700
    assert len(wrong) / len(judged) <= 0.02, wrong


def test_every_figure_is_carried_by_a_fact(judged: Judged) -> None:
    for row, blocks in judged:
        for block in blocks:
            assert faults(block, index().names) == (), row["text"]


def test_no_verdict_without_a_cited_fact(judged: Judged) -> None:
    for row, blocks in judged:
        first = blocks[0] if blocks else Text("", data={"verdict": "unverifiable"})
        assert isinstance(first, Text)
        if first.data["verdict"] != "unverifiable":
            assert first.cites, row["text"]
            assert first.data["source"]
            sentence = first.text.split("\n\n")[0]
            assert sentence.startswith(f"{first.data['verdict'].capitalize()}: ")
            assert DATE.search(sentence), row["text"]


def test_the_first_sentence_states_the_right_value(tmp_path: Path) -> None:
    first = verdict("femto has 4.7 million parameters", tmp_path)
    assert first.text.startswith("False: ConvNeXt Femto has 5.22 million parameters ([timm, 2026")
    assert "Unfragile claims" in first.text
    assert first.data["unit"] == "million"


@pytest.mark.parametrize(
    ("claim", "right"),
    [
        ("convnext_femto has 5 million parameters", True),  # rounded as the claim is written
        ("convnext_femto has 5.0 million parameters", False),
        ("convnext_femto has about 5.7 million parameters", True),
        ("convnext_femto has about 6 million parameters", False),
        ("convnext_femto has at least 5 million parameters", True),
        ("convnext_femto has fewer than 5 million parameters", False),
        ("convnext_femto does not have 9 million parameters", True),
        ("ConvNeXt Femto is 16.6 times smaller than ViT-Base", True),
        ("ConvNeXt Femto is 10 times smaller than ViT-Base", False),
        ("convnext_base has 88.6M params and 90 % top-1", False),  # one of two is wrong
    ],
)
def test_numbers_and_bounds(claim: str, right: bool, tmp_path: Path) -> None:
    assert verdict(claim, tmp_path).data["verdict"] == str(right).lower()


@pytest.mark.parametrize(
    ("claim", "right"),
    [
        ("schnell is Apache licensed and needs 20 steps", "false"),  # each part must hold
        ("ViT-Small is larger than ViT-Tiny but smaller than ViT-Base", "true"),
        ("ResNet-18 is smaller than ResNet-34, which is smaller than ResNet-50", "true"),
        ("Of resnet18, resnet34 and resnet50, resnet34 is the smallest", "false"),
        ("ResNet-34 is the second smallest ResNet", "true"),
        ("Kontext pro is 50 % cheaper than Kontext max", "true"),
        ("Imagen 4 is cheaper than FLUX.2 pro", "unverifiable"),  # nobody knows the first one
        ("FLUX.2 pro is cheaper than Imagen 4", "unverifiable"),
        ("klein 4B is smaller than 9B", "true"),  # the second name is clipped
        ("SD 1.5 takes negative prompts while SDXL Turbo does not", "true"),
    ],
)
def test_parts_and_orders(claim: str, right: str, tmp_path: Path) -> None:
    assert verdict(claim, tmp_path).data["verdict"] == right


@pytest.mark.parametrize(
    ("claim", "right"),
    [
        ("1000 pictures from FLUX1.1 pro cost $40", "true"),
        ("A 4 megapixel picture from FLUX.2 pro costs 7.5 cents", "true"),
        ("DALL-E 3 was withdrawn in May 2026", "true"),
        ("DALL-E 3 was withdrawn in 2024", "false"),
        ("ResNet-50 was released in 2015", "unverifiable"),  # no card says when
        ("All FLUX.2 endpoints support webp", "true"),
        ("None of the FLUX.2 endpoints has a mask field", "true"),
        ("All klein models are Apache 2.0", "false"),
    ],
)
def test_prices_dates_and_families(claim: str, right: str, tmp_path: Path) -> None:
    assert verdict(claim, tmp_path).data["verdict"] == right


@pytest.mark.parametrize(
    "claim", ["HyperVision 9000 has 4 billion parameters", "The moon is made of green cheese"]
)
def test_what_names_nothing_known_is_unverifiable(claim: str, tmp_path: Path) -> None:
    told = verdict(claim, tmp_path)
    assert told.data["verdict"] == "unverifiable"
    assert "names no system that is known here" in told.text


def test_doubts_around_a_claim_change_nothing(tmp_path: Path) -> None:
    core = "FLUX.1 dev is free for commercial use"
    for claim in (core, f"They say {core}, right?", f"I doubt that {core}. Am I wrong?"):
        assert verdict(claim, tmp_path).data["verdict"] == "false", claim
    assert verdict("FLUX.1 dev is not free for commercial use", tmp_path).data["verdict"] == "true"


def test_a_short_name_serves_where_all_that_bear_it_agree(tmp_path: Path) -> None:
    assert verdict("klein uses Qwen3 as text encoder", tmp_path).data["verdict"] == "true"
    with pytest.raises(NeedsInput) as asked:
        verdict("klein has 9 billion parameters", tmp_path)
    assert len(asked.value.choices) > 1


def test_a_claim_about_nothing_is_asked_back(tmp_path: Path) -> None:
    with pytest.raises(NeedsInput) as asked:
        verdict("true or false: it runs in 8 GB", tmp_path)
    assert len(asked.value.choices) == 3
    for choice in asked.value.choices:
        assert verdict(choice, tmp_path).data["verdict"] in ("true", "false", "unverifiable")


def test_a_claim_about_all_of_a_kind_needs_no_name(tmp_path: Path) -> None:
    told = verdict("I heard the result links die after ten minutes, is that so?", tmp_path)
    assert told.data["verdict"] == "true"


def test_what_nobody_knows_is_unverifiable_with_the_nearest(tmp_path: Path) -> None:
    told = verdict("midjourney has 9 billion parameters", tmp_path)
    assert told.data == {
        "verdict": "unverifiable", "right_value": None, "unit": None, "source": None,
    }  # fmt: skip
    assert "no source here tells" in told.text


def test_more_of_the_same_stands_in_a_table(tmp_path: Path) -> None:
    blocks = list(verify(text_context(tmp_path), "schnell runs in 12 GB"))
    assert isinstance(blocks[-1], Table)
    assert "33 GiB" in str(blocks[-1].rows)


@pytest.mark.parametrize("claim", ["", "?", "42", "is it true", "\N{GRINNING FACE}"])
def test_odd_claims_are_asked_back(claim: str, tmp_path: Path) -> None:
    with pytest.raises(NeedsInput) as asked:
        verdict(claim, tmp_path)
    assert asked.value.choices


def test_a_bare_name_claims_nothing(tmp_path: Path) -> None:
    assert verdict("FLUX.1-dev", tmp_path).data["verdict"] == "unverifiable"
