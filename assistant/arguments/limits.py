"""The limits of a use case: memory, price, latency, licence, device, and what it is for."""

import re
from typing import Any

from assistant.arguments.heard import Heard
from assistant.arguments.words import word
from assistant.router import CHOICES
from index.quantities import quantities

_SMALL = (
    r"\b(?:phones?|smart\s?phones?|android|iphones?|mobile|raspberry|\bpi\b|browser|webcam"
    r"|microcontroller|laptop|no gpu|without (?:a )?(?:gpu|graphics)|tablet|edge device)\b"
)
_GPU = (
    r"\b(?:cuda|gpus?|nvidia|rtx|gtx|geforce|graphics? cards?|video cards?|vram|[ahl]\d{2,3}"
    r"|[2345]0[6789]0(?:\s?ti)?|tesla|jetson)\b"
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
_CHOSEN = 0.6  # probability from which the network's reading of a wish counts


def limits(heard: Heard) -> dict[str, Any]:
    """What a use case asks for, as arguments of `recommend`."""
    text = heard.text
    found: dict[str, Any] = {
        "task": _task(heard),
        "commercial": _commercial(heard),
        "licence": word("licence", text),
        "device": _device(text),
        "offline": True if re.search(_OFFLINE, text) else _choice("offline", heard),
    }
    return {name: value for name, value in (found | _numbers(text)).items() if value is not None}


def _task(heard: Heard) -> str | None:
    share = heard.reading.choices["task"]
    best = 1 + int(share[1:].argmax())
    return CHOICES["task"][best] if share[best] > share[0] else None


def _choice(name: str, heard: Heard) -> Any:
    share = heard.reading.choices[name]
    best = int(share.argmax())
    return CHOICES[name][best] if share[best] >= _CHOSEN else None


def _commercial(heard: Heard) -> bool | None:
    if re.search(_PRIVATE, heard.text):
        return False
    return True if re.search(_SELLS, heard.text) else _choice("commercial", heard)


def _device(text: str) -> str | None:
    if re.search(r"\b(?:no|without (?:a )?)\s?(?:gpu|graphics|video)", text):
        return "cpu"
    if re.search(_GPU, text):
        return "cuda"
    return word("device", text) or ("cpu" if re.search(_SMALL, text) else None)


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
            "number": ("max_parameters", quantity.value),
        }.get(quantity.unit, ("", 0.0))
        if name and name not in found and value > 0:
            found[name] = value
    return found
