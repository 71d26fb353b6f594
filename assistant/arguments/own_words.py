"""Arguments in the person's own words: what to draw, the subject, its token, a job."""

import re
from typing import Any

from assistant.arguments.heard import Heard
from assistant.arguments.refs import job_id, product, table
from assistant.arguments.texts import quoted, span, trimmed

_CONFIG = re.compile(r"[\w./\\-]+\.(?:toml|ya?ml)\b")
_ADAPTER = re.compile(r"([\w./\\-]+\.safetensors)\b|\badapter\s+([\w.-]*\w)")
_NEGATIVE = re.compile(
    r"\bneg(?:ative)?(?: prompt)?(?:\s*[:=]|(?<=prompt)\s)\s*(?P<word>[^.;]+)", re.IGNORECASE
)
_JOB = re.compile(
    r"\bthe (?:first|second|third|last|other) one\b|\b[a-z]+[-_](?=[\w-]*\d)[\w-]*\w\b"
    r"|\b(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{4,8}\b"
    r"|(?:\bjobs?|\bnumber|\bno\.?|#)\s?#?\s?(\d+)\b"
)
_JOB_WORDS = re.compile(
    r"\b(?:the|my) (?:[\w-]+ ){0,3}(?:training|export|benchmark|lora|run|download|drawing|batch"
    r"|fine-?tun\w+|personali[sz]ation|outpainting|classification|render\w*)"
    r"(?: of [\w -]+?)?(?=[,.;?!]|$| (?:that|it|to|and|is|was|off|over|crashed|again|please)\b)",
    re.IGNORECASE,
)
_ONE = re.compile(r"\b(?:first|second|third|last|other) (?:one|job)\b")
_TOKEN = re.compile(
    r"\b(?:token|trigger(?: word)?|keyword|code ?word|magic word|id|identifier|call (?:it|him|her))"
    r"(?: is| be|:|=)*\s+[\"'«“]?(?P<word>[<*]?[^\W_][\w*-]*[>*]?)",
    re.IGNORECASE,
)
_MARKED = re.compile(r"(?P<word><[\w-]+>|\*[\w-]+\*)")
_SUBJECT = re.compile(
    r"\b(?:is|of|learn|teach|know|absorb|fix|remember|shows?|views of|pics of|photos of)\s+"
    r"(?:my|our|this|the|a|an)\s+(?P<word>[^\W\d_]+)",
    re.IGNORECASE,
)
_BEFORE_NOUN = re.compile(r"^(?:a|an|the|my|our|this|that|these|those|of|one)\s+", re.IGNORECASE)
_AFTER_NOUN = re.compile(
    r"(?:,|'s|\s(?:is|are|from|for|with|that|which|i|we|on|in)\b).*$", re.IGNORECASE
)
_CLASS = re.compile(
    r"\b(?:class|subject|noun|thing)(?: is|:|=)*\s+(?P<word>[^\W\d_]+)", re.IGNORECASE
)
# How much of the picture there is to be, or how many; not what is to change in it.
_NO_CHANGE = re.compile(
    r"(?:\w+ )?(?:variations?|variants?|versions)\b|(?:extend|expand|widen|outpaint|uncrop)\b"
    r"(?![^,.;]*\b(?:with|so|by adding)\b)",
    re.IGNORECASE,
)
_SHORTEST = 3  # words of a prompt that replaces the one before
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
    if tool == "edit" and _NO_CHANGE.match(found):
        return None
    if "prompt" in heard.carried and len(found.split()) < _SHORTEST:
        return None
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
    found = span(heard.gloss, heard.reading, "class_noun")
    found = _AFTER_NOUN.sub("", _BEFORE_NOUN.sub("", found)).strip()
    if len(found) > 1 or "class_noun" in heard.carried:
        return found or None
    match = _CLASS.search(heard.gloss.said) or _SUBJECT.search(heard.gloss.said)
    return match["word"] if match else None


def token(tool: str, heard: Heard) -> str | None:
    """The rare word for the subject."""
    del tool
    match = _MARKED.search(heard.gloss.said) or _TOKEN.search(heard.gloss.said)
    return match["word"] if match else span(heard.gloss, heard.reading, "token") or None


def job(tool: str, heard: Heard) -> str | None:
    """A job, by its id or the words that name it."""
    del tool
    if heard.past and _ONE.search(heard.text) and (told := job_id(heard)):
        return told
    if match := _JOB.search(heard.text):
        start, end = heard.gloss.original(*match.span(1 if match[1] else 0))
        return heard.gloss.question[start:end]
    named = span(heard.gloss, heard.reading, "job")
    match = _JOB_WORDS.search(heard.gloss.said)
    return named or (match[0] if match else None) or job_id(heard)


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
    return match[1] or match[2] if match else product(heard, ("personalize",))
