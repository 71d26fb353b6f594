"""The tool `recommend`: which systems fit a use case and its limits, and why the others do not."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from index.card import Card
from index.evidence import Fact
from tools import runs_here
from tools.again import advised_again, advised_before
from tools.base import Block, Context, NeedsInput, Text, ToolCard, ToolFailed
from tools.choice import RELAXABLE, Choice, Chooser, Relaxation, chooser, near_misses
from tools.dossiers import Finding, quantised, value
from tools.guiding import not_known
from tools.needs import CLASSIFIER_TASKS, PICTURE_TASKS, TASKS, Needs, group, read_needs
from tools.picks import counting, facts_of, reasons, table

CARD = ToolCard(
    title="Recommend a model",
    summary="Finds the models that fit your use case and limits, with reasons.",
    examples=(
        "Which model fits my use case?",
        "Which model should I use to sort product photos on a phone?",
        "I need a model under 8 GB that I may use commercially",
        "Recommend a picture generator for my shop",
        "What is the best classifier for a small computer?",
        "Which model should I pick for a real-time camera app?",
        "Suggest something to make illustrations offline",
        "What model would you use for portraits of my dog?",
        "what should I choose for recognising plants on an old Android phone",
        "best free image generator for commercial posters, no API",
        "I am a dentist and want software for x-rays on my laptop, what do you advise?",
        "Any model that answers under 10 milliseconds on a CPU?",
        "Which network would suit a Raspberry Pi that watches the bird feeder?",
        "I have a 6 GB graphics card, what can I run on it to make art?",
        "need smth tiny for an embedded camera, below 5 million parameters",
        "Our law firm needs an editor for photos with a permissive licence, which one?",
        "What is the cheapest hosted model for a thousand product shots a month?",
        "My daughter wants to make comics without internet, what would be right for her?",
        "Help me choose, I sell handmade pottery and want nicer backgrounds",
        "Which picture model should I take for my small business?",
        "Which one is most accurate if speed does not matter?",
        "Which trainer is best for a beginner?",
        "i don't know which is good for me, i want detect type of shoe from photo",
        "What are my options for posters with readable letters?",
        "Which model can take away people from photos and may be used for clients?",
        "We count cars at a crossing at 30 frames per second, which model keeps up?",
        "Suggest a backbone for spotting duplicate photos in a big archive",
        "Looking for a model that can turn sketches into renderings for my architecture studio",
        "Narrow it down for me: must be offline, small and allowed in a paid app",
        "I want to fine-tune on few pictures of leaves, which backbone do you suggest?",
    ),
)
_JOBS = {
    "classify": "naming what is in pictures",
    "generate": "making pictures from words",
    "edit": "changing pictures",
    "inpaint": "painting inside a mask",
    "personalize": "teaching a model a subject or style",
    "embed": "finding alike pictures",
    "finetune": "training a classifier on your own labels",
}
_FIRST = {  # what people who choose a classifier must know first
    "classify": " As it comes it names the classes of ImageNet; classes of your own it must learn "
    "from labelled pictures.",
    "finetune": " As it comes it knows only the classes of ImageNet; it learns yours from labelled "
    "pictures of each.",
}
_PICKS, _MISSES, _CHANGES = 3, 5, 3  # how many of each are shown
_MORE = {  # what would help to choose, by the limit that was not told
    "classifier": (
        ("device", "which device it runs on"),
        ("max_latency_ms", "how long a picture may take"),
        ("commercial", "whether you earn money with it"),
    ),
    "picture": (
        ("device_memory_gib", "the memory of your graphics card"),
        ("commercial", "whether you earn money with it"),
        ("max_price_usd", "what a picture may cost"),
    ),
    "trainer": (
        ("device_memory_gib", "the memory of your graphics card"),
        ("commercial", "whether you earn money with it"),
    ),
}


def recommend(
    ctx: Context,
    use_case: str,
    task: str | None = None,
    commercial: bool | None = None,
    licence: str | None = None,
    device: str | None = None,
    device_memory_gib: float | None = None,
    offline: bool | None = None,
    max_latency_ms: float | None = None,
    min_fps: float | None = None,
    max_parameters: float | None = None,
    max_price_usd: float | None = None,
) -> Iterator[Block]:
    """Names the systems that fit, with reasons; else the least change that makes one fit.

    Args:
        ctx: the context.
        use_case: the person's words.
        task: one of `tools.needs.TASKS`; read from the words if left out.
        commercial: whether it shall be used commercially.
        licence: the licence that it must have.
        device: `cpu`, `cuda` or `mps`.
        device_memory_gib: memory of the device, GiB.
        offline: whether it must run with no network.
        max_latency_ms: longest time per picture, milliseconds.
        min_fps: fewest pictures a second.
        max_parameters: most parameters.
        max_price_usd: highest price per picture, US dollars.

    Raises:
        NeedsInput: nothing tells what the model shall do.
        ToolFailed: the task is none that is known.
    """
    if runs_here.asks(use_case):
        yield from runs_here.told(ctx)
        return
    _check(task)
    given = {
        "task": task,
        "commercial": commercial,
        "licence": licence,
        "device": device,
        "device_memory_gib": device_memory_gib,
        "offline": offline,
        "max_latency_ms": max_latency_ms,
        "min_fps": min_fps,
        "max_parameters": max_parameters,
        "max_price_usd": max_price_usd,
    }
    needs = read_needs(ctx, use_case, given)
    if needs.absent:
        yield _absent(needs)
        return
    if not needs.task:
        jobs = [f"{use_case}: {job}" for job in _JOBS.values()]
        raise NeedsInput("What shall the model do with pictures?", jobs)
    chosen = chooser(ctx, needs)
    choices = chosen.weigh(needs)
    picks = [choice for choice in choices if not choice.broken][:_PICKS]
    for near in () if picks else needs.nearly():
        weighed = chosen.weigh(near)
        if picks := [choice for choice in weighed if not choice.broken][:_PICKS]:
            needs, choices = near, weighed
            break
    before = advised_before(ctx, use_case, given, needs) if picks else None
    if before:
        told = partial(_data, needs, misses=near_misses(choices, needs, _MISSES))
        yield from advised_again(ctx, use_case, needs, choices, before, told)
    elif picks:
        yield from _picked(chosen, needs, picks, choices)
    else:
        yield from _unfit(chosen, needs, choices)


def _check(task: str | None) -> None:
    if task is not None and task not in TASKS:
        raise ToolFailed(f"task is {task!r}. Choose from: {', '.join(TASKS)}.")


def _absent(needs: Needs) -> Text:
    """What no system here does, said plainly."""
    what, instead, note = needs.absent
    words = f"No system here does this: {what}. Take {instead}; {note}."
    return Text(words, data=_data(needs, (), ()))


def _data(needs: Needs, picks: Sequence[Choice], misses: Sequence[Choice]) -> dict[str, Any]:
    """What programs read."""
    judged = {finding.limit for choice in (*picks, *misses) for finding in choice.checked}
    asked = needs.flags & set(RELAXABLE) & judged
    precise = {"quantised": False} if "not quantised" in needs.flags else {}
    return {
        "picks": [
            {
                "system": pick.card.id,
                "reasons": [pick.card.summary, *reasons(pick)],
                "evidence": [fact.id for fact in facts_of(pick)],
            }
            for pick in picks
        ],
        "rejected": [
            {"system": miss.card.id, "reason": "; ".join(f.words for f in miss.broken)}
            for miss in misses
        ],
        "constraints": {
            "task": needs.task or None,
            **needs.limits,
            **dict.fromkeys(sorted(asked), True),
            **precise,
        },
    }


# --- something fits
def _picked(
    chosen: Chooser, needs: Needs, picks: Sequence[Choice], choices: Sequence[Choice]
) -> Iterator[Block]:
    misses = near_misses(choices, needs, _MISSES)
    best = picks[0]
    counts, facts = counting(best)
    advised = f"I recommend **{best.card.name}** for {_JOBS[needs.task]}."
    words = f"{advised} {best.card.summary}{_first(best.card, needs)} {counts}"
    yield Text(words, facts, _data(needs, picks, misses))
    yield table(chosen.ctx, needs, picks)
    yield from _why_not(misses)
    yield from _listed("Assumed", [(line, ()) for line in _assumed(needs, best)])
    changes = [
        (f"If you can {_eased(change)}: {_told(change)}", _change_facts(change))
        for change in chosen.instead(needs, best, _CHANGES)
    ]
    yield from _listed("What would change the answer", changes or [(_more(needs), ())])


def _first(card: Card, needs: Needs) -> str:
    return _FIRST.get(needs.task, "") if card.kind == "weights" else ""


def _why_not(misses: Sequence[Choice]) -> Iterator[Block]:
    lines = [
        (f"{miss.card.name}: {'; '.join(_unkept(miss.broken))}", _broken_facts(miss))
        for miss in misses
    ]
    yield from _listed("Why not", lines)


def _unkept(broken: Sequence[Finding]) -> Iterator[str]:
    for finding in broken:
        too = finding.kept is False and any(value(fact) for fact in finding.facts)
        yield f"{finding.words}{', outside your limit' if too else ''}"


def _broken_facts(miss: Choice) -> tuple[Fact, ...]:
    return tuple(fact for finding in miss.broken for fact in finding.facts)


def _listed(title: str, lines: Sequence[tuple[str, tuple[Fact, ...]]]) -> Iterator[Block]:
    if lines:
        words = "\n".join(f"- {line}" for line, _ in lines)
        facts = tuple(fact for _, found in lines for fact in found)
        yield Text(f"**{title}**\n\n{words}", facts)


def _assumed(needs: Needs, best: Choice) -> Iterator[str]:
    yield from _read(needs)
    if needs.limit("commercial") is None:
        yield "Whether you earn money with it was not said; a licence that allows it comes first."
    if needs.limit("max_price_usd") and needs.place == "local":
        yield "You run it yourself, where no price per picture is due: no hosted one is so cheap."
    elif needs.limit("max_price_usd") and needs.at_home():
        yield "A price per picture means a hosted endpoint."
    if "cheap" in needs.flags and best.card.kind == "hosted":
        yield "The lowest price counts most; no hosted endpoint here is known to be free."
    yield from _assumed_machine(needs, best)


def _read(needs: Needs) -> Iterator[str]:
    """What was made of the words, and what was not."""
    if needs.inferred:
        yield f"The task was not said; your words read like {_JOBS[needs.task]}."
    if unknown := not_known(needs.words):
        yield unknown
    for what in needs.unread:
        yield f"Your words name {what}; it was not taken as a limit."


def _assumed_machine(needs: Needs, best: Choice) -> Iterator[str]:
    point = best.found.point
    if point and point.speed and not needs.machine:
        yield "The speed is that of the machine named beside it, not of yours: try `benchmark`."
    if "by words" in needs.flags:
        yield "What follows your picture most closely breaks a limit; this one edits by words."
    memory = best.finding("device_memory_gib")
    if memory and needs.limit("device") == "mps" and needs.task not in CLASSIFIER_TASKS:
        yield "A Mac shares its memory with the system: two thirds of it counted for the model."
    if memory and any(quantised(fact) for fact in memory.facts):
        yield "Quantised weights are fine."
    if best.card.kind == "weights" and needs.task in PICTURE_TASKS and not memory:
        yield "You have a graphics card with the memory stated above."


def _more(needs: Needs) -> str:
    missing = [words for name, words in _MORE[group(needs.task)] if needs.limit(name) is None]
    return f"Tell me {', or '.join(missing)}." if missing else "Other limits than these."


def _eased(change: Relaxation) -> str:
    return " and ".join(RELAXABLE[name] for name in change.limits)


def _told(change: Relaxation) -> str:
    """The system that would fit, with the figures of the limits that it does not keep."""
    figures = [finding.words for finding in change.told]
    licence = change.choice.card.licence or "no licence stated"
    told = (
        f"{change.choice.card.name}: {'; '.join(figures)}" if figures else change.choice.card.name
    )
    return f"{told} (licence: {licence})"


def _change_facts(change: Relaxation) -> tuple[Fact, ...]:
    facts = (fact for finding in change.told for fact in finding.facts)
    return (*facts, *change.choice.found.first("licence"))


# --- nothing fits
def _unfit(chosen: Chooser, needs: Needs, choices: Sequence[Choice]) -> Iterator[Block]:
    misses = near_misses(choices, needs, _MISSES)
    changes = chosen.relaxed(needs, _CHANGES)
    words = f"No system here fits: none for {_JOBS[needs.task]} is known to keep all your limits."
    yield Text(words, data=_data(needs, (), misses))
    lines = [(f"{_upper(_eased(c))}: {_told(c)}", _change_facts(c)) for c in changes]
    yield from _listed("The least change that helps", lines)
    yield from _why_not(misses)
    yield from _listed("Assumed", [(line, ()) for line in _unfit_assumed(needs)])


def _unfit_assumed(needs: Needs) -> Iterator[str]:
    yield from _read(needs)
    yield "A system whose facts do not show that it keeps a limit counts as breaking it."


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
