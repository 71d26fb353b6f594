"""What the assistant says of itself, in the language of the question."""

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from index.catalog import Catalog
from index.evidence import Fact
from index.properties import translated
from tools import wording
from tools.base import Block, Text


def say(key: str, language: str, **values: str) -> str:
    """A sentence of `sentences.toml`.

    Args:
        key: its name there.
        language: one of the languages that a gloss knows.
        values: what stands in its placeholders.
    """
    table = _sentences().get(language) or _sentences()["en"]
    return table[key].format(**values)


@cache
def _sentences() -> Mapping[str, Mapping[str, str]]:
    path = files("assistant") / "sentences.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def lead(tool: str, first: Block, language: str, catalog: Catalog) -> tuple[Text, ...]:
    """The first sentence of an answer in a language other than English; none in English.

    Args:
        tool: the tool that answers.
        first: its first block, which the sentence sums up.
        language: the language of the question.
        catalog: names the systems.
    """
    if language not in _sentences() or language == "en":
        return ()
    said, cites = _summed(tool, first, language, catalog)
    return (Text(f"{said} {say('details_english', language)}", cites),)


def _summed(
    tool: str, first: Block, language: str, catalog: Catalog
) -> tuple[str, tuple[Fact, ...]]:
    facts = first.cites[:1]
    data = first.data if isinstance(first, Text) else {}
    if tool == "explain" and facts:
        return _stated(facts[0], language, catalog), facts
    if tool == "recommend":
        picks = [_name(pick["system"], catalog) for pick in data.get("picks", ())]
        return (
            say("recommend_pick", language, name=picks[0])
            if picks
            else say("recommend_none", language)
        ), ()
    if tool == "verify":
        verdict = say(f"verify_{data.get('verdict', 'unverifiable')}", language)
        return f"{verdict} {_stated(facts[0], language, catalog)}" if facts else verdict, facts
    if tool == "compare":
        names = list(dict.fromkeys(_name(fact.system, catalog) for fact in first.cites))
        return say("compare_lead", language, names=_joined(names, language)), ()
    return say(f"{tool}_lead", language, name=""), ()


def _stated(fact: Fact, language: str, catalog: Catalog) -> str:
    label = translated(fact.property, language)
    value = wording.shown(fact)
    name = _name(fact.system, catalog)
    sentence = say("explain_fact", language, label=label, name=name, value=value)
    return f"{sentence[:-1]} ({wording.source(fact)})."


def _name(system: str, catalog: Catalog) -> str:
    card = catalog.get(system)
    return card.name if card else system


def _joined(names: Sequence[str], language: str) -> str:
    return f" {say('and', language)} ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def title(tool: str, text: str, language: str) -> str:
    """A question as a choice to click, after the title of the tool that shall answer it."""
    return f"{say(f'title_{tool}', language)}: {text}"


def titled(text: str) -> tuple[str, str]:
    """The tool whose title stands before a question, as in a choice to click; and the question."""
    for sentences in _sentences().values():
        for key, said in sentences.items():
            if key.startswith("title_") and text.startswith(f"{said}: "):
                return key.removeprefix("title_"), text.removeprefix(f"{said}: ")
    return "", text
