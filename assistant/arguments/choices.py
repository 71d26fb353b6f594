"""Arguments with few values: modes, methods, actions, sides."""

import re
from typing import Any

from assistant.arguments.files import mask
from assistant.arguments.heard import Heard
from assistant.router import CHOICES

_REPLACES = 0.95  # probability from which a reading replaces what was said before
_SIDES = {
    "left": r"\bleft\b", "right": r"\bright\b",
    "top": r"\b(?:on|at|the|to) top\b|\btop (?:side|edge)\b|\bupwards?\b|\babove\b",
    "bottom": r"\bbottom\b|\bdownwards?\b|\bbelow\b",
}  # fmt: skip
_TO_SIDE = re.compile(r"(\d+)\s?(?:px|pixels?)?[^\d,;.]{0,22}\b(left|right|top|bottom|sides?)\b")
_SIDE_BY = re.compile(r"\b(left|right|top|bottom) by (\d+)\b")
_EXTENDS = re.compile(
    r"\b(?:extend\w*|expand\w*|widen\w*|wider|outpaint\w*|uncrop\w*"
    r"|(?:more|add) (?:\w+ )?(?:room|space|sky|canvas|picture|pixels|px|margins?|borders?)"
    r"|canvas \w*er|continue\w*|grow\w*|enlarge)\b"
)
_SHAPE = re.compile(r"\b\d+(?:\.\d+)?\s?:\s?\d+\b")
_PERCENT = re.compile(r"(\d+)\s?(?:%|percent\b)")
_ACTIONS = {
    "cancel": r"\b(?:cancel\w*|abort|kill|stop|terminate|delete|drop|scrap|end)\b",
    "pause": r"\b(?:pause\w*|suspend|hold|halt|freeze)\b",
    "resume": r"\b(?:resume|continue|unpause|carry on|go on|pick up|proceed)\b",
    "retry": r"\b(?:retry|try again|rerun|re-run|restart|once more|run again|redo)\b",
}
_MODES = {
    "img2img": r"\bimg2img\b|\bimage to image\b|\bstrength\b", "instruct": r"\binstruct\b",
    "depth": r"\bdepth\b", "canny": r"\bcanny\b|\b(?:edges|outlines|contours)\b|\bthe lines\b",
    "variation": r"\bvariations?\b|\bvariants?\b",
    "reference": r"\b(?:style|pose|pattern|look) of the\b|\bin (?:its|that) style\b|\bcombine\b"
    r"|\breferences\b",
}  # fmt: skip
_METHODS = {
    "lora": r"(?<!\bno )(?<!\bnot )(?<!\bneed )(?<!\bwithout )\blo[\s-]?ra\b",
    "embedding": r"\btextual[\s-]inversion\b|\bembeddings?\b",
    "full": (
        r"\bfull(?:y)?[\s-](?:fine|model|train|weights|unet)|\ball (?:the )?weights\b"
        r"|\bwhole model\b"
    ),
}  # fmt: skip
_THAWED = re.compile(
    r"\b(?:no|not|never|don't|dont|without|nothing) (?:\w+ )?(?:fr[eo]ez\w*|frozen|freezing)"
    r"|\bun-?fr[eo]z?e?[zn]\w*|\bthaw\w*|\brelease\b"
    r"|\b(?:all|every|whole|entire|full) (?:the )?(?:\w+ )?(?:layers?|parameters?|weights?"
    r"|network|net|model|body)\b"
    r"|\b(?:everything|all) (?:is )?trainable\b|\bfrom scratch\b|\bend[\s-]to[\s-]end\b"
)
_FROZEN = re.compile(
    r"\bfr[eo]ez\w*|\bfrozen\b|\bhead only\b|\b(?:only|just|but) the (?:\w+ )?(?:head"
    r"|last layer|classifier)"
    r"|\b(?:trunk|backbone|body|base) (?:\w+ )?(?:locked|fixed|untouched|as (?:it )?is)\b"
    r"|\blinear prob\w*|\b(?:only|just) (?:train )?(?:the )?(?:head|last layer)"
)


def expand(tool: str, heard: Heard) -> str | dict[str, int | None] | None:
    """How far to extend a picture: in pixels by side, none where no number was said; or in words.

    In words are shapes and shares, such as "16:9" and "left 25%".
    """
    text = heard.text
    if not any(pattern.search(text) for pattern in (_EXTENDS, _TO_SIDE, _SIDE_BY)):
        return None
    if shape := _SHAPE.search(text):
        return re.sub(r"\s", "", shape[0])
    found = _by_side(_PERCENT.sub("", text))
    if found and (share := _PERCENT.search(text)):
        return ", ".join(f"{side} {share[1]}%" for side in found)
    return found


def _by_side(text: str) -> dict[str, int | None] | None:
    pixels = re.search(r"(\d+)\s?(?:px|pixels?)?\b", text)
    number = int(pixels[1]) if pixels else None
    if re.search(
        r"\b(?:all|every|each) (?:\w+ )?(?:sides?|directions?|edges?|way)|\ball (?:a)?round", text
    ):
        return {"all": number}
    sides = {side: number for side, pattern in _SIDES.items() if re.search(pattern, text)}
    if re.search(r"\bboth sides\b|\bsideways\b", text):
        sides = {"left": number, "right": number}
    own = {side: int(count) for count, side in _TO_SIDE.findall(text) if side in sides}
    return {**sides, **own} or None


def mode(tool: str, heard: Heard) -> str | None:
    """How a picture is to be changed."""
    if mask(heard):
        return "inpaint"
    if expand(tool, heard):
        return "outpaint"
    pictures = sum(file.kind == "image" for file in heard.files)
    for value, pattern in _MODES.items():
        if re.search(pattern, heard.text) and (value != "reference" or pictures > 1):
            return value
    read: str | None = choice("mode", heard)
    return read if read != "reference" or pictures > 1 else None


def choice(name: str, heard: Heard, sure: float = 0.5) -> Any:
    """The network's reading of an argument with few values, from a probability of `sure` on.

    What was said before it replaces only where it is all but certain.
    """
    share = heard.reading.choices[name]
    best = int(share.argmax())
    least = max(sure, _REPLACES) if name in heard.carried else sure
    return CHOICES[name][best] if share[best] >= least else None


def action(tool: str, heard: Heard) -> str:
    """What is to be done with a job."""
    plain = [action for action, pattern in _ACTIONS.items() if re.search(pattern, heard.text)]
    best = CHOICES["action"][int(heard.reading.choices["action"].argmax())]
    return plain[0] if len(plain) == 1 and best not in plain else str(best)


def freeze(tool: str, heard: Heard) -> bool | None:
    """Whether only the head of a classifier is to be trained."""
    if _THAWED.search(heard.text):
        return False
    return True if _FROZEN.search(heard.text) else choice("freeze", heard)


def method(tool: str, heard: Heard) -> str | None:
    """How the subject is to be learned."""
    found = (name for name, pattern in _METHODS.items() if re.search(pattern, heard.text))
    return next(found, None) or choice("method", heard)
