"""A pipeline without a card is run as the system of its kind is."""

import shutil
from pathlib import Path

import pytest

from index.card import Run
from index.catalog import load
from tests.toys import KINDS, toy
from tools.forms import MODEL_INDEX
from tools.kin import run_of
from tools.pocket.recipes import flux, kontext

CARDS = load().cards
# Those that nothing but their card tells from another.
ALIKE = {
    "FLUX.1-Krea-dev": "FLUX.1-dev", "FLUX.1-Depth-dev": "FLUX.1-Canny-dev",
    "FLUX.2-klein-9B": "FLUX.2-klein-4B", "FLUX.2-klein-base-9B": "FLUX.2-klein-base-4B",
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_known_by_its_files(kind: str, tmp_path: Path) -> None:
    found, wanted = run_of(None, toy(kind, tmp_path), CARDS), CARDS[ALIKE.get(kind, kind)].run
    told = ("steps", "guidance", "max_text_tokens", "multiple_of", "max_references")
    assert [getattr(found, name) for name in told] == [getattr(wanted, name) for name in told]
    assert (found.repository, found.gated) == ("", None)


def test_our_own_small_ones_are_known_by_their_shape() -> None:
    for folder, name in ((flux.WEIGHTS, flux.NAME), (kontext.WEIGHTS, kontext.NAME)):
        found = run_of(None, folder, CARDS)
        assert (found.guidance, found.width) == (CARDS[name].run.guidance, 96)


def test_a_card_says_it_all() -> None:
    card = CARDS["FLUX.1-schnell"]
    assert run_of(card, flux.WEIGHTS, CARDS) is card.run


def test_what_cannot_be_read_is_of_no_kind(tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(flux.WEIGHTS, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    for content in ("{", "[]", '{"_class_name": "OtherPipeline"}'):
        (folder / MODEL_INDEX).write_text(content, encoding="utf-8")
        assert run_of(None, folder, CARDS) == Run()
    assert run_of(None, None, CARDS) == Run()
