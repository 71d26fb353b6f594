"""The limits of a use case: memory, price, latency, licence, device, and what it is for."""

import re
from typing import Any

from assistant.arguments.choices import choice
from assistant.arguments.heard import Heard
from assistant.arguments.words import word
from index.quantities import Quantity, quantities

_SMALL = (
    r"\b(?:phones?|smart\s?phones?|android|iphones?|mobile|raspberry|\bpi\b|browser|webcam"
    r"|microcontroller|laptop|no gpu|without (?:a )?(?:gpu|graphics)|tablet|edge device)\b"
)
_GPU = (
    r"\b(?:cuda|gpus?|nvidia|rtx|gtx|geforce|graphics? cards?|video cards?|vram|[ahl]\d{2,3}"
    r"|[2345]0[6789]0(?:\s?ti)?|tesla|jetson|t4)\b"
)
_SELLS = (
    r"\b(?:commercial\w*|sell\w*|sold|clients?|customers?|company|business|shop|product|startup"
    r"|paid|paying|monet\w*|revenue|ads|invoice|saas|brand)\b"
)
_PRIVATE = (
    r"\b(?:private(?:ly)?|hobby|non[\s-]?commercial|just for fun|for fun|for myself"
    r"|personal use|not for sale|no money|coursework|homework|thesis|school project|academic"
    r"|university project)\b"
)
_OFFLINE = (
    r"\b(?:offline|without (?:a |the )?(?:internet|network|net|cloud|connection|wifi|api)"
    r"|no (?:internet|network|cloud|connection|wifi|api|signal|reception)|air[\s-]?gapped"
    r"|locally|on my own (?:machine|computer|hardware|pc)|on[\s-]?device|self[\s-]?host\w*"
    r"|on[\s-]prem\w*|not (?:leave|upload\w*))\b"
)
_NO_GPU = r"\b(?:no|without (?:an? )?|don't have (?:an? |any )?)\s?(?:gpu|graphics|video)"
_LEAST = 100_000  # parameters of a network
# What each task is called, the first that matches counts.
_TASKS = {
    "finetune": r"\bfine[\s-]?tun\w*|\bre-?train\w*|\btrain\w* (?:it |them )?on (?:my|our)",
    "personalize": r"\blora\b|\bdreambooth\b|\blearn\w* (?:my|our)|\b(?:my|our) (?:own )?"
    r"(?:dog|cat|face|product|mascot|character|subject|style)\b.*\b(?:learn|teach|train"
    r"|consistent)",
    "embed": (
        r"\blook-?\s?alikes?\b|\bsimilar\b|\bduplicates?\b|\bembedding|\bfeature vectors?\b"
        r"|\bgroup\w* by"
    ),
    "inpaint": r"\binpaint\w*|\b(?:remove|erase|fill)\b",
    "edit": (
        r"\bedit\w*|\brestyl\w*|\bretouch\w*|\bbackdrops?\b|\bbackgrounds?\b|\bcolou?r in\b"
        r"|\bstag(?:e|ing)\b"
    ),
    "classify": (
        r"\bclassif\w*|\brecogni[sz]\w*|\btell\w* (?:\w+ ){0,4}apart|\bidentif\w*|\blabel\w*"
        r"|\bsort\w*"
    ),
    "generate": r"\bgenerat\w*|\bdraw\w*|\billustrat\w*|\bposters?\b|\btext[\s-]to[\s-]image\b"
    r"|\bcreate pictures|\bmakes? (?:\w+ )?(?:pictures|images)|\bdesigns?\b|\blettering\b"
    r"|\bpaint\w*",
}
_SURE = 0.6  # probability from which the network's reading of a wish counts


def limits(heard: Heard) -> dict[str, Any]:
    """What a use case asks for, as arguments of `recommend`."""
    text = heard.text
    found: dict[str, Any] = {
        "task": _task(heard),
        "commercial": _commercial(heard),
        "licence": word("licence", text),
        "device": _device(text),
        "offline": True if re.search(_OFFLINE, text) else choice("offline", heard, _SURE),
    }
    if heard.carried:  # a guess from few words does not replace what was said
        found = {name: value for name, value in found.items() if name not in heard.carried}
    return {name: value for name, value in (found | _numbers(text)).items() if value is not None}


def _task(heard: Heard) -> str | None:
    found = (task for task, pattern in _TASKS.items() if re.search(pattern, heard.text))
    return next(found, None) or choice("task", heard, _SURE)


def _commercial(heard: Heard) -> bool | None:
    if re.search(_PRIVATE, heard.text):
        return False
    return True if re.search(_SELLS, heard.text) else choice("commercial", heard, _SURE)


def _device(text: str) -> str | None:
    if re.search(_NO_GPU, text):
        return None if re.search(r"\bhosted\b|\bapi\b|\bservice\b|\bcloud\b", text) else "cpu"
    if re.search(_GPU, text):
        return "cuda"
    return word("device", text) or ("cpu" if re.search(_SMALL, text) else None)


def _is_bound(text: str, quantity: Quantity) -> bool:
    """Whether a large number counts parameters, and not pictures or people."""
    after, before = text[quantity.start : quantity.end + 12], text[: quantity.start][-24:]
    return bool(
        re.search(r"\bparam|\bweights", after)
        or (
            quantity.value >= _LEAST
            and re.search(r"\b(?:under|below|less|most|max\w*|up to|<)", before)
        )
    )


def _numbers(text: str) -> dict[str, float]:
    """The limits that are numbers, the first of each kind."""
    found: dict[str, float] = {}
    for quantity in quantities(text):
        name, value = {
            "GiB": ("device_memory_gib", quantity.value),
            "ms": ("max_latency_ms", quantity.value),
            "s": ("max_latency_ms", quantity.value * 1000),
            "images/s": ("min_fps", quantity.value),
            "USD": ("max_price_usd", quantity.value),
            "number": ("max_parameters" if _is_bound(text, quantity) else "", quantity.value),
        }.get(quantity.unit, ("", 0.0))
        if name and name not in found and value > 0:
            found[name] = value
    return found
