"""Systems that were picked, in words: reasons, licence, and a table with a column for each."""

from collections.abc import Iterator, Sequence

from index.card import Card
from index.evidence import Fact
from index.properties import properties
from tools import wording
from tools.base import Context, Table
from tools.choice import Choice
from tools.dossiers import Dossier
from tools.needs import Needs, group

_FIGURES = {
    "classifier": ("parameters", "training_data"),
    "picture": (
        "price", "price_edit", "price_next_megapixel", "memory_gib", "parameters", "steps",
        "max_references", "max_megapixels", "mask_input", "negative_prompt", "revenue_limit",
    ),
    "trainer": (
        "training_memory_gib", "trains", "trainable_models", "interface", "derivatives",
        "last_change",
    ),
}  # fmt: skip
_COMMERCIAL = {
    "yes": "which allows commercial use",
    "conditions": "which allows commercial use on its conditions",
    "no": "which forbids commercial use",
    None: "of which no source here says whether it allows commercial use",
}
_KINDS = {
    "weights": "weights that you download",
    "hosted": "hosted endpoint, with an API key",
    "repository": "its own program",
    "pocket": "shipped with this program",
    "service": "its own website",
}
_SILENT = ("task", "status", "own fine-tune", "hosted", "targets")  # kept, but no reason to tell
_TOOLS = {"inpaint": "edit"}  # the tool that does a task here, where it has another name


def terms(found: Dossier) -> tuple[str, tuple[Fact, ...]]:
    """The licence in words with its source, and the facts that say so."""
    name = found.card.licence or "not stated here"
    facts = (*found.first("licence"), *found.first("commercial_use"))
    source = f" ({wording.source(facts[0])})" if facts else ""
    return f"{name}, {_COMMERCIAL[found.card.commercial_use]}{source}", facts


def reasons(choice: Choice) -> Iterator[str]:
    """Its accuracy and speed, and each limit that it keeps."""
    point = choice.found.point
    if point:
        yield f"ImageNet top-1: {wording.cell(point.top1)}"
        if point.speed:
            yield f"{properties()[point.speed.property].label}: {wording.cell(point.speed)}"
    timed = ("min_top1", "max_latency_ms", "min_fps") if point else ()
    for finding in choice.checked:
        if finding.kept and finding.limit not in (*_SILENT, *timed, "commercial", "licence"):
            yield finding.words
    for fact in _told_anyway(choice):
        yield f"{properties()[fact.property].label}: {wording.cell(fact)}"


def counting(choice: Choice) -> tuple[str, tuple[Fact, ...]]:
    """The reasons and the licence in one sentence, and the facts behind it."""
    licence, cited = terms(choice.found)
    counts = "; ".join((*reasons(choice), f"licence: {licence}"))
    return f"What counts for {choice.card.name}: {counts}.", (*facts_of(choice), *cited)


def _told_anyway(choice: Choice) -> tuple[Fact, ...]:
    """The price or the memory of a maker of pictures, where no limit asks for it."""
    if choice.found.point or {"max_price_usd", "device_memory_gib"} & {
        finding.limit for finding in choice.checked
    }:
        return ()
    return choice.found.first("price" if choice.card.kind == "hosted" else "memory_gib")


def facts_of(choice: Choice) -> tuple[Fact, ...]:
    """The facts behind the reasons."""
    point = choice.found.point
    shown = (point.top1, *((point.speed,) if point.speed else ())) if point else ()
    kept = [fact for finding in choice.checked for fact in finding.facts]
    return tuple({fact.id: fact for fact in (*shown, *kept, *_told_anyway(choice))}.values())


def table(ctx: Context, needs: Needs, picks: Sequence[Choice]) -> Table:
    """A column per pick: licence, decisive figures, how it is run, who says so."""
    rows = [("Licence", *(_licence_cell(pick.found) for pick in picks))]
    shown: list[list[Fact]] = [[*pick.found.first("licence")] for pick in picks]
    for label, facts in _figure_rows(group(needs.task), picks):
        rows.append((label, *(wording.cell(fact) for fact in facts)))
        for column, fact in zip(shown, facts, strict=True):
            column += [fact] if fact else []
    rows.append(("How it is run", *(_run(ctx, pick.card, needs) for pick in picks)))
    rows.append(("Source", *(_sources(facts) for facts in shown)))
    cites = [fact for column in shown for fact in column]
    cites += [fact for pick in picks for fact in pick.found.find("repository")]
    return Table(("", *(pick.card.name for pick in picks)), tuple(rows), "Picks", tuple(cites))


def _figure_rows(
    kind: str, picks: Sequence[Choice]
) -> Iterator[tuple[str, tuple[Fact | None, ...]]]:
    if kind == "classifier":
        points = [pick.found.point for pick in picks]
        yield "ImageNet top-1", tuple(point.top1 if point else None for point in points)
        for name in ("latency_ms", "images_per_second"):
            speeds = [point.speed if point else None for point in points]
            row = tuple(fact if fact and fact.property == name else None for fact in speeds)
            if any(row):
                yield properties()[name].label, row
    for name in _FIGURES[kind]:
        found = tuple(_figure(pick, name) for pick in picks)
        if any(found):
            yield properties()[name].label, found


def _figure(pick: Choice, name: str) -> Fact | None:
    """The fact that a limit rests on, else the best one."""
    own = pick.card.id
    used = [fact for finding in pick.checked for fact in finding.facts if fact.system == own]
    named = [fact for fact in used if fact.property == name]
    if name.startswith("price") and pick.card.kind != "hosted":
        return None  # what somebody else charges for running it
    return next(iter((*named, *pick.found.first(name))), None)


def _licence_cell(found: Dossier) -> str:
    use = found.card.commercial_use
    told = {"yes": "commercial use allowed", "conditions": "commercial use on conditions"}
    return f"{found.card.licence or 'not stated'}; {told.get(use or '', 'no commercial use')}"


def _run(ctx: Context, card: Card, needs: Needs) -> str:
    tool = _TOOLS.get(needs.task, needs.task)
    able = card.status == "available" and any(c.tool == tool for c in card.capabilities)
    here = able and ctx.tools[tool].card.built
    where = (
        f"{_KINDS[card.kind]}: {card.run.repository}" if card.run.repository else _KINDS[card.kind]
    )
    return f"{where}; here with the tool {tool}" if here else where


def _sources(facts: Sequence[Fact]) -> str:
    return "; ".join(dict.fromkeys(wording.source(fact) for fact in facts)) or "-"
