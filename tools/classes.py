"""Which classes of ImageNet a text names: what a published classifier can tell by name."""

import importlib.util
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

_WORD = re.compile(r"[a-z][a-z'-]*")
_LONGEST = 4  # words of a name
# Words of talk that are also the last word of some class.
_TALK = {
    "home", "web", "site", "website", "shop", "store", "screen", "computer", "phone", "mouse",
    "desk", "box", "bag", "can", "case", "file", "key", "work", "stage", "bars", "letter", "opener",
    "net", "show", "turn", "stand", "pole", "top", "set", "post", "light", "tape", "chip",
}  # fmt: skip


def named_classes(text: str) -> tuple[str, ...]:
    """The classes of ImageNet-1k that a text names, by a name of theirs or by its last word.

    Args:
        text: plain English, such as "does it know a dalmatian from other dogs".

    Returns:
        The first name of each class, in the order of the text; those that it names in full first.
    """
    names, heads = _names(), _heads()
    words = [_singular(word) for word in _WORD.findall(text.lower())]
    spans = [
        " ".join(words[start : start + size])
        for size in range(_LONGEST, 0, -1)
        for start in range(len(words) - size + 1)
    ]
    whole = [names[span] for span in spans if span in names and span not in _TALK]
    parts = [name for span in spans if span not in _TALK for name in heads.get(span, ())]
    return tuple(dict.fromkeys((*whole, *parts)))


def _singular(word: str) -> str:
    for ending, instead in (("ies", "y"), ("ches", "ch"), ("shes", "sh"), ("xes", "x")):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            return word.removesuffix(ending) + instead
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


@cache
def _names() -> Mapping[str, str]:
    """The first name of a class by each of its names, lower case and singular."""
    return {
        " ".join(map(_singular, name.lower().split())): names[0]
        for names in _classes()
        for name in names
    }


@cache
def _heads() -> Mapping[str, tuple[str, ...]]:
    """First names of classes by the last word of each ("shoe": "running shoe")."""
    found: dict[str, list[str]] = {}
    for names in _classes():
        if " " in names[0]:
            found.setdefault(_singular(names[0].lower().rpartition(" ")[2]), []).append(names[0])
    return {head: tuple(names) for head, names in found.items()}


@cache
def _classes() -> tuple[tuple[str, ...], ...]:
    """The names of each class, as timm's files tell them (read without loading timm)."""
    return tuple(_read())


def _read() -> Iterator[tuple[str, ...]]:
    found = importlib.util.find_spec("timm")
    if found is None or not found.submodule_search_locations:
        raise RuntimeError("timm is not installed, so the names of its classes cannot be read")
    folder = Path(found.submodule_search_locations[0]) / "data" / "_info"
    lines = (folder / "imagenet_synset_to_lemma.txt").read_text(encoding="utf-8").splitlines()
    names = dict(line.split("\t", 1) for line in lines)
    for synset in (folder / "imagenet_synsets.txt").read_text(encoding="utf-8").split():
        yield tuple(name.strip() for name in names[synset].split(","))
