"""Arguments in the person's own words: what to draw, the subject, its token, a job."""

import re
from typing import Any

from assistant.arguments.heard import Heard
from assistant.arguments.refs import product, table
from assistant.arguments.texts import quoted, span, trimmed

_CONFIG = re.compile(r"[\w./\\-]+\.(?:toml|ya?ml)\b")
_ADAPTER = re.compile(r"[\w./\\-]+\.safetensors\b")
_NEGATIVE = re.compile(r"\bnegative(?: prompt)?\s*[:=]\s*(?P<word>[^.;]+)", re.IGNORECASE)
_JOB = re.compile(
    r"\bthe (?:first|second|third|last|other) one\b|\b[a-z]+[-_][\w-]*\d+\b"
    r"|(?:\bjobs?|\bnumber|\bno\.?|#)\s?#?\s?(\d+)\b"
)
_TOKEN = re.compile(
    r"\b(?:token|trigger(?: word)?|keyword|code ?word|magic word|id|identifier)(?: is| be|:|=)*"
    r"\s+[\"'«“]?(?P<word>[<*]?[^\W_][\w*-]*[>*]?)",
    re.IGNORECASE,
)
_CLASS = re.compile(
    r"\b(?:class|subject|noun|thing)(?: is|:|=)*\s+(?P<word>[^\W\d_]+)", re.IGNORECASE
)
_DRAWS = re.compile(r"\bprompts?\b|\bdraw|\bpicture of\b|\bpaint|\brender")
_ORDER = re.compile(
    r"^(?:(?:hi|hello|hey|ok|okay|so|now|and|then|please|pls|could you|can you|would you"
    r"|will you|i want|i need|i would like|i'd like|let me see|let's see|give me|show me|get me"
    r"|make|draw|paint|create|generate|render|design|sketch|do|imagine|me|us|a|an|one|new|quick"
    r"|nice|picture|image|photo|illustration|drawing|painting|of)\b[\s,:]*)+",
    re.IGNORECASE,
)


def prompt(tool: str, heard: Heard) -> str | None:
    """What is to be drawn or changed."""
    found = span(heard.gloss, heard.reading, "prompt")
    if found or heard.carried or tool != "generate":
        return found or None
    said = heard.gloss.said
    rest = trimmed(_ORDER.sub("", said)) if heard.gloss.language == "en" else trimmed(said)
    return rest if len(rest) > 2 else None


def prompts(tool: str, heard: Heard) -> tuple[str, ...] | None:
    """The prompts of a bake-off."""
    del tool
    found = quoted(heard.gloss.said)
    if found or not (heard.files or _DRAWS.search(heard.text)):
        return found or None
    one = span(heard.gloss, heard.reading, "prompt")
    return (one,) if one else None


def negative_prompt(tool: str, heard: Heard) -> str | None:
    """What must not be in the picture."""
    del tool
    match = _NEGATIVE.search(heard.gloss.said)
    found = match["word"] if match else span(heard.gloss, heard.reading, "negative_prompt")
    return trimmed(found) or None


def class_noun(tool: str, heard: Heard) -> str | None:
    """What kind of thing the subject is."""
    del tool
    match = _CLASS.search(heard.gloss.said)
    return span(heard.gloss, heard.reading, "class_noun") or (match["word"] if match else None)


def token(tool: str, heard: Heard) -> str | None:
    """The rare word for the subject."""
    del tool
    match = _TOKEN.search(heard.gloss.said)
    return match["word"] if match else span(heard.gloss, heard.reading, "token") or None


def job(tool: str, heard: Heard) -> str | None:
    """A job, by its id or the words that name it."""
    del tool
    if match := _JOB.search(heard.text):
        start, end = heard.gloss.original(*match.span(1 if match[1] else 0))
        return heard.gloss.question[start:end]
    return span(heard.gloss, heard.reading, "job") or None


def captions(tool: str, heard: Heard) -> Any:
    """The captions of photos: a table of them, or each in quotation marks."""
    del tool
    if not re.search(r"\bcaption", heard.text):
        return None
    return table(heard) or quoted(heard.gloss.said)


def config(tool: str, heard: Heard) -> str | None:
    """A config file that is named."""
    del tool
    match = _CONFIG.search(heard.gloss.said)
    return match[0] if match else None


def adapter(tool: str, heard: Heard) -> Any:
    """An adapter file that is named, or what a personalization has made."""
    del tool
    match = _ADAPTER.search(heard.gloss.said)
    return match[0] if match else product(heard, ("personalize",))
