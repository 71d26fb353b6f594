"""From words and files to the typed arguments of one tool; what was not said is left out."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from assistant.arguments import choices, models, own_words
from assistant.arguments.files import (
    archive,
    earlier_pictures,
    mask,
    named_one,
    own_pictures,
    pictures,
    singled_out,
)
from assistant.arguments.heard import Heard
from assistant.arguments.limits import limits
from assistant.arguments.numbers import numbers, pictures_to_do
from assistant.arguments.texts import claim
from assistant.arguments.words import property_words, words
from assistant.conversation import Ref
from assistant.router import Situation, load_router
from index.gloss import gloss
from index.names import Names
from index.quantities import quantities
from tools.base import Tool

__all__ = ["Heard", "arguments_for", "missing", "use_case_limits"]

_FEW = 8  # words of a question that is little more than a number
# The numbers that a bare number may stand for, and the one that it stands for most likely.
_KNOBS = (
    "top_k", "epochs", "steps", "image_size", "batch_size", "runs", "threads", "rank", "guidance",
)  # fmt: skip
_KNOB = {
    "classify": "top_k", "finetune": "epochs", "personalize": "steps", "benchmark": "image_size",
    "generate": "steps",
}  # fmt: skip
_FACTORS = {
    "double": 2, "twice": 2, "triple": 3, "half": 0.5, "halve": 0.5, "a third": 1 / 3,
    "a quarter": 0.25, "a tenth": 0.1,
}  # fmt: skip
_SCALES = {
    "steps": ("steps",), "epochs": ("epochs",), "size": ("width", "height"), "wide": ("width",),
    "width": ("width",), "high": ("height",), "height": ("height",), "tall": ("height",),
    "learning rate": ("learning_rate",), "guidance": ("guidance",), "rank": ("rank",),
    "strength": ("strength",), "batch": ("batch_size",), "runs": ("runs",),
}  # fmt: skip
_SCALED = re.compile(
    rf"\b(?:({'|'.join(_FACTORS)})|(\d+) ?(?:times|x))\b(?: as)?"
    r"(?: (?:the|its|as|many|big|number|of|a|that|those))*"
    rf" ({'|'.join(_SCALES)})\b"
)
_ALL = re.compile(r"\ball (?:of (?:them|these|those)|\d+)\b|\bthe others\b|\bthe rest\b")
# New photos that go with the earlier ones.
_ADDS = re.compile(
    r"\b(?:too|as well|also|add(?:ed|ing)?|more|together|all (?:of them|\d+)|both sets|besides)\b"
)
_ANOTHER_SEED = re.compile(r"\b(?:another|different|new|other|random|change the|fresh) seeds?\b")


def arguments_for(tool: Tool, heard: Heard) -> dict[str, Any]:
    """The arguments that a question gives to a tool."""
    wanted = tool.parameters
    found: dict[str, Any] = {}
    for name in wanted:
        reader = _READERS.get(name)
        if reader and not _holds_on(name, heard):
            value = reader(tool.name, heard)
            if value not in (None, (), ""):
                found[name] = value
    if tool.name == "recommend":
        found |= limits(heard)
    else:
        found |= words(heard.text, wanted) | numbers(heard.text, heard.reading, wanted)
    found |= _bare(tool, heard, found) | _scaled(heard)
    return _carried(heard, _settled(tool.name, heard, found))


def _bare(tool: Tool, heard: Heard, found: Mapping[str, Any]) -> dict[str, Any]:
    """A number alone, as "20" or "go up to 1500", for what the step before had a number for."""
    alone = [q.value for q in quantities(heard.text) if q.unit in ("", "images")]
    said = {name for name, value in found.items() if isinstance(value, int | float)}
    if not heard.carried or said or len(alone) != 1 or len(heard.text.split()) > _FEW:
        return {}
    counted = [name for name in _KNOBS if name in heard.carried]
    name = counted[0] if counted else _KNOB.get(tool.name, "")
    return {name: int(alone[0])} if name in tool.parameters else {}


def _scaled(heard: Heard) -> dict[str, Any]:
    """Numbers of the step before that are to be a multiple: "double the steps", "half as wide"."""
    found = {}
    for match in _SCALED.finditer(heard.text):
        factor = int(match[2]) if match[2] else _FACTORS[match[1]]
        for name in _SCALES[match[3]]:
            value = heard.carried.get(name)
            if isinstance(value, int | float):
                found[name] = type(value)(round(value * factor, 9))
    return found


def _holds_on(name: str, heard: Heard) -> bool:
    """Whether an argument of the step before is not to be looked for anew: it was not replaced."""
    if name not in heard.carried:
        return False
    if name == "images" and "prompt" in heard.carried and not own_words.retries(heard):
        return False  # one more change, to what the last one made
    if name in ("images", "dataset", "mask", "like"):
        return not heard.files and not singled_out(heard.text) and not _ALL.search(heard.text)
    return name in ("model", "models", "systems") and not heard.systems


def _carried(heard: Heard, found: dict[str, Any]) -> dict[str, Any]:
    """The arguments over those of the step that is done once more."""
    kept = dict(heard.carried)
    if _ANOTHER_SEED.search(heard.text):
        kept.pop("seed", None)
    if "dataset" in found:
        kept.pop("images", None)
    if "images" in found and "class_noun" in kept and _ADDS.search(heard.text):
        found["images"] = tuple(dict.fromkeys((*found["images"], *kept.get("images", ()))))
    if "images" in found and any(isinstance(one, Ref) and not one.turn for one in found["images"]):
        kept.pop("dataset", None)
    return {**kept, **found}


def _settled(tool: str, heard: Heard, found: dict[str, Any]) -> dict[str, Any]:
    """What belongs together: a size or a side, a folder or pictures, one picture or a count."""
    if found.get("count") == 1 or (tool == "compare" and "prompts" not in found):
        found.pop("count", None)
    if "expand" in found and not re.search(r"\d\s?x\s?\d", heard.text):
        found = {k: v for k, v in found.items() if k not in ("width", "height")}
    if tool == "benchmark" and "image_size" in found and "width" in found:
        del found["image_size"]
    taken = any(step.arguments.get("dataset") == found.get("dataset") for step in heard.steps)
    if "images" in found and "dataset" in found and taken:
        del found["dataset"]
    if tool in ("classify", "embed") and "dataset" in found and not _fresh(found.get("images")):
        found.pop("images", None)
    elif "images" in found and "like" not in found and _is_earlier(found.get("dataset")):
        del found["dataset"]
    if tool == "embed" and "like" in found:
        own = own_pictures(heard)
        earlier = () if "dataset" in found else earlier_pictures(heard)
        rest = tuple(one for one in (own if len(own) > 1 else earlier) if one != found["like"])
        found = (
            {**found, "images": rest} if rest else {k: v for k, v in found.items() if k != "images"}
        )
    return found


def _is_earlier(dataset: Any) -> bool:
    return isinstance(dataset, Ref) and bool(dataset.turn)


def _fresh(images: Any) -> bool:
    return any(
        isinstance(one, Ref) and one.kind == "attachment" and not one.turn for one in images or ()
    )


def _said(tool: str, heard: Heard) -> str:
    del tool
    return heard.gloss.said


def _images(tool: str, heard: Heard) -> tuple[Ref, ...] | None:
    if tool == "compare":
        return tuple(ref for ref in pictures(heard) if not ref.turn) or None
    found = pictures(heard)
    if not found and tool == "personalize" and isinstance(zipped := archive(heard), Ref):
        return (zipped,)
    return found or None


_ALIKE = re.compile(
    r"\b(?:like|similar\w*|alike|near\w*|clos\w*|match\w*|resembl\w*|query|reference|source"
    r"|look\w*|beside|compar\w*)\b"
)
_REST = re.compile(
    r"\b(?:the|all|my) (?:rest|others?)\b|\bmine\b|\b(?:beside|like|as) this\b|\bthis one\b"
    r"|\bto the first\b"
)


def _like(tool: str, heard: Heard) -> Ref | None:
    """The picture that others are to be like."""
    found, own = pictures(heard), own_pictures(heard)
    if len(own) == 1 and isinstance(archive(heard), Ref):
        return own[0]
    others = archive(heard) or len(own) > 2 or (len(own) == 1 and earlier_pictures(heard))
    if not _ALIKE.search(heard.text) or not others:
        return None
    if one := named_one(heard):
        return one
    return found[0] if len(found) == 1 or _REST.search(heard.text) else None


_LAYER = re.compile(
    r"\b(?:layer|stage|block)s?[\s._]?\d+\b|\b\d(?:st|nd|rd|th) (?:layer|stage|block)\b"
    r"|\bpenultimate\b"
    r"|\b(?:pre-?)?logits\b|\bpool(?:ed|ing)\b|\blast hidden\b|\bglobal pool\b",
    re.IGNORECASE,
)


def _layer(tool: str, heard: Heard) -> str | None:
    match = _LAYER.search(heard.gloss.said) or _LAYER.search(heard.text)
    return match[0] if match else None


def _seeds(tool: str, heard: Heard) -> tuple[int, ...] | None:
    match = re.search(r"\bseeds?\s((?:\d+(?:\s?,\s?|\s?and\s?|\s)?)+)", heard.text)
    if match:
        return tuple(map(int, re.findall(r"\d+", match[1])))
    drawn = own_words.drawn_before(heard) if re.search(r"\bsame seed", heard.text) else None
    return (drawn["seed"],) if drawn and "seed" in drawn else None


def _calibration(tool: str, heard: Heard) -> Any:
    alone = any(file.kind == "zip" for file in heard.files) and not heard.steps
    return archive(heard) if alone or re.search(r"\bcalib", heard.text) else None


def _class_images(tool: str, heard: Heard) -> Ref | None:
    """A zip beside the photos holds ordinary things of the class."""
    zipped = archive(heard) if own_pictures(heard) else None
    return zipped if isinstance(zipped, Ref) and not zipped.turn else None


def _properties(tool: str, heard: Heard) -> tuple[str, ...] | None:
    return property_words(heard.text) or None


# Parameter -> how it is read. Numbers and closed words are read by their own modules.
_READERS: Mapping[str, Callable[[str, Heard], Any]] = {
    "topic": _said,
    "query": _said,
    "use_case": _said,
    "claim": lambda tool, heard: claim(heard),
    "prompt": own_words.prompt,
    "negative_prompt": own_words.negative_prompt,
    "prompts": own_words.prompts,
    "class_noun": own_words.class_noun,
    "token": own_words.token,
    "captions": own_words.captions,
    "config": own_words.config,
    "adapter": own_words.adapter,
    "job": own_words.job,
    "images": _images,
    "class_images": _class_images,
    "mask": lambda tool, heard: mask(heard),
    "dataset": lambda tool, heard: archive(heard),
    "like": _like,
    "layer": _layer,
    "seeds": _seeds,
    "calibration": _calibration,
    "model": models.model,
    "models": models.models,
    "systems": models.systems,
    "properties": _properties,
    "pictures": lambda tool, heard: pictures_to_do(heard.text),
    "expand": choices.expand,
    "mode": choices.mode,
    "method": choices.method,
    "action": choices.action,
    "freeze": choices.freeze,
}


def use_case_limits(use_case: str, names: Names) -> dict[str, Any]:
    """The limits that a use case states, for a `recommend` that is called by name."""
    words = gloss(use_case, names)
    situation = Situation()
    return limits(Heard(words, load_router().read(words, situation), (), (), (), {}))


# Tool -> the question of `sentences.toml` that asks for what it cannot do without, and one of the
# arguments that must be there for it not to be asked.
_NEEDED: Mapping[str, tuple[tuple[str, frozenset[str]], ...]] = {
    "classify": (("which_picture", frozenset({"images", "dataset"})),),
    "embed": (("which_picture", frozenset({"images", "dataset", "like"})),),
    "edit": (
        ("which_picture_edit", frozenset({"images"})),
        ("what_change", frozenset({"prompt", "mode", "expand"})),
    ),
    "generate": (("what_draw", frozenset({"prompt", "batch_of"})),),
    "finetune": (("which_dataset", frozenset({"dataset"})),),
    "personalize": (("which_photos", frozenset({"images"})),),
    "export": (("which_export", frozenset({"model"})),),
}


def missing(tool: str, found: Mapping[str, Any], heard: Heard) -> str:
    """What only the person can give: a question of `sentences.toml`; empty if all is there."""
    if tool == "compare" and len(found.get("systems", ())) < 2:
        return "which_two"
    if tool == "compare" and "prompts" not in found and own_words.speaks_of_prompt(heard):
        return "what_draw"
    asked = (key for key, one_of in _NEEDED.get(tool, ()) if not one_of & set(found))
    return next(asked, "")
