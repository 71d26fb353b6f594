"""Cards: read into types, with errors that name file, line and field."""

import re
from pathlib import Path

import pytest

from assistant.grounding import faults
from index.card import Card, CardError, file_stem, read_card
from index.catalog import HERE, load, read_cards
from index.properties import properties
from index.toml_lines import line_of
from tests.answers import index
from tools.base import Text, load_tools

CARDS = tuple(load().cards.values())
WHOLE = """\
id = "thing-1"
name = "Thing One"
kind = "weights"
tasks = ["classify"]
publisher = "Somebody"
summary = "A thing."
licence = "MIT"
source = "https://example.org"
date = 2026-01-02

[run]
engine = "convnet"
steps = 4

[sources.steps]
says = "Another"
source = "https://example.com"
date = 2026-02-03

[[claims]]
property = "parameters"
value = 4.7
right = 5.22
says = "A page"
source = "https://example.net"
date = 2026-03-04
verdict = "refuted"
note = "Wrong."

[[capabilities]]
id = "name-things"
title = "Name things"
summary = "It names."
tool = "classify"
"""


def read(tmp_path: Path, text: str) -> Card:
    path = tmp_path / "thing-1.toml"
    path.write_text(text, encoding="utf-8")
    return read_card(path)


def test_a_whole_card(tmp_path: Path) -> None:
    card = read(tmp_path, WHOLE)
    claims = {claim.property: claim for claim in card.claims}
    assert card.capabilities[0].tool == "classify"
    assert claims["licence"].source == "https://example.org"
    assert claims["steps"].says == "Another"
    assert claims["steps"].field == "thing-1.toml:run.steps"
    assert claims["parameters"].truth == 5.22
    assert claims["parameters"].unit == "million"
    assert claims["parameters"].date == "2026-03-04"


@pytest.mark.parametrize(
    ("wrong", "right", "line", "field"),
    [
        ('kind = "weights"', 'kind = "weight"', 3, "kind"),
        ("steps = 4", 'steps = "four"', 13, "run.steps"),
        ("steps = 4", "step = 4", 13, "run.step"),
        ('verdict = "refuted"', 'verdict = "sure"', 27, "claims.0.verdict"),
        ('says = "A page"\n', "", 20, "claims.0.says"),
        ('tool = "classify"', "tool = 3", 34, "capabilities.0.tool"),
        ('name = "Thing One"\n', "", 1, "name"),
        ('property = "parameters"', 'property = "weight"', 21, "claims.0.property"),
        ('property = "parameters"', 'property = "top1"\nextra = 1', 22, "claims.0.extra"),
        ("right = 5.22\n", "", 21, "claims.0.right"),
        ('id = "thing-1"', 'id = "thing-2"', 1, "id"),
        ("[sources.steps]", "[sources.stps]", 15, "sources.stps"),
    ],
)
def test_an_error_names_file_line_and_field(
    tmp_path: Path, wrong: str, right: str, line: int, field: str
) -> None:
    assert wrong in WHOLE
    with pytest.raises(CardError) as caught:
        read(tmp_path, WHOLE.replace(wrong, right, 1))
    assert f"thing-1.toml, line {line}, field {field}" in str(caught.value)


def test_what_is_not_toml_is_said(tmp_path: Path) -> None:
    with pytest.raises(CardError, match=r"thing-1\.toml: not valid TOML: .*line 11"):
        read(tmp_path, WHOLE.replace("[run]", "[run"))


def test_a_field_is_said_once(tmp_path: Path) -> None:
    again = '[[claims]]\nproperty = "licence"\nvalue = "MIT"\nsays = "x"\nsource = "y"\n'
    with pytest.raises(CardError, match="is a field of the card"):
        read(tmp_path, WHOLE + again + "date = 2026-01-01\n")


def test_a_successor_must_have_a_card(tmp_path: Path) -> None:
    (tmp_path / "thing-1.toml").write_text(
        WHOLE.replace("licence", 'successor = "thing-9"\nlicence', 1), encoding="utf-8"
    )
    with pytest.raises(CardError, match="'thing-9' has no card"):
        read_cards(tmp_path)


def test_line_of_finds_the_nth_table() -> None:
    text = "a = 1\n[[b]]\nc = 1\n[[b]]\nc = 2\n"
    assert line_of(text, ("b", 1, "c")) == 5
    assert line_of(text, ("b", 0, "missing")) == 2


def test_there_are_enough_systems() -> None:
    assert len(CARDS) >= 70
    small = [c for c in CARDS if c.run.engine == "convnet" and c.kind == "weights"]
    assert len(small) >= 25
    by_id = {card.id: card for card in CARDS}
    assert len(by_id["convnext_femto.d1_in1k"].capabilities) == 5
    assert len(by_id["FLUX.1-pro"].capabilities) == 13
    assert len(by_id["repo:XavierXiao/Dreambooth-Stable-Diffusion"].capabilities) == 12


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)
def test_each_card_is_sound(card: Card) -> None:
    tools = {"", *load_tools()}
    assert card.capabilities
    assert {capability.tool for capability in card.capabilities} <= tools
    assert len({capability.id for capability in card.capabilities}) == len(card.capabilities)
    assert all(claim.source and claim.says and claim.date for claim in card.claims)
    for claim in card.claims:
        if properties()[claim.property].unit:
            assert isinstance(claim.truth, int | float | None), claim.id
            assert not isinstance(claim.truth, bool), claim.id


def test_no_two_cards_share_a_name() -> None:
    owners: dict[str, set[str]] = {}
    for card in CARDS:
        for name in (card.id, card.name, *card.aliases):
            owners.setdefault(" ".join(re.findall("[a-z0-9]+", name.lower())), set()).add(card.id)
    assert {name: ids for name, ids in owners.items() if len(ids) > 1} == {}


def test_the_wrong_claims_of_the_comparison_pages_are_refuted() -> None:
    by_id = {card.id: card for card in CARDS}

    def refuted(system: str, name: str) -> object:
        claims = [c for c in by_id[system].claims if c.property == name and c.verdict == "refuted"]
        return claims[0].truth if claims else None

    assert refuted("convnext_femto.d1_in1k", "parameters") == 5.22
    assert refuted("convnext_femto.d1_in1k", "file_mb") == 20.9
    assert refuted("FLUX.1-dev", "commercial_use") == "no"
    assert refuted("FLUX.1-schnell", "method") is not None


def test_file_names_are_safe() -> None:
    assert file_stem("repo:owner/name") == "repo--owner--name"
    assert all((HERE / "cards" / f"{file_stem(card.id)}.toml").is_file() for card in CARDS)


def test_no_card_describes_with_a_figure_that_no_fact_carries() -> None:
    names = index().names
    for card in load().cards.values():
        for words in (card.summary, *(capability.summary for capability in card.capabilities)):
            assert faults(Text(f"{card.name}: {words}"), names) == (), card.id
