"""Arguments that are the person's own words: prompts, nouns, tokens, claims."""

import re

import numpy as np

from assistant.arguments.heard import Heard
from assistant.router import ROLES, Reading
from index.gloss import Gloss

_SURE = 0.25  # probability from which a token may belong to a span
_SHORTEST = 3  # words of a claim
_GAP = 3  # tokens of other roles that a span may hold
_QUOTES = "\"'«»„“”\u2018\u2019「」《》"
_QUOTED = re.compile(
    r"[\"«„“「]([^\"«»„“”「」]{2,})[\"»“”」]|(?<!\w)'([^']{2,})'(?!\w)|\u2018([^\u2019]{2,})\u2019"
)
_EDGE = re.compile(r"^[\s,.;:!?…\-\u2013—]+|[\s,.;:!…\-\u2013—]+$")
_TAIL = re.compile(
    r"(?:,?\s+(?:and|but|with|at|in|please|pls|plz|thanks|thx|for|then))+$", re.IGNORECASE
)
_DOUBTS = re.compile(
    r"^(?:(?:is|was) it (?:really |actually )?(?:true|right|correct|a fact|so"
    r"|possible)(?: that)?|(?:they|people|some|someone|somebody)"
    r" (?:say|says|said|claims?|told me|wrote)(?: that)?|(?:i|we) (?:heard|read|was told"
    r"|were told)(?: somewhere)?(?: that)?"
    r"|true or false|fact[\s-]?check|check this(?: claim)?|verify(?: this)?|really"
    r"|am i right)[\s:,]*(?:that\b)?\s*",
    re.IGNORECASE,
)


def span(gloss: Gloss, reading: Reading, role: str) -> str:
    """The person's words that have a role; empty if none have."""
    share = reading.roles[:, ROLES.index(role)]
    runs: list[tuple[int, int]] = []
    for place in np.flatnonzero(share >= _SURE):
        if reading.spans[place][1] <= reading.spans[place][0]:
            continue
        if runs and place - runs[-1][1] <= _GAP:
            runs[-1] = (runs[-1][0], int(place))
        else:
            runs.append((int(place), int(place)))
    if not runs:
        return ""
    first, last = max(runs, key=lambda run: float(share[run[0] : run[1] + 1].sum()))
    start, _ = gloss.original(*reading.spans[first])
    _, end = gloss.original(*reading.spans[last])
    return trimmed(gloss.question[start:end])


def trimmed(text: str) -> str:
    """The text without punctuation, joining words and unpaired quotes at its ends."""
    before = ""
    while before != text:
        before = text
        text = _TAIL.sub("", _EDGE.sub("", text))
        if text[:1] in _QUOTES and text[:1] and not _closed(text):
            text = text[1:]
        if text[-1:] in _QUOTES and text[-1:] and not _closed(text):
            text = text[:-1]
    whole = _QUOTED.fullmatch(text)
    return next(filter(None, whole.groups())).strip() if whole else text


def _closed(text: str) -> bool:
    return any(match.start() == 0 or match.end() == len(text) for match in _QUOTED.finditer(text))


def quoted(text: str) -> tuple[str, ...]:
    """What stands in quotation marks."""
    return tuple(next(filter(None, match.groups())) for match in _QUOTED.finditer(text))


def claim(heard: Heard) -> str:
    """The claim inside a doubt."""
    found = span(heard.gloss, heard.reading, "claim")
    whole = trimmed(_DOUBTS.sub("", heard.gloss.said))
    return found if len(found.split()) >= _SHORTEST or not whole else whole
