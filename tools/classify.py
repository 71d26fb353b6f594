"""The tool `classify`: what is in these pictures."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from tools import labels, pictures, wording
from tools.base import (
    Block,
    Context,
    Image,
    NeedsInput,
    Stopped,
    Text,
    ToolCard,
    ToolFailed,
)
from tools.engines.checkpoint import Checkpoints
from tools.forms import CLASSIFIER
from tools.labels import Guess, Seen
from tools.measure import measure
from tools.models import DEFAULT_CLASSIFIER, POCKET_CLASSIFIER

if TYPE_CHECKING:
    from tools.engines.convnet import Classifier

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
    loads=("timm",),
)
_MOST_PICTURES = 20_000
_MOST_TOLD = 200  # pictures that the answer tells of; the file has all
_MOST_SHOWN = 12  # thumbnails
_MOST_NAMED = 4  # pictures that get a sentence each
_THUMBNAIL = 256  # px
_TOGETHER = 16  # pictures held in memory at once
_SAVE_SECONDS = 10.0  # between two checkpoints of a job


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
    classifier, stands_in = _classifier(ctx, model)
    looked = _look(ctx, classifier, found[:_MOST_PICTURES], top_k)
    if not looked.seen:
        raise ToolFailed(" ".join(looked.unread[:_MOST_NAMED]))
    told = looked.seen[:_MOST_TOLD]
    known = [picture for picture in looked.seen if not picture.reading.outside]
    guesses = labels.kept(ctx, classifier.system, [one for one in told if not one.reading.outside])
    yield _answer(classifier, told, guesses)
    if classifier.limited:
        yield _real_model(ctx)
    yield _circumstances(ctx, classifier, len(looked.seen), looked.seconds)
    more, cut = len(looked.seen) > len(told), len(found) > _MOST_PICTURES
    yield from _notes(ctx, classifier, stands_in, looked.unread, more=more, cut=cut)
    if guesses:
        yield labels.table(classifier.system, guesses)
        yield labels.plot(ctx, classifier.system, guesses)
    yield from _thumbnails(ctx, found, told[:_MOST_SHOWN], guesses)
    if output != "table" or sum(len(p.reading.ranked) for p in known) > labels.MOST_ROWS:
        yield labels.file(ctx, classifier.system, known, "json" if output == "json" else "csv")


def _classifier(ctx: Context, model: str | None) -> tuple["Classifier", bool]:
    """The classifier to use, and whether it stands in for a default that cannot be had."""
    if ctx.models is None:
        raise RuntimeError("classify runs where the models are")
    name = model or ctx.models.default_classifier()
    try:
        return ctx.models.load(name, ctx.report, ctx.agreement, CLASSIFIER), False
    except ToolFailed:
        if model or name == POCKET_CLASSIFIER:
            raise
        return ctx.models.load(POCKET_CLASSIFIER, ctx.report, form=CLASSIFIER), True


class _Looked:
    """What has come of the pictures so far; a job goes on from its last checkpoint.

    Attributes:
        place: how many pictures are done.
        seen: those that could be read.
        unread: a sentence for each that could not.
        seconds: those of the model and of its own preprocessing.
    """

    def __init__(self, folder: Path) -> None:
        from tools.engines.convnet import Reading

        self._kept = Checkpoints(folder)
        last, nothing = self._kept.last(), {"place": 0, "seen": (), "unread": [], "seconds": 0.0}
        state: dict[str, Any] = last.load() if last else nothing
        self.place: int = state["place"]
        self.unread: list[str] = state["unread"]
        self.seconds: float = state["seconds"]
        self.seen = [
            Seen(name, Reading(tuple((label, share) for label, share in ranked), outside))
            for name, ranked, outside in state["seen"]
        ]

    def save(self) -> None:
        """Keeps a checkpoint."""
        seen = [
            [one.name, [list(label) for label in one.reading.ranked], one.reading.outside]
            for one in self.seen
        ]
        state = {"place": self.place, "unread": self.unread, "seconds": self.seconds}
        self._kept.save({**state, "seen": seen}, self.place)


def _look(
    ctx: Context, classifier: "Classifier", found: Sequence[pictures.Source], top_k: int
) -> _Looked:
    """Classifies pictures."""
    looked = _Looked(ctx.kept)
    began = saved = time.monotonic()
    while looked.place < len(found):
        try:
            ctx.report(looked.place / len(found), "looking at the pictures")
        except Stopped:
            if ctx.agreement.lasting:
                looked.save()
            raise
        _look_at(classifier, found[looked.place : looked.place + _TOGETHER], looked, top_k)
        if looked.place == _TOGETHER < len(found):
            _agree(ctx, (time.monotonic() - began) * len(found) / _TOGETHER)
        if ctx.agreement.lasting and time.monotonic() - saved > _SAVE_SECONDS:
            looked.save()
            saved = time.monotonic()
    return looked


def _look_at(
    classifier: "Classifier", found: Sequence[pictures.Source], looked: _Looked, top_k: int
) -> None:
    """Classifies the next few pictures."""
    from tools.engines import convnet

    opened = []
    for source in found:
        try:
            opened.append((source.name, pictures.read(source)))
        except pictures.NotRead as reason:
            looked.unread.append(f"{source.name} {reason}")
    looked.place += _TOGETHER
    if not opened:
        return
    started = time.perf_counter()
    outputs = convnet.logits(classifier, [picture for _, picture in opened])
    looked.seconds += time.perf_counter() - started
    readings = convnet.read(classifier, outputs, top_k)
    looked.seen += [Seen(name, read) for (name, _), read in zip(opened, readings, strict=True)]


def _agree(ctx: Context, seconds: float) -> None:
    question = f"These pictures take about {seconds / 60:.0f} minutes. Shall I?"
    ctx.agreement.take(seconds, question, "Yes, look at them all")


def _answer(classifier: "Classifier", seen: Sequence[Seen], guesses: Sequence[Guess]) -> Text:
    """What is in each picture; of many, the surest and the least sure one."""
    told = labels.firsts(guesses)
    said = [labels.sentence(first) for first in told]
    if len(told) > _MOST_NAMED:
        ranked = sorted(told, key=lambda first: first.fact.value)
        told = (ranked[-1], ranked[0])
        said = [
            "The most likely label of each picture is in the table below.",
            f"Surest: {labels.sentence(told[0])}",
            f"Least sure: {labels.sentence(told[1])}",
        ]
    if outside := [picture.name for picture in seen if picture.reading.outside]:
        others = " and others" if len(outside) > _MOST_NAMED else ""
        said.append(f"{', '.join(outside[:_MOST_NAMED])}{others}: {_outside(classifier)}")
    return Text("\n\n".join(said), tuple(first.fact for first in told))


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
        at = "one picture, preparing it included"
        speed = measure(ctx, system, "latency_ms", 1000 * seconds, at)
        took = f"latency {wording.shown(speed)}"
    else:
        at = "these pictures, preparing them included"
        speed = measure(ctx, system, "images_per_second", count / seconds, at)
        took = f"throughput {wording.shown(speed)}"
    return Text(
        f"{system} on {speed.device}: {took} ({speed.at}), parameters {wording.shown(size)}.",
        (speed, size),
    )


def _notes(
    ctx: Context,
    classifier: "Classifier",
    stands_in: bool,
    unread: Sequence[str],
    *,
    more: bool,
    cut: bool,
) -> Iterator[Text]:
    card = ctx.catalog.get(classifier.system)
    if card and card.commercial_use == "no":
        yield Text(
            f"The licence of {card.id} ({card.licence}) does not allow commercial use.",
            tuple(ctx.catalog.find(card.id, "licence")),
        )
    if stands_in:
        yield Text(f"{DEFAULT_CLASSIFIER} could not be fetched. Ask for it by name to see why.")
    if more:
        yield Text("The table tells of the first pictures; the file has all of them.")
    if cut:
        yield Text("There are more pictures than are taken at once; the last ones were left out.")
    yield from (Text(sentence) for sentence in unread[:_MOST_NAMED])
    if len(unread) > _MOST_NAMED:
        yield Text("Other pictures could not be read either.")


def _thumbnails(
    ctx: Context,
    found: Sequence[pictures.Source],
    shown: Sequence[Seen],
    guesses: Sequence[Guess],
) -> Iterator[Image]:
    sources = {source.name: source for source in found}
    named = {first.picture: f"most likely: {first.label}" for first in labels.firsts(guesses)}
    for number, seen in enumerate(shown, start=1):
        path = ctx.run_folder / f"picture-{number}.jpg"
        picture = pictures.read(sources[seen.name])
        picture.thumbnail((_THUMBNAIL, _THUMBNAIL))
        picture.save(path, quality=88)
        yield Image(path, f"{seen.name}, {named.get(seen.name, 'not known')}")
