"""Whether a system runs on the machine that somebody has, and how long it takes there."""

from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.grounding import faults
from index.card import Card
from tests.answers import text_context
from tools.base import Context, Text
from tools.explain import explain
from tools.own_machine import fits, times

Telling = Callable[[Context, str, Card], Text | None]
SMALL, MAKER, LARGE, HOSTED = (
    "mobilenetv4_conv_small.e2400_r224_in1k",
    "FLUX.2-klein-4B",
    "FLUX.2-dev",
    "api:flux-2-pro",
)


def weighed(folder: Path, words: str, system: str, told: Telling = fits) -> Text:
    """What is told of a system on somebody's machine; its figures are grounded."""
    context = text_context(folder)
    card = context.catalog.get(system)
    assert card
    found = told(context, words, card)
    assert found
    assert faults(found, context.index.names) == ()
    return found


@pytest.mark.parametrize(
    ("system", "words", "answer"),
    [
        (MAKER, "I have an RTX 3060 with 12 GB, does that do?", "Yes, FLUX.2 [klein] 4B fits"),
        (MAKER, "will it run on a 4 GB card", "No, FLUX.2 [klein] 4B does not fit there"),
        (MAKER, "my laptop has no graphics card", "it needs a graphics card"),
        (LARGE, "my mac mini has 16 gb, ok?", "No, FLUX.2 [dev] does not fit there"),
        (SMALL, "is my mac with 8 gb up to it", "Yes, MobileNetV4 Conv Small fits there"),
    ],
)
def test_a_machine_is_weighed_against_a_system(
    system: str, words: str, answer: str, tmp_path: Path
) -> None:
    assert answer in weighed(tmp_path, words, system).text


def test_what_does_not_fit_has_an_instead(tmp_path: Path) -> None:
    assert "**" in weighed(tmp_path, "will it run on my 4 GB card", MAKER).text


@pytest.mark.parametrize(("system", "words"), [(HOSTED, "my 8 GB mac?"), (MAKER, "and on mine?")])
def test_where_nothing_decides_it_is_left_to_the_guide(
    system: str, words: str, tmp_path: Path
) -> None:
    context = text_context(tmp_path)
    card = context.catalog.get(system)
    assert card
    assert fits(context, words, card) is None


def test_published_times_say_whose_they_are(tmp_path: Path) -> None:
    there = weighed(tmp_path, "how long does one take on an RTX 4090", SMALL, times)
    assert "RTX 4090" in there.text
    assert "No source here" not in there.text
    other = weighed(tmp_path, "how long does one take on my Dell", SMALL, times)
    assert other.text.startswith("No source here times MobileNetV4 Conv Small on your machine.")
    assert other.cites
    belt = "my belt brings 6 pictures per second, is it fast enough?"
    assert weighed(tmp_path, belt, SMALL, times).text.endswith(
        "There that is quick enough for you."
    )


def test_the_talk_gets_an_answer_for_its_system(tmp_path: Path) -> None:
    told = next(explain(text_context(tmp_path), "would a 12 GB RTX 3060 do for that?", (MAKER,)))
    assert isinstance(told, Text)
    assert told.text.startswith("Yes, FLUX.2 [klein] 4B fits there")


def test_a_system_that_is_named_is_weighed_too(tmp_path: Path) -> None:
    told = next(explain(text_context(tmp_path), "will FLUX.2 dev run on my 16 GB mac mini?"))
    assert isinstance(told, Text)
    assert told.text.startswith("No, FLUX.2 [dev] does not fit there")
