"""Demands on one fact of a system, as `needs.toml` lists them, and on who or what it is."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from index.card import Card
from tools import wording
from tools.dossiers import Dossier, Finding
from tools.needs import Needs, group
from tools.vocabulary import vocabulary


def demands(found: Dossier, needs: Needs) -> Iterator[Finding]:
    """Whether its facts say what they must, and nothing that they must not."""
    for row in vocabulary("needs")["demands"]:
        if row["name"] in needs.flags and group(needs.task) in row["of"]:
            yield _demanded(found, row)


def _demanded(found: Dossier, row: Mapping[str, Any]) -> Finding:
    if "says" in row:
        return _told(found.card, row)
    label = row["property"].replace("_", " ")
    fact = found.first(row["property"])
    if not fact:
        return Finding(row["name"], None, f"no source states: {label}")
    said = wording.shown(fact[0])
    kept = not ("bad" in row and re.search(row["bad"], said))
    kept = kept and ("good" not in row or bool(re.search(row["good"], said)))
    return Finding(row["name"], kept, f"{label}: {wording.cell(fact[0])}", fact)


def _told(card: Card, row: Mapping[str, Any]) -> Finding:
    """By what its card says that it can be used for."""
    for capability in card.capabilities:
        if re.search(row["says"], f"{capability.title} {capability.summary}".lower()):
            return Finding(row["name"], True, f"its card says: {capability.summary}")
    return Finding(row["name"], None, f"its card does not tell of this: {row['name']}")


def named(found: Dossier, needs: Needs) -> Iterator[Finding]:
    """Whether it is what the words insist on, and not what they refuse."""
    who = _who(found.card)
    told = f"it is {found.card.name}, of {found.card.publisher}"
    if needs.only:
        kept = any(re.search(one, who) for one in needs.only)
        yield Finding("named", kept, told)
    if any(re.search(one, who) for one in needs.barred):
        yield Finding("barred", False, told)


def _who(card: Card) -> str:
    """Id, family, name and publisher, in the form that the patterns of `needs.toml` read."""
    return f"{card.id} | {card.family} | {card.name} | {card.publisher}".lower()
