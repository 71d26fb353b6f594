"""A person with long work: watches it, pauses it, cancels it, goes away and comes back."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

import psutil
import pytest
from playwright.sync_api import Browser, Locator, Page, Response, expect

from assistant.answer import Answer, StepState
from assistant.kept import to_kept
from assistant.store import Store, StoreFailed
from assistant.store.claims import Claim, End, Fenced
from assistant.store.jobs import NewJob
from tests.browser.chat import Seen, answer, ask, chat_page, width_used
from tests.browser.test_access import faults
from tests.processes import wait_for
from tests.served import Served, served
from tools.base import Text
from tools.work import Entry, State

ME = "me"
ODD = "<img src=x onerror=\"document.title='caught'\"> ${1+1} {{x}}"
_WATCH = """() => {
    window.changes = 0;
    const count = (found) => window.changes += found.length;
    const all = {childList: true, subtree: true, attributes: true, characterData: true};
    // Around them Gradio counts how long its events take, unseen.
    const parts = "#jobs section, #job article, #chat .message-row";
    for (const part of document.querySelectorAll(parts)) {
        new MutationObserver(count).observe(part, all);
    }
}"""


@pytest.fixture(scope="module")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of its own: what other tests look at has no jobs. Trainings leave it a core."""
    del browser
    with served(tmp_path_factory.mktemp("jobs"), settings={"OMP_NUM_THREADS": "1"}) as running:
        yield running


@pytest.fixture(scope="module")
def store(server: Served) -> Iterator[Store]:
    opened = Store(f"sqlite:///{server.home / 'fitting-room.db'}")
    yield opened
    opened.close()


@dataclass(frozen=True)
class Held:
    """A job that the test itself runs, as another machine would: it goes on when the test says.

    Until it ends it gives signs of life, or the server would take it for lost on a slow machine.
    """

    store: Store
    claim: Claim
    left: list[float | None] = field(default_factory=lambda: [None])
    turn: threading.Lock = field(default_factory=threading.Lock)

    def go(self, done: float, seconds: float = 1.0, left: float = 90.0) -> str:
        """Reports progress, and returns what the person wants of it."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        step = round(done * 100)
        curve = {"step": float(step), "loss": 5.0 - 4 * done}
        entry = Entry(at, done, f"step {step} of 100", curve)
        with self.turn:
            self.left[0] = left
            return self.store.claims.beat(self.claim, entry, seconds, left)

    def live(self) -> None:
        """Gives signs of life without news."""
        with suppress(Fenced, StoreFailed):
            while True:
                time.sleep(3.0)
                with self.turn:
                    self.store.claims.beat(self.claim, None, 0.0, self.left[0])

    def end(self, state: State) -> None:
        """Ends it."""
        self.store.claims.end(self.claim, End(state))


def begun(store: Store, title: str, conversation: str = "") -> int:
    """Submits a job that no runner of the server takes, and returns its number."""
    lane = f"of {title}"
    new = NewJob(title, "train_pocket", title, {}, {}, lane, conversation, 1 if conversation else 0)
    return store.jobs.submit(ME, new)


def held(store: Store, title: str, conversation: str = "") -> Held:
    begun(store, title, conversation)
    claim = store.claims.claim("another machine", f"of {title}")
    assert claim
    job = Held(store, claim)
    threading.Thread(target=job.live, daemon=True).start()
    return job


def training(store: Store, title: str, steps: int) -> int:
    """Submits a real training."""
    arguments = {"name": "pocket-convnext", "steps": steps, "drawn": 512, "measured": 50}
    new = NewJob(title, "train_pocket", title, arguments, {"lasting": True}, "device")
    return store.jobs.submit(ME, new)


def row(page: Page, title: str) -> Locator:
    return page.locator("#jobs li", has_text=title)


def reach(page: Page, url: str, title: str, loads: int) -> list[float]:
    """Closes or loads the page again and again while a job runs; the seconds until it is shown."""
    context, seen, took = page.context, 0.0, list[float]()
    for load in range(loads):
        if load % 2:
            page.reload()
        else:
            page.close()
            page = context.new_page()
            page.goto(url)
        loaded = time.monotonic()
        job = row(page, title)
        expect(job).to_contain_text("running")
        took.append(time.monotonic() - loaded)
        done = percent(job)
        assert done >= seen
        seen = done
    assert seen
    return took


def runs(server: Served, number: int) -> int:
    """How many runs a job left."""
    manifests = (server.home / "runs" / ME).glob("*/manifest.json")
    made = [json.loads(manifest.read_text()).get("job") for manifest in manifests]
    return made.count(number)


def press(page: Page, title: str, button: str) -> None:
    row(page, title).get_by_role("button", name=f"{button} job").click()


def show(page: Page, title: str) -> Locator:
    """Opens a job in full."""
    row(page, title).locator(".open").click()
    dialog = page.locator("dialog[open]")
    expect(dialog.locator("h2")).to_contain_text(title)
    return dialog


def percent(job: Locator) -> float:
    """How far the list says that a job is; 0 for one that has not begun."""
    bar = "row => Number(row.querySelector('[role=progressbar]')?.ariaValueNow ?? 0)"
    return float(job.evaluate(bar))


def points(dialog: Locator) -> int:
    return len((dialog.locator("polyline").get_attribute("points") or "").split())


def is_tick(response: Response) -> bool:
    """Whether it is the answer to a look at the jobs: six parts of the page."""
    return "/gradio_api/run/" in response.url and len(response.json()["data"]) == 6


def is_quiet(response: Response) -> bool:
    """Whether it is one that carries nothing."""
    return is_tick(response) and all("value" not in part for part in response.json()["data"])


@contextmanager
def standing(server: Served) -> Iterator[None]:
    """What runs models stands still meanwhile: however fast it is, what it does is not done."""
    children = psutil.Process(server.process.pid).children()
    [worker] = [child for child in children if "assistant.worker.process" in child.cmdline()]
    worker.suspend()
    yield
    worker.resume()


# --- real work
def test_it_is_found_again_each_time_and_finished_once(
    page: Page, server: Served, store: Store
) -> None:
    number = training(store, "Each time", steps=24)
    wait_for(lambda: store.jobs.get(ME, number).done)
    with standing(server):
        reach(page, server.url, "Each time", loads=5)
        assert store.jobs.get(ME, number).state == "running"
    wait_for(lambda: store.jobs.get(ME, number).state == "done")
    assert runs(server, number) == 1


def test_a_training_is_watched_paused_resumed_and_cancelled(page: Page, store: Store) -> None:
    number = training(store, "By click", steps=4_000)
    dialog = show(page, "By click")
    dialog.locator("polyline").wait_for()
    before = points(dialog)
    page.wait_for_function(
        "count => document.querySelector('dialog polyline').points.length > count", arg=before
    )
    dialog.get_by_role("button", name="Pause job").click()
    expect(dialog).to_contain_text("· paused ·")
    expect(dialog.get_by_role("button", name="Resume job")).to_be_focused()
    assert store.jobs.get(ME, number).state == "paused"
    page.keyboard.press("Escape")
    press(page, "By click", "Resume")
    expect(row(page, "By click")).to_contain_text("running")
    press(page, "By click", "Cancel")
    sure = page.locator("dialog[open]").get_by_role("button", name="Cancel the job")
    expect(row(page, "By click").get_by_text("cancelled").or_(sure).first).to_be_visible()
    if sure.is_visible():  # on a slow machine it has run for a minute
        sure.click()
    expect(row(page, "By click")).to_contain_text("cancelled")
    expect(row(page, "By click").get_by_role("button", name="Retry job")).to_be_visible()


# --- how it is shown
def test_a_job_grows_in_place(page: Page, store: Store) -> None:
    job = held(store, "Grows in place")
    job.go(0.1)
    job.go(0.2)
    bar = row(page, "Grows in place").get_by_role("progressbar")
    expect(bar).to_have_attribute("aria-valuenow", "20")
    expect(row(page, "Grows in place")).to_contain_text("running · 20% · 2 min left")
    dialog = show(page, "Grows in place")
    dialog.get_by_role("button", name="Pause job").focus()
    page.evaluate("window.line = document.querySelector('dialog polyline')")
    assert points(dialog) == 2
    job.go(0.3)
    expect(dialog).to_contain_text("Now: step 30 of 100")
    assert points(dialog) == 3
    assert page.evaluate("window.line === document.querySelector('dialog polyline')")
    expect(dialog.get_by_role("button", name="Pause job")).to_be_focused()
    page.evaluate(_WATCH)
    page.wait_for_timeout(2_500)
    assert page.evaluate("window.changes") == 0
    job.go(0.4)
    expect(dialog).to_contain_text("Now: step 40 of 100")
    store.claims.keep(job.claim, [Text("A *picture* of <b>it</b>.")])
    expect(dialog).to_contain_text("A picture of it.")
    job.end("done")
    expect(dialog).to_contain_text("· done ·")
    expect(dialog.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Enter")
    expect(row(page, "Grows in place").locator(".open")).to_be_focused()


def test_a_tick_without_news_carries_nothing(page: Page, store: Store) -> None:
    job = held(store, "Quiet")
    job.go(0.5)
    expect(row(page, "Quiet")).to_contain_text("50%")
    with page.expect_response(is_quiet):
        pass
    for _ in range(2):
        with page.expect_response(is_tick) as ticked:
            pass
        assert is_quiet(ticked.value)
    job.end("cancelled")


def test_the_focus_stays_with_its_job(page: Page, store: Store) -> None:
    begun(store, "First in line")
    first = row(page, "First in line").get_by_role("button", name="Pause job")
    first.focus()
    job = held(store, "Goes before")
    expect(row(page, "Goes before")).to_be_visible()
    expect(first).to_be_focused()
    job.end("cancelled")
    page.keyboard.press("Enter")
    expect(row(page, "First in line")).to_contain_text("paused")
    press(page, "First in line", "Cancel")
    expect(row(page, "First in line")).to_contain_text("cancelled")


def test_long_work_is_not_cancelled_without_a_question(page: Page, store: Store) -> None:
    job = held(store, "Long work")
    job.go(0.5, seconds=100.0)
    expect(row(page, "Long work")).to_contain_text("50%")
    for button in ("Let it run", "Cancel the job"):
        assert job.go(0.5) == ""
        press(page, "Long work", "Cancel")
        expect(page.locator("dialog[open]")).to_contain_text("Long work has run for a while")
        page.locator("dialog[open]").get_by_role("button", name=button).click()
        expect(page.locator("dialog[open]")).to_have_count(0)
    expect(row(page, "Long work")).to_contain_text("is being cancelled")
    assert job.go(0.5) == "cancel"
    job.end("cancelled")
    expect(row(page, "Long work")).to_contain_text("cancelled")


def test_what_cannot_be_is_told(page: Page, store: Store) -> None:
    begun(store, "Not there")
    # At once: it may be rendered anew.
    row(page, "Not there").evaluate(
        "row => { row.dataset.key = '999'; row.querySelector('[data-do=pause]').click(); }"
    )
    expect(page.locator(".toast-body")).to_contain_text("There is no job 999 here.")


@pytest.mark.parametrize(("width", "colours"), [(1280, "light"), (390, "dark")])
def test_it_is_readable_for_all(
    browser: Browser,
    server: Served,
    store: Store,
    seen: Seen,
    width: int,
    colours: Literal["light", "dark"],
) -> None:
    title = f"{ODD} {width}"
    job = held(store, title)
    for done in (0.25, 0.5):
        job.go(done)
    with chat_page(browser, server.url, seen, width, colours) as page:
        if width == 390:
            page.get_by_role("button", name="Conversations").click()
        expect(row(page, str(width)).locator(".open")).to_have_text(title)
        assert faults(page) == []
        dialog = show(page, title)
        dialog.locator("svg").wait_for()
        assert faults(page) == []
        assert width_used(page) == width
        assert dialog.evaluate("e => e.scrollWidth <= e.clientWidth")
        assert page.title() == "Fitting Room"
    job.end("cancelled")
    assert seen.errors == []
    assert seen.outside == []


# --- in its conversation
def test_its_conversation_follows_it(page: Page, store: Store) -> None:
    turn = store.start_turn(ME, "", "Train my classifier", ())
    job = held(store, "In a conversation", turn.conversation)
    number = str(job.claim.number)
    step = StepState("finetune", {}, "running", job=number, why="You said so.", blocks=1)
    kept = Answer("", turn.conversation, 1, "run", (step,), blocks=(Text("It has started."),))
    store.keep_answer(ME, turn.conversation, 1, to_kept(kept))
    ask(page, "What can you do?")
    dialog = show(page, "In a conversation")
    dialog.get_by_role("button", name="Show in the conversation").click()
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(answer(page)).to_contain_text(f"finetune · job {number} waits to begin")
    expect(page.locator("#history [aria-current=true]")).to_contain_text("Train my classifier")
    page.locator("#box textarea").fill("Half a quest")
    page.evaluate("window.question = document.querySelector('#chat .user-row')")
    title = answer(page).locator(".title").first
    title.evaluate("title => title.click()")
    expect(title).to_have_attribute("aria-expanded", "true")
    job.go(0.42)
    expect(answer(page)).to_contain_text(f"finetune · job {number} is running · 42%")
    expect(page.locator("#chat .loading-spinner")).to_have_count(0)
    expect(answer(page)).to_contain_text("It has started.")
    store.claims.keep(job.claim, [Text("It is trained, and right of 98%.")])
    job.end("done")
    expect(answer(page)).to_contain_text("finetune · done")
    expect(title).to_have_attribute("aria-expanded", "true")
    assert page.evaluate("window.question.isConnected")
    expect(answer(page)).to_contain_text("It is trained, and right of 98%.")
    expect(page.locator("#box textarea")).to_have_value("Half a quest")
    expect(page.locator("#box textarea")).to_be_focused()
