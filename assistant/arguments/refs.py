"""What a question points to: its own files, those of earlier turns, and what steps made."""

import re
from collections.abc import Iterable, Sequence

from assistant.arguments.heard import Heard
from assistant.conversation import Exchange, Ref, Step

_DRAWS = ("generate", "edit")  # tools whose output is pictures
# Tool -> tools whose product it can take for its model, beside those of "".
_MAKES_MODEL = {
    "": ("finetune", "recommend"), "export": ("finetune", "recommend", "personalize"),
    "benchmark": ("finetune", "export", "recommend", "personalize"),
}  # fmt: skip
_ORDINALS = {
    "first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4,
    "fifth": 5, "5th": 5, "sixth": 6, "6th": 6, "left": 1, "right": -1, "last": -1, "former": 1,
    "latter": -1,
}  # fmt: skip
_THING = (
    r"(?:one|ones|picture|pictures|image|images|photo|photos|pic|pics|shot|attachment|drawing"
    r"|version)"
)
_ONE = re.compile(
    rf"\b({'|'.join(_ORDINALS)})\s{_THING}\b"
    r"|\bthe (first|1st|second|2nd|third|3rd|fourth|4th|fifth|5th|sixth|6th|last)\b"
    r"(?!\s(?:step|epoch|run|time|seed|prompt|layer|thing|two|three|four|\d))"
)
_NUMBERED = re.compile(
    r"\b(?:number|no\.?|nr\.?|#|picture|image|photo|pic)\s?#?(\d{1,2}|one)\b"
    r"(?!\s?(?:px|x|mp|steps))"
)
_PLACES = re.compile(rf"\b({'|'.join(_ORDINALS)})\b(?! (?:step|time|epoch|picture|image|photo))")
_JOB_ID = re.compile(r"\b[a-z]{1,6}-\d+\b|(?<=\bjob )\d+\b", re.IGNORECASE)
_STATES = re.compile(r"\b(?:failed|running|paused|queued|waiting|crashed|done|finished)\b")
_STATE_AFTER = 24  # characters after the id of a job in which its state is told
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
    before = _BEFORE.search(heard.text) is not None
    for reader in (_sent, _of_exchange) if before else (_of_exchange,):
        for turn in range(len(heard.past), 0, -1):
            if found := reader(heard, turn):
                return found
    return ()


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
    turns = range(len(heard.past), 0, -1)
    return next(filter(None, (_sent(heard, turn) for turn in turns)), ())


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
    for number, step in exchange.done:
        if step.tool in _DRAWS and not (step.tool == "edit" and "same" in heard.text):
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
    named = {match.span(): _ORDINALS[match[1] or match[2]] for match in _ONE.finditer(text)}
    return named | {match.span(): _number(match) for match in _NUMBERED.finditer(text)}


def _at(found: tuple[Ref, ...], places: Iterable[int]) -> tuple[Ref, ...]:
    """Those at some places, from 1; or from the end, from -1."""
    chosen = [place - 1 if place > 0 else place for place in dict.fromkeys(places)]
    return tuple(dict.fromkeys(found[at] for at in chosen if -len(found) <= at < len(found)))


def _ordinal(text: str) -> int:
    match = _ONE.search(text)
    number = _NUMBERED.search(text)
    return _ORDINALS[match[1] or match[2]] if match else _number(number) if number else 0


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


def product(heard: Heard, tool: str, kinds: Sequence[str] = ()) -> Ref | None:
    """A model that an earlier step made or chose: of this plan, else of the latest turn.

    Args:
        heard: the question.
        tool: what the model is for.
        kinds: the tools that may have made it, if not all that make one for `tool`.
    """
    kinds = kinds or _MAKES_MODEL.get(tool, _MAKES_MODEL[""])
    for number, step in reversed(list(enumerate(heard.steps, start=1))):
        if step.tool in kinds:
            return Ref("step", number)
    if not heard.steps:
        for turn in range(len(heard.past), 0, -1):
            exchange = heard.past[turn - 1]
            for number, step in exchange.done:
                if step.tool in kinds and not (step.tool == "recommend" and exchange.systems):
                    return Ref("step", number, turn)
    return None


def used(heard: Heard) -> tuple[str, ...]:
    """The systems that were talked about last, in this plan or in an earlier turn."""
    for step in reversed(heard.steps):
        if found := systems_of(step):
            return found
    for exchange in reversed(heard.past):
        for step in reversed(exchange.steps):
            if found := systems_of(step):
                return found
        if exchange.systems:
            return exchange.systems
    return ()


def pointed(text: str, systems: Sequence[str]) -> tuple[str, ...]:
    """Those of several systems that the words single out: "the second one", "first and third"."""
    if len(systems) < 2:
        return tuple(systems)
    places = [_ORDINALS[word] for word in _PLACES.findall(text)]
    chosen = (place - 1 if place > 0 else place for place in dict.fromkeys(places))
    found = tuple(systems[at] for at in chosen if -len(systems) <= at < len(systems))
    return found or tuple(systems)


def job_id(heard: Heard) -> str | None:
    """The job that was spoken of last, or the one of several that the words single out."""
    state = _STATES.search(heard.text)
    for exchange in reversed(heard.past):
        said = f"{exchange.text} {exchange.answer}"
        found = {match[0]: said[match.end() :][:_STATE_AFTER] for match in _JOB_ID.finditer(said)}
        if state and (alike := [name for name, after in found.items() if state[0] in after]):
            return alike[0]
        if found:
            return pointed(heard.text, tuple(found))[0 if _PLACES.search(heard.text) else -1]
    return None


def systems_of(step: Step) -> tuple[str, ...]:
    """The systems that a step was told to use or to speak of."""
    said = step.arguments
    found = said.get("systems") or said.get("models") or said.get("model") or ()
    found = (found,) if isinstance(found, str) else found
    return (
        tuple(name for name in found if isinstance(name, str))
        if isinstance(found, tuple | list)
        else ()
    )
