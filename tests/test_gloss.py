"""A gloss says a question in plain English words, and knows where each word came from."""

import pytest

from index.gloss import Gloss, gloss
from tests.answers import index

NAMES = index().names


def read(text: str) -> Gloss:
    return gloss(text, NAMES)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("draw me a red cat", "en"),
        ("Zeichne mir bitte eine rote Katze", "de"),
        ("Welches Modell ist am schnellsten?", "de"),
        ("¿Qué modelo es el más rápido para mi móvil?", "es"),
        ("Quel modèle est le plus rapide sur mon téléphone ?", "fr"),
        ("нарисуй рыжего кота", "ru"),
        ("画一只红色的猫", "zh"),
        ("convnext_femto fp16 batch 8", "en"),
        ("👍", "en"),
        ("", "en"),
    ],
)
def test_the_language_is_told(text: str, language: str) -> None:
    assert read(text).language == language


def test_words_of_other_languages_become_english() -> None:
    assert "draw" in read("Zeichne eine Katze").text
    assert "memory" in read("Wie viel Arbeitsspeicher braucht das?").text
    assert "licence" in read("лицензия schnell").text
    assert "compare" in read("比较 schnell 和 klein 4b").text


def test_systems_are_glossed_by_their_kind() -> None:
    assert read("Benchmark convnext_femto.d1_in1k here").text == "benchmark resnet here"
    assert read("schnell: a red cat").text == "flux: a red cat"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("forty steps", "40 steps"),
        ("two hundred and five steps", "205 steps"),
        ("twenty-four steps", "24 steps"),
        ("a dozen pictures", "a 12 pictures"),
        ("half a dozen or two dozen", "6 or 24"),
        ("the second one", "the second one"),
        ("zwanzig Schritte bitte", "20 steps"),
    ],
)
def test_numbers_in_words_become_digits(text: str, number: str) -> None:
    assert number in read(text).text


def test_typos_of_the_field_are_mended_and_other_words_left() -> None:
    assert read("benchmrak it with tensorrrt").text == "benchmark it with tensorrt"
    assert read("a zorbly gnarfel").text == "a zorbly gnarfel"


def test_a_place_in_the_gloss_leads_back_to_the_persons_own_words() -> None:
    text = "Zeichne eine Katze im Schnee, 4 Schritte"
    found = read(text)
    at = found.text.index("cat")
    start, end = found.original(at, at + 3)
    assert text[start:end] == "Katze"
    assert found.text[found.place(text.index("Schnee")) :].startswith("snow")


def test_a_part_keeps_its_place() -> None:
    text = "classify this, then draw it"
    part = read(text).part(text.index("then"), len(text))
    assert part.said == "then draw it"
    assert part.text == "then draw it"
