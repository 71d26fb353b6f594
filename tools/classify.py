"""The tool `classify`: what is in these pictures."""

import csv
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from index.evidence import Measurement
from tools import pictures, plots, wording
from tools.base import (
    Block,
    Context,
    File,
    Image,
    NeedsInput,
    Plot,
    Table,
    Text,
    ToolCard,
    ToolFailed,
)
from tools.measure import measure
from tools.models import DEFAULT_CLASSIFIER, POCKET_CLASSIFIER

if TYPE_CHECKING:
    from tools.engines.convnet import Classifier, Reading

CARD = ToolCard(
    title="Say what is in a picture",
    summary="Names what is in your pictures, with probabilities, by any classifier of timm.",
    examples=(
        "What is in this picture?",
        "What do you see?",
        "Classify this image",
        "What is this?",
        "Which animal is that?",
        "Label these photos",
        "Recognise the object in this photo",
        "Top 3 guesses for this picture, please",
        "Run convnext_femto on this picture",
        "What does resnet50 say about this image?",
        "Is this a star or a heart?",
        "Name the things in these pictures",
        "what breed is my dog?",
        "Identify this plant for me please",
        "Can you tell me what kind of shoe this is?",
        "which mushroom did I find in the forest",
        "Is that a cat or a fox in my garden?",
        "whats on the pic",
        "Tell me what the thing in the photo is",
        "There is a bug in my kitchen, what could it be?",
        "Recognise the logo in this picture",
        "Say which make of car this is and how sure you are",
        "Tag every photo in this zip with convnext_tiny",
        "please to say me what object is here",
        "Is there a broken bone in this x-ray, or is it normal?",
        "Predict the class of the attached image with vit_tiny",
        "What kind of flower or fruit is shown?",
        "Guess what my little brother has drawn",
    ),
    runs_model=True,
)
_MOST_PICTURES = 200
_MOST_ROWS = 100  # of the table; the rest is in the file
_MOST_SHOWN = 12  # thumbnails, and bars of the overview
_MOST_NAMED = 4  # pictures that get a sentence each
_THUMBNAIL = 256  # px
_TOGETHER = 16  # pictures held in memory at once


@dataclass(frozen=True)
class _Seen:
    """A picture with what the classifier makes of it."""

    name: str
    thumbnail: Path
    reading: "Reading"


@dataclass(frozen=True)
class _Guess:
    """One label of one picture, kept as evidence."""

    picture: str
    label: str
    fact: Measurement


def classify(
    ctx: Context,
    images: tuple[Path, ...] = (),
    dataset: Path | None = None,
    model: str | None = None,
    top_k: Annotated[int, Field(ge=1, le=1000)] = 5,
    output: Literal["table", "csv", "json"] = "table",
) -> Iterator[Block]:
    """Says what is in pictures, with probabilities, time, size of the model and device.

    Args:
        ctx: the context.
        images: picture files.
        dataset: a folder or zip of pictures.
        model: card id, timm name, or local folder; the default if left out.
        top_k: labels for each picture.
        output: a table, or also a file.

    Raises:
        NeedsInput: no picture was given, or a large download must be agreed to.
        ToolFailed: the model cannot be had, or no picture can be read.
    """
    found = pictures.sources(images, dataset)
    if not found:
        raise NeedsInput("Which picture? Drop one in, or name a folder or zip of pictures.")
    classifier, instead = _classifier(ctx, model)
    started = time.perf_counter()
    seen, unread = _look(ctx, classifier, found[:_MOST_PICTURES], top_k)
    seconds = time.perf_counter() - started
    if not seen:
        raise ToolFailed(" ".join(unread[:_MOST_NAMED]))
    known = [picture for picture in seen if not picture.reading.outside]
    guesses = _guesses(ctx, classifier.system, known)
    yield _answer(classifier, seen, guesses)
    if classifier.limited:
        yield _real_model(ctx)
    yield _circumstances(ctx, classifier, len(seen), seconds)
    yield from _notes(ctx, classifier, instead, unread, len(found) > _MOST_PICTURES)
    if guesses:
        yield _table(classifier.system, guesses)
        yield _plot(ctx, classifier.system, guesses)
    yield from _thumbnails(seen, guesses)
    if output != "table" or sum(len(p.reading.ranked) for p in known) > _MOST_ROWS:
        yield _file(ctx, classifier.system, known, "json" if output == "json" else "csv")


def _classifier(ctx: Context, model: str | None) -> tuple["Classifier", str]:
    """The classifier to use; if it stands in for the default, why."""
    if ctx.models is None:
        raise RuntimeError("classify runs where the models are")
    if model:
        return ctx.models.load(model, ctx.report, ctx.agreement), ""
    name = ctx.models.default_classifier()
    try:
        return ctx.models.load(name, ctx.report, ctx.agreement), ""
    except ToolFailed as failure:
        if name == POCKET_CLASSIFIER:
            raise
        return ctx.models.load(POCKET_CLASSIFIER, ctx.report), str(failure)


def _look(
    ctx: Context, classifier: "Classifier", found: Sequence[pictures.Source], top_k: int
) -> tuple[list[_Seen], list[str]]:
    """Reads and classifies pictures; returns also a sentence for each that cannot be read."""
    from tools.engines import convnet

    seen: list[_Seen] = []
    unread: list[str] = []
    for start in range(0, len(found), _TOGETHER):
        ctx.report(start / len(found), "looking at the pictures")
        opened = []
        for source in found[start : start + _TOGETHER]:
            try:
                opened.append((source.name, pictures.read(source)))
            except pictures.NotRead as reason:
                unread.append(f"{source.name} {reason}")
        if not opened:
            continue
        outputs = convnet.logits(classifier, [picture for _, picture in opened])
        readings = convnet.read(classifier, outputs, top_k)
        for (name, picture), reading in zip(opened, readings, strict=True):
            thumbnail = ctx.run_folder / f"picture-{len(seen) + 1}.jpg"
            if len(seen) < _MOST_SHOWN:
                picture.thumbnail((_THUMBNAIL, _THUMBNAIL))
                picture.save(thumbnail, quality=88)
            seen.append(_Seen(name, thumbnail, reading))
    return seen, unread


def _guesses(ctx: Context, system: str, known: Sequence[_Seen]) -> tuple[_Guess, ...]:
    """What is shown of the readings, each figure a measurement."""
    each = max(1, _MOST_ROWS // max(1, len(known)))
    return tuple(
        _Guess(
            picture.name,
            label,
            measure(ctx, system, "probability", _percent(share), f"{picture.name}: {label}"),
        )
        for picture in known
        for label, share in picture.reading.ranked[:each]
    )


def _percent(share: float) -> float:
    return round(100 * share, 4)


def _tops(guesses: Sequence[_Guess]) -> tuple[_Guess, ...]:
    """The first guess of each picture."""
    first: dict[str, _Guess] = {}
    for guess in guesses:
        first.setdefault(guess.picture, guess)
    return tuple(first.values())


def _answer(classifier: "Classifier", seen: Sequence[_Seen], guesses: Sequence[_Guess]) -> Text:
    """What is in each picture; of many, the surest and the least sure one."""
    tops = _tops(guesses)
    if len(seen) <= _MOST_NAMED:
        said = [_sentence(top) for top in tops]
    elif tops:
        ranked = sorted(tops, key=lambda top: top.fact.value)
        tops = (ranked[-1], ranked[0])
        said = [
            "The most likely label of each picture is in the table below.",
            f"Surest: {_sentence(tops[0])}",
            f"Least sure: {_sentence(tops[1])}",
        ]
    else:
        said = []
    if outside := [picture.name for picture in seen if picture.reading.outside]:
        others = " and others" if len(outside) > _MOST_NAMED else ""
        said.append(f"{', '.join(outside[:_MOST_NAMED])}{others}: {_outside(classifier)}")
    return Text("\n\n".join(said), tuple(top.fact for top in tops))


def _sentence(top: _Guess) -> str:
    article = "an" if top.label[:1].lower() in "aeiou" else "a"
    return (
        f"{top.picture}: most likely {article} {top.label} (probability {wording.shown(top.fact)})."
    )


def _outside(classifier: "Classifier") -> str:
    return (
        f"{classifier.system} cannot tell what this is. It knows drawn things only, and this does "
        "not look like a drawing of that kind; it may be a photograph."
    )


def _real_model(ctx: Context) -> Text:
    """What the stand-in is, and which real model to use and what it takes."""
    size = wording.best(ctx.catalog.find(DEFAULT_CLASSIFIER, "download_mb"))
    takes = f"a network to fetch it (download size {wording.shown(size)})" if size else "a network"
    return Text(
        "That comes from our own small model of drawn things. For photographs use "
        f"{DEFAULT_CLASSIFIER}: it takes {takes}, or a folder that holds its weights.",
        (size,) if size else (),
    )


def _circumstances(ctx: Context, classifier: "Classifier", count: int, seconds: float) -> Text:
    """Model, device, time and size."""
    from tools.engines import convnet

    system = classifier.system
    millions = convnet.parameter_count(classifier) / 1e6
    size = measure(ctx, system, "parameters", millions, "")
    if count == 1:
        at = "one picture, reading and preparing it included"
        speed = measure(ctx, system, "latency_ms", 1000 * seconds, at)
        took = f"latency {wording.shown(speed)}"
    else:
        at = "these pictures, reading and preparing them included"
        speed = measure(ctx, system, "images_per_second", count / seconds, at)
        took = f"throughput {wording.shown(speed)}"
    return Text(
        f"{system} on {speed.device}: {took} ({speed.at}), parameters {wording.shown(size)}.",
        (speed, size),
    )


def _notes(
    ctx: Context, classifier: "Classifier", instead: str, unread: Sequence[str], cut: bool
) -> Iterator[Text]:
    card = ctx.catalog.get(classifier.system)
    if card and card.commercial_use == "no":
        yield Text(
            f"The licence of {card.id} ({card.licence}) does not allow commercial use.",
            tuple(ctx.catalog.find(card.id, "licence")),
        )
    if instead:
        yield Text(f"{DEFAULT_CLASSIFIER} was tried first. {instead}")
    if cut:
        yield Text("There are more pictures than one answer takes; the last ones were left out.")
    for sentence in unread[:_MOST_NAMED]:
        yield Text(sentence)
    if len(unread) > _MOST_NAMED:
        yield Text("Other pictures could not be read either.")


def _table(system: str, guesses: Sequence[_Guess]) -> Table:
    rows = tuple((guess.picture, guess.label, wording.shown(guess.fact)) for guess in guesses)
    columns = ("Picture", "Label", "Probability")
    return Table(columns, rows, f"What {system} sees", tuple(guess.fact for guess in guesses))


def _plot(ctx: Context, system: str, guesses: Sequence[_Guess]) -> Plot:
    """One picture: its labels. Many: the first label of each, the least sure ones on top."""
    tops = sorted(_tops(guesses), key=lambda top: top.fact.value)
    alone = len(tops) == 1
    drawn = (guesses if alone else tops)[:_MOST_SHOWN]
    title = (
        f"{tops[0].picture}: probability of each label, by {system}"
        if alone
        else f"Probability of the first label, least sure on top, by {system}"
    )
    shown = [
        plots.Bar(
            guess.label if alone else f"{guess.picture}: {guess.label}",
            guess.fact.value,
            wording.shown(guess.fact),
        )
        for guess in drawn
    ]
    alt = f"Bars. {title}. " + ", ".join(f"{bar.label} {bar.shown}" for bar in shown)
    facts = [guess.fact for guess in drawn]
    return plots.bars(ctx.run_folder / "labels.png", title, shown, alt, facts)


def _thumbnails(seen: Sequence[_Seen], guesses: Sequence[_Guess]) -> Iterator[Image]:
    tops = {top.picture: top for top in _tops(guesses)}
    for picture in seen[:_MOST_SHOWN]:
        top = tops.get(picture.name)
        alt = f"{picture.name}, most likely: {top.label}" if top else f"{picture.name}, not known"
        yield Image(picture.thumbnail, alt)


def _file(ctx: Context, system: str, known: Sequence[_Seen], kind: str) -> File:
    rows = [
        {"picture": p.name, "label": label, "probability_percent": _percent(share), "model": system}
        for p in known
        for label, share in p.reading.ranked
    ]
    path = ctx.run_folder / f"labels.{kind}"
    with path.open("w", encoding="utf-8", newline="") as file:
        if kind == "json":
            json.dump(rows, file, indent=1, ensure_ascii=False)
        else:
            writer = csv.DictWriter(file, ("picture", "label", "probability_percent", "model"))
            writer.writeheader()
            writer.writerows(rows)
    return File(path, f"All labels with their probabilities, as {kind.upper()}")
