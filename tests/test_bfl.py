"""The hosted models: every endpoint, every fault, one charge each, and never the key."""

import hashlib
import hmac
import logging
import re
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pydantic import SecretStr

from assistant.store import Store
from index import catalog
from index.card import Card
from tests.bfl_crash import MARKS, killed_at
from tests.bfl_scripts import SCRIPTS, Script
from tests.bfl_server import CREDITS, FINETUNES, Lab, Reply, picture
from tests.threads import at_once
from tools.base import Agreement, NeedsConsent, Stopped, ToolFailed
from tools.engines import bfl
from tools.engines.bfl.checking import check
from tools.engines.bfl.endpoints import Endpoint, Field, endpoint_of, endpoints
from tools.remote import Books, Pace
from tools.spending import Budget, Ceiling, OverBudget, Spending, Spent

KEY = "canary-5b1f77aa-0001"  # looks like no key: nothing may rely on how one looks
CATALOG = catalog.load()
CARDS = [c for c in CATALOG.cards.values() if c.run.engine == "bfl"]
WAITS = bfl.Waits(busy=(0.01, 0.02), longest=0.05, polling=Pace(0.01, 1.2, 0.03, patience=60.0))
PRO = {"prompt": "a käse", "width": 1024, "height": 1024}
AGREED = 0.045  # US dollars: what such a picture costs at most


@dataclass(frozen=True)
class Room:
    """One's own machine, with the server on it.

    Attributes:
        lab: the server.
        elsewhere: a server that must never be asked.
        store: an open store below the home.
        home: where everything is kept.
    """

    lab: Lab
    elsewhere: Lab
    store: Store
    home: Path

    def account(self, **waits: Any) -> bfl.Account:
        """An account that knows the server."""
        hosts = bfl.Hosts(self.lab.address)
        return bfl.Account(bfl.read_key(KEY), hosts, waits=replace(WAITS, **waits))

    @property
    def books(self) -> Books:
        """Where tasks and money are kept."""
        return Books(self.store.remote, self.store.ledger)

    def run(
        self,
        values: Mapping[str, Any] = PRO,
        system: str = "api:flux-2-pro",
        request: str = "a",
        account: bfl.Account | None = None,
        report: Any = None,
        budget: Budget | None = None,
    ) -> bfl.Made:
        """Asks for a picture and pays for it."""
        asked = bfl.ask(card(system), values, CATALOG)
        payer = bfl.Payer("me", request, budget or Budget(AGREED), job=7)
        account = account or self.account()
        return bfl.run(asked, payer, account, self.books, self.home / "run", report or silent)

    def money(self, request: str = "a") -> Spending:
        """What is kept of the money of a request."""
        held = self.store.ledger.find("me", request)
        assert held
        return held


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    home = tmp_path / "home"
    home.mkdir()
    lab, elsewhere = Lab(KEY), Lab("")
    lab.elsewhere = elsewhere.address
    lab.start()
    elsewhere.start()
    with closing(Store(f"sqlite:///{home / 'rooms.db'}")) as store:
        yield Room(lab, elsewhere, store, home)
    lab.stop()
    elsewhere.stop()


def card(system: str) -> Card:
    found = CATALOG.get(system)
    assert found
    return found


def silent(done: float, note: str = "") -> None:
    """A report that nobody reads."""


# --- faults
def leaks(room: Room, log: str, failures: list[Exception]) -> list[str]:
    """Where the key stands though it must not: log, files, errors."""
    told = [log, *("".join(traceback.format_exception(failure)) for failure in failures)]
    for failure in failures:
        link: BaseException | None = failure
        while link:
            told.append(f"{link} {link!r} {link.args}")
            link = link.__cause__ or link.__context__
    kept = [path.read_bytes() for path in room.home.rglob("*") if path.is_file()]
    found = [text for text in told if KEY in text]
    return found + [f"file {place}" for place, held in enumerate(kept) if KEY.encode() in held]


def attempt(room: Room, failures: list[Exception], **waits: Any) -> bfl.Made | None:
    try:
        return room.run(account=room.account(**waits))
    except ToolFailed as failure:
        failures.append(failure)
        return None


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_script(room: Room, script: Script, caplog: pytest.LogCaptureFixture) -> None:
    assert not any(play(room, script, caplog).values())


def play(room: Room, script: Script, caplog: pytest.LogCaptureFixture) -> dict[str, float]:
    """The right end and words; then the same request again, when all is well.

    Returns:
        What must be nought: duplicates, leaks, and dollars over what was agreed to or untold.
    """
    caplog.set_level(logging.DEBUG)
    lab, failures = room.lab, list[Exception]()
    lab.submits, lab.polls, lab.results = map(list, (script.submits, script.polls, script.results))
    made = attempt(room, failures, **script.waits)
    assert (made is None) == bool(script.says)
    if made is None:
        assert re.search(script.says, str(failures[0])), failures[0]
        assert "\n" not in str(failures[0])
    held = room.money()
    assert (held.state, lab.posts) == (script.money, script.posts)
    charged = sum(lab.charged.values()) / 100
    if script.money != "released":
        paid = held.charged if script.money == "charged" else held.reserved
        assert paid == pytest.approx(charged if script.usd is None else script.usd)
    lab.submits, lab.polls, lab.results = [], [], []
    again = attempt(room, failures)
    task = room.store.remote.find("me", "a")
    assert task
    not_taken = script.money == "released" and task.task and task.state == "done"
    assert lab.posts == script.posts + bool(not_taken)
    if made or not_taken or script.money == "reserved":
        assert again
        assert again.file.read_bytes() == picture()
    else:
        assert again is None
    if made:
        assert again == made
    duplicates = max(len(lab.charged) - 1, 0)
    overspent = max(sum(lab.charged.values()) / 100 - AGREED, 0.0)
    spent = room.store.ledger.spent("me")
    unknown_to_us = sum(lab.charged.values()) / 100 - spent.charged - spent.unknown - spent.reserved
    found = leaks(room, caplog.text, failures)
    assert "sig=" not in caplog.text  # who has such an address has the picture
    assert room.elsewhere.calls == []
    assert {key for _, path, key in lab.calls if path.startswith("/delivery/")} <= {""}
    assert {key for _, path, key in lab.calls if path.startswith("/v1/")} == {KEY}
    return {
        "paid twice": duplicates,
        "leaks of the key": len(found),
        "USD over": overspent,
        "USD untold": max(unknown_to_us, 0.0),
    }


def test_there_are_enough_scripts() -> None:
    assert len({script.name for script in SCRIPTS}) == len(SCRIPTS) >= 30


# --- crashes
@pytest.mark.parametrize("mark", MARKS)
def test_killed_between_any_two_steps(room: Room, mark: str) -> None:
    """What was taken is polled again, and nothing is paid twice."""
    killed_at(mark, room.home, room.lab.address, KEY)
    sent = mark not in ("before reserve", "before begin", "after begin")
    assert room.lab.posts == sent
    task = room.store.remote.find("me", "a")
    if mark == "after submitted":
        assert task
        made = bfl.resume(task, room.account(), room.books, room.home / "run", silent)
        assert made == room.run()
    if mark in ("after begin", "before submitted"):  # nothing says whether it arrived
        for _ in range(2):
            with pytest.raises(ToolFailed, match=r"^Nobody can tell whether .* \$0\.045"):
                room.run()
        assert room.store.ledger.spent("me") == Spent(0.0, 0.0, AGREED)
        assert room.lab.posts == sent
    else:
        assert room.run() == room.run()
        assert room.store.ledger.spent("me") == Spent(0.03, 0.0, 0.0)
        assert (room.lab.posts, len(room.lab.charged)) == (1, 1)
    assert leaks(room, "", []) == []


# --- stop, budget, places
def test_a_stop_is_noticed_within_a_poll_and_the_task_goes_on(room: Room) -> None:
    room.lab.pending = 50

    def report(done: float, note: str = "") -> None:
        told.append((done, note))
        if len(told) == 5:
            raise Stopped

    told: list[tuple[float, str]] = []
    with pytest.raises(Stopped):
        room.run(report=report)
    polls = sum(path == "/v1/get_result" for _, path, _ in room.lab.calls)
    assert (polls, told[0], told[-1]) == (
        3,
        (0.0, "Sending it to Black Forest Labs"),
        (0.5, "Black Forest Labs works on it"),
    )
    assert room.money().state == "reserved"
    room.lab.pending = 0
    assert room.run().usd == 0.03
    assert (room.lab.posts, room.store.ledger.spent("me")) == (1, Spent(0.03, 0.0, 0.0))


def test_a_stop_while_the_vendor_is_busy_is_free(room: Room) -> None:
    room.lab.submits = [Reply(429, {"detail": "no"}, {"Retry-After": "30"})]

    def report(done: float, note: str = "") -> None:
        if note.startswith("Too many tasks of this key are in flight"):
            raise Stopped

    began = time.monotonic()
    with pytest.raises(Stopped):
        room.run(account=room.account(longest=30.0), report=report)
    assert time.monotonic() - began < 25
    assert room.store.ledger.spent("me") == Spent(0.0, 0.0, 0.0)
    assert room.run().usd == 0.03


def test_over_budget_sends_nothing(room: Room) -> None:
    with pytest.raises(OverBudget, match=r"costs \$0\.045, and you agreed to \$0\.04"):
        room.run(budget=Budget(0.04))
    room.run(budget=Budget(AGREED, ceilings=(Ceiling(0.06),)))
    with pytest.raises(OverBudget, match=r"\$0\.03 is left of the \$0\.06"):
        room.run(request="b", budget=Budget(AGREED, ceilings=(Ceiling(0.06),)))
    assert room.lab.posts == 1


def test_a_cost_above_what_was_said_is_kept_as_it_is(room: Room) -> None:
    """The vendor's word counts, and what is left for others is less by it."""
    polling_url = f"{room.lab.address}/v1/get_result?id=task-0"
    told = {"id": "task-0", "polling_url": polling_url, "cost": 9}
    room.lab.submits = [Reply(body=told, taken=True)]
    assert room.run().usd == 0.09
    assert room.store.ledger.spent("me") == Spent(0.09, 0.0, 0.0)
    with pytest.raises(OverBudget, match=r"\$0\.01 is left of the \$0\.10"):
        room.run(request="b", budget=Budget(AGREED, ceilings=(Ceiling(0.1),)))


@pytest.mark.parametrize(("system", "most"), [("api:flux-kontext-max", 6), ("api:flux-2-pro", 24)])
def test_no_more_in_flight_than_allowed(room: Room, system: str, most: int) -> None:
    name, tasks = system.removeprefix("api:"), most + 4
    room.lab.limits = {name: most}
    room.lab.pending = 4
    budget = Budget(1.0)

    def work(place: int) -> None:
        room.run({"prompt": "x"}, system, f"{place}", budget=budget)

    at_once(work, tasks)
    assert (room.lab.busy, room.lab.posts, len(room.lab.charged)) == (0, tasks, tasks)
    assert 2 <= room.lab.most_in_flight[name] <= most
    assert room.store.ledger.spent("me").charged == pytest.approx(tasks * CREDITS[name][0] / 100)


def test_a_result_whose_file_is_gone_is_told(room: Room) -> None:
    room.run().file.unlink()
    with pytest.raises(ToolFailed, match=r"was made and paid, but its file .* is gone"):
        room.run()
    assert room.lab.posts == 1


def test_a_folder_that_cannot_be_written_keeps_the_task(room: Room) -> None:
    (room.home / "run").write_text("in the way", encoding="utf-8")
    with pytest.raises(ToolFailed, match=r"The picture is made, but cannot be written into"):
        room.run()
    (room.home / "run").unlink()
    assert room.run().usd == 0.03
    assert room.lab.posts == 1


# --- endpoints
def values_for(endpoint: Endpoint, folder: Path) -> dict[str, Any]:
    """Every field that an endpoint takes, but for the webhook, each with a right value."""
    file = folder / "photo.png"
    file.write_bytes(picture(64, 64))
    right: dict[str, Any] = {"string": "x", "integer": 1, "number": 1.5, "boolean": True}
    found: dict[str, Any] = {}
    for name, taken in endpoint.fields.items():
        if taken.picture.startswith("file"):
            found[name] = f"{file}"
        elif taken.choices or taken.form == "ratio":
            found[name] = (*taken.choices, "4:3")[0]
        elif taken.form != "address" and not taken.secret:
            found[name] = taken.minimum if taken.minimum is not None else right[taken.type]
    return found


@pytest.mark.parametrize("system", [each.id for each in CARDS])
def test_every_endpoint_takes_all_that_it_says(room: Room, system: str) -> None:
    """With every field at once; the picture comes back, and costs what was said at most."""
    endpoint = endpoint_of(card(system))
    values = values_for(endpoint, room.home)
    made = room.run(values, system, budget=Budget(5.0))
    [body] = room.lab.bodies
    pictures = [name for name, taken in endpoint.fields.items() if taken.picture[:4] == "file"]
    assert {name: body[name] for name in values if name not in pictures} == {
        name: value for name, value in values.items() if name not in pictures
    }
    assert all(body[name].startswith("iVBORw0KGgo") for name in pictures)
    [paid] = room.lab.charged.values()
    assert made == bfl.Made(made.file, "png", 16, 16, 42, "a käse", round(paid / 100, 6), "task-0")
    assert made.file.read_bytes() == picture()
    asked = bfl.ask(card(system), values, CATALOG)
    assert made.usd == room.money().charged
    assert made.usd is not None
    assert made.usd <= asked.price.most


def test_the_table_is_the_whole_of_the_description() -> None:
    table = endpoints()
    assert {f"/v1/{name}" for name in CREDITS} == {p for p, e in table.items() if e.paid}
    assert {each.run.repository for each in CARDS} == {p for p, e in table.items() if e.paid}
    assert {e.name for e in table.values() if not e.paid} == {
        "my_finetunes", "finetune_details", "delete_finetune", "credits", "get_result",
    }  # fmt: skip
    flex, kontext = table["/v1/flux-2-flex"].fields, table["/v1/flux-kontext-pro"].fields
    assert flex["guidance"] == Field("number", null=True, default=5.0, minimum=1.5, maximum=10.0)
    assert flex["prompt_upsampling"].default is True
    assert kontext["output_format"].default == "png"
    assert [n for n in table["/v1/flux-2-klein-4b"].fields if n.startswith("input_")][-1][-1] == "4"
    assert [n for n in table["/v1/flux-2-max"].fields if n.startswith("input_")][-1][-1] == "8"
    assert table["/v1/flux-pro-1.0-fill"].fields["mask"].picture == "file"
    assert not {"width", "height"} & set(table["/v1/flux-pro-1.1-ultra"].fields)
    assert "raw" in table["/v1/flux-pro-1.1-ultra"].fields


def cases(taken: Field) -> Iterator[tuple[Any, bool]]:
    """Values at the edges of a field, and whether it takes them."""
    wrong: tuple[Any, ...] = ([], {}, float("nan"), float("inf"))
    yield from ((value, False) for value in wrong)
    yield None, taken.null
    yield "x", taken.type == "string" and not taken.choices and not taken.form
    yield True, taken.type == "boolean"
    yield from ((choice, True) for choice in taken.choices)
    if taken.type == "integer":
        yield from ((300.5, False), (-(10**400), taken.minimum is None))
    if taken.form == "ratio":
        yield from (("16:9", True), ("21:9", True), ("9:21", True), ("22:9", False), ("0:1", False))
    if taken.form == "address":
        yield from (("https://a.example/x", True), ("ftp://a.example", False), ("https://", False))
        yield f"https://a.example/{'x' * (taken.max_length or 0)}", False
    yield from bounds(taken)


def bounds(taken: Field) -> Iterator[tuple[Any, bool]]:
    """Numbers at the edges of a field, and whether it takes them."""
    step = taken.multiple_of or 1
    if taken.minimum is not None:
        yield from ((taken.minimum, True), (taken.minimum - step, False))
    if taken.maximum is not None:
        yield from ((taken.maximum, True), (taken.maximum + step, False))
    if taken.multiple_of:
        yield (taken.minimum or 0) + 1, False


def test_each_field_is_taken_or_refused_as_the_description_says() -> None:
    counted = [0, 0]
    for endpoint in endpoints().values():
        right = {name: "x" for name, taken in endpoint.fields.items() if taken.required}
        assert check(endpoint, right) == right
        for name, taken in endpoint.fields.items():
            if taken.required:
                rest = {other: value for other, value in right.items() if other != name}
                with pytest.raises(ToolFailed, match=rf"^{endpoint.name} needs {name}\. Give a"):
                    check(endpoint, rest)
            for value, fits in cases(taken):
                counted[fits] += 1
                if fits:
                    assert check(endpoint, {**right, name: value})[name] == value
                    continue
                with pytest.raises(ToolFailed, match=rf"^{name} is .+, but {endpoint.name} takes "):
                    check(endpoint, {**right, name: value})
    assert min(counted) > 200


_OR = "Give such a value, or leave it out."


@pytest.mark.parametrize(
    ("system", "values", "says"),
    [
        (
            "flux-2-flex",
            {"steps": 51},
            f"steps is 51, but flux-2-flex takes a whole number from 1 to 50 or null. {_OR}",
        ),
        (
            "flux-dev",
            {"width": 1000},
            "width is 1000, but flux-dev takes a whole number from 256 to 1440 that"
            f" divides by 32. {_OR}",
        ),
        (
            "flux-2-pro",
            {"width": 0},
            f"width is 0, but flux-2-pro takes a whole number of at least 64 or null. {_OR}",
        ),
        (
            "flux-2-pro",
            {"prompt": 7},
            "prompt is 7, but flux-2-pro takes a text. Give such a value.",
        ),
        (
            "flux-2-pro",
            {"output_format": "gif"},
            f"output_format is 'gif', but flux-2-pro takes one of jpeg, png, webp or null. {_OR}",
        ),
        (
            "flux-kontext-pro",
            {"aspect_ratio": "3:1"},
            "aspect_ratio is '3:1', but flux-kontext-pro takes a ratio between 21:9"
            f" and 9:21, such as 16:9 or null. {_OR}",
        ),
        (
            "flux-pro-1.1-ultra",
            {"width": 512},
            "flux-pro-1.1-ultra has no field 'width'. Leave it out; its fields are:"
            " prompt, prompt_upsampling, seed, aspect_ratio, safety_tolerance, "
            "output_format, raw, image_prompt, image_prompt_strength, webhook_url, "
            "webhook_secret.",
        ),
        (
            "flux-2-pro",
            {"input_image": "/nowhere.png"},
            "input_image is '/nowhere.png', which is no file that can be read. Give a picture.",
        ),
        (
            "flux-2-pro",
            {"webhook_secret": "s3"},
            "webhook_secret belongs to the account and not to a request. Leave it out here.",
        ),
        (
            "flux-2-pro",
            {"prompt": "with hf_abcdefghijklmnopqrstuvwx"},
            "prompt holds what looks like an API key. Take it out; it would be kept and sent.",
        ),
    ],
)
def test_refusals_are_clear(system: str, values: dict[str, Any], says: str) -> None:
    with pytest.raises(ToolFailed) as failure:
        bfl.ask(card(f"api:{system}"), {"prompt": "x", **values}, CATALOG)
    assert str(failure.value) == says


def test_a_system_of_somebody_else_is_refused() -> None:
    with pytest.raises(ToolFailed, match=r"FLUX\.1-schnell is not a hosted model of Black Forest"):
        bfl.ask(card("FLUX.1-schnell"), {"prompt": "x"}, CATALOG)


# --- pictures
def test_pictures_that_cannot_be_sent(tmp_path: Path) -> None:
    fill, photo, mask = card("api:flux-pro-1.0-fill"), tmp_path / "a.png", tmp_path / "b.png"
    photo.write_bytes(picture(64, 48))
    mask.write_bytes(picture(48, 64))
    with pytest.raises(ToolFailed, match=r"^The mask is 48 x 64 px, but the picture is 64 x 48 px"):
        bfl.ask(fill, {"image": f"{photo}", "mask": f"{mask}"}, CATALOG)
    with pytest.raises(ToolFailed, match=r"image is 'https://a\.example/x', which is no file"):
        bfl.ask(fill, {"image": "https://a.example/x"}, CATALOG)
    mask.write_bytes(b"GIF89a")
    with pytest.raises(ToolFailed, match=r"mask is 'b\.png', which is no JPEG, PNG or WebP"):
        bfl.ask(fill, {"image": f"{photo}", "mask": f"{mask}"}, CATALOG)
    mask.write_bytes(bytes(20 * 2**20 + 1))
    with pytest.raises(ToolFailed, match=r"file of 20\.0 MiB, but at most 20 MiB are sent"):
        bfl.ask(fill, {"image": f"{photo}", "mask": f"{mask}"}, CATALOG)


def test_addresses_are_left_to_the_vendor_and_files_are_kept_by_name(room: Room) -> None:
    photo = room.home / "photo.png"
    photo.write_bytes(picture(1024, 1024))
    values = {"prompt": "x", "input_image": "https://a.example/x.png", "input_image_2": f"{photo}"}
    room.run(values, budget=Budget(1.0))
    [body] = room.lab.bodies
    assert body["input_image"] == "https://a.example/x.png"
    task = room.store.remote.find("me", "a")
    assert task
    assert task.arguments == {"path": "/v1/flux-2-pro", "values": values}
    for kind, suffix in (("JPEG", "jpeg"), ("WEBP", "webp")):
        room.lab.results = [Reply(body=picture(20, 10, kind))]
        made = room.run(request=kind)
        assert (made.format, made.file.suffix, made.width) == (suffix, f".{suffix}", 20)
        with Image.open(made.file) as opened:
            assert opened.format == kind


# --- money
@pytest.mark.parametrize(
    ("system", "values", "usd", "most"),
    [
        ("flux-2-pro", {"width": 1024, "height": 1024}, 0.03, 0.045),
        ("flux-2-pro", {"width": 1440, "height": 1440}, 0.044663, 0.06),
        ("flux-2-pro", {}, 0.03, 0.075),
        ("flux-2-pro", {"width": 512, "height": 512, "input_image": "1mp"}, 0.045, 0.06),
        ("flux-2-pro", {"input_image": "1mp"}, 0.045, 0.105),
        ("flux-2-pro", {"input_image": "https://a.example/x"}, 0.045, 0.135),
        ("flux-2-flex", {"width": 1000, "height": 1000}, 0.05, 0.06),
        ("flux-2-klein-4b", {"width": 1000, "height": 1000}, 0.014, 0.014),
        ("flux-kontext-max", {"input_image": "1mp"}, 0.08, 0.08),
        ("flux-pro-1.1-ultra", {"raw": True}, 0.06, 0.06),
        ("flux-2-pro-preview", {"width": 1000, "height": 1000}, None, 0.08),
    ],
)
def test_prices(
    tmp_path: Path, system: str, values: dict[str, Any], usd: float | None, most: float
) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes(picture(1024, 1024))
    given = {name: f"{photo}" if value == "1mp" else value for name, value in values.items()}
    price = bfl.ask(card(f"api:{system}"), {"prompt": "x", **given}, CATALOG).price
    assert (price.usd, price.most) == (usd, most)
    assert {claim.system for claim in price.claims} == ({f"api:{system}"} if usd else set())


def test_consent_comes_before_money() -> None:
    asked = bfl.ask(card("api:flux-2-pro"), PRO, CATALOG)
    with pytest.raises(NeedsConsent) as question:
        bfl.agree(asked, Agreement(usd=0.04, seconds=5.0))
    assert question.value.question == (
        "This request is paid: about $0.03, and at most $0.045 (api:flux-2-pro costs $0.03 for the "
        "first megapixel and $0.015 for each further one, made or sent; this is about 1 made and 0 "
        "sent). Shall I?"
    )
    assert question.value.choices == ("Yes, spend up to $0.045", "No")
    assert question.value.agreement == Agreement(usd=0.045, seconds=5.0)
    bfl.agree(asked, question.value.agreement)
    with pytest.raises(NeedsConsent, match=r"^These 3 requests are paid: about \$0\.09, and at"):
        bfl.agree(asked, question.value.agreement, count=3)
    flat = bfl.ask(card("api:flux-kontext-max"), {"prompt": "x"}, CATALOG)
    with pytest.raises(
        NeedsConsent, match=r"is paid: \$0\.08 \(api:flux-kontext-max costs \$0\.08"
    ):
        bfl.agree(flat, Agreement())
    untold = bfl.ask(card("api:flux-2-pro-preview"), {"prompt": "x"}, CATALOG)
    with pytest.raises(
        NeedsConsent, match=r"is told afterwards, and \$0\.\d+ is set aside \(no pr"
    ):
        bfl.agree(untold, Agreement())


# --- what costs nothing
def test_balance_and_finetunes(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    account, lab = room.account(), room.lab
    assert bfl.balance(account, silent) == 1.235
    assert bfl.finetunes(account, silent) == tuple(FINETUNES)
    assert bfl.finetune_details(account, "our-dog", silent)["steps"] == 300
    assert bfl.delete_finetune(account, "our-dog", silent) == "our-dog"
    lab.frees = [Reply(503, b""), Reply(429, {"detail": "no"}, {"Retry-After": "1"})]
    assert bfl.balance(account, silent) == 1.235
    failures = list[Exception]()

    def fails(says: str, call: Callable[[], object], *replies: Reply) -> None:
        lab.frees = list(replies)
        with pytest.raises(ToolFailed, match=rf"^Black Forest Labs does not tell: {says}") as told:
            call()
        failures.append(told.value)

    fails("it does not know what was asked for", lambda: bfl.finetune_details(account, "x", silent))
    fails(r"this key gives no access; check it at .*\(no \(key hidden\)\)\. Put that right",
          lambda: bfl.balance(account, silent), Reply(403, {"detail": "no {key}"}))  # fmt: skip
    fails(
        "it answers with status 500", lambda: bfl.balance(account, silent), *[Reply(500, b"")] * 3
    )
    fails("its reply tells no balance", lambda: bfl.balance(account, silent), Reply(body={}))
    fails("its reply tells no fine", lambda: bfl.finetunes(account, silent), Reply(body={}))
    fails("its reply tells no details", lambda: bfl.finetune_details(account, "our-dog", silent),
          Reply(body={"finetune_details": 7}))  # fmt: skip
    before = len(lab.calls)
    fails("it answers with status 500", lambda: bfl.delete_finetune(account, "our-dog", silent),
          Reply(500, b""))  # fmt: skip
    assert len(lab.calls) == before + 1
    fails("its reply does not tell wh", lambda: bfl.delete_finetune(account, "our-dog", silent),
          Reply(body={}))  # fmt: skip
    lab.stop()
    fails("ConnectError", lambda: bfl.balance(account, silent))
    assert leaks(room, caplog.text, failures) == []


def test_nobody_listens(room: Room) -> None:
    account = replace(room.account(), hosts=bfl.Hosts("http://127.0.0.1:9"))
    with pytest.raises(
        ToolFailed, match=r"could not be reached: ConnectError.*Nothing was charged"
    ):
        room.run(account=account)
    assert room.run().usd == 0.03


# --- hosts and keys
@pytest.mark.parametrize(
    ("address", "key", "result"),
    [
        ("https://api.bfl.ai/v1/get_result?id=1", True, False),
        ("https://api.eu2.bfl.ai/v1/get_result?id=1", True, False),
        ("https://API.BFL.AI:443/x", True, False),
        ("https://delivery-eu1.bfl.ai/a.png?sig=1", True, True),
        ("https://bfldeliveryprod.blob.core.windows.net/a.png", False, True),
        ("https://other.blob.core.windows.net/a.png", False, False),
        ("http://api.bfl.ai/x", False, False),
        ("https://api.bfl.ai:8443/x", False, False),
        ("https://bfl.ai.evil.example/x", False, False),
        ("https://evilbfl.ai/x", False, False),
        ("https://api.bfl.ai@evil.example/x", False, False),
        ("https://me@api.bfl.ai/x", False, False),
        ("https://evil.example\\@api.bfl.ai/x", False, False),
        ("https://evil.example\\.bfl.ai/x", False, False),
        ("https://evil.example%2f.bfl.ai/x", False, False),
        ("https://evil.example#.bfl.ai", False, False),
        ("//api.bfl.ai/x", False, False),
        ("file:///etc/passwd", False, False),
        ("http://169.254.169.254/latest", False, False),
        ("http://127.0.0.1:80/", False, False),
        ("https://[::1", False, False),
        ("", False, False),
    ],
)
def test_who_may_see_the_key_and_give_results(address: str, key: bool, result: bool) -> None:
    hosts = bfl.Hosts()
    assert (hosts.may_see_key(address), hosts.may_give_result(address)) == (key, result)


def test_regions() -> None:
    assert {name: bfl.hosts_of(name).api for name in bfl.REGIONS} == dict(bfl.REGIONS)
    with pytest.raises(ToolFailed, match=r"no region 'mars'\. Choose one of: global, eu, us, eu1"):
        bfl.hosts_of("mars")
    for address in ("https://evil.example", "http://10.0.0.1:80", "http://api.bfl.ai", ""):
        with pytest.raises(ToolFailed, match=r"is none of Black Forest Labs\. Choose a region"):
            bfl.Hosts(address)


def test_a_key_is_never_shown() -> None:
    account = bfl.Account(bfl.read_key(f" {KEY}\n"))
    assert account.key.get_secret_value() == KEY
    assert KEY not in f"{account} {account!r} {account.key} {vars(account)}"
    for wrong in ("", "short", f"{KEY}\r\nx-more: 1", f"{KEY} {KEY}", f"{KEY}ä", "k" * 401):
        with pytest.raises(
            ToolFailed, match=r"has characters that no key has\. Copy it again"
        ) as e:
            bfl.read_key(wrong)
        assert KEY not in str(e.value)


def test_keys_are_cut_out_of_texts() -> None:
    key = "hf_AbcDefGhiJklMnoPqrStuVwxYz"
    text = f"use {key}, bfl_12ab-34cd_56 and {KEY}: hf_hub_download of bfl_openapi.json"
    cut = "use (key hidden), (key hidden) and (key hidden): hf_hub_download of bfl_openapi.json"
    assert bfl.without_keys(text, SecretStr(KEY)) == cut
    assert bfl.without_keys("x") == "x"


# --- webhooks
def test_a_webhook_is_asked_for_and_its_secret_is_not_kept(room: Room) -> None:
    hook = bfl.Webhook("https://us.example/hook", SecretStr("s3cret-canary"))
    made = room.run(account=replace(room.account(), webhook=hook))
    [body] = room.lab.bodies
    assert (body["webhook_url"], body["webhook_secret"]) == (hook.url, "s3cret-canary")
    assert made.usd == 0.03
    kept = [path.read_bytes() for path in room.home.rglob("*") if path.is_file()]
    assert not any(b"s3cret-canary" in held for held in kept)


def test_webhook_signatures() -> None:
    body, secret = b'{"id": "task-0"}', "s3cret"
    right = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    assert bfl.is_signed(body, f"sha256={right}", secret)
    assert bfl.is_signed(body, f"sha256={right.upper()}", secret)
    for signature in (right, f"sha1={right}", "sha256=", f"sha256={right[:-1]}0x", "sha256=ä", ""):
        assert not bfl.is_signed(body, signature, secret)
    assert not bfl.is_signed(body + b" ", f"sha256={right}", secret)
    assert not bfl.is_signed(body, f"sha256={right}", "other")
    empty = hmac.new(b"", body, hashlib.sha256).hexdigest()
    assert not bfl.is_signed(body, f"sha256={empty}", "")


def test_one_request_from_many_at_once_is_one_task(room: Room) -> None:
    ends: list[str] = []
    lock = threading.Lock()

    def work(place: int) -> None:
        try:
            end = f"{room.run().usd}"
        except ToolFailed as failure:
            end = str(failure)[:18]
        with lock:
            ends.append(end)

    at_once(work, 6)
    assert set(ends) <= {"0.03", "Nobody can tell wh"}
    assert (room.lab.posts, len(room.lab.charged)) == (1, 1)
    assert room.store.ledger.spent("me") == Spent(0.03, 0.0, 0.0)
