"""What plain words tell of the limits of a use case that `recommend` has arguments for."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from index.gloss import Gloss
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
    r"|\b(?:leav\w+|spar\w+|without (?:using|touching)|not (?:use|touch|need)\w*)"
    r" (?:the |my |an? )?(?:gpu|graphics card)\b"
    r"|\b(?:gpu|graphics card) (?:is |must |has to |should )?(?:be |stay |remain )?"
    r"(?:alone|busy|taken|free|occupied|idle|unused)\b"
)
_DEVICES = {
    "cuda": r"\b(?:cuda|gpus?|nvidia|rtx|gtx|geforce|graphics? cards?|video cards?|vram|tesla"
    r"|quadro|jetson|[abhltv]\d{1,3}(?:g|s|-like)?(?<!a[1-6])|a[2456]000"
    r"|(?:[2345]0[6789]0|10[5678]0|16[56]0)(?:s|\s?(?:ti|super))?"
    r"|cards? (?:\w+ ){0,2}\d+ ?g(?:i?b|igs?))\b|\d ?g(?:i?b|igs?)(?: \w+)? cards?\b",
    "mps": r"\b(?:mps|apple (?:silicon|chip|m\d)|m[1-5](?: (?:pro|max|ultra))?|macbooks?|imac"
    r"|mac (?:mini|studio|pro)|mac)\b",
    "cpu": r"\b(?:cpus?|processors?|(?:smart\s?)?phones?(?! ?(?:case|cover|shell|booth|wallpaper"
    r"|models|photo|picture|pics|shot|shop|store))"
    r"|android|iphones?|mobiles?(?! data)|raspberry|pi(?: ?(?:\d|zero))?|browser|web ?cam"
    r"|micro-?controller|laptop|chromebook|netbook|tablets?|edge device|arm|office pc)\b",
}
_NO_MEMORY = re.compile(
    r"\s?(?:of )?(?:\w+ )?(?:photos|pictures|images|data\w*|disk|ssd|hard|storage|download|files?"
    r"|zips?|archives?|free space)\b"
)
_OF_CARD = re.compile(r"\b(?:v?ram|gpu|cards?|graphics?|video|nvidia|rtx|memory)\b")
_NO_WAIT = re.compile(
    r"[\s-]?(?:hand\b|(?:long )?(?:clips?|videos?|reels?|loops?|films?)|exposures?"
    r"|(?:box|field|prompt|list|window|line|model|opinion|person|language|card|gpu|computer)\b)"
)
_LONGEST_S = 600  # from which a time is that of a whole job, not of a picture
_ONE = (
    r"(?:\w+ ){0,2}(?:images?|pictures?|pics?|photos?|pieces?|go|shots?|renders?|edits?|cards?"
    r"|illustrations?|one|drawings?|posters?|designs?|calls?|each)\b"
)
_DOLLARS = r"\s?(?:us |usd |dollars? )?"
_PER_ONE = re.compile(
    rf"{_DOLLARS}(?:each|apiece|a pop"
    rf"|(?:/|per|an?|for (?:an?|each|every|1)|every)\s?(?:one[\s-]|1[\s-])?{_ONE})"
)
_PER_MANY = re.compile(
    r"\s?(?:per|for|a|/|every|to make|buys?|on)\s?(?:about |some |a |the )?"
    r"(?P<count>\d[\d,]*)(?![\d,.]|\s?(?:x\s?\d|\*|by|px|pix|mega|mp\b))\s?"
    r"(?P<scale>k\b|thousand|million)?(?P<what>\s(?:\w+ ){0,2}?[a-z]+s\b)?"
)
_MANY = 100  # from which a bare number after a sum counts pictures
_PER_TIME = re.compile(
    rf"{_DOLLARS}(?:/|per|an?|each|every)\s?(?:day|week|month|year|hour|minute)"
    r"|\s?(?:monthly|yearly|on (?:steam|itch)|(?:of )?(?:revenue|turnover|income|sales))"
)
_BOUND = re.compile(
    r"\b(?:under|below|less|more|most|max\w*|up to|<=?|within|than|not? (?:above|beyond|over)"
    r"|tops|limit|ceiling|cap|budget|spend|pay|cheaper|beyond|at)\b[^.;]{0,24}$"
)
_BOUND_AFTER = re.compile(
    r"[\s,]*(?:\w+ ){0,3}(?:tops|max\w*|at most|or less|limit|ceiling|cap|budget|acceptable)\b"
)
_SCALE = {"k": 1e3, "thousand": 1e3, "million": 1e6}
_CHEAP = 1.0  # US dollars from which a sum alone is no price of a picture
_LEAST = 100_000  # parameters of a network
FROM_PICTURE = (
    "control",
    "named control",
    "variation",
    "outpaint",
)  # flags of what starts from a picture
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
            made = row["task"] == "generate"
            return "edit" if made and _starts_from_picture(words) else str(row["task"])
    return "generate" if not plainly and _needs_maker(words) else ""


def _needs_maker(words: str) -> bool:
    """Whether the words demand what only makers of pictures have."""
    rows = [row for row in vocabulary("needs")["demands"] if row["of"] == ["picture"]]
    return any(row["words"] and pattern(row["words"]).search(words) for row in rows)


def _starts_from_picture(words: str) -> bool:
    flags = vocabulary("needs")["flags"]
    return any(pattern(flags[name]).search(words) for name in FROM_PICTURE)


def limits_told(use_case: Gloss) -> dict[str, Any]:
    """The limits that a use case tells plainly, by argument of `recommend`."""
    asked, words = vocabulary("needs"), use_case.named.lower()
    found: dict[str, Any] = {
        "commercial": _commercial(words),
        "licence": _licence(words),
        "device": device_told(words),
        "offline": True if pattern(asked["flags"]["offline"]).search(words) else None,
    }
    for name, value in _numbers(use_case.text):  # where no name of a system holds a number
        found.setdefault(name, value)
    return {name: value for name, value in found.items() if value is not None}


def is_hosted(words: str) -> bool:
    """Whether plain words, lower case, ask for a service that runs the model."""
    asked = vocabulary("needs")["flags"]
    return bool(pattern(asked["hosted"]).search(pattern(asked["offline"]).sub(" _ ", words)))


def _commercial(words: str) -> bool | None:
    asked = vocabulary("needs")["commercial"]
    private = pattern(asked["no"]).search(words)
    denied = private and re.search(r"\b(?:not|no|never)\b", private[0])
    if not denied and pattern(asked["yes"]).search(pattern(asked["no"]).sub(" ", words)):
        return True
    return False if private else None


def _licence(words: str) -> str | None:
    """The licences that are accepted, joined by commas; those refused are left out."""
    found = [name for name, told in _LICENCES.items() if _accepted(told, words)]
    return ", ".join(found) or None


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
    numbers = [one for one in quantities(words) if one.unit in _LIMITS]
    for one in sorted(numbers, key=lambda one: not _OF_CARD.match(words[one.end :].lstrip())):
        name, read = _LIMITS[one.unit]
        if (value := read(words, one)) > 0:
            yield name, value


def _latency(words: str, time: Quantity) -> float:
    seconds = time.value / 1000 if time.unit == "ms" else time.value
    whole = re.search(r"\b(?:train|learn)\w*\b[^.]{0,25}$", words[: time.start])
    no_wait = _NO_WAIT.match(words, time.end) or whole or seconds > _LONGEST_S
    return 0.0 if no_wait else round(seconds * 1000, 6)


def _price(words: str, money: Quantity) -> float:
    """US dollars per picture; 0 if the money is another."""
    if (many := _PER_MANY.match(words, money.end)) and (count := _count(many)):
        return round(money.value / count, 6)
    if _PER_ONE.match(words, money.end):
        return money.value
    if _PER_TIME.match(words, money.end):
        return 0.0
    bound = _BOUND.search(words[: money.start]) or _BOUND_AFTER.match(words, money.end)
    return money.value if bound or money.value < _CHEAP else 0.0


def _count(many: re.Match[str]) -> float:
    """How many pictures a sum of money is for; 0 if the number is no count."""
    count = float(many["count"].replace(",", "")) * _SCALE.get(many["scale"] or "", 1.0)
    return count if many["what"] or (count >= _MANY and not many["scale"]) else 0.0


def _parameters(words: str, number: Quantity) -> float:
    """A large number that counts parameters, and not pictures or people."""
    said = re.search(r"param|weights?$", words[number.start : number.end])
    if said or re.match(r"[\s-]?(?:\w+ )?(?:param|weights\b)", words[number.end :]):
        return number.value
    bound = re.search(
        r"\b(?:under|below|less|than|most|max\w*|up to|<=?|cap of)\s?(?:\w+ )?$",
        words[: number.start],
    )
    scaled = re.search(r"[a-z]$", words[number.start : number.end])
    plain = bound or (scaled and _PARAMETERS.match(words, number.end))
    counted = re.match(
        r"\s?(?:\w+ )?(?:images|pictures|photos|pics|dollars|people|users)\b", words[number.end :]
    )
    return number.value if plain and not counted and number.value >= _LEAST else 0.0


def _memory(words: str, memory: Quantity) -> float:
    return 0.0 if _NO_MEMORY.match(words, memory.end) else memory.value


def _rate(words: str, rate: Quantity) -> float:
    del words
    return rate.value


# Unit -> the limit that an amount of it may be, and what tells whether and how much.
_LIMITS: Mapping[str, tuple[str, Callable[[str, Quantity], float]]] = {
    "GiB": ("device_memory_gib", _memory),
    "ms": ("max_latency_ms", _latency),
    "s": ("max_latency_ms", _latency),
    "images/s": ("min_fps", _rate),
    "USD": ("max_price_usd", _price),
    "number": ("max_parameters", _parameters),
    "parameters": ("max_parameters", _parameters),
}
