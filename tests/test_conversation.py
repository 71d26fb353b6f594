"""What a later question points back to keeps its identity through the words that programs read."""

import pytest

from assistant.conversation import Attachment, Exchange, Ref, agrees, objects, told, understood

IMAGE, ZIP = Attachment("image", "a.png"), Attachment("zip", "b.zip")
PAST = (Exchange("one", (IMAGE, IMAGE)), Exchange("two"), Exchange("three", (ZIP,)))


@pytest.mark.parametrize(
    ("ref", "words"),
    [
        (Ref("attachment", 1), "attachment:1"),
        (Ref("attachment", 2, 1), "attachment:3"),
        (Ref("attachment", 1, 3), "attachment:4"),
        (Ref("step", 1), "step:1"),
        (Ref("step", 2, 1), "turn:1/step:2"),
        (Ref("step", 1, 2, 3), "turn:2/step:1/image:3"),
    ],
)
def test_references_are_told_in_words(ref: Ref, words: str) -> None:
    assert told(ref, 1, PAST) == words
    assert told((ref, 5, "x"), 1, PAST) == [words, 5, "x"]


def test_what_was_told_in_a_turn_is_understood_later() -> None:
    for ref in (Ref("attachment", 1), Ref("step", 1)):
        words = told(ref, 2, ())
        assert understood(words, 1, PAST) == Ref(ref.kind, 1, 1)
    earlier = told(Ref("attachment", 2, 1), 1, PAST[:2])  # from the third turn to the first
    assert understood(earlier, 3, PAST) == Ref("attachment", 2, 1)
    made = told(Ref("step", 1, 1, 2), 0, PAST)
    assert understood(made, 2, PAST) == Ref("step", 1, 1, 2)


def test_other_words_stay_as_they_are() -> None:
    assert understood("attachment:9", 2, PAST) == "attachment:9"
    assert understood("a red cat", 1, PAST) == "a red cat"
    assert understood(["step:1", 3], 2, PAST) == (Ref("step", 1, 2), 3)


@pytest.mark.parametrize("text", ["Yes", "ok, do it", "go ahead!", "Ja bitte", "好的", "sure"])
def test_a_yes(text: str) -> None:
    assert agrees(text)
    assert not objects(text)


@pytest.mark.parametrize("text", ["ok but smaller", "yes, only not on the GPU", "好但是不要狗"])
def test_a_yes_with_an_objection(text: str) -> None:
    assert agrees(text)
    assert objects(text)


def test_no_is_no_yes() -> None:
    assert not agrees("no, wait")
    assert not agrees("okra soup")
