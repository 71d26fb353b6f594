"""What is said in general: guides, terms, classes of ImageNet, and systems that are not known."""

import re
from pathlib import Path

import pytest

from assistant.grounding import faults
from index.replies import (
    ELSEWHERE,
    FACT,
    GUIDES,
    TERM,
    TERMS,
    outsiders,
    replies,
    terms_in,
)
from tests.answers import index, text_context
from tools.base import Text, load_tools
from tools.classes import named_classes
from tools.explain import explain
from tools.guiding import guided
from tools.verify import verify

CLASSIFIER, MAKER, HOSTED = (
    "mobilenetv4_conv_small.e2400_r224_in1k",
    "FLUX.2-klein-4B",
    "api:flux-2-pro",
)
TRAINER = "repo:kohya-ss/sd-scripts"


@pytest.mark.parametrize(
    ("words", "topic"),
    [
        ("is 30 photos of each biscuit enough?", "enough-pictures"),
        ("how many of my stamps would it get wrong", "accuracy"),
        ("does it know a heron from a stork", "knows"),
        ("half of them were taken in the dark, is that a problem", "odd-pictures"),
        ("must I know programming for that?", "code"),
        ("what do i type to install it", "install"),
        ("whose are the posters that come out of it", "own-results"),
        ("where did you get that number from", "source"),
        ("will the logo on the mug stay exactly as it is?", "faithful"),
        ("what exactly does softmax do", TERM),
        ("and how many parameters has it got", FACT),
    ],
)
def test_a_question_is_about_its_topic(words: str, topic: str) -> None:
    assert index().topic(words).name == topic


@pytest.mark.parametrize("system", ["", CLASSIFIER, MAKER, HOSTED, TRAINER])
def test_every_guide_is_grounded_for_every_kind_of_system(system: str, tmp_path: Path) -> None:
    context = text_context(tmp_path)
    for reply in replies(GUIDES):
        told = guided(context, "does it know a heron?", reply, system)
        assert faults(told, context.index.names) == ()
        assert told.text
        assert not re.search(r"[{}]", told.text), reply.name


def test_replies_name_tools_and_properties_that_exist(tmp_path: Path) -> None:
    tools, context = load_tools(), text_context(tmp_path)
    for reply in replies(GUIDES):
        assert not reply.tool or reply.tool in tools
        assert not reply.card or context.catalog.get(reply.card)
        assert set(reply.say) <= {"any", "classifier", "maker", "hosted", "trainer"}
    names = [reply.name for kind in (GUIDES, TERMS, ELSEWHERE) for reply in replies(kind)]
    assert all(names)
    words = [word for reply in replies(TERMS) for word in reply.words]
    assert len(words) == len(set(words))


def test_a_term_is_grounded_and_found_by_its_words(tmp_path: Path) -> None:
    names = text_context(tmp_path).index.names
    for reply in replies(TERMS):
        assert faults(Text(reply.say["any"]), names) == (), reply.name
        assert reply in terms_in(f"what is {reply.words[0]}, please?")
    assert [term.name for term in terms_in("attention slicing, and an uncanny edit")] == [
        "attention slicing"
    ]


def test_the_classes_in_a_question_are_named() -> None:
    assert named_classes("does it know daisies and peonies") == ("daisy",)
    assert "golden retriever" in named_classes("can it tell a golden retriever from a wolf")
    assert named_classes("photos of bread on my computer") == ()


def test_what_a_classifier_knows_is_told(tmp_path: Path) -> None:
    context = text_context(tmp_path)
    (known,) = explain(context, "does it know a pizza?", (CLASSIFIER,))
    assert isinstance(known, Text)
    assert "'pizza'" in known.text
    (unknown,) = explain(context, "can it tell a peony from a ranunculus", (CLASSIFIER,))
    assert isinstance(unknown, Text)
    assert unknown.text.startswith("Not by name")


def test_a_named_system_is_told_by_its_facts(tmp_path: Path) -> None:
    first = next(explain(text_context(tmp_path), "How accurate is resnet18, roughly?"))
    assert isinstance(first, Text)
    assert "top-1" in first.text
    assert first.cites


def test_systems_that_are_not_known_are_said_so(tmp_path: Path) -> None:
    context = text_context(tmp_path)
    assert outsiders("chatgpt or google lens? a video clip, and my friend Sam") == (
        "ChatGPT",
        "Google Lens",
    )
    first = next(explain(context, "is photoroom not better for that?"))
    assert isinstance(first, Text)
    assert "PhotoRoom is not among the systems that I know" in first.text
    claim = next(verify(context, "my son says ChatGPT does that for free"))
    assert isinstance(claim, Text)
    assert claim.text.startswith("Unverifiable")
    assert "ChatGPT is not among the systems" in claim.text


def test_what_is_not_done_here_has_a_kind() -> None:
    topic = index().topic("can it also write the caption under each photo")
    assert topic.kind == "caption"
    assert topic.answered["none"] > 0.5
    assert index().reply("who made you?")[0].say["any"].startswith("I am a program")
