"""Pictures by hosted models: asked, agreed to, paid once, kept with their recipe and their cost.

`generate` and `edit` come here for a model whose card says that Black Forest Labs runs it. What a
model takes is what the vendor's description says of its endpoint, and nothing else is sent.
"""

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from index.card import Card
from index.evidence import Measurement
from tools import recipe, usable, wording
from tools.base import (
    Block,
    Context,
    Image,
    NeedsConsent,
    NeedsKey,
    Report,
    Text,
    ToolFailed,
)
from tools.measure import measure
from tools.providers import RemoteTask
from tools.purse import Purse
from tools.spending import Budget, Ceiling, dollars
from tools.wishes import Wish, values

if TYPE_CHECKING:
    from tools.engines import bfl

_SECONDS = 10.0  # that a picture is thought to take; the vendor promises nothing
_DAY = timedelta(days=1)
_LAB = "Black Forest Labs"
_OFFERED = 200  # characters of a prompt that is repeated as a choice


def card_of(ctx: Context, model: str | None) -> Card | None:
    """The card of a hosted model; none if the model runs on one's own machine."""
    card = ctx.catalog.get(model) if model else None
    return card if card and card.run.engine == usable.HOSTED else None


def run(ctx: Context, card: Card, wishes: Sequence[Wish]) -> Iterator[Block]:
    """Makes pictures one by one, then tells what they cost; nothing is ever paid twice.

    Args:
        ctx: the context, with a purse.
        card: the hosted model.
        wishes: the pictures; of one size, and from the same pictures.

    Raises:
        NeedsKey: there is no key.
        NeedsConsent: they may cost more, or take longer, than was agreed to.
        NeedsInput: the size is none that the model takes.
        ToolFailed: they cannot be had; the message says why, what was paid and what to do.
        Stopped: the person asked to stop; what was sent is kept and goes on when asked again.
    """
    from tools.engines import bfl

    purse = _purse(ctx)
    account = _account(purse, card, wishes[0])
    asked = [bfl.ask(card, values(card, wish), ctx.catalog) for wish in wishes]
    requests = [_request(purse, ctx.owner, number) for number in range(1, len(wishes) + 1)]
    _agree(ctx, purse, asked, requests)
    made: list[bfl.Made] = []
    seconds: list[float] = []
    try:
        for wish, one, request in zip(wishes, asked, requests, strict=True):
            is_new = purse.books.tasks.find(ctx.owner, request) is None
            payer = bfl.Payer(ctx.owner, request, _budget(purse, one.price.most), purse.job)
            report = _share(ctx.report, len(made), len(wishes))
            began = time.perf_counter()
            made.append(bfl.run(one, payer, account, purse.books, ctx.run_folder, report))
            seconds += [time.perf_counter() - began] if is_new else []
            yield _image(ctx, card, wish, made[-1], len(made))
    except ToolFailed:
        if made:
            yield _bill(card, made, None, ())
        raise
    yield _bill(card, made, _left(account, ctx.report), tuple(_speed(ctx, card, seconds)))
    yield from _terms(ctx, card)


# --- who pays
def _purse(ctx: Context) -> Purse:
    if ctx.purse is None:
        raise RuntimeError("hosted models are asked where the money is kept")
    return ctx.purse


def _account(purse: Purse, card: Card, wish: Wish) -> "bfl.Account":
    """Who asks, and where.

    Raises:
        NeedsKey: there is no key; the best model that is here is offered instead.
        ToolFailed: hosted models are not to be asked here, or the key can be none.
    """
    from tools.engines import bfl

    here = usable.hosted(purse.key is not None, purse.offline, purse.public)
    if purse.key is not None and here.usable:
        key = bfl.read_key(purse.key.get_secret_value())
        return bfl.Account(key, bfl.hosts_of(purse.region))
    said = f"{card.id} cannot be used here: {here.why}. {here.how}"
    if purse.offline or purse.public:
        raise ToolFailed(said)
    free = not wish.images and len(wish.prompt) <= _OFFERED and "\n" not in wish.prompt
    raise NeedsKey(said, (f"Draw {wish.prompt}",) if free else ())


def _request(purse: Purse, owner: str, number: int) -> str:
    """The name of a picture's request: the same as before, unless that one came to nothing.

    A request that was taken and failed, or of which nobody knows, is never sent again; who asks
    again wants a new one.
    """
    names = (f"{purse.step}:{number}:{attempt}" for attempt in itertools.count())
    return next(name for name in names if _is_open(purse.books.tasks.find(owner, name)))


def _is_open(task: RemoteTask | None) -> bool:
    return task is None or task.may_begin or task.state not in ("failed", "unknown")


def _agree(
    ctx: Context, purse: Purse, asked: Sequence["bfl.Asked"], requests: Sequence[str]
) -> None:
    """Asks before money is spent, or time; what was paid under the same agreement is taken off."""
    from tools.engines import bfl

    ledger, told = purse.books.ledger, ctx.agreement
    held = [ledger.find(ctx.owner, request) for request in requests]
    new = sum(money is None or money.state == "released" for money in held)
    if not new:
        return
    spent = ledger.spent(ctx.owner, beginning=purse.question)
    used = spent.charged + spent.reserved + spent.unknown
    seconds = new * _SECONDS
    try:
        bfl.agree(asked[0], replace(told, usd=max(0.0, round(told.usd - used, 6))), new)
    except NeedsConsent as paid:
        agreement = replace(
            paid.agreement,
            usd=round(paid.agreement.usd + used, 6),
            seconds=max(told.seconds, 1.5 * seconds),
        )
        raise NeedsConsent(
            _also(paid.question, seconds, told.seconds), paid.choices[0], agreement
        ) from None
    question = f"These pictures take about {seconds / 60:.0f} minutes. Shall I?"
    told.take(seconds, question, "Yes, make them all")


def _also(question: str, seconds: float, agreed: float) -> str:
    """What is asked about money, and about time if it is long."""
    if seconds <= agreed:
        return question
    return question.replace(" Shall I?", f" They take about {seconds / 60:.0f} minutes. Shall I?")


def _budget(purse: Purse, most: float) -> Budget:
    """What one request may cost; the ledger holds the ceilings, whoever else spends meanwhile."""
    ceilings = [
        Ceiling(
            purse.per_day,
            " on hosted models in 24 hours",
            "Raise FITTING_ROOM_USD_PER_DAY and start again",
            since=datetime.now(UTC) - _DAY,
        )
    ]
    if purse.conversation:
        ceilings.append(
            Ceiling(
                purse.per_conversation,
                " on hosted models in this conversation",
                "Raise FITTING_ROOM_USD_PER_CONVERSATION and start again",
                beginning=purse.conversation,
            )
        )
    return Budget(most, tuple(ceilings))


# --- what is told
def _share(report: Report, before: int, count: int) -> Report:
    """The report of one picture of several."""

    def tell(done: float, note: str = "") -> None:
        report((before + done) / count, note)

    return tell


def _image(ctx: Context, card: Card, wish: Wish, made: "bfl.Made", number: int) -> Image:
    """A copy of the picture with its recipe; the vendor's own file stays beside it, as it came."""
    from PIL import Image as Pictures

    told = recipe.Recipe(
        prompt=wish.prompt,
        model=card.id,
        seed=made.seed if made.seed is not None else wish.seed,
        width=made.width,
        height=made.height,
        steps=wish.steps,
        guidance=wish.guidance,
        strength=wish.strength,
        mode=wish.mode,
        licence=card.licence,
        usd=made.usd,
    )
    path = ctx.run_folder / f"picture-{number}.{made.format}"
    try:
        with Pictures.open(made.file) as picture:
            recipe.write(picture, path, told)
    except (OSError, ValueError, SyntaxError):
        raise ToolFailed(
            f"{card.id} made a picture that is damaged: {made.file}. It is paid; ask Black Forest "
            "Labs for the money back."
        ) from None
    return recipe.picture(path, told)


def _speed(ctx: Context, card: Card, seconds: Sequence[float]) -> Iterator[Measurement]:
    """How long a picture took, of those that were begun and done in this run."""
    if seconds:
        mean = 1000 * sum(seconds) / len(seconds)
        yield measure(ctx, card.id, "latency_ms", mean, "from request to picture", _LAB)


def _bill(
    card: Card, made: Sequence["bfl.Made"], left: float | None, speed: tuple[Measurement, ...]
) -> Text:
    """What was paid, by the vendor's word, what is left, and how long it took."""
    known = [one.usd for one in made if one.usd is not None]
    paid = f"Paid {dollars(round(sum(known), 6))}"
    if len(known) > 1:
        paid += f" ({', '.join(map(dollars, known))})"
    said = [f"{paid} for {card.id}"] if known else [f"{card.id} did not tell its price"]
    state = [paid]
    if left is not None:
        state.append(f"{dollars(left)} of credits left")
        said.append(f"with Black Forest Labs you have {state[-1]}")
    took = "".join(f" Latency: {wording.cell(one)}." for one in speed)
    words = f"{'; '.join(said)}.{took}"
    return Text(words, speed, {"usd": round(sum(known), 6)}, tuple(state))


def _left(account: "bfl.Account", report: Report) -> float | None:
    """The balance; none if it cannot be told just now, which is no reason to fail."""
    from tools.engines import bfl

    try:
        return bfl.balance(account, report)
    except ToolFailed:
        return None


def _terms(ctx: Context, card: Card) -> Iterator[Text]:
    if card.commercial_use != "yes":
        facts = tuple(ctx.catalog.find(card.id, "licence"))
        yield Text(f"What {card.id} makes is under the {card.licence}.", facts)
