"""Arguments in the person's own words: what to draw, the subject, its token, a job."""

import re
from collections.abc import Mapping
from typing import Any, Final

from assistant.arguments import choices, models
from assistant.arguments.files import table
from assistant.arguments.heard import Heard
from assistant.arguments.refs import job_id, product
from assistant.arguments.texts import quoted, span, trimmed
from assistant.arguments.words import property_words
from assistant.conversation import Ref
from index.quantities import quantities

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
_ONE = re.compile(
    r"\b(?:first|second|third|last|other) (?:one|job)\b"
    r"|\bthe (?:first|1st|second|2nd|third|3rd|last|former|latter)\b(?! \w)"
)
_TELLING = 4  # letters of a word that tells one job from another
_TOKEN = re.compile(
    r"\b(?:token|trigger(?: word)?|keyword|code ?word|magic word|id|identifier|call (?:it|him|her))"
    r"(?: is| be|:|=)*\s+[\"'«“]?(?P<word>[<*]?[^\W_][\w*-]*[>*]?)",
    re.IGNORECASE,
)
# A made-up word such as people take for a token: consonants only, before the noun.
_RARE = re.compile(
    r"\b(?!(?:jpg|png|pls|plz|thx|sdxl|csv|xml|gpu|vs)s?\b)(?P<word>[bcdfghjklmnpqrstvwxz]{3,6})"
    r"\s+(?P<noun>[^\W\d_]{3,})",
    re.IGNORECASE,
)
_MARKED = re.compile(r"(?P<word><[\w-]+>|\*[\w-]+\*)")
_SUBJECT = re.compile(
    r"\b(?:is|of|learn|teach|know|absorb|fix|remember|shows?|views of|pics of|photos of)\s+"
    r"(?:my|our|this|the|a|an)\s+(?P<word>[^\W\d_]+)",
    re.IGNORECASE,
)
_BEFORE_NOUN = re.compile(
    r"^(?:(?:a|an|the|my|our|this|that|these|those|of|one|mein\w*|unser\w*|dies\w*|ein|eine|einen"
    r"|der|die|das|den|mi|mis|nuestr[oa]|est[ea]|un|una|el|la|mon|ma|mes|notre|ce|cette|une|le"
    r"|мо[йяюеёи]\w*|наш\w*|это\w*)\s+)+|^(?:我的?|我们的?|这个?|那个?|一[个只条张])",
    re.IGNORECASE,
)
_NEGATES = re.compile(
    r"^(?:(?:and|but|no|not|without|ohne|kein\w*|sin|ni|nada de|sans|pas de|pas d'"
    r"|aucun\w*|без|не)\s+"
    r"|不要|没有|別|别|无|不)+",
    re.IGNORECASE,
)
_AFTER_NOUN = re.compile(
    r"(?:[,(\uff08\uff0c]|'s|\s(?:is|are|from|for|with|that|which|i|we|on|in)\b).*$", re.IGNORECASE
)
_CLASS = re.compile(
    r"\b(?:class(?! (?:images?|pictures?|photos?))|subject|noun)(?: noun)?(?: is|:|=)*\s+"
    r"(?:an? |the |my |our )?(?P<word>[^\W\d_]+(?: [^\W\d_]+)?)",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<=[^\W_])\s+[A-Z]\w*$")  # of a pet, after its noun
# What is to be there, where a picture is extended; also in writings of other letters.
_SHOWN = re.compile(
    r"\b(?:with|so|add(?:ing)?|show\w*|fill\w*|more|of|and|mit|con|avec)\b|[^\x00-\xff]"
)
JOINS: Final = r"(?:combine|merge|blend|fuse|mix)"
"""What is done to pictures that become one, as a pattern."""

# How much of the picture there is to be, how many, or of which; not what is to change in it.
_NO_CHANGE = re.compile(
    r"(?:\w+ )?(?:variations?|variants?|versions)\b|(?:extend|expand|widen|outpaint|uncrop)\b"
    r"(?![^,.;]*\b(?:with|so|by adding)\b)"
    rf"|{JOINS}(?: (?:these|those|the|both|my|all|of|two|three|four|images?"
    r"|pictures?|photos?|drawings?|them|together|into one))*\W*$",
    re.IGNORECASE,
)
# Words that ask for a picture, but say nothing of what it is to show.
_NOTHING = re.compile(
    r"(?:\W|\b(?:something|anything|whatever|it|them|one|some|two|three|four|pictures?|images?"
    r"|photos?|art|drawings?|a|an|the|nice|cool|pretty|beautiful|good|great|for|my|me|us|you|with"
    r"|please|pls|here|new|another|more|any|\d+|use|using|try|do|make|draw|paint|now|that|this)\b)*"
)
_RETRIES = re.compile(
    r"\b(?:instead|again|same|another|different|other|seeds?|strength|steps|guidance|model|no|nope"
    r"|nah|rather|not what|still|retry|redo|once more|original|edges|mask|mode|yes|ok|okay)\b"
)
_CHATTER = re.compile(
    r"^(?:(?:hm+|um+|oh|ah|and|but|now|then|too|so|please|pls|can you|could you)\b[\s,.:!]*)+",
    re.IGNORECASE,
)
# How several systems are told to make the same picture, and how what it shows is told before them.
_SIDE_BY_SIDE = re.compile(r"\bside by side\b|\bnext to each other\b|\bhead to head\b")
_SAME_WORDS = re.compile(
    r"\b(?:same|that|this|very) (?:prompt|words|one|picture)\b|\b(?:on|of|with|for) (?:that|this)\b"
    r"|\bthe same\b"
)
_NAMED_PROMPT = re.compile(
    r"(?:the |that |this )?(?:very )?(?:same )?(?:prompt|words|one)|the same", re.IGNORECASE
)
_BY = "on|with|by|from|using|in|via|through"
_ASKS = re.compile(
    r"^(?:(?:please|pls|can you|could you|put|show|show me|let me see|compare|try|draw|make|paint"
    r"|render|generate|i want|give me|see)\b[\s,:]*)+",
    re.IGNORECASE,
)
_A_THING = re.compile(r"(?:an?|the|one|two|three|four|five|some|my|\d+)\s+\w+", re.IGNORECASE)
_ANY = re.IGNORECASE | re.DOTALL
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
    """What is to be drawn or changed; by whom is no part of it."""
    # A change is told as an order, and is all that is said before the models that make it.
    ordered = tool == "edit" and _SIDE_BY_SIDE.search(heard.text) is not None
    read = heard.gloss.said if ordered else span(heard.gloss, heard.reading, "prompt")
    found = _without_makers(read, heard)
    if tool == "edit" and (_NO_CHANGE.match(found) or _only_extends(heard)):
        return None
    if tool == "edit" and "prompt" in heard.carried and not retries(heard):
        if not found and heard.past and heard.past[-1].waiting:
            return None  # what was asked back for is told, no other change
        return found or trimmed(_CHATTER.sub("", heard.gloss.said)) or None
    if "prompt" in heard.carried and len(found.split()) < _SHORTEST:
        return None
    if found or heard.carried or tool != "generate":
        return None if _NOTHING.fullmatch(found.lower()) else found or None
    said = heard.gloss.said
    rest = trimmed(_ORDER.sub("", said)) if heard.gloss.language == "en" else trimmed(said)
    return rest if len(rest) > 2 and not _NOTHING.fullmatch(rest.lower()) else None


def _only_extends(heard: Heard) -> bool:
    """Whether it is only said how far a picture is to be extended, not what is to be there."""
    return bool(choices.expand("edit", heard)) and not _SHOWN.search(heard.text)


def retries(heard: Heard) -> bool:
    """Whether the step before is to be done in another way, not one more change to be made."""
    return bool(heard.systems or quantities(heard.text) or _RETRIES.search(heard.text))


def prompts(tool: str, heard: Heard) -> tuple[str, ...] | None:
    """The prompts of a bake-off."""
    del tool
    if found := quoted(heard.gloss.said):
        return found
    one = ""
    if heard.files or _DRAWS.search(heard.text) or speaks_of_prompt(heard):
        one = span(heard.gloss, heard.reading, "prompt")
    elif _SIDE_BY_SIDE.search(heard.text) and not property_words(heard.text):
        said = trimmed(_ASKS.sub("", _without_makers(heard.gloss.said, heard)))
        one = said if _A_THING.match(said) else ""
    elif "systems" in heard.carried and heard.past and heard.past[-1].waiting:
        one = trimmed(heard.gloss.said) if not models.makers(heard) else ""
    if one and not _NAMED_PROMPT.fullmatch(one):
        return (one,)
    before = drawn_before(heard) if _SAME_WORDS.search(heard.text) else None
    return (str(before["prompt"]),) if before else None


def speaks_of_prompt(heard: Heard) -> bool:
    """Whether systems are to be given the same prompt, which is then to be told."""
    return re.search(r"\bsame (?:prompt|words)\b", heard.text) is not None


def drawn_before(heard: Heard) -> Mapping[str, Any] | None:
    """What the last picture from words was drawn from; none if there is none."""
    done = [step for exchange in heard.past[-1:] for _, step in exchange.done]
    drawn = (dict(step.arguments) for step in done if step.tool == "generate")
    return next((found for found in drawn if found.get("prompt")), None)


def _without_makers(text: str, heard: Heard) -> str:
    """Words for a picture without the systems, if several are named, that shall make it."""
    found = models.makers(heard)
    if len({system for system, _, _ in found}) < 2:
        return text
    names = "|".join(re.escape(heard.gloss.question[start:end]) for _, start, end in found)
    return trimmed(re.sub(rf"[\s,]*\b(?:{_BY})\s+(?:both )?(?:{names})\b.*$", "", text, flags=_ANY))


def negative_prompt(tool: str, heard: Heard) -> str | None:
    """What must not be in the picture."""
    del tool
    match = _NEGATIVE.search(heard.gloss.said)
    found = match["word"] if match else span(heard.gloss, heard.reading, "negative_prompt")
    return trimmed(_NEGATES.sub("", found)) or None


def class_noun(tool: str, heard: Heard) -> str | None:
    """What kind of thing the subject is."""
    del tool
    if (match := _CLASS.search(heard.gloss.said)) and heard.gloss.language == "en":
        return match["word"]
    found = span(heard.gloss, heard.reading, "class_noun")
    found = _AFTER_NOUN.sub("", _BEFORE_NOUN.sub("", found)).strip()
    found = _NAME.sub("", found) if found[:1].islower() else found
    if rare := _RARE.match(found):
        found = found[rare.end("word") :].strip()
    if len(found) > 1 or "class_noun" in heard.carried:
        return found or None
    if match := _SUBJECT.search(heard.gloss.said):
        return match["word"]
    rare = _RARE.search(heard.gloss.said) if heard.gloss.language == "en" else None
    return rare["noun"] if rare else None


def token(tool: str, heard: Heard) -> str | None:
    """The rare word for the subject."""
    del tool
    said = heard.gloss.said
    if match := _MARKED.search(said) or _TOKEN.search(said):
        return match["word"]
    rare = _RARE.search(said) if heard.gloss.language == "en" else None
    return span(heard.gloss, heard.reading, "token") or (rare["word"] if rare else None)


def job(tool: str, heard: Heard) -> str | None:
    """A job, by its id or the words that name it."""
    spoken = job_id(heard)
    if spoken and _ONE.search(heard.text):
        return spoken
    if match := _JOB.search(heard.text):
        start, end = heard.gloss.original(*match.span(1 if match[1] else 0))
        return heard.gloss.question[start:end]
    match = _JOB_WORDS.search(heard.gloss.said)
    named = span(heard.gloss, heard.reading, "job") or (match[0] if match else None)
    if spoken and not (named and _was_said(named, heard)):
        return None if choices.action(tool, heard) == "list" else spoken
    return named


def _was_said(named: str, heard: Heard) -> bool:
    """Whether a word that names a job was said of one before."""
    said = " ".join(f"{exchange.text} {exchange.answer}" for exchange in heard.past).lower()
    return any(len(word) >= _TELLING and word in said for word in named.lower().split())


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
    if match := _ADAPTER.search(heard.gloss.said):
        return match[1] or match[2]
    made = product(heard, tool, ("personalize",))
    return made if made and (not made.turn or _shows_subject(made, heard)) else None


def _shows_subject(made: Ref, heard: Heard) -> bool:
    """Whether the words name what an earlier turn has taught a model."""
    learned = heard.past[made.turn - 1].steps[made.number - 1].arguments
    names = (str(learned.get(name, "")).lower() for name in ("token", "class_noun"))
    return any(name and name in heard.gloss.said.lower() for name in names)
