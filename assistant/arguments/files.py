"""Which files a question is about: its own, those of earlier turns, what steps drew."""

import re
from collections.abc import Callable, Iterable

from assistant.arguments.heard import Heard
from assistant.arguments.refs import ORDINALS
from assistant.conversation import Exchange, Past, Ref, Step

_DRAWS = ("generate", "edit")  # tools whose output is pictures
_THING = (
    r"(?:one|ones|picture|pictures|image|images|photo|photos|pic|pics|shot|attachment|drawing"
    r"|version)"
)
_ONE = re.compile(
    rf"\b({'|'.join(ORDINALS)})\s{_THING}\b"
    r"|\bthe (first|1st|second|2nd|third|3rd|fourth|4th|fifth|5th|sixth|6th|last)\b"
    r"(?!\s(?:step|epoch|run|time|seed|prompt|layer|thing|two|three|four|\d))"
)
_NUMBERED = re.compile(
    r"\b(?:number|no\.?|nr\.?|#|picture|image|photo|pic)\s?#?(\d{1,2}|one)\b"
    r"(?!\s?(?:px|x|mp|steps))"
)
_SEVERAL = re.compile(r"\b(first|last)\s(\d|two|three|four)\b")
# Words that leave the pictures out that are pointed to, and such that mean all others.
_WITHOUT = re.compile(
    r"\b(?:ignore|skip|forget|drop|leave out|except|but|without|not|remove)\b[^.;,]{0,12}$"
)
_FINE = re.compile(r"^[^.;,]{0,20}\b(?:is|are) (?:fine|good|ok|perfect|only|just|right)\b")
_OTHERS = re.compile(r"(?<!forget )(?<!ignore )(?<!skip )\bthe (?:other|others|rest)\b")
_OWN = re.compile(
    rf"\b(?:my|this|attached|other|second|2nd|third|last) {_THING}\b|\battach\w*|\bthe second\b"
)
_BEFORE = re.compile(
    r"\b(?:before|earlier|original|first message|i (?:sent|uploaded|attached|gave)|uploaded"
    r"|my (?:first )?(?:photo|picture|image))\b"
)
_THINGS = re.compile(r"\b(?!(?:with|that|this|into|from|picture|image|photo|make)\b)[^\W\d_]{4,}")
_ANEW = re.compile(r"\b(?:same|again|once more|retry|redo|another (?:try|way|go))\b")
_FOLDER = re.compile(
    r"(?:^|\s)((?:~|\.{1,2})?/[\w.\-/]*[\w/]|[A-Za-z]:\\[\w.\\\-]+)"
    r"|\b(?:folder|directory|dir|path|in|from|at|under|with)\s+([\w\-]+(?:/[\w.\-]+)+/?)"
)
# A hidden or system folder, or a single file: no pictures to look through.
_PRIVATE = re.compile(r"(?:^|[/\\])\.\w|\.\.|^/(?:etc|proc|sys|root|dev|var)\b|\.(?!zip$)\w{1,5}$")
_FEW = {"two": 2, "three": 3, "four": 4}


def pictures(heard: Heard) -> tuple[Ref, ...]:
    """The pictures that a question is about; empty if there are none."""
    own = _own(heard, "image")
    if heard.steps and (made := _drawn(heard)) and not (own and _OWN.search(heard.text)):
        return made
    if len(own) > 1:
        return _by_name(heard, own) or _picked(heard.text, own)
    if own:
        return own
    if heard.steps:
        return _of_steps(heard)
    return _recalled(heard) or _earlier(heard)


def _earlier(heard: Heard) -> tuple[Ref, ...]:
    """The pictures of the latest turn that had some; those that were sent, if they are meant."""
    sent = earlier_pictures(heard) if _BEFORE.search(heard.text) else ()
    return sent or _latest(heard, _of_exchange)


def _latest(heard: Heard, reader: Callable[[Heard, int], tuple[Ref, ...]]) -> tuple[Ref, ...]:
    """What is read in the latest turn in which anything is found."""
    turns = range(len(heard.past), 0, -1)
    return next(filter(None, (reader(heard, turn) for turn in turns)), ())


def _recalled(heard: Heard) -> tuple[Ref, ...]:
    """What was drawn of the things that are named, as it was last changed.

    Only where the turn before has no pictures, which would be meant.
    """
    if not heard.past or heard.past[-1].attachments or _draws(heard.past[-1]):
        return ()
    said = set(_THINGS.findall(heard.text))
    for turn in range(len(heard.past), 0, -1):
        for number, step in _draws(heard.past[turn - 1]):
            if said & set(_THINGS.findall(str(step.arguments.get("prompt", "")).lower())):
                turn, number = _last_change(heard.past, turn, number)
                return _made(heard.text, heard.past[turn - 1], number, turn)
    return ()


def _draws(exchange: Exchange) -> list[tuple[int, Step]]:
    """The steps of a turn that made pictures, each with its number, the last one first."""
    return [(number, step) for number, step in exchange.done if step.tool in _DRAWS]


def _last_change(past: Past, turn: int, number: int) -> tuple[int, int]:
    """The last turn and step that changed what a step drew."""
    for later in range(turn + 1, len(past) + 1):
        for place, step in _draws(past[later - 1]):
            images = step.arguments.get("images", ())
            if any((ref.kind, ref.turn, ref.number) == ("step", turn, number) for ref in images):
                turn, number = later, place
    return turn, number


def _sent(heard: Heard, turn: int) -> tuple[Ref, ...]:
    """The pictures that came with an earlier turn, or those of them that the words single out."""
    files = tuple(
        Ref("attachment", place, turn)
        for place, file in enumerate(heard.past[turn - 1].attachments, start=1)
        if file.kind == "image"
    )
    return _picked(heard.text, files) if len(files) > 1 else files


def _by_name(heard: Heard, own: tuple[Ref, ...]) -> tuple[Ref, ...]:
    """Those pictures whose file is named."""
    said = heard.gloss.said.lower()
    stems = {ref: heard.files[ref.number - 1].name.lower().rpartition(".")[0] for ref in own}
    return tuple(ref for ref in own if len(stems[ref]) > 2 and stems[ref] in said)


def own_pictures(heard: Heard) -> tuple[Ref, ...]:
    """The pictures that came with the question."""
    return _own(heard, "image")


def earlier_pictures(heard: Heard) -> tuple[Ref, ...]:
    """The pictures that came with the latest earlier turn that had some."""
    return _latest(heard, _sent)


def singled_out(text: str) -> bool:
    """Whether some of several pictures are pointed to."""
    return bool(_ONE.search(text) or _NUMBERED.search(text) or _SEVERAL.search(text))


def _own(heard: Heard, kind: str) -> tuple[Ref, ...]:
    return tuple(
        Ref("attachment", place)
        for place, file in enumerate(heard.files, start=1)
        if file.kind == kind
    )


def _of_steps(heard: Heard) -> tuple[Ref, ...]:
    """The pictures that the latest earlier step looked at."""
    for step in reversed(heard.steps):
        if images := step.arguments.get("images"):
            return tuple(images)
    return ()


def _drawn(heard: Heard) -> tuple[Ref, ...]:
    """What the latest earlier step that draws has made."""
    draws = [number for number, step in enumerate(heard.steps, start=1) if step.tool in _DRAWS]
    return (Ref("step", draws[-1]),) if draws else ()


def _of_exchange(heard: Heard, turn: int) -> tuple[Ref, ...]:
    """The pictures of an earlier turn: what it made, or what came with it."""
    exchange = heard.past[turn - 1]
    for number, step in _draws(exchange):
        if step.tool == "edit" and _ANEW.search(heard.text):
            return tuple(step.arguments.get("images", ()))
        return _made(heard.text, exchange, number, turn)
    return _sent(heard, turn)


def _made(text: str, exchange: Exchange, number: int, turn: int) -> tuple[Ref, ...]:
    """What a step of an earlier turn made: all of it, or the one that is pointed to."""
    count = exchange.pictures[number - 1] if len(exchange.pictures) >= number else 0
    said = exchange.steps[number - 1].arguments.get("count", 1)
    count = count or (said if isinstance(said, int) else 1)
    place = _ordinal(text) if count > 1 else 0
    picture = place + count + 1 if place < 0 else place
    return (Ref("step", number, turn, picture if 0 < picture <= count else 0),)


def _picked(text: str, found: tuple[Ref, ...]) -> tuple[Ref, ...]:
    """Those of several pictures that the words single out; all if they single out none."""
    if several := _SEVERAL.search(text):
        count = _FEW.get(several[2]) or int(several[2])
        return found[:count] if several[1] == "first" else found[-count:]
    if re.search(r"\b(?:all|both|each|every|these|them)\b", text):
        return found
    spans = {
        span: place for span, place in _named(text).items() if not _FINE.search(text[span[1] :])
    }
    picked = _at(found, spans.values())
    left_out = any(_WITHOUT.search(text[:start]) for start, _ in spans) or _OTHERS.search(text)
    if picked and left_out and len(picked) < len(found):
        return tuple(ref for ref in found if ref not in picked)
    return picked or found


def named_one(heard: Heard) -> Ref | None:
    """The one of several pictures of the question that its words name by its place or its file."""
    own = _own(heard, "image")
    picked = _by_name(heard, own) or _at(own, _named(heard.text).values())
    return picked[0] if len(picked) == 1 else None


def _named(text: str) -> dict[tuple[int, int], int]:
    """Where a text names a place in a row, and which: "the second", "picture 3"."""
    named = {match.span(): ORDINALS[match[1] or match[2]] for match in _ONE.finditer(text)}
    return named | {match.span(): _number(match) for match in _NUMBERED.finditer(text)}


def _at(found: tuple[Ref, ...], places: Iterable[int]) -> tuple[Ref, ...]:
    """Those at some places, from 1; or from the end, from -1."""
    chosen = [place - 1 if place > 0 else place for place in dict.fromkeys(places)]
    return tuple(dict.fromkeys(found[at] for at in chosen if -len(found) <= at < len(found)))


def _ordinal(text: str) -> int:
    match = _ONE.search(text)
    number = _NUMBERED.search(text)
    return ORDINALS[match[1] or match[2]] if match else _number(number) if number else 0


def _number(match: re.Match[str]) -> int:
    return 1 if match[1] == "one" else int(match[1])


def mask(heard: Heard) -> Ref | None:
    """The mask that came with the question."""
    return next(iter(_own(heard, "mask")), None)


def archive(heard: Heard) -> Ref | str | None:
    """The data set: a zip file of this or an earlier turn, or a folder that is named."""
    if own := _own(heard, "zip"):
        return own[0]
    folder = _FOLDER.search(heard.gloss.said)
    path = (folder[1] or folder[2]) if folder else ""
    if path and not _PRIVATE.search(path):
        return path
    for step in reversed(heard.steps):
        dataset = step.arguments.get("dataset")
        if isinstance(dataset, Ref):
            return dataset
    for turn in range(len(heard.past), 0, -1):
        for place, file in enumerate(heard.past[turn - 1].attachments, start=1):
            if file.kind == "zip":
                return Ref("attachment", place, turn)
    return None


def table(heard: Heard) -> Ref | None:
    """A CSV file that came with the question."""
    return next(iter(_own(heard, "csv")), None)
