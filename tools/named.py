"""Which systems, families and makers the words of a use case insist on or refuse."""

import re
from collections.abc import Collection, Iterator, Sequence

from index.names import Mention
from tools.vocabulary import vocabulary

_ARTICLE = r"(?:an? |the |any |some |your |our |other )?"
_FROM = r"(?:from |by |of )?"
_INSISTS = (
    rf"(?:(?:has|have|had|needs?|ought) to be|must be|must come from|only|nothing (?:but|else than)"
    rf"|insists? on|committed to|limited to|restricted to) {_FROM}{_ARTICLE}{{}}",
    rf"(?:something|anything|ones?|models?|networks?|nets?|weights|made|released|published|family)"
    rf" (?:\w+ )?(?:from|by) {_ARTICLE}{{}}",
    r"\b(?:needs?|wants?|looking for|give me|insists? on|prefers?|recommend|suggest|which|what|best"
    r"|smallest|standard|usual|classic|textbook) (?:of the )?\W?(?:an? |the |any |some )?"
    r"(?:(?!(?:than|like|as|to|of|from|instead|not?|over|beats?|or|and|for|with|on|in|is|are)\b)"
    r"\w+ ){0,2}{}",
    r"^\W*(?:(?:can|could) i |i (?:want|like) to )?(?:run |use )?{} (?:in|on|with|under)\b",
    r"{}\W{1,2}(?:but )?which\b",
    r"{} (?:only|itself|exclusively|and nothing else|or nothing)",
    r"{} (?:has |have )?(?:published|released|made|trained)",
    r"(?:stick|stay)\w* (?:with|to) {}",
)
_BESIDE = (  # what is something else than the system itself
    r"(?:lora|style|weights?|api|endpoint|alternative|replacement|substitute|rival|clone|quality"
    r"|level|look|account|card)"
)
_REFUSES = (
    rf"(?:\bnot?|\bwithout|\bnever|\bexcept|anything but|other than|instead of|\bavoid\w*|\bhates?"
    rf"|rather than|allergic to|\bban\w*|(?:don't|dont|do not|refuse to|won't|cannot|can't)"
    rf" (?:want|like|use|touch|trust|take)) (?:to use |use )?(?:anything )?{_FROM}{_ARTICLE}"
    rf"(?:\w+(?:,| or| nor| and) )?{{}}",
    r"{} (?:is|are) (?:out|banned|not allowed|forbidden|no option|off limits)",
)


def insisted(
    words: str, mentions: Sequence[Mention], families: Collection[str] = ()
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Patterns of the systems that must be taken, and of those that must not.

    Args:
        words: plain English, lower case.
        mentions: the systems that the words name.
        families: names of families as cards have them, lower case.
    """
    rest = words
    for found in mentions:
        rest = rest[: found.start] + "_" * (found.end - found.start) + rest[found.end :]
    named = [(told, who, rest) for told, who in _families(rest, families)]
    named += [(told, who, words) for told, who in _systems(words, mentions)]
    only = [who for told, who, text in named if _matches(_INSISTS, told, text)]
    barred = [who for told, who, text in named if _matches(_REFUSES, told, text)]
    return tuple(one for one in only if one not in barred), tuple(barred)


def _families(words: str, families: Collection[str]) -> Iterator[tuple[str, str]]:
    known = vocabulary("needs")["families"].values()
    cards = [(rf"{re.escape(name)}s?", rf"\| {re.escape(name)} \|") for name in sorted(families)]
    for told, who in (*known, *cards):
        if re.search(rf"\b(?:{told})\b(?![\w.]*\d)", words):
            yield rf"(?:{told})", who


def _systems(words: str, mentions: Sequence[Mention]) -> Iterator[tuple[str, str]]:
    for found in mentions:
        told = words[found.start : found.end]
        yield re.escape(told), rf"^{re.escape(found.system.lower())} \|"


def _matches(patterns: Sequence[str], told: str, words: str) -> bool:
    whole = rf"(?<![\w.]){told}(?![\w]|\.\d|-\w| \[| {_BESIDE}s?\b)"
    return any(re.search(one.replace("{}", whole), words) for one in patterns)
