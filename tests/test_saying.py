"""What the assistant says of itself exists in every language, with the same placeholders."""

import re
import tomllib
from pathlib import Path

import pytest

import assistant
import index
from assistant.grounding import faults
from assistant.saying import lead, say
from index.catalog import load
from index.gloss import LANGUAGES
from index.properties import properties
from index.replies import ELSEWHERE, replies
from tests.answers import index as search_index
from tools.base import Text, load_tools

SENTENCES = tomllib.loads(
    (Path(assistant.__file__).parent / "sentences.toml").read_text(encoding="utf-8")
)
LABELS = tomllib.loads(
    (Path(index.__file__).parent / "languages" / "labels.toml").read_text(encoding="utf-8")
)


def test_every_language_has_every_sentence() -> None:
    assert set(SENTENCES) == set(LANGUAGES)
    for table in SENTENCES.values():
        assert set(table) == set(SENTENCES["en"])
        for key, sentence in table.items():
            placeholders = set(re.findall(r"{\w+}", sentence))
            assert placeholders == set(re.findall(r"{\w+}", SENTENCES["en"][key])), key


def test_every_property_and_tool_has_a_name_in_every_language() -> None:
    for language in LANGUAGES[1:]:
        assert set(LABELS[language]) == set(properties())
        for tool in load_tools():
            assert say(f"title_{tool}", language)
        for kind in replies(ELSEWHERE):
            assert bool(say(f"kind_{kind.name}", language)) == bool(say(f"kind_{kind.name}", "en"))


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_a_stated_fact_is_grounded_in_every_language(language: str) -> None:
    catalog = load()
    known = search_index().names
    for system in ("FLUX.1-dev", "convnext_femto.d1_in1k", "api:flux-2-pro"):
        for fact in catalog.find(system)[:12]:
            (said,) = lead("explain", Text("", (fact,)), language, catalog)
            assert faults(said, known) == (), said.text
            assert say("details_english", language) in said.text


def test_english_needs_no_lead() -> None:
    assert lead("explain", Text("It has 5 parameters."), "en", load()) == ()
