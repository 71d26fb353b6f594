"""What a person does on the page."""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Locator, Page, Request, expect
from playwright.sync_api import TimeoutError as TimeoutFailure

How = Literal["drop", "paste"]
PATIENCE = 60_000  # milliseconds; another test may have the machine
_IDLE = """() => document.querySelector("#box .submit-button")
    && !document.querySelector("#box .stop-button")
    && document.querySelector("#chat .bot-row")
    && !document.querySelector("#chat .loading-spinner")"""
_GIVE = """([name, kind, content, how]) => {
    const bytes = Uint8Array.from(atob(content), c => c.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], name, {type: kind}));
    const options = {bubbles: true, cancelable: true};
    const event = how === "drop"
        ? new DragEvent("drop", {...options, dataTransfer: transfer})
        : new ClipboardEvent("paste", {...options, clipboardData: transfer});
    document.querySelector("#box textarea").dispatchEvent(event);
}"""


@dataclass(frozen=True)
class Seen:
    """What a page did that a person does not see.

    Attributes:
        errors: errors in its console, and those that nobody caught.
        outside: requests to another machine.
    """

    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    _open: set[Request] = field(default_factory=set)

    def watch(self, page: Page) -> None:
        """Notes what a page does from here on."""
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        page.on("request", lambda request: self._note(request))
        page.on("requestfinished", lambda request: self._open.discard(request))
        page.on("requestfailed", lambda request: self._open.discard(request))

    @property
    def busy(self) -> bool:
        """Whether the page still waits for the server; its heartbeat never ends."""
        return any("heartbeat" not in request.url for request in self._open)

    def _note(self, request: Request) -> None:
        self._open.add(request)
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and address.hostname != "127.0.0.1":
            self.outside.append(request.url)


@contextmanager
def chat_page(
    browser: Browser,
    url: str,
    seen: Seen,
    width: int = 1280,
    colours: Literal["light", "dark"] = "light",
) -> Iterator[Page]:
    """The chat in a browser profile of its own."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=colours, permissions=[]
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    seen.watch(page)
    page.goto(url)
    page.locator("#box textarea").wait_for()
    yield page
    context.close()


def send(page: Page, text: str) -> None:
    """Sends a question, without waiting for its answer."""
    asked = questions(page).count()
    box = page.locator("#box textarea")
    box.fill(text)
    box.press("Enter")
    expect(questions(page)).to_have_count(asked + 1)


def wait(page: Page) -> None:
    """Waits until the page takes the next question."""
    page.wait_for_function(_IDLE)


def ask(page: Page, text: str) -> Locator:
    """Asks, waits for the whole answer, and returns it."""
    send(page, text)
    wait(page)
    return answer(page)


def give(page: Page, how: How, name: str, kind: str, content: bytes) -> None:
    """Drops or pastes a file."""
    page.evaluate(_GIVE, [name, kind, b64encode(content).decode(), how])


def give_picture(page: Page, how: How, png: bytes) -> None:
    """Drops or pastes a picture, and waits until it is there."""
    give(page, how, "mine.png", "image/png", png)
    page.locator("#box .thumbnail-item").wait_for()


def begin(page: Page) -> None:
    """Begins a new conversation, and waits until it is there."""
    page.get_by_role("button", name="New conversation").click()
    page.locator("#chat .example").first.wait_for()


def listed(page: Page) -> Locator:
    """The conversations beside the chat."""
    return page.locator("#history .title")


def pick(page: Page, title: str, what: str) -> Locator:
    """Opens the menu of a conversation, and returns what stands in it under a name."""
    row = page.locator("#history li", has_text=title).first
    found = row.locator(".menu > *", has_text=what)
    row.locator("summary").click()
    try:
        found.first.wait_for(timeout=5_000)
    except TimeoutFailure:  # the list was rendered anew under the click, as a person would see
        row.locator("summary").click()
    return found


def edit(page: Page, place: int = -1) -> None:
    """Takes a question back into the box, the last one if no other is named."""
    page.locator("#chat .message-buttons-right").nth(place).get_by_role("button").last.click()
    page.locator("#bar").wait_for()


def reload(page: Page, seen: Seen) -> None:
    """Loads the page again once it has asked nothing for a while, or Chromium logs what is lost."""
    quiet = 0
    for _ in range(50):
        quiet = 0 if seen.busy else quiet + 1
        if quiet == 8:
            break
        page.wait_for_timeout(200)
    page.reload()


def questions(page: Page) -> Locator:
    """The bubbles of the person."""
    return page.locator("#chat .user-row")


def answer(page: Page) -> Locator:
    """The latest answer."""
    return page.locator("#chat .bot-row").last


def fold(page: Page, title: str) -> Locator:
    """The last folded part of that title in the latest answer."""
    return answer(page).locator(".thought-group", has_text=title).last


def width_used(page: Page) -> int:
    """How wide the page is, in pixels."""
    return int(page.evaluate("document.documentElement.scrollWidth"))
