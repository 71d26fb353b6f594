"""The words of a subject: class noun, token, captions."""

from pathlib import Path

import pytest

from tools import subject
from tools.base import ToolFailed


@pytest.mark.parametrize(
    ("told", "noun"),
    [("cup", "cup"), ("my Mug", "mug"), (" the toy car ", "toy car"), ("a T-shirt", "t-shirt")],
)
def test_a_class_noun(told: str, noun: str) -> None:
    assert subject.noun(told) == noun


@pytest.mark.parametrize("told", ["", "my", "12345", "<script>", "a very long name of a thing"])
def test_what_is_no_class_noun(told: str) -> None:
    with pytest.raises(ToolFailed, match="in a word or two"):
        subject.noun(told)


def one(_: str) -> int:
    return 1


def test_a_token_is_chosen_that_is_one_piece() -> None:
    def pieces(word: str) -> int:
        return 1 if word == "ohwx" else 3

    assert subject.token(None, pieces, lambda word: False) == "ohwx"
    assert subject.token("miso", one, lambda word: False) == "miso"


def test_a_token_that_will_not_do() -> None:
    with pytest.raises(ToolFailed, match="'red' means something"):
        subject.token("red", one, lambda word: word == "red")
    with pytest.raises(ToolFailed, match="'my cat' is no single word"):
        subject.token("my cat", one, lambda word: False)
    with pytest.raises(ToolFailed, match="as 7 pieces"):
        subject.token("qqqqqqq", len, lambda word: False)


@pytest.mark.parametrize(
    ("told", "caption"),
    [
        ("", "a sks cup"),
        ("on a beach", "a sks cup on a beach"),
        ("a large cup on a beach", "a large sks cup on a beach"),
        ("photo of sks cup at night", "photo of sks cup at night"),
        ("cupboards", "a sks cup cupboards"),
        ("my cup at night", "a sks cup at night"),
        ("the large cup at night", "the large sks cup at night"),
    ],
)
def test_a_caption_names_the_subject(told: str, caption: str) -> None:
    assert subject.caption("sks", "cup", told) == caption


def test_captions_of_photos(tmp_path: Path) -> None:
    photos = [tmp_path / name for name in ("a.png", "b.png")]
    (tmp_path / "b.txt").write_text("in the\n garden\n", "utf-8")
    assert subject.captions(photos, ()) == ("", "in the garden")
    assert subject.captions(photos, ("at sea",)) == ("at sea", "")
    with pytest.raises(ToolFailed, match="3 captions for 2 photos"):
        subject.captions(photos, ("a", "b", "c"))
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ToolFailed, match=r"a\.txt cannot be read"):
        subject.captions(photos, ())
