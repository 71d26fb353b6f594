"""Systems are found by id, alias, compact spelling and typo, and ordinary words are not."""

import pytest

from index.catalog import load
from index.encoder import load_encoder
from index.names import Names, without

NAMES = Names(load(), load_encoder().is_word)


@pytest.mark.parametrize(
    ("text", "system"),
    [
        ("how big is convnext_femto.d1_in1k?", "convnext_femto.d1_in1k"),
        ("femto on a phone", "convnext_femto.d1_in1k"),
        ("is schnell free", "FLUX.1-schnell"),
        ("klein 4b licence", "FLUX.2-klein-4B"),
        ("klein4b licence", "FLUX.2-klein-4B"),
        ("kontext for edits", "FLUX.1-Kontext-dev"),
        ("try shnell", "FLUX.1-schnell"),
        ("conxnext femto", "convnext_femto.d1_in1k"),
        ("what about resnest50d", "resnest50d.in1k"),
        ("vit_base_patch16_224.augreg_in1k accuracy", "vit_base_patch16_224.augreg_in1k"),
    ],
)
def test_mentions(text: str, system: str) -> None:
    assert [mention.system for mention in NAMES.mentions(text)] == [system]


@pytest.mark.parametrize(
    "text",
    [
        "which model fits my use case",
        "make a picture of a red star on a blue background",
        "please fill in the form and turn the light on",
        "flux lora on twelve gigabytes",
    ],
)
def test_ordinary_words_name_nothing(text: str) -> None:
    assert NAMES.mentions(text) == ()


def test_two_systems_in_order() -> None:
    found = [mention.system for mention in NAMES.mentions("schnell or femto?")]
    assert found == ["FLUX.1-schnell", "convnext_femto.d1_in1k"]


def test_typos_can_be_left_out() -> None:
    assert NAMES.mentions("try shnell", typos=False) == ()


def test_without_a_name() -> None:
    text = "is FLUX.1-schnell, I mean schnell, bigger than femto?"
    assert without(text, NAMES.mentions(text), "FLUX.1-schnell") == (
        "is it, I mean it, bigger than femto?"
    )


def test_a_family_stands_for_its_members_where_none_is_named() -> None:
    both = ("mobilenetv3_large_100.ra_in1k", "mobilenetv3_small_100.lamb_in1k")
    assert NAMES.of_families("Benchmark MobileNetV3") == both
    assert NAMES.of_families("mobilenet, please")[:2] == both
    assert NAMES.of_families("mobilenetv3 large or femto") == ()
    assert NAMES.of_families("move the tree") == ()


def test_nearest_names_for_an_unknown_one() -> None:
    assert "mobilenetv3_large_100.ra_in1k" in NAMES.nearest("mobilenet3 larg")
