"""Judges when something happened: withdrawn, changed last."""

import re
from collections.abc import Sequence

from index.evidence import Fact
from tools.judging import Judgement, believed
from tools.statements import Statement

_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september",
           "october", "november", "december")  # fmt: skip
_MONTH = "|".join(f"{month[:3]}(?:{month[3:]})?" for month in _MONTHS)
_DATE = re.compile(
    rf"\b(?:(?P<iso>(?:19|20)\d\d-\d\d(?:-\d\d)?)"
    rf"|(?:(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)? )?(?:of )?(?P<month>{_MONTH})\.?"
    rf"(?: (?P<day2>\d{{1,2}})(?:st|nd|rd|th)?,?)? (?P<year>(?:19|20)\d\d)"
    r"|(?P<only>(?:19|20)[0-3]\d))\b(?!\s?(?:px|pixel|x|image|picture|token|steps?|dim|numb|feat))"
)
_ABOUT = {
    "withdrawn_on": r"withdr|shut|remov|\btook\b|taken|tak(es|ing)|retire|discontinu|\bgone\b"
    r"|\bend(ed|s)?\b|pull|disappear|switch|offline|\bdown\b|stop|delete",
    "last_change": r"updat|chang|commit|maintain|touch|\blast\b|develop",
}


def dated(facts: Sequence[Fact], statement: Statement) -> Judgement | None:
    """Whether it happened when the claim says; unverifiable if no date of it is known."""
    found = _DATE.search(statement.words)
    if found is None:
        return None
    for name, words in _ABOUT.items():
        known = [fact for fact in believed(facts) if fact.property == name]
        if known and re.search(words, statement.words):
            right = _so(statement.words[: found.start()], _iso(found), str(known[0].value))
            return Judgement(right != statement.negated, (known[0],))
    return Judgement(None, ())


def _iso(found: re.Match[str]) -> str:
    """As much of the ISO date as is said: 2024, 2024-08, 2024-08-29."""
    if found["iso"] or found["only"]:
        return found["iso"] or found["only"]
    starts = [month[:3] for month in _MONTHS]
    month = f"{found['year']}-{starts.index(found['month'][:3]) + 1:02d}"
    day = found["day"] or found["day2"]
    return f"{month}-{int(day):02d}" if day else month


def _so(before: str, said: str, known: str) -> bool:
    if re.search(r"\bbefore\W*$", before):
        return known < said
    if re.search(r"\bafter\W*$", before):
        return known[: len(said)] > said
    return known.startswith(said)
