"""Arguments that are the person's own words: prompts, nouns, tokens, claims."""

import re
from collections.abc import Sequence

from assistant.arguments.heard import Heard
from assistant.router import ROLES, Reading
from index.gloss import Gloss

_SURE = 0.4  # probability from which a token speaks for a span
_SHORTEST = 3  # words of a claim
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
    inside = [place for place, (first, last) in enumerate(reading.spans) if first < last]
    gains = reading.roles[inside, ROLES.index(role)] - _SURE
    first, last = _best_run(gains.tolist())
    if first >= last:
        return ""
    start, _ = gloss.original(*reading.spans[inside[first]])
    _, end = gloss.original(*reading.spans[inside[last - 1]])
    return trimmed(gloss.question[start:end])


def _best_run(gains: Sequence[float]) -> tuple[int, int]:
    """The first place, and the one after the last, of the run with the highest sum; empty if none.

    Kadane's algorithm, https://en.wikipedia.org/wiki/Maximum_subarray_problem.
    """
    best, found = 0.0, (0, 0)
    total, start = 0.0, 0
    for place, gain in enumerate(gains):
        if total <= 0:
            total, start = 0.0, place
        total += gain
        if total > best:
            best, found = total, (start, place + 1)
    return found


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
