"""Numbers with their units in plain English words, as a gloss holds them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

# How units are written, the first match wins: canonical unit, what the number is multiplied with.
_UNITS: tuple[tuple[str, str, float], ...] = (
    (r"mega\s?pixels?|mpix(?:el)?s?|mp\b", "megapixels", 1),
    (r"(?:pixels?|px)\b", "px", 1),
    (
        r"(?:(?:(?!(?:under|below|within|in|than|for|over|about|after|of|half)\s)[a-z]+\s)?"
        r"(?:per|each|every|a|in (?:a|one|1))\s|[a-z]*\s?/\s?)(?:s|sec|seconds?)\b"
        r"|fps\b|hz\b", "images/s", 1),
    (
        r"(?:frames?|images?|pictures?|photos?|pics?|parts?)\s*(?:/|per|a|every|each)\s*"
        r"(?:min|minutes?)\b", "images/s", 1 / 60),
    (r"(?:g(?:ib|b|ig|igs|igabytes?)?|gigs?)(?=\b)(?!\w)", "GiB", 1),
    (r"(?:mib|mb|megabytes?|megs?)\b", "MB", 1),
    (r"(?:kb|kilobytes?)\b", "MB", 0.001),
    (r"(?:ms|msec|milli\s?seconds?|millis)\b", "ms", 1),
    (r"(?:s|secs?|seconds?)\b", "s", 1),
    (r"(?:min|mins|minutes?)\b", "s", 60),
    (r"(?:h|hours?|hrs?)\b", "s", 3600),
    (r"(?:cents?|ct|¢|us-cents?)(?!\w)", "USD", 0.01),
    (r"(?:dollars?|usd|bucks|\$|euros?|eur|€)(?!\w)", "USD", 1),
    (r"(?:%|percent(?:age)?|per cent|pct)(?!\w)", "%", 1),
    (r"(?:billions?|bn|b)(?:illion)?\b(?:\s*(?:of )?(?:param\w*|weights?))?", "number", 1e9),
    (r"(?:millions?|mio|mil|mln|m)\b(?:\s*(?:of )?(?:param\w*|weights?))?", "number", 1e6),
    (r"k\b(?:\s*(?:param\w*|weights?))?", "number", 1e3),
    (r"epochs?|rounds?|passes", "epochs", 1),
    (
        r"(?:denoising |inference |sampling |training |diffusion )?(?:steps?|iterations?|iters?"
        r"|its?\b)", "steps", 1),
    (r"threads?|cores?|cpus?", "threads", 1),
    (r"runs?|repetitions?|repeats?|repeat|times|trials?", "runs", 1),
    (
        r"(?:images?|pictures?|photos?|pics?|shots?|drawings?|paintings?|versions?|variants?"
        r"|variations?|posters?|logos?|icons?|samples?|examples?|tries|copies|takes"
        r"|illustrations?|renders?|renderings?|wallpapers?|portraits?|designs?|pieces?|options?"
        r"|alternatives?|sketches|thumbnails?)\b", "images", 1),
    (r"param\w*|weights\b", "parameters", 1),
)  # fmt: skip
_UNIT = tuple((re.compile(pattern), unit, factor) for pattern, unit, factor in _UNITS)
_NUMBER = re.compile(
    r"(?<![\w.])(?<![a-z]-)(?<![a-z]\d-)(?P<sign>[$€]\s?|\b(?:usd|eur) )?"
    r"(?P<number>[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?|\d+(?:[.,]\d+)?(?:\s?e\s?-?\s?\d+)?|\.\d+)"
)
# Parts and single units in words: "a fifth of a second", "half a million", "under a cent".
_PARTS = {
    "half": 0.5, "third": 1 / 3, "quarter": 0.25, "fourth": 0.25, "fifth": 0.2, "tenth": 0.1,
    "twentieth": 0.05, "hundredth": 0.01, "thousandth": 0.001, "one": 1.0, "single": 1.0, "a": 1.0,
}  # fmt: skip
_WORDS = "|".join(list(_PARTS)[:-3])
_PART = re.compile(
    rf"(?<!and )(?<!and a )\b(?:(?P<part>{_WORDS})(?:\s(?:of\s)?(?:an?|one|1))?"
    r"|(?P<one>one|single)(?P<more> and (?:a )?half)?"
    r"|(?:under|below|within|in|than|most|max|over|to|beyond|for)\s(?P<a>a))\s"
    r"(?=(?:seconds?|milliseconds?|ms|minutes?|cents?|ct|dollars?|euros?|million|billion|mil"
    r"|gigabytes?)\b(?!-))"
)
_AND_HALF = re.compile(r"\sand\s(?:a\s)?half(?=\s)")
_SIZE = re.compile(
    r"(?<![\w.])(\d{1,5})\s?(?:px|pixels?)?\s?(?:x|\u00d7|\*|by)\s?(\d{1,5})\s?(?:px|pixels?)?(?!\w)"
)


@dataclass(frozen=True)
class Quantity:
    """A number in a text.

    Attributes:
        value: in the unit; a size has the width here.
        unit: canonical unit, "size" for a width by a height, empty for a bare number.
        start: first character of the number.
        end: character after its unit.
        height: of a size, in pixels; else 0.
    """

    value: float
    unit: str
    start: int
    end: int
    height: float = 0.0


def quantities(text: str) -> tuple[Quantity, ...]:
    """The numbers of a text, in order, each with its unit.

    Args:
        text: plain English, lower case.
    """
    found = sorted((*_sizes(text), *_numbers(text)), key=lambda each: each.start)
    # "one second" is no time of its own in "5 pictures in one second".
    apart = (f for at, f in enumerate(found) if not at or f.start >= found[at - 1].end)
    return tuple(apart)


def _sizes(text: str) -> Iterator[Quantity]:
    for size in _SIZE.finditer(text):
        yield Quantity(float(size[1]), "size", size.start(), size.end(), float(size[2]))


def _numbers(text: str) -> Iterator[Quantity]:
    taken = [(size.start, size.end) for size in _sizes(text)]
    for number in _NUMBER.finditer(text):
        if any(start <= number.start() < end for start, end in taken):
            continue
        value, end = number_of(number["number"]), number.end()
        if number["sign"]:
            yield Quantity(value, "USD", number.start(), end)
            continue
        if half := _AND_HALF.match(text, end):
            value, end = value + 0.5, half.end()
        yield _with_unit(text, value, number.start(), end)
    for part in _PART.finditer(text):
        word = part["part"] or part["one"] or part["a"]
        value = _PARTS[word] + 0.5 * bool(part["more"])
        yield _with_unit(text, value, part.start(), part.end())


def _with_unit(text: str, value: float, start: int, end: int) -> Quantity:
    """The number with the unit that follows it, at most a space or a hyphen away."""
    gap = re.compile(r"[\s-]?").match(text, end)
    after = gap.end() if gap else end
    for pattern, unit, factor in _UNIT:
        if match := pattern.match(text, after):
            scaled = round(value * factor, 12)
            return Quantity(scaled, unit, start, match.end())
    return Quantity(value, "", start, end)


def number_of(written: str) -> float:
    """The value of a number as people write it: `1,000`, `0,5`, `1e-4`."""
    plain = re.sub(r"\s", "", written)
    if re.fullmatch(r"[1-9]\d{0,2}(,\d{3})+(\.\d+)?", plain):
        return float(plain.replace(",", ""))
    return float(plain.replace(",", "."))
