"""Hosted models through the tool: agreed to, paid once, refused in words, and never the key."""

import logging
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pictures
from pydantic import SecretStr

from assistant.answer import Answer
from assistant.ask import ask, call
from assistant.conversation import Question
from assistant.jobs import Jobs
from assistant.keys import Keys
from assistant.parts import Parts
from assistant.paying import hosted_card, shows_field
from assistant.routes import availability
from assistant.settings import Settings
from assistant.settling import settle
from assistant.steps import Assistant
from assistant.store import Store
from assistant.wiring import open_assistant
from index import catalog
from index.card import Card
from tests.bfl_server import Lab, Reply
from tests.contexts import context
from tests.processes import wait_for
from tools import hosted, recipe
from tools.base import Agreement, Block, Image, NeedsInput, Text, ToolFailed, load_works
from tools.engines import bfl
from tools.purse import Purse
from tools.remote import Books
from tools.spending import Spent
from tools.wishes import Wish, changes, several, values

KEY = "canary-5b1f77aa-0002"  # looks like no key: nothing may rely on how one looks
ASKED = "Draw a red star on blue with api:flux-2-pro"
MOST = 0.045  # US dollars: what such a picture costs at most
YES = Agreement(usd=MOST)
CATALOG = catalog.load()


@dataclass(frozen=True)
class Room:
    """One's own machine, with a server on it that plays Black Forest Labs.

    Attributes:
        lab: the server.
        assistant: the parts that answer, with a database of their own.
    """

    lab: Lab
    assistant: Assistant

    @property
    def spent(self) -> Spent:
        """What the ledger says."""
        return self.assistant.store.ledger.spent("me")

    def ask(self, agreement: Agreement = YES, text: str = ASKED, **given: Any) -> Answer:
        """The answer to a question."""
        return [*ask(self.assistant, Question(text, agreement=agreement, **given))][-1]

    def call(self, agreement: Agreement = YES, **arguments: Any) -> Answer:
        """The answer of the tool alone, in no conversation."""
        given = {"prompt": "a red star", "model": "api:flux-2-pro", **arguments}
        return [*call(self.assistant, "generate", given, Question("", agreement=agreement))][-1]

    def set(self, **settings: Any) -> "Room":
        """The same room with other settings."""
        changed = self.assistant.settings.model_copy(update=settings)
        return Room(self.lab, replace(self.assistant, settings=changed))

    def leaks(self) -> list[str]:
        """The files in which the key stands, the database among them."""
        kept = [path for path in self.assistant.settings.home.rglob("*") if path.is_file()]
        return [path.name for path in kept if KEY.encode() in path.read_bytes()]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    settings = Settings(home=tmp_path_factory.mktemp("home"))
    with closing(open_assistant(settings)) as assistant:
        yield assistant


@contextmanager
def a_room(opened: Assistant, home: Path, key: SecretStr | None) -> Iterator[Room]:
    """A new server and database; what is slow to open is shared."""
    lab = Lab(KEY)
    lab.pending = 0
    lab.start()
    settings = Settings(home=home, bfl_region=lab.address, bfl_api_key=key)
    parts = {name: getattr(opened, name) for name in Parts.__dataclass_fields__}
    home.mkdir()
    with closing(Store(settings.database)) as store:
        own = Parts(**parts | {"settings": settings, "store": store, "keys": Keys()})
        jobs = Jobs(own, load_works())
        yield Room(lab, Assistant(**vars(own), jobs=jobs, serves=True))
        jobs.stop()
    lab.stop()


@pytest.fixture
def room(opened: Assistant, home: Path) -> Iterator[Room]:
    """With a key in its settings."""
    with a_room(opened, home, bfl.read_key(KEY)) as made:
        yield made


@pytest.fixture
def keyless(opened: Assistant, home: Path) -> Iterator[Room]:
    """Without one."""
    with a_room(opened, home, None) as made:
        yield made


def card(system: str) -> Card:
    found = CATALOG.get(system)
    assert found
    return found


def images(answer: Answer) -> list[Image]:
    return [block for block in answer.blocks if isinstance(block, Image)]


def words(blocks: tuple[Block, ...]) -> str:
    return "\n".join(block.text for block in blocks if isinstance(block, Text))


# --- a picture
def test_a_picture_with_its_recipe_its_cost_and_what_is_left(room: Room) -> None:
    answer = room.ask()
    assert answer.outcome == "run", answer.ask
    [shown] = images(answer)
    made = recipe.read(shown.path)
    assert made
    assert (made.prompt, made.model, made.seed, made.usd) == (
        "a red star on blue", "api:flux-2-pro", 42, 0.03,
    )  # fmt: skip
    assert made.licence == "FLUX API Service Terms"
    assert shown.metadata["cost"] == "$0.03"
    with Pictures.open(shown.path) as picture:
        assert (picture.format, picture.size) == ("PNG", (made.width, made.height))
    told = words(answer.blocks)
    assert "Paid $0.03 for api:flux-2-pro; with Black Forest Labs you have $1.235 of" in told
    assert "What api:flux-2-pro makes is under the FLUX API Service Terms." in told
    assert "withheld" not in told
    [body] = room.lab.bodies
    assert body == {
        "prompt": "a red star on blue", "width": 1024, "height": 1024, "output_format": "png",
    }  # fmt: skip
    assert room.spent == Spent(0.03, 0.0, 0.0)


def test_several_pictures_count_their_seeds_on(room: Room) -> None:
    answer = room.call(Agreement(usd=3 * MOST), count=3, seed=7, width=512, height=512)
    assert len(images(answer)) == 3
    assert [body["seed"] for body in room.lab.bodies] == [7, 8, 9]
    assert "Paid $0.09 ($0.03, $0.03, $0.03)" in words(answer.blocks)


def test_progress_is_seen_while_it_is_polled(room: Room) -> None:
    room.lab.pending = 1
    answers = [*ask(room.assistant, Question(ASKED, agreement=YES))]
    notes = [answer.steps[0].note for answer in answers if answer.steps]
    assert "Black Forest Labs works on it" in notes
    assert answers[-1].outcome == "run"


# --- money
def test_the_price_is_asked_first_and_a_yes_pays_it(room: Room) -> None:
    asked = room.ask(Agreement())
    assert (asked.outcome, room.lab.posts) == ("clarify", 0)
    assert asked.ask.startswith("This request is paid: about $0.03, and at most $0.045 (api:flux-2")
    assert asked.choices == ("Yes, spend up to $0.045", "No")
    assert asked.consent == Agreement(usd=MOST)
    paid = room.ask(asked.consent, conversation=asked.conversation, turn=asked.turn)
    assert (paid.outcome, room.lab.posts) == ("run", 1)
    again = room.ask(Agreement(), conversation=asked.conversation, turn=asked.turn)
    assert (again.outcome, room.lab.posts) == ("clarify", 1)  # asked anew, so agreed to anew


def test_an_agreement_is_not_spent_twice(room: Room) -> None:
    """Of two paid steps the second is asked about, and the first is not paid again."""
    text = f"{ASKED}, then draw a green fish with api:flux-2-pro"
    first = room.ask(Agreement(), text)
    second = room.ask(first.consent or YES, text, conversation=first.conversation, turn=first.turn)
    assert (second.outcome, room.lab.posts) == ("clarify", 1)
    assert second.consent == Agreement(usd=round(0.03 + MOST, 6))
    last = room.ask(second.consent, text, conversation=first.conversation, turn=first.turn)
    assert (last.outcome, room.lab.posts, len(images(last))) == ("run", 2, 2)
    assert room.spent == Spent(0.06, 0.0, 0.0)


def test_ceilings_hold_and_say_how_to_raise_them(room: Room) -> None:
    tight = room.set(usd_per_conversation=0.06)
    first = tight.ask()
    refused = tight.ask(text=f"{ASKED}, seed 3", conversation=first.conversation)
    assert (refused.outcome, room.lab.posts) == ("failed", 1)
    assert refused.ask == (
        "This costs $0.045, and $0.03 is left of the $0.06 that may be spent on hosted models in "
        "this conversation: $0.03 is spent or set aside. Raise FITTING_ROOM_USD_PER_CONVERSATION "
        "and start again, or ask for something cheaper."
    )
    assert tight.ask().outcome == "run"  # in another conversation
    day = room.set(usd_per_day=0.1).ask()
    assert (day.outcome, room.lab.posts) == ("failed", 2)
    assert "$0.04 is left of the $0.10 that may be spent on hosted models in 24 hours" in day.ask
    assert "Raise FITTING_ROOM_USD_PER_DAY and start again" in day.ask


# --- refusals
@pytest.mark.parametrize(
    ("reply", "says", "posts", "money"),
    [
        (
            Reply(401, {"detail": "{key}"}),
            "does not know this key; check it at https://dashb",
            1,
            0,
        ),
        (
            Reply(403, {"detail": "{key}"}),
            "this key gives no access; check it at https://das",
            1,
            0,
        ),
        (Reply(402, {"detail": "no"}), "too few credits are left; add some at https://dash", 1, 0),
        (
            Reply(422, {"detail": [{"loc": ["body", "prompt"], "msg": "too long {key}"}]}),
            "does not take a value (prompt: too long (key hidden))",
            1,
            0,
        ),
        (Reply(503, {"detail": "down"}), "Nobody can tell whether Black Forest Labs got", 1, MOST),
    ],
)
def test_what_is_refused_is_a_sentence(
    room: Room, reply: Reply, says: str, posts: int, money: float,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    room.lab.submits = [reply]
    answer = room.ask()
    assert answer.outcome == "failed"
    assert says in answer.ask
    assert "\n" not in answer.ask
    assert (room.lab.posts, room.spent.unknown, room.spent.charged) == (posts, money, 0.0)
    assert KEY not in answer.ask + caplog.text
    assert room.leaks() == []


def test_what_is_moderated_is_told_and_free(room: Room) -> None:
    room.lab.polls = [Reply(body={"status": "Content Moderated", "details": {"Reasons": ["x"]}})]
    answer = room.ask()
    assert answer.outcome == "failed"
    assert "its filter stopped what was made" in answer.ask
    assert "Nothing was charged" in answer.ask
    again = room.ask(conversation=answer.conversation, turn=answer.turn)  # a new request
    assert (again.outcome, room.lab.posts, room.spent) == ("run", 2, Spent(0.03, 0.0, 0.0))


def test_it_waits_while_the_vendor_is_busy(room: Room) -> None:
    room.lab.submits = [Reply(429, {"detail": "no"})]
    assert room.ask().outcome == "run"
    assert (room.lab.posts, len(room.lab.charged)) == (2, 1)


def test_several_of_which_one_fails_are_shown_and_billed(room: Room) -> None:
    room.lab.polls = [Reply(), Reply(body={"status": "Request Moderated"})]
    answer = room.call(Agreement(usd=3 * MOST), count=3)
    assert (answer.steps[0].status, len(images(answer))) == ("failed", 1)
    assert "Paid $0.03 for api:flux-2-pro." in words(answer.blocks)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"steps": 4}, "flux-2-pro has no field 'steps'. Leave it out"),
        ({"negative_prompt": "fog"}, "flux-2-pro has no field 'negative_prompt'"),
        ({"adapter": "mine"}, "Hosted models wear no adapters"),
        ({"prompt": "a bfl_0123456789abcdef0123"}, "prompt holds what looks like an API key"),
        ({"width": 100}, "The nearest size that it takes is"),
        ({"model": "api:flux-dev", "guidance": 9.0}, "guidance is 9.0, but flux-dev takes a numb"),
        ({"model": "api:flux-pro-1.0-fill"}, "flux-pro-1.0-fill needs image"),
        ({"model": "api:flux-pro-1.1-ultra", "width": 9, "height": 0}, "9 x 0 is no size"),
    ],
)
def test_what_the_model_does_not_take(room: Room, arguments: dict[str, Any], says: str) -> None:
    answer = room.call(**arguments)
    assert answer.outcome in ("failed", "clarify")
    assert says in answer.ask
    assert room.lab.posts == 0


# --- keys
def test_without_a_key_it_says_how_to_get_one_and_what_is_free(keyless: Room) -> None:
    answer = keyless.ask()
    assert (answer.outcome, keyless.lab.calls) == ("clarify", [])
    assert "it needs a key of Black Forest Labs. Set BFL_API_KEY, or type it into" in answer.ask
    assert "no free tier was found in the vendor's documents" in answer.ask
    assert answer.choices == ("Draw a red star on blue",)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"offline": True}, "the network is switched off. Unset FITTING_ROOM_OFFLINE"),
        ({"audience": "public"}, "hosted models are switched off in a public demo"),
        ({"bfl_region": "mars"}, "Black Forest Labs has no region 'mars'"),
        ({"bfl_region": "http://elsewhere.example"}, "is none of Black Forest Labs"),
        ({"bfl_api_key": "a b"}, "The API key of Black Forest Labs is too short"),
    ],
)
def test_where_it_is_not_asked(room: Room, settings: dict[str, Any], says: str) -> None:
    given = Settings(**settings)
    answer = room.set(**{name: getattr(given, name) for name in settings}).ask()
    assert answer.outcome == "failed"
    assert says in answer.ask
    assert room.lab.calls == []


def test_a_typed_key_serves_its_conversation_and_no_other(keyless: Room) -> None:
    first = keyless.ask(key=bfl.read_key(KEY))
    assert first.outcome == "run"
    same = keyless.ask(text=f"{ASKED}, seed 2", conversation=first.conversation)
    other = keyless.ask()
    assert (same.outcome, other.outcome) == ("run", "clarify")
    keyless.assistant.keys.forget(first.conversation)
    assert (
        keyless.ask(text=f"{ASKED}, seed 3", conversation=first.conversation).outcome == "clarify"
    )
    assert {key for _, path, key in keyless.lab.calls if path.startswith("/v1/")} == {KEY}
    assert keyless.leaks() == []
    assert KEY not in repr(Question("x", key=bfl.read_key(KEY)))


def test_what_looks_like_a_key_is_cut_out_of_a_message(room: Room) -> None:
    keys = "bfl_0123456789abcdef0123", "hf_abcdefghijklmnopqrstuvwxyz0123"
    answer = room.ask(text=f"How many parameters does resnet50 have? {' '.join(keys)}")
    [turn] = room.assistant.store.turns("me", answer.conversation)
    assert not any(key in f"{answer}{turn}" for key in keys)
    kept = [path.read_bytes() for path in room.assistant.settings.home.rglob("*") if path.is_file()]
    assert kept
    assert not any(key.encode() in held for key in keys for held in kept)


def test_a_request_around_a_key_is_still_understood(room: Room) -> None:
    answer = room.ask(text=f"use my key bfl_0123456789abcdef0123 and {ASKED.lower()}")
    assert [step.tool for step in answer.steps] == ["generate"]
    assert [body["prompt"] for body in room.lab.bodies] == ["a red star on blue"]


# --- crashes, stops, jobs
def test_what_was_sent_before_a_crash_or_a_stop_is_not_paid_again(room: Room) -> None:
    """The first answer is left in the middle, as by a crash: it is never kept."""
    room.lab.pending = 10**6
    answers = ask(room.assistant, Question(ASKED, agreement=YES))
    cut = next(a for a in answers if a.steps and a.steps[0].note.endswith("works on it"))
    answers.close()  # type: ignore[attr-defined]
    assert room.spent == Spent(0.0, MOST, 0.0)
    room.lab.pending = 0
    again = room.ask(Agreement(), conversation=cut.conversation, turn=cut.turn)
    assert (again.outcome, room.lab.posts, room.spent) == ("run", 1, Spent(0.03, 0.0, 0.0))
    assert len(images(again)) == 1


def is_settled() -> bool:
    """Whether nothing is polled any more for nobody."""
    return all(thread.name not in ("hosted", "settling") for thread in threading.enumerate())


def test_what_a_stop_has_left_is_settled_by_itself(room: Room) -> None:
    room.lab.pending = 10**6
    answers = ask(room.assistant, Question(ASKED, agreement=YES))
    cut = next(a for a in answers if a.steps and a.steps[0].note.endswith("works on it"))
    answers.close()  # type: ignore[attr-defined]
    room.lab.pending = 0
    wait_for(is_settled)
    assert (room.lab.posts, room.spent) == (1, Spent(0.03, 0.0, 0.0))
    polled = len(room.lab.calls)
    again = room.ask(Agreement(), conversation=cut.conversation, turn=cut.turn)
    assert (len(images(again)), room.lab.posts) == (1, 1)
    assert [path for _, path, _ in room.lab.calls[polled:]] == ["/v1/credits"]


def test_what_a_crash_has_left_is_settled_at_the_next_start(room: Room) -> None:
    """And shown at no further cost when the same is asked again."""
    room.lab.pending = 10**6
    answers = ask(room.assistant, Question(ASKED, agreement=YES))
    cut = next(a for a in answers if a.steps and a.steps[0].note.endswith("works on it"))
    answers.close()  # type: ignore[attr-defined]
    key, told = bfl.read_key(KEY), (room.assistant.settings, room.assistant.store)
    assert settle(*told, None) is None
    assert settle(*told, key, "another conversation:") is None
    assert settle(*told, key, f"{cut.conversation}:")
    room.lab.pending = 0  # not before: what was left settles itself, too
    wait_for(is_settled)
    assert (room.lab.posts, room.spent) == (1, Spent(0.03, 0.0, 0.0))
    assert settle(*told, key) is None
    polled = len(room.lab.calls)
    again = room.ask(Agreement(), conversation=cut.conversation, turn=cut.turn)
    assert (len(images(again)), room.lab.posts) == (1, 1)
    assert [path for _, path, _ in room.lab.calls[polled:]] == ["/v1/credits"]


def test_what_is_long_becomes_a_job_that_waits_for_its_key(keyless: Room) -> None:
    """Ten pictures; the typed key is lost as by a restart, and given again."""
    text, jobs = ASKED.replace("a red", "10 pictures of a red"), keyless.assistant.jobs
    asked = keyless.ask(Agreement(), text, key=bfl.read_key(KEY))
    assert asked.ask.endswith("They take about 2 minutes. Shall I?")
    place = {"conversation": asked.conversation, "turn": asked.turn}
    begun = keyless.ask(asked.consent or YES, text, **place)
    number, mine = int(begun.steps[0].job or 0), jobs.of("me")
    keyless.assistant.keys.forget(asked.conversation)
    jobs.start()
    wait_for(lambda: mine.get(number).state == "paused")
    assert "type it into the field" in mine.get(number).error
    assert keyless.lab.posts == 0
    keyless.assistant.keys.keep(asked.conversation, bfl.read_key(KEY))
    mine.act("resume", number)
    wait_for(lambda: mine.get(number).state == "done")
    assert (keyless.lab.posts, len(mine.get(number).blocks)) == (10, 12)
    assert keyless.spent.charged == pytest.approx(0.3)
    assert keyless.leaks() == []


# --- pictures that are changed
def changed(room: Room, folder: Path, system: str, wish: Wish, expand: str = "") -> list[Block]:
    """What a change gives, as `edit` asks for it."""
    store = room.assistant.store
    purse = Purse(
        bfl.read_key(KEY), Books(store.remote, store.ledger), "a:0", "a:", "", 1.0, 1.0,
        room.lab.address, offline=False, public=False,
    )  # fmt: skip
    ctx = replace(context(folder, agreement=Agreement(usd=1.0)), purse=purse)
    return list(hosted.run(ctx, card(system), changes(wish, expand, 1)))


def test_a_picture_is_changed_by_words(room: Room, tmp_path: Path) -> None:
    photo, mask = tmp_path / "photo.png", tmp_path / "mask.png"
    Pictures.new("RGB", (64, 64), "teal").save(photo)
    half = Pictures.new("L", (64, 64))
    half.paste(255, (0, 0, 32, 64))
    half.save(mask)
    wish = Wish("make it red", images=(photo,), seed=3, mode="instruct")
    shown = changed(room, tmp_path / "a", "api:flux-kontext-pro", wish)[0]
    assert isinstance(shown, Image)
    made = recipe.read(shown.path)
    assert made
    assert (made.mode, made.model, made.usd) == ("instruct", "api:flux-kontext-pro", 0.04)
    sent = room.lab.bodies[-1]
    assert sent["input_image"].startswith("iVBOR")
    assert (sent["prompt"], sent["seed"], "width" in sent) == ("make it red", 3, False)
    with pytest.raises(NeedsInput, match="What shall I change"):
        changed(room, tmp_path / "b", "api:flux-kontext-pro", Wish(" ", images=(photo,)))
    with pytest.raises(ToolFailed, match="flux-kontext-pro has no field 'mask'"):
        changed(room, tmp_path / "b", "api:flux-kontext-pro", replace(wish, mask=mask))


def test_a_mask_and_borders_are_checked_before_they_are_paid(room: Room, tmp_path: Path) -> None:
    photo, mask = tmp_path / "photo.png", tmp_path / "mask.png"
    Pictures.new("RGB", (64, 64), "teal").save(photo)
    Pictures.new("L", (64, 64)).save(mask)
    wish = Wish("a tree", images=(photo,))
    with pytest.raises(ToolFailed, match="mask"):
        changed(room, tmp_path / "a", "api:flux-pro-1.0-fill", replace(wish, mask=mask))
    with pytest.raises(ToolFailed, match="adds more than twice"):
        changed(room, tmp_path / "a", "api:flux-pro-1.0-expand", wish, "left 500")
    assert room.lab.posts == 0
    assert changed(room, tmp_path / "a", "api:flux-pro-1.0-expand", wish, "left 32, top 16")
    sent = room.lab.bodies[-1]
    assert {side: sent[side] for side in ("left", "top")} == {"left": 32, "top": 16}
    assert not {"right", "bottom", "width"} & set(sent)


# --- what is asked of an endpoint
def test_pictures_masks_and_borders_go_into_the_fields_of_the_endpoint() -> None:
    photo, mask = Path("a.png"), Path("m.png")
    pro = values(card("api:flux-2-pro"), Wish("x", images=(photo, mask)))
    assert (pro["input_image"], pro["input_image_2"], "width" in pro) == ("a.png", "m.png", False)
    fill = values(card("api:flux-pro-1.0-fill"), Wish("x", images=(photo,), mask=mask, steps=20))
    assert (fill["image"], fill["mask"], fill["steps"]) == ("a.png", "m.png", 20)
    wider = values(card("api:flux-pro-1.0-expand"), Wish("", images=(photo,), expand={"left": 64}))
    assert (wider["image"], wider["left"]) == ("a.png", 64)
    ultra = values(card("api:flux-pro-1.1-ultra"), Wish("x", width=1024, height=768))
    assert ultra["aspect_ratio"] == "4:3"
    with pytest.raises(
        ToolFailed, match="flux-2-klein-4b takes at most 4 pictures, but there are 5"
    ):
        values(card("api:flux-2-klein-4b"), Wish("x", images=(photo,) * 5))
    with pytest.raises(NeedsInput, match="cannot draw 100 x 100 pixels"):
        values(card("api:flux-2-pro"), Wish("x", width=100))
    assert [wish.seed for wish in several(Wish("", seed=4), ("a", "b"), 2)] == [4, 5, 4, 5]


def test_which_hosted_models_can_be_used_here(room: Room) -> None:
    def told(**settings: Any) -> dict[str, Any]:
        rows = availability(room.set(**settings).assistant.settings)
        return next(row for row in rows if row["id"] == "api:flux-2-pro")

    assert told()["usable"]
    assert told(bfl_api_key=None)["why"] == "it needs a key of Black Forest Labs"
    assert "BFL_API_KEY" in told(bfl_api_key=None)["how"]
    assert not told(offline=True)["usable"]
    tool, names = room.assistant.tools["generate"], room.assistant.names
    assert hosted_card(names, tool, {"model": "FLUX.2 pro"}) == card("api:flux-2-pro")
    assert hosted_card(names, tool, {"model": "pocket-flux"}) is None
    keyless = room.set(bfl_api_key=None).assistant.settings
    assert shows_field(keyless)
    assert not shows_field(keyless.model_copy(update={"audience": "public"}))
