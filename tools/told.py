"""What plain words tell of the limits of a use case that `recommend` has arguments for."""

import re
from collections.abc import Iterator
from typing import Any

from index.quantities import Quantity, quantities
from tools.vocabulary import pattern, vocabulary

_LICENCES = {
    "apache-2.0": r"apache(?:[\s-]?(?:v|version )?2(?:\.0)?)?",
    "mit": r"mit(?! (?:han|students?|lab))",
    "bsd": r"bsd",
    "openrail": r"(?:creativeml )?open\s?rail(?:\+\+)?",
    "permissive": r"permissive\w*|permission licen[cs]e",
}
_REFUSED = r"(?:\bnot?|n't|\bwithout|\bnever|\bavoid\w*|\bexcept|\bother than|\bnot even)"
_HOSTED = re.compile(r"\bhosted\b|\bapi\b|\bservices?\b|\bcloud\b|\bendpoint\b")
_NO_GPU = re.compile(
    r"\b(?:no|without|zero|not any|lacks?)\s(?:an? |any |own )?(?:\w+ )?"
    r"(?:gpus?|graphics?|video|grafi[ck]\w*)\b"
    r"|\b(?:do not|don'?t|does not|doesn'?t|have not|haven'?t) (?:have|own|got)?\s?"
    r"(?:an? |any )?(?:gpus?|graphics?|video|nvidia)\b|\bown no (?:gpus?|graphics?)"
)
_DEVICES = {
    "cuda": r"\bcuda\b|\bgpus?\b|\bnvidia\b|\brtx\b|\bgtx\b|\bgeforce\b|\bgraphics? cards?\b"
    r"|\bvideo cards?\b|\bvram\b|\b[abhlt]\d{1,3}(?:g|-like)?\b(?<!a[1-6])|\ba[2456]000\b"
    r"|\b(?:[2345]0[6789]0|10[5678]0|16[56]0)(?:\s?(?:ti|super))?\b|\btesla\b|\bquadro\b"
    r"|\bjetson\b|\d ?g(?:i?b|igs?)(?: \w+)? cards?\b|\bcards? (?:\w+ ){0,2}\d+ ?g(?:i?b|igs?)\b",
    "mps": r"\bmps\b|\bapple (?:silicon|chip|m\d)\b|\bm[1-5](?: (?:pro|max|ultra))?\b"
    r"|\bmacbooks?\b|\bmac (?:mini|studio|pro)\b|\bimac\b|\bmac\b",
    "cpu": r"\bcpus?\b|\bprocessors?\b|\b(?:smart\s?)?phones?\b(?! ?(?:case|cover|shell|booth|wallpaper))|\bandroid\b|\biphones?\b"
    r"|\bmobiles?\b(?! data)|\braspberry\b|\bpi(?: ?(?:\d|zero))?\b|\bbrowser\b|\bweb ?cam\b|\bmicro-?controller\b"
    r"|\blaptop\b|\btablets?\b|\bedge device\b|\barm\b|\boffice pc\b",
}
_NO_MEMORY = re.compile(
    r"\s?(?:of )?(?:\w+ )?(?:photos|pictures|images|data\w*|disk|ssd|hard|storage|download|files?|zips?"
    r"|archives?|free space)\b"
)
_OF_CARD = re.compile(r"\b(?:v?ram|gpu|cards?|graphics?|video|nvidia|rtx|memory)\b")
_NO_LATENCY = re.compile(r"[\s-]?(?:hand\b|clips?|videos?|exposures?|films?|long (?:clip|video))")
_LONGEST_S = 600  # from which a time is that of a whole job, not of a picture
_SINGLE = (
    r"(?:\w+ ){0,2}(?:images?|pictures?|pics?|photos?|pieces?|go|shots?|renders?|edits?|cards?"
    r"|illustrations?|one|drawings?|posters?|designs?|calls?|each)\b"
)
_PER_ONE = re.compile(
    rf"\s?(?:us |usd |dollars? )?(?:each|apiece|a pop|(?:/|per|a|an|for (?:a|an|each|every|1)|every)"
    rf"\s?(?:one[\s-]|1[\s-])?{_SINGLE})"
)
_PER_MANY = re.compile(
    r"\s?(?:per|for|a|/|every|to make|buys?|on)\s?(?:about |some |a |the )?"
    rf"(?P<count>\d[\d,.]*)\s?(?P<scale>k\b|thousand|million)?\s?(?:{_SINGLE})?"
)
_PER_TIME = re.compile(
    r"\s?(?:us |usd |dollars? )?(?:/|per|a|an|each|every)\s?(?:day|week|month|year|hour|minute)"
    r"|\s?(?:monthly|yearly|a ?piece on|on (?:steam|itch))|\s?(?:of )?(?:revenue|turnover|income|sales)"
)
_BOUND = re.compile(
    r"\b(?:under|below|less|more|most|max\w*|up to|<=?|within|than|not? (?:above|beyond|over)|tops|limit"
    r"|ceiling|cap|budget|spend|pay|cheaper|beyond|tops|at)\b[^.;]{0,24}$"
)
_AFTER_BOUND = re.compile(
    r"[\s,]*(?:\w+ ){0,3}(?:tops|max\w*|at most|or less|limit|ceiling|cap|budget|acceptable)\b"
)
_SCALE = {"k": 1e3, "thousand": 1e3, "million": 1e6}
_CHEAP = 1.0  # US dollars from which a sum alone is no price of a picture
_LEAST = 100_000  # parameters of a network
_PARAMETERS = re.compile(
    r"\s?(?:param|weights\b)|(?:\s(?:cap|budget|limit|max\w*))|\s?(?:[/,;.)]|$)"
)


def task_told(words: str, plainly: bool = False) -> str:
    """The task that the words tell; empty if they tell none.

    Args:
        words: plain English, lower case.
        plainly: only by words that name the task itself.
    """
    for row in vocabulary("needs")["tasks"]:
        if (row.get("plain") or not plainly) and pattern(row["words"]).search(words):
            return str(row["task"])
    return ""


def limits_told(words: str) -> dict[str, Any]:
    """The limits that the words tell, by argument of `recommend`.

    Args:
        words: plain English, lower case.
    """
    asked = vocabulary("needs")
    found: dict[str, Any] = {
        "commercial": _commercial(words),
        "licence": _licence(words),
        "device": device_told(words),
        "offline": True if pattern(asked["flags"]["offline"]).search(words) else None,
    }
    for name, value in _numbers(words):
        found.setdefault(name, value)
    return {name: value for name, value in found.items() if value is not None}


def _commercial(words: str) -> bool | None:
    asked = vocabulary("needs")["commercial"]
    private = pattern(asked["no"]).search(words)
    rest = pattern(asked["no"]).sub(" ", words)
    if pattern(asked["yes"]).search(rest) and not re.search(
        r"\b(?:not|no|never)\b", private[0] if private else ""
    ):
        return True
    return False if private else None


def _licence(words: str) -> str | None:
    """The licences that are accepted, joined where there are several; those refused are left out."""
    found = [name for name, told in _LICENCES.items() if _accepted(told, words)]
    return ", ".join(found[:2]) or None


def _accepted(told: str, words: str) -> bool:
    named = [match.start() for match in re.finditer(rf"\b{told}\b", words)]
    return any(
        not re.search(rf"{_REFUSED}\s(?:an? |the |any |even )*$", words[:at]) for at in named
    )


def device_told(words: str) -> str | None:
    """`cpu`, `cuda` or `mps`; none where the words name none or a service runs it."""
    if _NO_GPU.search(words):
        return None if _HOSTED.search(words) else "cpu"
    return next((name for name, told in _DEVICES.items() if re.search(told, words)), None)


def _numbers(words: str) -> Iterator[tuple[str, float]]:
    """The limits that are numbers, the first of each kind first."""
    numbers = quantities(words)
    memory = [one for one in numbers if one.unit == "GiB" and not _NO_MEMORY.match(words, one.end)]
    memory.sort(key=lambda one: not _OF_CARD.match(words[one.end :].lstrip()))
    for one in (*memory, *numbers):
        read = _READERS.get(one.unit)
        value = read(words, one) if read else 0.0
        if value > 0:
            yield _NAMES[one.unit], value


def _latency(words: str, time: Quantity) -> float:
    seconds = time.value / 1000 if time.unit == "ms" else time.value
    whole = re.search(r"\b(?:train|learn)\w*\b[^.]{0,25}$", words[: time.start])
    no_wait = _NO_LATENCY.match(words, time.end) or whole or seconds > _LONGEST_S
    return 0.0 if no_wait else round(seconds * 1000, 6)


def _price(words: str, money: Quantity) -> float:
    """US dollars per picture; 0 if the money is another."""
    if many := _PER_MANY.match(words, money.end):
        count = float(many["count"].replace(",", "").rstrip(".")) * _SCALE.get(
            many["scale"] or "", 1
        )
        return round(money.value / count, 6) if count else 0.0
    if _PER_ONE.match(words, money.end):
        return money.value
    if _PER_TIME.match(words, money.end):
        return 0.0
    bound = _BOUND.search(words[: money.start]) or _AFTER_BOUND.match(words, money.end)
    return money.value if bound or money.value < _CHEAP else 0.0


def _parameters(words: str, number: Quantity) -> float:
    """A large number that counts parameters, and not pictures or people."""
    said = re.search(r"param|weights?$", words[number.start : number.end])
    if said or re.match(r"\s?(?:\w+ )?(?:param|weights\b)", words[number.end :]):
        return number.value
    bound = re.search(
        r"\b(?:under|below|less|than|most|max\w*|up to|<=?|to|cap of)\s?(?:\w+ )?$",
        words[: number.start],
    )
    scaled = re.search(r"[a-z]$", words[number.start : number.end])
    plain = bound or (scaled and _PARAMETERS.match(words, number.end))
    counted = re.match(
        r"\s?(?:\w+ )?(?:images|pictures|photos|pics|dollars|people|users)\b", words[number.end :]
    )
    return number.value if plain and not counted and number.value >= _LEAST else 0.0


_READERS = {
    "GiB": lambda words, one: 0.0 if _NO_MEMORY.match(words, one.end) else one.value,
    "ms": _latency,
    "s": _latency,
    "images/s": lambda words, one: one.value,
    "USD": _price,
    "number": _parameters,
    "parameters": lambda words, one: one.value if one.value >= _LEAST else 0.0,
}
_NAMES = {
    "GiB": "device_memory_gib",
    "ms": "max_latency_ms",
    "s": "max_latency_ms",
    "images/s": "min_fps",
    "USD": "max_price_usd",
    "number": "max_parameters",
    "parameters": "max_parameters",
}
