"""The tool `recommend`: fitting picks first, no broken limit, and the least change if none fits."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from assistant.arguments import use_case_limits
from assistant.grounding import faults
from index.card import Card
from index.catalog import load
from index.evidence import Measurement
from tests.answers import index, text_context
from tests.clock import quickest
from tests.contexts import Kept
from tools.base import Block, Context, NeedsInput, Table, Text, ToolFailed
from tools.recommend import recommend

CASES = Path(__file__).parent / "questions" / "use_cases.jsonl"
BLIND = CASES.with_name("use_cases_blind.jsonl")
CATALOG = load()


def cases(path: Path = CASES) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def answered(context: Context, use_case: str, **limits: Any) -> tuple[Text, list[Block]]:
    blocks = list(recommend(context, use_case, **limits))
    assert isinstance(blocks[0], Text)
    return blocks[0], blocks


def picks(first: Text) -> list[str]:
    return [pick["system"] for pick in first.data["picks"]]


def numbers(card: Card, name: str) -> list[float]:
    truths = [claim.truth for claim in card.claims if claim.property == name]
    return [float(truth) for truth in truths if isinstance(truth, int | float)]


def keeps(rule: dict[str, Any], system: str) -> bool:
    card = CATALOG.get(system)
    assert card
    return (
        "classify" in card.tasks
        and min(numbers(card, "parameters")) * 1e6 <= rule.get("max_parameters", 1e12)
        and max(numbers(card, "top1")) >= rule.get("min_top1", 0)
        and (not rule.get("licence_commercial") or card.commercial_use in ("yes", "conditions"))
    )


def is_right(row: dict[str, Any], chosen: list[str]) -> bool:
    if row.get("no_fit"):
        return not chosen
    if not chosen:
        return False
    return keeps(row["rule"], chosen[0]) if "rule" in row else chosen[0] in row["acceptable"]


Answered = list[tuple[dict[str, Any], Text, list[Block]]]


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Answered:
    """Every use case, answered with its limits as arguments."""
    context = text_context(tmp_path_factory.mktemp("run"))
    return [(row, *answered(context, row["text"], **row["constraints"])) for row in cases()]


def wrong_ones(all_answered: Answered) -> list[tuple[str, list[str]]]:
    wrong = []
    for row, first, blocks in all_answered:
        chosen = picks(first)
        assert not set(chosen) & set(row["forbidden"]), row["text"]
        for block in blocks:
            assert faults(block, index().names) == (), row["text"]
        wrong += [] if is_right(row, chosen) else [(row["text"], chosen)]
    return wrong


def test_the_judged_use_cases(typed: Answered) -> None:
    assert len(wrong_ones(typed)) / len(typed) <= 0.05


def test_the_judged_use_cases_in_words_alone(tmp_path: Path) -> None:
    context, names = text_context(tmp_path), index().names
    found = [
        (row, *answered(context, row["text"], **use_case_limits(row["text"], names)))
        for row in cases()
    ]
    assert len(wrong_ones(found)) / len(found) <= 0.1


@pytest.mark.parametrize(("in_words", "share_wrong"), [(False, 0.14), (True, 0.22)])
def test_use_cases_that_nothing_was_written_for(
    in_words: bool, share_wrong: float, tmp_path: Path
) -> None:
    context, names, found = text_context(tmp_path), index().names, []
    for row in cases(BLIND):
        limits = use_case_limits(row["text"], names) if in_words else row["constraints"]
        found.append((row, *answered(context, row["text"], **limits)))
    assert len(wrong_ones(found)) / len(found) <= share_wrong


def test_no_pick_breaks_a_limit(typed: Answered) -> None:
    for row, first, _ in typed:
        limits = row["constraints"]
        for pick in first.data["picks"]:
            card = CATALOG.get(pick["system"])
            assert card
            assert card.status != "withdrawn"
            assert card.kind != "pocket"
            assert not (
                limits.get("commercial") and card.commercial_use not in ("yes", "conditions")
            )
            assert not (limits.get("offline") and card.kind in ("hosted", "service"))
            if most := limits.get("max_parameters"):
                assert min(numbers(card, "parameters")) * 1e6 <= most
            assert pick["reasons"]


def test_every_pick_has_its_licence_said(typed: Answered) -> None:
    for _, first, blocks in typed:
        if not picks(first):
            continue
        assert "licence: " in first.text.split("\n\n")[0]
        table = blocks[1]
        assert isinstance(table, Table)
        assert len(table.columns) == 1 + len(picks(first)) <= 4
        assert table.rows[0][0] == "Licence"
        assert {row[0] for row in table.rows} >= {"How it is run", "Source"}
        for system, cell in zip(picks(first), table.rows[0][1:], strict=True):
            card = CATALOG.get(system)
            assert card
            assert card.licence in cell


def test_no_fit_names_the_least_change(tmp_path: Path) -> None:
    limits: dict[str, Any] = {"task": "generate", "max_price_usd": 0.05}
    first, blocks = answered(
        text_context(tmp_path), "picture API that searches the web before drawing", **limits
    )
    assert first.text.startswith("No system here fits")
    change = next(b.text for b in blocks if isinstance(b, Text) and "least change" in b.text)
    assert "Pay more for a picture: FLUX.2 [max]: price per picture: $0.07" in change
    assert "Do without the web search" in change
    assert any("Why not" in b.text for b in blocks if isinstance(b, Text))


@pytest.mark.parametrize(
    ("use_case", "instead"),
    [
        ("count all sheep on my drone pictures", "object detector"),
        ("upscale my old scans four times, nothing may change", "super-resolution"),
        ("a pixel accurate outline of each cell", "segmentation model"),
        ("read the number plates of parked cars", "text recogniser"),
        ("make a short video of my dog", "video model"),
        ("turn my painting into a ten second clip", "video model"),
        ("get the totals off photographed receipts", "text recogniser"),
        ("find photos in our archive by describing them", "text-image embedding"),
    ],
)
def test_what_no_system_does_is_said(use_case: str, instead: str, tmp_path: Path) -> None:
    first, blocks = answered(text_context(tmp_path), use_case)
    assert instead in first.text
    assert first.data["picks"] == []
    assert len(blocks) == 1


def test_the_answer_says_what_it_assumed_and_what_would_change_it(tmp_path: Path) -> None:
    _, blocks = answered(text_context(tmp_path), "I need pictures for my blog")
    told = " ".join(block.text for block in blocks if isinstance(block, Text))
    assert "**Assumed**" in told
    assert "The task was not said" in told
    assert "**What would change the answer**" in told


def test_a_model_whose_memory_nobody_states_is_no_pick(tmp_path: Path) -> None:
    first, _ = answered(
        text_context(tmp_path), "pictures from words", task="generate", device_memory_gib=80.0
    )
    assert "stable-diffusion-xl-base-1.0" not in picks(first)
    assert "FLUX.2-klein-4B" in picks(first)


@pytest.mark.parametrize(
    ("use_case", "barred"),
    [
        ("pictures for my shop on a 12 GB card, anything but Black Forest Labs", "FLUX"),
        ("Don't want anything from Microsoft or Google. Photo classifier, in our product", "vit"),
        ("a photo classifier, no transformers, for a machine that we sell", "vit"),
        ("GPL and AGPL are forbidden here. Which LoRA trainer for FLUX.1?", "SimpleTuner"),
        ("logos for my business, nothing hosted", "api:"),
        ("the design department may not use web services: posters from prompts", "api:"),
        ("we invoice the drawings, so which picture generator, on our A100?", "FLUX.1-dev"),
        ("art for my shop, a field for unwanted things is a must, 24 GB card", "schnell"),
        ("maps for our game night, MacBook with 16 GB, offline, just for fun", "FLUX.1-dev"),
        ("A cloud service is fine: logos for my bakery, 3 cents each", "FLUX"),
    ],
)
def test_what_only_the_words_rule_out_is_no_pick(
    use_case: str, barred: str, tmp_path: Path
) -> None:
    first, _ = answered(text_context(tmp_path), use_case)
    assert picks(first)
    assert not [pick for pick in picks(first) if barred in pick]


@pytest.mark.parametrize(
    ("use_case", "family"),
    [
        ("I need a ResNet for a Jetson at 60 images per second", "resnet"),
        ("something from Apple that names plants on an iPhone", "mobilevit|fastvit"),
        ("train dreambooth through a web page, no coding, RTX 3090", "ai-toolkit|SimpleTuner"),
        ("which is the smallest classifier you have", "zepto"),
        ("paper needs the ordinary ViT to compare against", "^(vit|deit)_"),
        ("a photo with other seasons, the outlines must not move, hobby, RTX 4090", "Canny|Depth"),
        ("more images like this one without typing, private, on my own box", "Redux"),
        ("Chromebook only, somebody must train a LoRA of my face", "trainer|fine-tuner"),
        ("students submit LoRA runs and staff sign off, on shared GPUs", "SimpleTuner"),
        ("which code first did dreambooth on stable diffusion", "XavierXiao"),
        ("has to be FLUX.2 [klein] 9B itself, 12 GB, 4-bit is fine, private", "FLUX.2-klein-9B"),
    ],
)
def test_what_only_the_words_insist_on_comes_first(
    use_case: str, family: str, tmp_path: Path
) -> None:
    first, _ = answered(text_context(tmp_path), use_case)
    assert re.search(family, picks(first)[0])


def test_open_weights_where_no_hosted_endpoint_is_so_cheap(tmp_path: Path) -> None:
    first, blocks = answered(
        text_context(tmp_path), "vocabulary cards for my class, half a cent for each picture"
    )
    assert first.data["constraints"]["max_price_usd"] == 0.005
    assert picks(first)
    assert not [pick for pick in picks(first) if pick.startswith("api:")]
    assert any("You run it yourself" in b.text for b in blocks if isinstance(b, Text))


def test_an_amount_that_is_no_limit_is_said(tmp_path: Path) -> None:
    _, blocks = answered(text_context(tmp_path), "tiles for a game that will cost 5 euros on itch")
    told = " ".join(block.text for block in blocks if isinstance(block, Text))
    assert "Your words name an amount of money; it was not taken as a limit." in told


def test_a_remote_or_partial_memory_is_none(tmp_path: Path) -> None:
    limits: dict[str, Any] = {"task": "generate", "offline": True, "device_memory_gib": 19.0}
    first, _ = answered(text_context(tmp_path), "best quality, private", **limits)
    assert "FLUX.2-dev" not in picks(first)  # 18 GiB hold for a remote text encoder only


def test_a_gaming_card_is_no_data_centre(tmp_path: Path) -> None:
    limits: dict[str, Any] = {
        "task": "generate", "device": "cuda", "device_memory_gib": 24, "max_latency_ms": 1000,
    }  # fmt: skip
    first, _ = answered(text_context(tmp_path), "pictures at once on my RTX 4090", **limits)
    assert picks(first) == []


def test_a_measurement_of_this_machine_comes_first(tmp_path: Path) -> None:
    context = text_context(tmp_path)
    slow = Measurement(
        "mobilenetv3_small_100.lamb_in1k", "latency_ms", 90.0, "ms", "batch 1, 224 px, fp32",
        "cpu", "2 cores", "torch", "r1", "2026-11-01",
    )  # fmt: skip
    evidence = Kept(CATALOG, [slow])
    limits: dict[str, Any] = {"task": "classify", "device": "cpu", "max_latency_ms": 3}
    before, _ = answered(context, "a quick classifier", **limits)
    assert picks(before) == ["mobilenetv3_small_100.lamb_in1k"]
    kept = Context(**{**vars(context), "evidence": evidence})
    after, _ = answered(kept, "a quick classifier", **limits)
    assert picks(after) == []


@pytest.mark.parametrize(
    ("use_case", "pick"),
    [
        ("Welches Modell erkennt V\u00f6gel auf einem Raspberry Pi?", "mobilenetv4_conv_small"),
        ("which repo trains a FLUX.1 LoRA on small cards?", "repo:kohya-ss/sd-scripts"),
    ],
)
def test_other_languages_and_trainers(use_case: str, pick: str, tmp_path: Path) -> None:
    first, _ = answered(text_context(tmp_path), use_case)
    assert picks(first)[0].startswith(pick)


@pytest.mark.parametrize("use_case", ["", "?", "anything at all", "\N{GRINNING FACE}"])
def test_a_use_case_that_says_nothing_is_asked_back(use_case: str, tmp_path: Path) -> None:
    with pytest.raises(NeedsInput) as asked:
        answered(text_context(tmp_path), use_case)
    assert len(asked.value.choices) == 7


def test_an_unknown_task_gets_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match=r"'cook'.*classify"):
        answered(text_context(tmp_path), "dinner", task="cook")


def test_it_answers_at_once(tmp_path: Path) -> None:
    context = text_context(tmp_path)
    answered(context, "warm up: a classifier")
    words = "sort my shop's product photos"
    assert quickest(lambda: answered(context, words, task="classify", commercial=True)) < 2.0
