"""What in a message is no request: comments, thanks, quotations, and what is to be written."""

import re

Span = tuple[int, int]  # the first character, and the one after the last

# What is no word to the assistant: comments, code, and what is dressed up as a machine's message.
_ASIDE = re.compile(
    r"<!--.*?(?:-->|$)|```.*?(?:```|$)|<\|.*$|<(\w+)[^<>]*>.*?</\1>"
    r"|(?:^|\n)\W*(?:system|developer|tool|assistant|admin)\b[^\n]{0,30}?[:(#].*$"
    r"|#{2,}\s*(?:system|begin|admin|new instructions).*$",
    re.IGNORECASE | re.DOTALL,
)
# Thanks before what is asked.
_THANKS = re.compile(
    r"^\W*(?:(?:ok(?:ay)?|great|good|well|nice)\b\W*)?(?:many |thousand )?"
    r"(?:thanks?|thank you|thx|cheers)\b[^.!?\n]{0,40}[.!?]+\s+(?=\S+\s+\S+\s+\S)",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[\"“«][^\"“”«»]+[\"”»]|(?<!\w)'[^']+'(?!\w)")
_SAYING = 3  # words in quotation marks that are more than a name
# What is to stand in a picture: "a sign that says: ...".
_WRITTEN = re.compile(
    r"\b(?:(?:that|which|it) )?(?:says?|saying|reads?|reading|words?|text|lettering|title|caption)"
    r"\s*:\s*[^.\n]+",
    re.IGNORECASE,
)
_SECRETS = re.compile(
    r"\b(?:print|show|reveal|tell|give|send|leak|dump|output|paint|display|read|what)\b[^.?!]{0,40}"
    r"\b(?:your|this server'?s?|the server'?s?|this machine'?s?) (?:\w+ )?"
    r"(?:api keys?|system prompts?|environment variables|passwords?|secrets?|credentials|tokens?)\b"
)


def asides(text: str) -> list[Span]:
    """Where a message is no word to the assistant."""
    return [found.span() for told in (_ASIDE, _THANKS) for found in told.finditer(text)]


def quoted(text: str) -> list[Span]:
    """Where somebody else's words stand in quotation marks."""
    return [q.span() for q in _QUOTED.finditer(text) if len(q[0].split()) >= _SAYING]


def written(text: str) -> list[Span]:
    """Where words stand that a picture shall show."""
    return [found.span() for found in _WRITTEN.finditer(text)]


def is_for_secrets(words: str) -> bool:
    """Whether plain words, lower case, ask for what the machine keeps to itself."""
    return _SECRETS.search(words) is not None
