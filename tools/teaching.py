"""How a subject is taught: what is asked before, the training itself, and the proof that it worked.

Everything heavy lies in `tools/engines/training/`; here it is put into an order that a person can
follow, and into words.
"""

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from tools import drawing, owned, photos, plain, proving, subject
from tools.base import Block, Context, File, LiveReport, NeedsInput, Text, ToolFailed
from tools.forms import PIPELINE
from tools.placement import Wanted
from tools.proving import STRENGTH, Proof, is_pocket
from tools.subject import RARE, Subject

if TYPE_CHECKING:
    from tools.engines.flux import Order, Painter
    from tools.engines.training.loop import Lesson, Pace
    from tools.engines.training.settings import Settings

_WHAT = "What is on the photos? Say it in a word or two, such as dog, mug or toy car."
_SEED: Final = 100  # of the pictures that are drawn for it
_DRAWN_FOR_PROOF: Final = 3 * proving.PLACES + 2 * proving.CLASS
_TRIED: Final = 4  # steps, to tell how long all of them take; the first is slow
_SPARE_SECONDS: Final = 15.0  # for loading, encoding and the proof
# Shares of the progress: class pictures, the training, the proof.
_DRAWN, _TAUGHT = 0.1, 0.85


def teach(ctx: Context, told: Mapping[str, Any], images: Sequence[Path]) -> Iterator[Block]:
    """Teaches a model a subject, and shows what came of it.

    Args:
        ctx: the context.
        told: the settings that a person or a file gives.
        images: the photos.

    Raises:
        NeedsInput: photos or the name of what is on them are missing, or it takes long.
        ToolFailed: the photos, a setting or the model will not do.
    """
    from tools.engines.training import settings

    if ctx.models is None:
        raise RuntimeError("personalize runs where the models are")
    wanted = told.get("model") or ctx.models.default_generator()
    painter: Painter = ctx.models.load(wanted, ctx.report, ctx.agreement, PIPELINE, Wanted())
    chosen = settings.settled(_own_values(ctx, painter), told, {"model": painter.system})
    if chosen.method != "lora" or chosen.train_text_encoder:
        asked = "train_text_encoder" if chosen.method == "lora" else f"method {chosen.method!r}"
        raise ToolFailed(f"{asked} is not built yet. Leave it out, and an adapter is trained.")
    taught = _subject(painter, chosen, images)
    chosen = replace(
        chosen,
        images=tuple(map(str, images)),
        class_noun=taught.noun,
        token=taught.token,
    )
    for line in taught.advice:
        yield Text(line, state=(line,))
    yield from _taught(ctx, painter, chosen, taught)


def _own_values(ctx: Context, painter: "Painter") -> Mapping[str, Any]:
    """How a model is best taught, as its card says, at the size that it draws."""
    card = ctx.catalog.get(painter.system)
    best = asdict(card.training) if card and card.training else {}
    return {"resolution": painter.run.width, **best}


def _subject(painter: "Painter", chosen: "Settings", images: Sequence[Path]) -> Subject:
    """The photos and the words that stand for what is on them."""
    from tools.engines import flux
    from tools.engines.training import dreambooth
    from tools.pocket import subjects

    dreambooth.family(painter)  # refuses what cannot be taught before anything is asked
    seen = photos.checked(images, chosen.resolution)
    if not chosen.class_noun:
        raise NeedsInput(_WHAT)
    noun = subject.noun(chosen.class_noun)
    if unknown := flux.unknown_words(painter, noun):  # only of a small model
        raise NeedsInput(
            f"{painter.system} does not know the word {', '.join(unknown)}. Which of its words "
            f"comes nearest? {subjects.kind_of(noun)}, for instance.",
            (subjects.kind_of(noun),),
        )
    token = subject.token(
        chosen.token or None,
        lambda word: flux.pieces(painter, word),
        lambda word: _means_something(painter, word),
    )
    around = _world(painter).around(seen.pictures)
    captions = subject.captions([one.path for one in seen.sources], chosen.captions)
    prompts = tuple(
        subject.caption(token, noun, said) if said else one.told(f"{token} {noun}")
        for said, one in zip(captions, around, strict=True)
    )
    return Subject(token, noun, seen.pictures, tuple(around), prompts, seen.advice)


def _world(painter: "Painter") -> Any:
    """The words around a subject that a model understands."""
    from tools.pocket import subjects

    return subjects if is_pocket(painter) else plain


def _means_something(painter: "Painter", word: str) -> bool:
    """Whether a word is one that the model has read of things in the world."""
    from index.encoder import load_encoder
    from tools.engines import flux

    if flux.unknown_words(painter, word):
        return False
    return word not in RARE and load_encoder().is_word(word)


def _taught(
    ctx: Context, painter: "Painter", chosen: "Settings", taught: Subject
) -> Iterator[Block]:
    """The training, then its proof."""
    from tools.engines.training import dreambooth, loop, settings

    family = dreambooth.family(painter)
    own = dreambooth.lessons(
        painter, taught.pictures, taught.prompts, chosen.resolution, flip=chosen.flip
    )
    _agree(ctx, painter, own, chosen, taught)
    yield _plan(ctx, painter, chosen, taught)
    began, kept = time.monotonic(), ctx.kept / taught.key(settings.written(chosen))
    mark = f"{ctx.run} {kept.name}"
    name = owned.free_name(ctx, taught.trigger.replace(" ", "-"), mark)
    prior = _prior(ctx, painter, chosen, taught, kept / "class")
    places = _world(painter).new_places(taught.around, proving.PLACES)
    folders = kept / "proof", ctx.run_folder / name
    proof = Proof(painter, _order(painter), taught.trigger, taught.pictures, places, *folders)
    proof.draw("before")
    with dreambooth.learning(painter, chosen.rank, chosen.seed):
        losses = loop.fit(
            painter.pipeline, family, own, prior, _pace(chosen),
            seed=chosen.seed,
            checkpoints=kept / "checkpoints",
            report=_part(ctx, _DRAWN, _TAUGHT),
            show=proof.sample(chosen.steps),
        )  # fmt: skip
        file = owned.keep(ctx, painter, chosen, taught, name, mark)
        proof.draw("taught")
        getattr(painter.pipeline, family.network).set_adapters("default", weights=STRENGTH)
        proof.draw("weaker")
    yield _told(taught, name, painter, losses, time.monotonic() - began)
    card = ctx.catalog.get(painter.system)
    yield from proof.blocks(name, card.licence if card else "")
    yield File(file, f"The adapter {name} for {painter.system}, as safetensors.")
    yield from drawing.notes(ctx, painter)


def _told(
    taught: Subject, name: str, painter: "Painter", losses: Sequence[float], seconds: float
) -> Text:
    """That it is done, how long it took, and how to use it."""
    took, tail = f"{seconds:.0f} seconds", losses[-len(losses) // 10 :]
    loss = f"{sum(tail) / len(tail):.3f}"
    use = f"a {taught.trigger}"
    return Text(
        f"Done in {took} (loss {loss} at the end). {painter.system} now draws your {taught.noun}: "
        f'say "draw {use} …" with the adapter {name}.',
        data={"adapter": name, "token": taught.token, "class_noun": taught.noun},
        state=(took, loss, use, name),
    )


def _part(ctx: Context, first: float, last: float) -> LiveReport:
    """Reports a part of the work as a share of all of it."""

    def report(
        done: float,
        note: str = "",
        curve: Mapping[str, float] | None = None,
        preview: Path | None = None,
    ) -> None:
        ctx.report(first + (last - first) * done, note, curve, preview)

    return report


def _agree(
    ctx: Context, painter: "Painter", own: Sequence["Lesson"], chosen: "Settings", taught: Subject
) -> None:
    """Tries a few steps, and asks whether all of them may take as long as that tells."""
    from tools.engines.training import dreambooth, loop

    if ctx.agreement.lasting:
        return
    prior = own[0] if chosen.prior_images else None
    ended: list[float] = []

    def report(
        done: float,
        note: str = "",
        curve: Mapping[str, float] | None = None,
        preview: Path | None = None,
    ) -> None:
        ended.append(time.monotonic())
        ctx.report(0.0, "trying how long it takes")

    with TemporaryDirectory() as folder, dreambooth.learning(painter, chosen.rank, chosen.seed):
        loop.fit(
            painter.pipeline, dreambooth.family(painter), own, prior,
            replace(_pace(chosen), steps=_TRIED),
            seed=chosen.seed, checkpoints=Path(folder), report=report,
        )  # fmt: skip
    step = min(later - earlier for earlier, later in itertools.pairwise(ended))
    # A step forth is a third of a step forth and back; guidance takes two of them.
    drawn = (chosen.prior_images + _DRAWN_FOR_PROOF) * drawing.steps(painter.run)
    one = step / 3 / (chosen.batch * (2 if prior else 1))
    seconds = step * chosen.steps + 2 * one * drawn + _SPARE_SECONDS
    question = (
        f"Teaching {painter.system} this {taught.noun} takes about {_words(seconds)} on "
        f"{painter.device}. Shall I?"
    )
    ctx.agreement.take(seconds, question, "Yes, teach it")


def _words(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 100 else f"{seconds / 60:.0f} minutes"


def _pace(chosen: "Settings") -> "Pace":
    from tools.engines.training.loop import Pace

    return Pace(
        chosen.steps, chosen.batch, chosen.learning_rate, chosen.accumulated, chosen.prior_weight
    )


def _plan(ctx: Context, painter: "Painter", chosen: "Settings", taught: Subject) -> Text:
    """What is about to be done."""
    kind = _world(painter).kind_of(taught.noun)
    other = "" if kind == taught.noun else f" (of its own {kind}, which comes nearest)"
    photos = f"{len(taught.pictures)} photos"
    steps, prior = f"{chosen.steps} steps", f"{chosen.prior_images} pictures of the class{other}"
    told = "; ".join(taught.prompts)
    return Text(
        f"{painter.system} learns the {taught.noun} of your {photos} on {ctx.device} in {steps}, "
        f"as an adapter of rank {chosen.rank}, beside {prior} that it goes on drawing as before. "
        f"It reads the photos as: {told}. In prompts your {taught.noun} is called "
        f'"{taught.trigger}".',
        state=(photos, steps, prior, f"rank {chosen.rank}"),
    )


def _order(painter: "Painter") -> "Order":
    from tools.engines.flux import Order

    run = painter.run
    side = run.width or 512
    return Order("", "", side, run.height or side, drawing.steps(run), drawing.guidance(run), _SEED)


def _prior(
    ctx: Context, painter: "Painter", chosen: "Settings", taught: Subject, folder: Path
) -> "Lesson | None":
    """Pictures of the class, drawn by the model before it learns."""
    from tools.engines.training import dreambooth

    if chosen.class_images:
        own = photos.of_class(Path(chosen.class_images))
        lessons = dreambooth.lessons(
            painter, own, [f"a {taught.noun}"] * len(own), chosen.resolution
        )
        return max(lessons, key=lambda lesson: len(lesson.latents))
    world = _world(painter)
    prompts = world.class_prompts(world.kind_of(taught.noun), chosen.prior_images)
    if not prompts:
        return None
    told = _order(painter), prompts, folder, _part(ctx, 0.0, _DRAWN)
    drawn = dreambooth.drawn(painter, *told)
    [lesson] = dreambooth.lessons(painter, drawn, prompts, chosen.resolution)
    return lesson
