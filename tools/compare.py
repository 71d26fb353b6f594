"""The tool `compare`: two or more systems side by side."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from index.card import Card
from index.evidence import Fact, Measurement
from index.properties import properties
from tools import wording
from tools.base import Block, Context, NeedsInput, NotBuiltYet, Table, Text, ToolCard, ToolFailed

CARD = ToolCard(
    title="Compare models",
    summary="Sets two or more systems side by side: same job or not, facts, scores, a verdict.",
    examples=(
        "Compare schnell and klein 4B",
        "convnext_femto vs mobilenetv3",
        "What is the difference between FLUX.1 dev and schnell?",
        "ResNet50 or EfficientNet-B0?",
        "Which is faster, vit tiny or convnext femto?",
        "Compare SDXL with Stable Diffusion 3.5",
        "FLUX.2 pro versus flex versus max",
        "Is ai-toolkit better than SimpleTuner?",
        "convnext_femto against FLUX.1 pro",
        "Put Kontext and Fill side by side",
        "SDXL or SD 1.5 for a beginner?",
        "differences between mobilenetv3 large and small",
        "How does klein 9B stack up against klein 4B?",
        "dall-e-3 vs midjourney",
        "Which uses less memory, swin_tiny or resnet101?",
        "Show me resnet18, resnet34 and resnet50 in one table",
        "Should I take FLUX.2 dev or stay with FLUX.1 dev?",
        "Which of these three is the smallest: atto, femto, pico?",
        "Pros and cons of kohya against diffusers for training",
        "How do textual inversion and DreamBooth differ?",
        "Try schnell and SDXL Turbo on the same prompt and show me both",
        "Run resnet50 and convnext_tiny on my shoe photos, who gets more right?",
        "Bake-off: vit_small, deit3_small and tiny_vit on these plants",
        "What do I gain by paying for max instead of pro?",
        "Which of the two is cheaper, kontext pro or kontext max?",
        "compare deit3_small and efficientnetv2 on my car pictures",
        "i can not decide between edgenext and mobilevit, what is difference",
        "Same prompt with klein and with flex, I want to see which picture looks nicer",
        "Line up price, speed and licence of pro, max and flex",
        "Who wins on accuracy, fastvit or repvit?",
    ),
)
_JOBS = {
    "classify": "naming what is in pictures",
    "embed": "computing features of pictures",
    "finetune": "being trained on labelled pictures",
    "export": "being deployed",
    "generate": "making pictures from words",
    "edit": "changing pictures",
    "personalize": "teaching a model a subject",
    "control": "steering a picture model",
}
_FACTS = (
    "publisher", "licence", "commercial_use", "status", "parameters", "download_mb", "file_mb",
    "memory_gib", "training_memory_gib", "steps", "guidance", "max_text_tokens", "max_references",
    "max_megapixels", "text_encoder", "price", "price_next_megapixel", "price_edit", "macs",
    "latency_ms", "images_per_second", "seconds_per_image", "trains", "training_steps",
)  # fmt: skip
# What people compare by, and the properties that tell of it.
ASPECTS: Mapping[str, tuple[str, ...]] = {
    "price": ("price", "price_next_megapixel", "price_edit", "price_rule", "training_price"),
    "licence": ("licence", "commercial_use", "output_use"),
    "memory": ("memory_gib", "training_memory_gib", "memory_saving"),
    "speed": ("latency_ms", "images_per_second", "seconds_per_image", "steps"),
    "accuracy": ("top1", "top5", "top1_real", "top1_v2"),
    "parameters": ("parameters",),
    "size": ("parameters", "file_mb", "download_mb"),
    "resolution": ("max_megapixels", "image_size", "width", "height"),
    "quality": ("user_preference", "top1", "clip_t", "dino"),
}
_WORDS = {"higher": "the higher", "lower": "the lower"}


def compare(
    ctx: Context,
    systems: tuple[str, ...],
    properties: tuple[str, ...] = (),
    images: tuple[Path, ...] = (),
    labels: tuple[str, ...] = (),
    prompts: tuple[str, ...] = (),
    seeds: tuple[int, ...] = (),
    count: int = 1,
) -> Iterator[Block]:
    """Says first whether the systems do the same job, then shows facts, scores and a verdict.

    Args:
        ctx: the context.
        systems: names of the systems, two or more.
        properties: what to compare by: properties or ASPECTS; the usual ones if left out.
        images: pictures for a bake-off.
        labels: their labels.
        prompts: prompts for a bake-off.
        seeds: seeds of a bake-off.
        count: pictures for each prompt of a bake-off.

    Raises:
        ToolFailed: a system or property is not known.
        NeedsInput: fewer than two systems were named.
        NotBuiltYet: a bake-off is asked for.
    """
    if images or prompts or labels or seeds or count != 1:
        raise NotBuiltYet("bake-off of compare")
    cards = _cards(ctx, systems)
    yield Text(_same_job(cards))
    wanted = [name for word in properties for name in ASPECTS.get(word, (word,))]
    shared = asked = _rows(ctx, cards, wanted or _FACTS)
    if not asked:
        yield Text(f"Nothing is known of their {' and '.join(properties)}; this is known instead.")
        shared = _rows(ctx, cards, _FACTS)
    yield _table("Facts", cards, shared)
    scores = _rows(ctx, cards, _scores(ctx, cards))
    if scores and not properties:
        yield _table("Published scores", cards, scores)
    yield _capabilities(cards)
    yield from _verdict(cards, shared if properties else {**shared, **scores}, bool(asked))


def _cards(ctx: Context, systems: Sequence[str]) -> tuple[Card, ...]:
    names = ctx.index.names
    found: dict[str, Card] = {}
    for name in systems:
        card = ctx.catalog.get(name) or ctx.catalog.get(names.resolve(name) or "")
        if card is None:
            near = ", ".join(names.nearest(name))
            raise ToolFailed(f"No card or result is called {name!r}. The nearest: {near}.")
        found[card.id] = card
    if len(found) < 2:
        raise NeedsInput("Which two systems shall I compare? Name both.")
    return tuple(found.values())


def _same_job(cards: Sequence[Card]) -> str:
    if len({card.tasks[0] for card in cards}) == 1:
        named = " and ".join(card.name for card in cards)
        return f"{named} do the same job: {_JOBS[cards[0].tasks[0]]}."
    jobs = "; ".join(f"{card.name} is for {_JOBS[card.tasks[0]]}" for card in cards)
    return f"These do different jobs, so neither can replace the other: {jobs}."


def _scores(ctx: Context, cards: Sequence[Card]) -> tuple[str, ...]:
    facts = (fact.property for card in cards for fact in ctx.evidence.find(card.id))
    return tuple(name for name in dict.fromkeys(facts) if properties()[name].score)


Rows = dict[tuple[str, str], tuple[Fact | None, ...]]


def _rows(ctx: Context, cards: Sequence[Card], wanted: Sequence[str]) -> Rows:
    """Property and condition -> the fact of each system; conditions are never mixed in a row."""
    rows: Rows = {}
    for name in wanted:
        if name not in properties():
            known = ", ".join(properties())
            raise ToolFailed(
                f"{name!r} is nothing to compare by. Choose from: {', '.join(ASPECTS)}, {known}."
            )
        found = [ctx.evidence.find(card.id, name) for card in cards]
        found = [[f for f in facts if wording.truth(f) is not None] for facts in found]
        for at in _conditions(found):
            row = tuple(next((f for f in facts if f.at == at), None) for facts in found)
            rows[name, at] = row
    return rows


def _conditions(found: Sequence[Sequence[Fact]]) -> tuple[str, ...]:
    """The conditions under which most systems have a value; all of one if none is shared."""
    counts: dict[str, int] = {}
    for facts in found:
        for at in dict.fromkeys(fact.at for fact in facts):
            counts[at] = counts.get(at, 0) + 1
    shared = tuple(at for at, count in counts.items() if count > 1)
    return shared or tuple(dict.fromkeys(facts[0].at for facts in found if facts))


def _table(title: str, cards: Sequence[Card], rows: Rows) -> Table:
    cells = tuple(
        (_heading(name, at), *(wording.shown(fact) if fact else "-" for fact in row), _from(row))
        for (name, at), row in rows.items()
    )
    cites = tuple(fact for row in rows.values() for fact in row if fact)
    return Table(("", *(card.name for card in cards), "Source"), cells, title, cites)


def _heading(name: str, at: str) -> str:
    label = properties()[name].label
    return f"{label} ({at})" if at else label


def _from(row: Sequence[Fact | None]) -> str:
    return "; ".join(dict.fromkeys(wording.source(fact) for fact in row if fact))


def _capabilities(cards: Sequence[Card]) -> Table:
    rows = tuple(
        (card.name, "; ".join(c.title for c in card.capabilities) or "-") for card in cards
    )
    return Table(("System", "It can"), rows, "Capabilities")


def _verdict(cards: Sequence[Card], rows: Rows, asked: bool) -> Iterator[Text]:
    """Who leads in what, from the rows alone; nothing is weighed into one number.

    The one that leads in all that was asked is the pick that a later step may take on.
    """
    lines, cites, leaders = [], [], set()
    for (name, at), row in rows.items():
        rule = properties()[name]
        values = {card.name: fact for card, fact in zip(cards, row, strict=True) if fact}
        if not rule.better or len(values) != len(cards) or _mixed(row):
            continue
        ranked = sorted(values.items(), key=lambda item: _number(item[1]))
        ranked = ranked[::-1] if rule.better == "higher" else ranked
        if _number(ranked[0][1]) == _number(ranked[-1][1]):
            continue
        told = ", ".join(f"{who} {wording.shown(fact)}" for who, fact in ranked)
        lines.append(f"- {_heading(name, at)}: {_WORDS[rule.better]} is better: {told}")
        cites += [fact for _, fact in ranked]
        leaders.add(ranked[0][1].system)
    if len({card.tasks[0] for card in cards}) > 1:
        lines.append("- They do different jobs: choose by the job, not by these figures.")
    if lines:
        told = "**Verdict, from the rows above (best first)**\n\n" + "\n".join(lines)
        picks = [{"system": leader} for leader in leaders] if asked and len(leaders) == 1 else []
        yield Text(told, (*cites,), {"picks": picks})


def _mixed(row: Sequence[Fact | None]) -> bool:
    """Whether a row sets a measurement of this machine beside another machine's figure."""
    return len({isinstance(fact, Measurement) for fact in row}) > 1


def _number(fact: Fact) -> float:
    value = wording.truth(fact)
    return float(value) if isinstance(value, int | float) else 0.0
