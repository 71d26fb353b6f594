"""What a use case asks for: the typed limits, and what only its words say."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from index.gloss import gloss
from index.quantities import Quantity, quantities
from tools.base import Context
from tools.named import insisted
from tools.told import FROM_PICTURE, is_hosted, limits_told, task_told
from tools.vocabulary import pattern, vocabulary

TASKS = ("classify", "generate", "edit", "inpaint", "personalize", "embed", "finetune")
PICTURE_TASKS = ("generate", "edit", "inpaint")  # tasks that make pictures
CLASSIFIER_TASKS = ("classify", "embed", "finetune")


def group(task: str) -> str:
    """Which kind of figures decides a task: `classifier`, `picture` or `trainer`."""
    if task in CLASSIFIER_TASKS:
        return "classifier"
    return "picture" if task in PICTURE_TASKS else "trainer"


_SLIPS = {"license": "licence", "color": "colour"}
_MACHINE = re.compile(r"\b(rtx \d{4}|h100|h200|a100|b200|l20|l40s|t4|i7-12700h|i9-10940x)\b")
_BOARD = re.compile(r"\bjetson\b|\borin nano\b")
_RANGE = re.compile(
    r"(\d+(?:\.\d+)?)\s?(?:m|million)?\s?"
    r"(?:to|-|\N{EN DASH}|and)\s?(\d+(?:\.\d+)?)\s?(?:m|million)\b"
)
_TOP1 = re.compile(
    r"(\d{2}(?:\.\d+)?)\s?(?:%|percent)[^.]{0,25}(?:top[\s-]?1|accura|imagenet|right)|(?:top[\s-]?1|accura\w+)[^.\d]{0,25}(\d{2}(?:\.\d+)?)\s?(?:%|percent)"
)
_BITS = (("int8", 1), ("8-bit", 1), ("8 bit", 1), ("fp16", 2), ("half precision", 2), ("bf16", 2))
_REFERENCES = re.compile(
    r"(\d+)\s+(?:\w+\s+){0,2}?(?:reference|input|source)?\s?(?:photo|picture|image|reference|shot)s?\b"
)
_TOGETHER = re.compile(
    r"\breferences?\b|combin\w+|compos\w+|merg\w+|into (one|a single)"
    r"|in the same (output|picture|scene)|together"
)
_TARGETS = ("klein", "flux.2", "flux.1", "sdxl", "stable diffusion 3", "stable diffusion", "flux")
_REVENUE = re.compile(
    r"(?:turnover|revenue|income|sales)\w*\b[^.\d$]{0,25}\$?\s?(\d+(?:\.\d+)?)\s?(k|thousand|m|million|bn|billion)?"
)
_SALES = re.compile(
    r"(\d+(?:\.\d+)?)\s?(k|thousand|m|million|bn|billion)?\s?(?:dollars?|usd|euros?)?"
    r"\s?(?:of |in |a year )?(?:yearly |annual )?(?:turnover|revenue|sales)"
)
_EARNS = re.compile(
    r"\b(?:makes?|earns?|turns? over)\s(?:about |around |some )?\$?\s?(\d+(?:\.\d+)?)\s?(k|thousand"
    r"|m|million|bn|billion)?\s?(?:dollars?|usd|euros?)?\s?(?:a|per|each|every) year"
)
_SCALE = {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "bn": 1e9, "billion": 1e9}


# Units of amounts in words: what they are of, and the limit that such an amount may mean.
_AMOUNTS = {
    "USD": ("an amount of money", "max_price_usd"),
    "GiB": ("an amount of memory", "device_memory_gib"),
    "ms": ("a time", "max_latency_ms"),
    "s": ("a time", "max_latency_ms"),
    "images/s": ("a rate", "min_fps"),
}
_KINDS = {"min_fps": "max_latency_ms", "revenue": "max_price_usd"}  # limits of one kind


@dataclass(frozen=True)
class Needs:
    """What a use case asks for.

    Attributes:
        words: the use case in plain English, lower case.
        task: one of TASKS; empty if the words tell none.
        inferred: whether the task was read from the words.
        limits: the typed limits that were given, by argument name, and the amounts that only the
            words tell (`min_top1`, `max_file_mb`, `references`, `megapixels` ...).
        flags: what the words ask for, by name.
        machine: the processor or graphics card that the words name.
        targets: what a trainer must train, or the family of a base.
        absent: what is asked for that no system here does, with what would; empty if nothing.
        only: patterns of the systems that the words insist on, one of which must match.
        barred: patterns of the systems that the words refuse.
    """

    words: str
    task: str
    inferred: bool
    limits: Mapping[str, Any]
    flags: frozenset[str] = frozenset()
    machine: str = ""
    targets: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    barred: tuple[str, ...] = ()

    def limit(self, name: str) -> Any:
        """The value of a limit; none if it was not given."""
        return self.limits.get(name)

    @property
    def place(self) -> str:
        """Where it shall run: `hosted`, `local`, or empty if that is open."""
        local = self.limits.get("offline") or "self-made" in self.flags
        if local or self.limits.get("device_memory_gib") is not None:
            return "local"
        if self.limits.get("device") in ("cuda", "mps") and "hosted" not in self.flags:
            return "local"
        if "hosted" in self.flags or (self.limits.get("max_price_usd") and not self.local_machine):
            return "hosted"
        return ""

    @property
    def unread(self) -> tuple[str, ...]:
        """Amounts in the words that no limit holds, by what they are of."""
        units = {found.unit for found in quantities(self.words)}
        read = {_KINDS.get(name, name) for name in self.limits}
        return tuple(
            dict.fromkeys(
                what
                for unit, (what, limit) in _AMOUNTS.items()
                if unit in units and _KINDS.get(limit, limit) not in read
            )
        )

    def nearly(self) -> Iterator["Needs"]:
        """What comes near where nothing fits: nothing that the words insist on is dropped."""
        if home := self.at_home():
            yield home
        if "named control" not in self.flags and self.flags & _BY_WORDS:
            yield replace(self, flags=self.flags - _BY_WORDS | {"by words"})

    def at_home(self) -> "Needs | None":
        """The same on a machine of one's own, if only a price speaks for a hosted endpoint."""
        if self.place != "hosted" or "hosted" in self.flags:
            return None
        return replace(self, flags=self.flags | {"self-made"})

    @property
    def local_machine(self) -> bool:
        """Whether a machine of the person's own was told."""
        return any(self.limits.get(name) is not None for name in ("device", "device_memory_gib"))

    def without(self, *names: str) -> "Needs":
        """The needs with some limits or flags dropped."""
        limits = {name: value for name, value in self.limits.items() if name not in names}
        flags = self.flags - set(names)
        if "quantised" in names:
            flags = flags - {"not quantised"}
        only = () if "named" in names else self.only
        barred = () if "barred" in names else self.barred
        return replace(self, limits=limits, flags=flags, only=only, barred=barred)


def read_needs(ctx: Context, use_case: str, limits: Mapping[str, Any]) -> Needs:
    """The needs of a use case.

    Args:
        ctx: the context.
        use_case: the person's words, in any of the languages.
        limits: the typed arguments of the tool; none where nothing was said.
    """
    read = gloss(use_case, ctx.index.names)
    words = _plain(read.named.lower())
    given = {name: value for name, value in limits.items() if value is not None and name != "task"}
    told = limits_told(read)
    task = limits.get("task") or task_told(words)
    known = {**told, **given}
    if _BOARD.search(words):  # its graphics chip is no graphics card: no published speed holds
        known["device"] = "cpu"
    flags = _flags(words, task, known)
    families = _families(ctx)
    task = task or _nearest_task(ctx, words) or _task_of_family(words, families)
    task = task or _assumed_task(words, known, flags)
    if task == "generate" and not limits.get("task") and flags & set(FROM_PICTURE):
        task = "edit"
    if task == "personalize" and known.get("device") == "cpu" and not known.get("offline"):
        del known["device"]  # nobody trains a maker of pictures without a graphics card
        flags |= {"hosted"}
    machine = _MACHINE.search(words)
    only, barred = insisted(words, ctx.index.names.mentions(words), families)
    return Needs(
        words=words,
        task=task,
        inferred=limits.get("task") is None,
        limits={**dict(_amounts(words, task)), **known},
        flags=flags,
        only=() if "trainer" in flags and task == "personalize" else only,
        barred=barred,
        machine=machine[0] if machine else "",
        targets=_targets(words),
        absent=_absent(words),
    )


def _families(ctx: Context) -> frozenset[str]:
    """Names of the families of classifiers, lower case."""
    cards = ctx.catalog.cards.values()
    return frozenset(card.family.lower() for card in cards if "classify" in card.tasks)


def _task_of_family(words: str, families: Collection[str]) -> str:
    named = re.search(rf"\b(?:{'|'.join(map(re.escape, families))})s?\b", words)
    return "classify" if named else ""


def plain(ctx: Context, text: str) -> str:
    """A text in English words, lower case; names of systems stay as they are."""
    return _plain(gloss(text, ctx.index.names).named.lower())


def _plain(words: str) -> str:
    for wrong, right in _SLIPS.items():
        words = words.replace(wrong, right)
    return words


_HITS, _SAYS_SOMETHING = 20, 0.9  # hits that vote for a task, and from which score


def _flags(words: str, task: str, limits: Mapping[str, Any]) -> frozenset[str]:
    """What the words ask for, by name."""
    asked = vocabulary("needs")
    named = {**asked["flags"], **{row["name"]: row["words"] for row in asked["demands"]}}
    named["mask"] = asked["flags"]["mask"]
    flags = {name for name, told in named.items() if told and pattern(told).search(words)}
    for refused, wanted in _DENIED.items():
        flags -= {wanted} if refused in flags else set()
    if not is_hosted(words):
        flags -= {"hosted"}
    if "named control" in flags:
        flags |= {"control"}
    of_trainers = {row["name"] for row in asked["demands"] if row["of"] == ["trainer"]}
    if task == "personalize" and flags & (of_trainers | {"history"}):
        flags |= {"trainer"}
    if limits.get("device") in ("cuda", "mps"):
        flags -= {"weak", "modest"}
    return frozenset(flags | {"mask"} if task == "inpaint" else flags)


_ASKS = re.compile(r"\b(?:which|what|whats|recommend\w*|suggest\w*|best|better|models?)\b")
_DENIED = {"not quantised": "quantised", "no attention": "transformer"}
_BY_WORDS = {"control", "variation", "no prompt"}  # what an editor by words does nearly
_PAINTED_MS = 300  # milliseconds below which nobody expects a painted picture


def _assumed_task(words: str, limits: Mapping[str, Any], flags: frozenset[str]) -> str:
    """What people mean who tell limits and wishes only: mostly pictures, else a small network."""
    if not limits and not flags and not _ASKS.search(words):
        return ""
    quick = limits.get("max_latency_ms", _PAINTED_MS) < _PAINTED_MS or "min_fps" in limits
    small = "max_parameters" in limits or {"accuracy", "small", "weak"} & (flags - {"quality"})
    return "classify" if quick or small else "generate"


def _nearest_task(ctx: Context, words: str) -> str:
    """By what the nearest capabilities are for."""
    votes = dict.fromkeys(TASKS, 0.0)
    for hit in ctx.index.search(words, _HITS):
        if hit.score < _SAYS_SOMETHING:
            continue
        card, _, inside = ctx.catalog.cards.get(hit.system), *hit.id.partition("#")[1:]
        for capability in card.capabilities if card else ():
            if capability.id == inside and capability.tool in votes:
                votes[capability.tool] += hit.score
    best = max(votes, key=lambda task: votes[task])
    return best if votes[best] else ""


def _absent(words: str) -> tuple[str, ...]:
    for row in vocabulary("needs")["absent"]:
        if pattern(row["words"]).search(words):
            return row["what"], row["instead"], row["note"]
    return ()


def _targets(words: str) -> tuple[str, ...]:
    found = [name for name in _TARGETS if re.search(rf"{re.escape(name)}(?![\w])", words)]
    return tuple(name for name in found if not any(name != o and name in o for o in found))


def _amounts(words: str, task: str) -> Iterator[tuple[str, float]]:
    """Amounts that no argument of the tool holds."""
    if task in CLASSIFIER_TASKS:
        yield from _classifier_amounts(words)
        return
    numbers = quantities(words)
    if area := [found.value for found in numbers if found.unit == "megapixels"]:
        yield "megapixels", max(area)
    if found := _SALES.search(words) or _EARNS.search(words) or _REVENUE.search(words):
        yield "revenue", float(found[1]) * _SCALE.get(found[2] or "", 1.0)
    if task in ("edit", "generate") and (count := _references(words)):
        yield "references", count


def _references(words: str) -> float:
    """How many pictures go in at once; 0 if the words tell none."""
    if not _TOGETHER.search(words):
        return 0
    found = [float(match[1]) for match in _REFERENCES.finditer(words)]
    return max((count for count in found if 2 <= count <= 50), default=0)


def _classifier_amounts(words: str) -> Iterator[tuple[str, float]]:
    if share := _TOP1.search(words):
        yield "min_top1", float(share[1] or share[2])
    if span := _RANGE.search(words):
        yield "min_parameters", float(span[1]) * 1e6
        yield "max_parameters", float(span[2]) * 1e6
    if sizes := _file_sizes(quantities(words)):
        yield "max_file_mb", min(sizes)
        yield "bytes_per_weight", next((b for name, b in _BITS if name in words), 4)


def _file_sizes(numbers: Sequence[Quantity]) -> list[float]:
    return [found.value for found in numbers if found.unit == "MB" and found.value < 2000]
