"""From words and files to the typed arguments of one tool; what was not said is left out."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from assistant.arguments.heard import Heard
from assistant.arguments.limits import limits
from assistant.arguments.numbers import numbers
from assistant.arguments.refs import (
    archive,
    mask,
    own_pictures,
    pictures,
    product,
    singled_out,
    table,
    used,
)
from assistant.arguments.texts import claim, quoted, span, trimmed
from assistant.arguments.words import property_words, words
from assistant.conversation import Ref
from assistant.router import CHOICES, Situation, load_router
from index.gloss import gloss
from index.names import Names
from tools.base import Tool

__all__ = ["Heard", "arguments_for", "missing", "use_case_limits"]

_ANOTHER_SEED = re.compile(r"\b(?:another|different|new|other|random|change the|fresh) seeds?\b")
_POINTS = re.compile(
    r"\b(?:it|its|it's|this|that|these|those|they|them|their|same|one|ones|other|which|both|two)\b"
)
_SAME_MODEL = re.compile(r"\b(?:same|that|this) (?:model|net|network|one)\b|\bwith it\b|\bit on\b")
_CONFIG = re.compile(r"[\w./\\-]+\.(?:toml|ya?ml)\b")
_ADAPTER = re.compile(r"[\w./\\-]+\.safetensors\b")
_JOB = re.compile(
    r"\bthe (?:first|second|third|last|other) one\b|\b[a-z]+[-_][\w-]*\d+\b|(?:\bjobs?|\bnumber|\bno\.?|#)\s?#?\s?(\d+)\b"
)
_SIDES = {
    "left": r"\bleft\b", "right": r"\bright\b", "top": r"\btop\b|\bupwards?\b|\babove\b",
    "bottom": r"\bbottom\b|\bdownwards?\b|\bbelow\b",
}  # fmt: skip
_ACTIONS = {
    "cancel": r"\b(?:cancel\w*|abort|kill|stop|terminate|delete|drop|scrap|end)\b",
    "pause": r"\b(?:pause\w*|suspend|hold|halt|freeze)\b",
    "resume": r"\b(?:resume|continue|unpause|carry on|go on|pick up|proceed)\b",
    "retry": r"\b(?:retry|try again|rerun|re-run|restart|once more|run again|redo)\b",
}
_METHODS = {
    "lora": r"\blo[\s-]?ra\b", "embedding": r"\btextual[\s-]inversion\b|\bembedding\b",
    "full": r"\bfull(?:y)?[\s-](?:fine|model|train|weights|unet)|\ball (?:the )?weights\b|\bwhole model\b",
}  # fmt: skip
_CHOSEN = 0.5  # probability from which the network's choice of a value counts


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
    found |= {k: v for k, v in words(heard.text, wanted).items() if tool.name != "recommend"}
    if tool.name == "recommend":
        found |= limits(heard)
    else:
        found |= numbers(heard.text, heard.reading, wanted)
    return _carried(tool.name, heard, _settled(tool.name, heard, found))


def _holds_on(name: str, heard: Heard) -> bool:
    """Whether an argument of the step before is not to be looked for anew: it was not replaced."""
    if name not in heard.carried:
        return False
    if name in ("images", "dataset", "mask", "like"):
        return not heard.files and not singled_out(heard.text)
    return name in ("model", "models", "systems") and not heard.systems


def _carried(tool: str, heard: Heard, found: dict[str, Any]) -> dict[str, Any]:
    """The arguments over those of the step that is done once more."""
    kept = dict(heard.carried)
    if _ANOTHER_SEED.search(heard.text):
        kept.pop("seed", None)
    if "dataset" in found:
        kept.pop("images", None)
    if "images" in found and any(isinstance(one, Ref) and not one.turn for one in found["images"]):
        kept.pop("dataset", None)
    del tool
    return {**kept, **found}


def _settled(tool: str, heard: Heard, found: dict[str, Any]) -> dict[str, Any]:
    """What belongs together: a size or a side, a folder or pictures, one picture or a count."""
    if found.get("count") == 1:
        del found["count"]
    if "expand" in found and not re.search(r"\d\s?x\s?\d", heard.text):
        found = {k: v for k, v in found.items() if k not in ("width", "height")}
    if tool == "benchmark" and "image_size" in found and "width" in found:
        del found["image_size"]
    if tool in ("classify", "embed") and "dataset" in found and not _fresh(found.get("images")):
        found.pop("images", None)
    elif "images" in found and isinstance(found.get("dataset"), Ref) and found["dataset"].turn:
        del found["dataset"]
    if tool == "embed" and "like" in found:
        rest = tuple(one for one in own_pictures(heard) if one != found["like"])
        found = (
            {**found, "images": rest} if rest else {k: v for k, v in found.items() if k != "images"}
        )
    return found


def _fresh(images: Any) -> bool:
    return any(
        isinstance(one, Ref) and one.kind == "attachment" and not one.turn for one in images or ()
    )


def _said(tool: str, heard: Heard) -> str:
    del tool
    return heard.gloss.said


def _prompt(tool: str, heard: Heard) -> str | None:
    found = span(heard.gloss, heard.reading, "prompt")
    if found or heard.carried or tool == "compare":
        return found or None
    return _rest(heard) if tool == "generate" else None


_ORDER = re.compile(
    r"^(?:(?:hi|hello|hey|ok|okay|so|now|and|then|please|pls|could you|can you|would you|will you|i want|i need|i would like|i'd like|let me see|let's see|give me|show me|get me|make|draw|paint|create|generate|render|design|sketch|do|imagine|me|us|a|an|one|new|quick|nice|picture|image|photo|illustration|drawing|painting|of)\b[\s,:]*)+",
    re.IGNORECASE,
)


def _rest(heard: Heard) -> str:
    """The words without the order at their front, where the network marked no prompt."""
    said = heard.gloss.said
    rest = trimmed(_ORDER.sub("", said)) if heard.gloss.language == "en" else trimmed(said)
    return rest if len(rest) > 2 else ""


def _images(tool: str, heard: Heard) -> tuple[Ref, ...] | None:
    if tool == "compare":
        return tuple(ref for ref in pictures(heard) if not ref.turn) or None
    found = pictures(heard)
    if not found and tool == "personalize" and isinstance(zipped := archive(heard), Ref):
        return (zipped,)
    return found or None


def _model(tool: str, heard: Heard) -> Any:
    if heard.systems:
        return heard.systems[0]
    if tool in ("generate", "edit"):
        return product(heard, ("recommend",)) if heard.steps else None
    if tool in ("export", "classify", "embed", "benchmark"):
        made = product(heard)
        follows = heard.steps or tool in ("export", "benchmark") or _POINTS.search(heard.text)
        if (
            made
            and follows
            and not (tool in ("classify", "embed") and not heard.steps and heard.carried)
        ):
            return made
    if tool == "export":
        return next(iter(used(heard)), None)
    if tool in ("embed", "finetune") and _SAME_MODEL.search(heard.text):
        return next(iter(used(heard)), None)
    return None


def _models(tool: str, heard: Heard) -> Any:
    if heard.systems:
        return heard.systems
    one = _model(tool, heard)
    return (one,) if one else used(heard) if heard.past or heard.steps else None


def _systems(tool: str, heard: Heard) -> tuple[str, ...] | None:
    named = heard.systems
    if tool == "compare" and len(named) < 2 and (heard.past or heard.steps):
        return tuple(dict.fromkeys((*used(heard), *named))) or None
    if (
        not named
        and (heard.past or heard.steps)
        and (heard.carried or _POINTS.search(heard.text) or len(heard.text.split()) < 6)
    ):
        return used(heard) or None
    return named or None


_ALIKE = re.compile(
    r"\b(?:like|similar\w*|alike|nearest|closest|match\w*|resembl\w*|query|reference|source"
    r"|look\w*)\b"
)


def _like(tool: str, heard: Heard) -> Ref | None:
    """The picture that others are to be like."""
    if not _ALIKE.search(heard.text):
        return None
    found, own = pictures(heard), own_pictures(heard)
    if len(found) == 1 and (archive(heard) or len(own) > 2):
        return found[0]
    return None


def _calibration(tool: str, heard: Heard) -> Any:
    if any(file.kind == "zip" for file in heard.files) or re.search(r"\bcalib", heard.text):
        return archive(heard)
    return None


def _expand(tool: str, heard: Heard) -> dict[str, int | None] | None:
    """How far to extend a picture on each side, in pixels; none where no number was said."""
    text = heard.text
    if not re.search(
        r"\b(?:extend\w*|expand\w*|widen\w*|wider|outpaint\w*|uncrop\w*|more (?:room|space|sky|canvas)|continue\w*|add|grow\w*|enlarge)\b",
        text,
    ):
        return None
    sides = [side for side, pattern in _SIDES.items() if re.search(pattern, text)]
    if re.search(
        r"\b(?:all|every|each) (?:\w+ )?(?:sides?|directions?|edges?|way)|\ball around\b", text
    ):
        sides = list(_SIDES)
    elif re.search(r"\bboth sides\b|\bsideways\b", text):
        sides = ["left", "right"]
    pixels = re.search(r"(\d+)\s?(?:px|pixels?)?\b", text)
    return {side: int(pixels[1]) if pixels else None for side in sides} or None


def _mode(tool: str, heard: Heard) -> str | None:
    if mask(heard):
        return "inpaint"
    if _expand(tool, heard):
        return "outpaint"
    return _choice("mode", heard)


def _choice(name: str, heard: Heard) -> Any:
    share = heard.reading.choices[name]
    best = int(share.argmax())
    return CHOICES[name][best] if share[best] >= _CHOSEN else None


def _action(tool: str, heard: Heard) -> str:
    plain = [action for action, pattern in _ACTIONS.items() if re.search(pattern, heard.text)]
    best = CHOICES["action"][int(heard.reading.choices["action"].argmax())]
    return plain[0] if len(plain) == 1 and best not in plain else str(best)


_THAWED = re.compile(
    r"\b(?:no|not|never|don't|dont|without|nothing) (?:\w+ )?(?:fr[eo]ez\w*|frozen|freezing)"
    r"|\bun-?fr[eo]ez\w*|\bthaw\w*|\brelease\b"
    r"|\b(?:all|every|whole|entire|full) (?:the )?(?:\w+ )?(?:layers?|parameters?|weights?|network|net|model|body)\b"
    r"|\bfrom scratch\b|\bend[\s-]to[\s-]end\b"
)
_FROZEN = re.compile(
    r"\bfr[eo]ez\w*|\bfrozen\b|\bhead only\b|\b(?:only|just|but) the (?:\w+ )?(?:head|last layer|classifier)"
    r"|\blinear prob\w*|\b(?:only|just) (?:train )?(?:the )?(?:head|last layer)"
)


def _freeze(tool: str, heard: Heard) -> bool | None:
    if _THAWED.search(heard.text):
        return False
    return True if _FROZEN.search(heard.text) else _choice("freeze", heard)


def _method(tool: str, heard: Heard) -> str | None:
    found = (name for name, pattern in _METHODS.items() if re.search(pattern, heard.text))
    return next(found, None) or _choice("method", heard)


def _job(tool: str, heard: Heard) -> str | None:
    if match := _JOB.search(heard.text):
        start, end = heard.gloss.original(*match.span(1 if match[1] else 0))
        return heard.gloss.question[start:end]
    return span(heard.gloss, heard.reading, "job") or None


_TOKEN = re.compile(
    r"\b(?:token|trigger(?: word)?|keyword|code ?word|magic word|id|identifier)(?: is| be|:|=)*\s+[\"'«“]?"
    r"(?P<word>[<*]?[^\W_][\w*-]*[>*]?)",
    re.IGNORECASE,
)
_CLASS = re.compile(
    r"\b(?:class|subject|noun|thing)(?: is|:|=)*\s+(?P<word>[^\W\d_]+)", re.IGNORECASE
)


def _token(tool: str, heard: Heard) -> str | None:
    """The rare word for the subject; a word of English names the thing itself."""
    match = _TOKEN.search(heard.gloss.said)
    return match["word"] if match else span(heard.gloss, heard.reading, "token") or None


def _class_noun(tool: str, heard: Heard) -> str | None:
    found = span(heard.gloss, heard.reading, "class_noun")
    match = _CLASS.search(heard.gloss.said)
    return found or (match["word"] if match else None)


def _pattern(pattern: re.Pattern[str]) -> Callable[[str, Heard], str | None]:
    def read(tool: str, heard: Heard) -> str | None:
        match = pattern.search(heard.gloss.said)
        return match[0] if match else None

    return read


def _adapter(tool: str, heard: Heard) -> Any:
    if match := _ADAPTER.search(heard.gloss.said):
        return match[0]
    return product(heard, ("personalize",))


def _captions(tool: str, heard: Heard) -> Any:
    if not re.search(r"\bcaption", heard.text):
        return None
    return table(heard) or quoted(heard.gloss.said)


def _class_images(tool: str, heard: Heard) -> Ref | None:
    """A zip beside the photos holds ordinary things of the class."""
    zipped = archive(heard) if own_pictures(heard) else None
    return zipped if isinstance(zipped, Ref) and not zipped.turn else None


_NEGATIVE = re.compile(r"\bnegative(?: prompt)?\s*[:=]\s*(?P<word>[^.;]+)", re.IGNORECASE)


def _negative(tool: str, heard: Heard) -> str | None:
    match = _NEGATIVE.search(heard.gloss.said)
    found = match["word"] if match else span(heard.gloss, heard.reading, "negative_prompt")
    return trimmed(found) or None


def _prompts(tool: str, heard: Heard) -> tuple[str, ...] | None:
    if (
        not re.search(r"\bprompts?\b|\bdraw|\bpicture of\b|\bpaint|\brender", heard.text)
        and not heard.files
    ):
        return quoted(heard.gloss.said) or None
    found = span(heard.gloss, heard.reading, "prompt")
    return quoted(heard.gloss.said) or ((found,) if found else None)


def _properties(tool: str, heard: Heard) -> tuple[str, ...] | None:
    return property_words(heard.text) or None


# Parameter -> how it is read. Numbers and closed words are read by their own modules.
_READERS: Mapping[str, Callable[[str, Heard], Any]] = {
    "topic": _said, "query": _said, "use_case": _said,
    "claim": lambda tool, heard: claim(heard),
    "prompt": _prompt, "negative_prompt": _negative, "class_images": _class_images, "prompts": _prompts,
    "images": _images, "mask": lambda tool, heard: mask(heard),
    "dataset": lambda tool, heard: archive(heard), "like": _like, "calibration": _calibration,
    "model": _model, "models": _models, "systems": _systems, "properties": _properties,
    "adapter": _adapter, "config": _pattern(_CONFIG), "captions": _captions,
    "class_noun": _class_noun, "token": _token,
    "expand": _expand, "mode": _mode, "method": _method, "action": _action, "job": _job,
    "freeze": _freeze,
}  # fmt: skip


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


def missing(tool: str, found: Mapping[str, Any]) -> str:
    """What only the person can give: a question of `sentences.toml`; empty if all is there."""
    if tool == "compare" and len(found.get("systems", ())) < 2:
        return "which_two"
    asked = (key for key, one_of in _NEEDED.get(tool, ()) if not one_of & set(found))
    return next(asked, "")
