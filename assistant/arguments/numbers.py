"""Arguments that are numbers: sizes, steps, seeds, counts and limits, in the words of a gloss."""

import re
from collections.abc import Collection, Iterator, Mapping

import numpy as np

from assistant.router import ROLES, SPANS, Reading
from index.quantities import Quantity, number_of, quantities

_N = r"(\d+(?:,\d{3})+|\d+(?:[.,]\d+)?(?:\s?e\s?-\s?\d+)?|\.\d+)"
_IS = r"(?:\s+(?:of|is|to|at|be|number|as|with|was|value|scale|set))*\s*[:=#]?\s*"
# Parameter -> patterns of a gloss; the group is the number.
_PATTERNS: Mapping[str, tuple[str, ...]] = {
    "seed": (rf"\bseeds?{_IS}{_N}", rf"#{_N}\b"),
    "guidance": (
        rf"\b(?:guidance|cfg)(?:\s+scale)?{_IS}{_N}", rf"\bg\s?=\s?{_N}",
        rf"{_N}\s+(?:guidance|cfg)\b"),
    "strength": (
        rf"\b(?:strength|denoise|denoising){_IS}{_N}(?!\s*steps)", rf"{_N}\s*%?\s+strength\b",
        rf"\bimg2img{_IS}{_N}"),
    "learning_rate": (
        rf"\b(?:lr|learn(?:ing)?[\s-]?rate|step size){_IS}{_N}", rf"{_N}\s+(?:lr|learning rate)\b"),
    "prior_weight": (
        rf"\bprior\b[\w\s-]{{0,25}}\bweight{_IS}{_N}", rf"\bprior preservation{_IS}(0?\.\d+)\b"),
    "prior_images": (
        rf"{_N}\s+(?:\w+\s+)?(?:class|prior|regulari[sz]ation|reg)[\s-](?:\w+\s)?(?:images?"
        rf"|pictures?|photos?|samples?)",
        rf"\b(?:prior|class|reg\w*)(?:\s(?:preservation|images?|pictures?))*{_IS}{_N}\b(?!\.\d)",
    ),
    "rank": (rf"\brank{_IS}{_N}", rf"{_N}[\s-]rank\b", rf"\br\s?=\s?{_N}"),
    "opset": (rf"\bopset{_IS}{_N}",),
    "batch_size": (
        rf"\bbatch(?:es)?(?:[\s-]?sizes?)?{_IS}{_N}", rf"\bbs{_IS}{_N}",
        rf"{_N}\s+(?:\w+\s)?(?:at once|at a time|per batch|in a batch|in one go)",
        rf"\bbatches of {_N}", r"\bbatch(?:es)?(?:[\s-]size)? (?:of )?(one|single)\b",
        r"\b(one|single) (?:picture|image|photo) at a time\b",
    ),
    "threads": (
        r"(\d+|one|single)[\s-](?:cpu\s)?(?:threads?|threds?|cores?)\b", rf"\bthreads?{_IS}{_N}"),
    "runs": (
        rf"{_N}\s+(?:\w+\s)?(?:runs|times|rounds|goes|repetitions|repeats|trials|iterations|passes"
        rf"|measurements)\b",
        rf"\b(?:repeat|runs?|repetitions){_IS}{_N}(?!\s*(?:px|pixel|thread|core|step|x\b))",
    ),
    "epochs": (
        rf"{_N}\s+(?:\w+\s)?(?:epochs?|rounds?|passes|epocs?|epoch's)\b", rf"\bepochs?{_IS}{_N}"),
    "steps": (
        rf"{_N}[\s-]+(?:\w+\s)?(?:steps?|iterations?|iters?|stps|stpes)\b",
        rf"\b(?:steps?|iterations?|iters|stps|stpes){_IS}{_N}",
        rf"\bs\s?=\s?{_N}",
    ),
    "top_k": (
        rf"\btop[\s-]?{_N}",
        rf"{_N}\s+(?:per|each|for each|of them)\b",
        rf"\b(?:best|first){_IS}{_N}\b",
        rf"{_N}\s+(?:\w+\s){{0,2}}(?:guesses|guess|labels?|lables|classes|candidates|suggestions"
        rf"|answers|names|options|predictions|possibilities|ideas|likely|likeliest|probable)\b",
    ),
    "resolution": (
        rf"\b(?:resolution|res|resoluton){_IS}{_N}",
        rf"{_N}\s?(?:px|pixels?)?\s+resolution\b",
        rf"\bat {_N}\s?(?:px|pixels?)\b",
        r"\bat (256|384|512|640|768|896|1024|1280|1536)\b"),
    "image_size": (
        rf"\b(?:image|input|picture)[\s-]?(?:size)?{_IS}{_N}", rf"{_N}\s?(?:px|pixels?)\b",
        rf"{_N} inputs?\b",
        rf"\b(?:images|pictures|photos) of {_N}(?!\w)",
        r"\bat (128|160|192|224|240|256|288|320|384|448|512)\b"),
}  # fmt: skip
_IN_WORDS: Mapping[str, tuple[str, float]] = {
    "strength": (r"\bhalf[\s-](?:the )?strength\b|\bstrength (?:of |at )?(?:a )?half\b", 0.5),
    "steps": (r"\b(?:one|single) step\b", 1),
    "top_k": (r"\b(?:one|single) (?:\w+ ){0,2}(?:guess|answer|label|name|word|class)\b", 1),
}
_WHOLE = frozenset({
    "seed", "prior_images", "rank", "opset", "batch_size", "threads", "runs", "epochs", "steps",
    "top_k", "resolution", "image_size", "count", "width", "height",
})  # fmt: skip
_SHAPES = (
    (
        r"\b(?:phone|mobile) (?:wallpaper|background|screen)|\block\s?screen"
        r"|\bwallpapers? (?:for|on) (?:my |the |a )?(?:phone|mobile)",
        (1080, 1920),
    ),
    (r"\bwallpapers?\b(?! pattern)|\bfull[\s-]?hd\b|\b1080p\b|\bdesktop background", (1920, 1080)),
    (r"\b4k\b|\buhd\b", (3840, 2160)),
    (
        r"\bsquare (?:format|picture|image|one|version|crop)|(?<!\bthe )(?<!\ba )(?<!\btown )"
        r"(?<!\bmarket )(?<!\bvillage )\bsquare\b", (1024, 1024)),
    (
        r"\b(?:portrait|vertical|upright|tall)[\s-](?:format|orientation|version|picture|image)"
        r"|\bvertical\b|\bupright\b", (832, 1216)),
    (
        r"\b(?:landscape|horizontal|wide)[\s-](?:format|orientation|version|picture|image)"
        r"|\bhorizontal\b|\bwidescreen\b", (1216, 832)),
)  # fmt: skip
_SCREENS = 3  # the first of them, which say how many pixels a screen has
_MOST = {"learning_rate": 0.1, "strength": 1, "guidance": 100, "prior_weight": 10, "count": 64}
_ROLE_SURE = 0.5  # probability from which a number has the role that the network gives it


def numbers(text: str, reading: Reading, wanted: Collection[str]) -> dict[str, float | int]:
    """The numeric arguments that a gloss gives, of those that a tool wants."""
    taken: list[tuple[int, int]] = []
    found: dict[str, float | int] = {}
    if {"width", "height"} & set(wanted):
        found |= _size(text, taken, "image_size" in wanted)
    for name, patterns in _PATTERNS.items():
        if name in wanted and (match := _first(patterns, text, taken)):
            found[name] = _value(name, match, text)
            taken.append(match.span(1))
    in_words = {name: value for name, (words, value) in _IN_WORDS.items() if re.search(words, text)}
    found = {name: value for name, value in in_words.items() if name in wanted} | found
    if "count" in wanted and (counted := _count(text, taken)):
        found["count"] = counted
    for name, quantity in _by_role(text, reading, taken):
        if name == "size" and "width" in wanted and not found.keys() & {"width", "height"}:
            found |= _sides(quantity.value, quantity.value)
        if name in wanted and name not in found and quantity.value <= _MOST.get(name, 1e9):
            found[name] = _whole(name, quantity.value)
    return found


def _first(
    patterns: Collection[str], text: str, taken: Collection[tuple[int, int]]
) -> re.Match[str] | None:
    for pattern in patterns:
        for match in re.finditer(pattern, text):
            if _is_free(*match.span(1), taken):
                return match
    return None


def _is_free(start: int, end: int, taken: Collection[tuple[int, int]]) -> bool:
    """Whether a place in the gloss is no part of another argument."""
    return not any(first < end and start < last for first, last in taken)


def _value(name: str, match: re.Match[str], text: str) -> float | int:
    written = match[1]
    value = 1.0 if written in ("one", "single") else number_of(written)
    after = text[match.end(1) : match.end(1) + 9].lstrip()
    if name == "strength" and (after.startswith(("%", "percent")) or value > 1):
        value /= 100
    if re.match(r"k\b", after):
        value *= 1000
    return _whole(name, value)


def _whole(name: str, value: float) -> float | int:
    return int(value) if name in _WHOLE else value


def _size(text: str, taken: list[tuple[int, int]], classifier: bool) -> dict[str, int]:
    """Width and height in pixels: as "768x512", "768 wide", "4 megapixels", "square"."""
    found = quantities(text)
    for quantity in found:
        if quantity.unit in ("size", "megapixels"):
            taken.append((quantity.start, quantity.end))
            side = round((quantity.value * 1024**2) ** 0.5 / 16) * 16
            both = (quantity.value, quantity.height) if quantity.unit == "size" else (side, side)
            return _sides(*both)
    one = _one_side(text, taken)
    if one:
        return one
    for pattern, sides in _SHAPES[:_SCREENS] if classifier else _SHAPES:
        if re.search(pattern, text):
            return _sides(*sides)
    for quantity in () if classifier else found:
        if quantity.unit == "px":
            taken.append((quantity.start, quantity.end))
            return _sides(quantity.value, quantity.value)
    return {}


def _sides(width: float, height: float) -> dict[str, int]:
    return {"width": int(width), "height": int(height)}


def _one_side(text: str, taken: list[tuple[int, int]]) -> dict[str, int]:
    found = {}
    for name, words in (("width", "wide|width|across|broad"), ("height", "high|tall|height")):
        pattern = rf"{_N}\s?(?:px|pixels?)?\s(?:{words})\b|\b(?:{words}|{name[0]}\s?=){_IS}{_N}"
        for match in re.finditer(pattern, text):
            group = 1 if match[1] else 2
            if match[group][:1].isdigit():
                found[name] = int(number_of(match[group]))
                taken.append(match.span(group))
    return found


_GIVEN = re.compile(r"\b(?:these|those|the|my|both|your) $")  # before pictures that are there


def _count(text: str, taken: Collection[tuple[int, int]]) -> int | None:
    """How many pictures are wanted."""
    for quantity in quantities(text):
        free = not any(start <= quantity.start < end for start, end in taken)
        free = free and not _GIVEN.search(text[: quantity.start])
        if free and quantity.unit == "images" and 1 <= quantity.value <= 1000:
            return int(quantity.value)
    several = re.search(
        rf"{_N}\s+of\s+(?:\w+\s)?(?:images|pictures|photos|versions|drawings)\b", text
    )
    if several:
        return int(float(several[1]))
    more = re.search(
        rf"{_N}\s+(?:\w+\s){{0,2}}(?:of (?:them|those|these|it)|more|different|such|other)\b", text
    )
    if more and more[1].isdigit() and not any(s <= more.start(1) < e for s, e in taken):
        return int(more[1])
    pattern = r"\b(\d+)\s?x\b(?!\s?\d)|\bx\s?(\d+)\b|\bcount\s*[:=]?\s*(\d+)"
    times = (match for match in re.finditer(pattern, text) if _is_free(*match.span(), taken))
    match = next(times, None)
    return int(match[match.lastindex or 0]) if match else None


def _role(reading: Reading, quantity: Quantity) -> str:
    """The role that the network gives to a number; empty if it is unsure."""
    for share, (first, last) in zip(reading.roles, reading.spans, strict=True):
        if quantity.start <= first < last <= quantity.end:
            best = int(np.argmax(share))
            return ROLES[best] if share[best] >= _ROLE_SURE and ROLES[best] not in SPANS else ""
    return ""


def _by_role(
    text: str, reading: Reading, taken: Collection[tuple[int, int]]
) -> Iterator[tuple[str, Quantity]]:
    for quantity in quantities(text):
        if _is_free(quantity.start, quantity.end, taken):
            yield _role(reading, quantity), quantity


# "for 6000 photos", "all 9000 on cpu"
_TO_DO = re.compile(
    r"\b(\d+(?:[.,]\d{3})*)\s?(k\b)?\s?(?:[a-z-]+\s){0,2}?"
    r"(?:pictures?|photos?|photographs?|images?|imgs?|pics?|slides|scans|shots|crops|frames|cards)\b"
    r"|\b(?:all|the whole|for)(?: of)?(?: the| my| these| them)? (\d+(?:[.,]\d{3})*)\s?(k\b)?"
    r"\s*(?:[?.!,]|$|on\b)"
)
_IN_BATCHES = re.compile(r"\bbatch\w*\W+(?:of |size )?$")
_FEW = 10  # pictures up to which nobody asks how long all of them take


def pictures_to_do(text: str) -> int | None:
    """How many pictures there are to do in all; none if that is not told."""
    found = [
        match for match in _TO_DO.finditer(text) if not _IN_BATCHES.search(text[: match.start()])
    ]
    counts = [
        int(re.sub(r"[.,]", "", match[1] or match[3])) * (1000 if match[2] or match[4] else 1)
        for match in found
    ]
    return max((count for count in counts if count > _FEW), default=None)
