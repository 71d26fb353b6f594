"""A person types the key of hosted models: it draws, and is found nowhere."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.bfl_server import Lab
from tests.browser.chat import Seen, ask, begin, chat_page, reload, send, wait, width_used
from tests.served import Served, served

KEY = "canary-7c2e91bb-0003"  # looks like no key: nothing may rely on how one looks
WORDS = "Draw a red star on blue with flux-2-pro"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    opened = Lab(KEY)
    opened.start()
    yield opened
    opened.stop()


@pytest.fixture(scope="module")
def shop(browser: Browser, lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that may reach for the network, and finds Black Forest Labs on this machine."""
    del browser
    settings = {
        "FITTING_ROOM_OFFLINE": "false",
        "HF_HUB_OFFLINE": "1",
        "FITTING_ROOM_BFL_REGION": lab.address,
    }
    with served(tmp_path_factory.mktemp("shop"), settings=settings) as running:
        yield running


@pytest.fixture
def counter(browser: Browser, shop: Served, seen: Seen) -> Iterator[Page]:
    """Its page; afterwards nothing may have gone wrong or out."""
    with chat_page(browser, shop.url, seen) as opened:
        yield opened
    assert seen.errors == []
    assert seen.outside == []


def type_key(page: Page, key: str) -> None:
    """Opens the field and types a key into it."""
    field = page.locator("#key-words input")
    if not field.is_visible():
        page.get_by_role("button", name="Key for hosted models").click()
    field.fill(key)
    field.press("Enter")
    expect(field).to_have_value("")


def content(path: Path) -> bytes:
    """What stands in a file; nothing if the server has deleted it meanwhile."""
    with suppress(FileNotFoundError):
        return path.read_bytes()
    return b""


def files(folder: Path, key: str) -> list[str]:
    """The files below a folder in which a key stands."""
    kept = [path for path in folder.rglob("*") if path.is_file()]
    assert kept
    return [path.name for path in kept if key.encode() in content(path)]


def test_a_typed_key_draws_and_stands_nowhere(
    counter: Page, shop: Served, lab: Lab, seen: Seen
) -> None:
    page = counter
    asked = ask(page, WORDS)
    expect(asked).to_contain_text("it needs a key of Black Forest Labs")
    type_key(page, KEY)
    expect(page.locator("#key-told")).to_contain_text("A key is in use in this conversation")
    expect(ask(page, WORDS)).to_contain_text("at most $0.045")
    page.get_by_role("button", name="Yes, spend up to $0.045").click()
    wait(page)
    shown = page.locator("#chat .bot-row").last
    expect(shown).to_contain_text("Paid $0.03 for api:flux-2-pro")
    expect(shown).to_contain_text("$1.235 of credits left")
    expect(shown.locator("img")).to_have_count(1)
    reload(page, seen)
    expect(page.locator("#key-words input")).to_be_hidden()
    assert KEY not in page.content()
    assert KEY not in page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert lab.posts == 1
    talk = page.evaluate("sessionStorage.getItem('fitting-room')")
    for place in ("", "/config", f"/conversations/{talk}.md", f"/conversations/{talk}.json"):
        told = page.request.get(f"{shop.url}{place}")
        assert told.ok, place
        assert KEY not in told.text(), place
    assert files(shop.home, KEY) + files(shop.folder, KEY) == []
    assert KEY not in shop.log.read_text(encoding="utf-8")


def test_a_key_typed_before_the_first_question_serves_that_conversation_alone(
    counter: Page, lab: Lab
) -> None:
    before = lab.posts
    type_key(counter, KEY)
    expect(ask(counter, WORDS)).to_contain_text("at most $0.045")
    expect(counter.locator("#key-told")).to_contain_text("A key is in use")
    begin(counter)
    expect(counter.locator("#key-told")).to_contain_text("in this conversation only")
    expect(ask(counter, WORDS)).to_contain_text("it needs a key")
    type_key(counter, KEY)
    expect(ask(counter, f"{WORDS}, seed 2")).to_contain_text("at most $0.045")
    counter.get_by_role("button", name="Forget it").click()
    expect(counter.locator("#key-told")).to_contain_text("in this conversation only")
    expect(ask(counter, f"{WORDS}, seed 3")).to_contain_text("it needs a key")
    type_key(counter, "no key")
    expect(counter.locator(".toast-body")).to_contain_text("too short")
    assert lab.posts == before


def test_what_looks_like_a_key_is_not_shown(counter: Page, shop: Served) -> None:
    key = "bfl_0123456789abcdef0123"
    send(counter, f"How many parameters does resnet50 have? My key is {key}")
    wait(counter)
    expect(counter.locator("#chat .user-row")).to_contain_text("(key hidden)")
    assert key not in counter.content()
    assert files(shop.home, key) == []


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_the_field_fits_a_phone(
    browser: Browser, shop: Served, seen: Seen, colours: str, tmp_path: Path
) -> None:
    with chat_page(browser, shop.url, seen, 390, "dark" if colours == "dark" else "light") as page:
        page.get_by_role("button", name="Conversations").click()
        page.get_by_role("button", name="Key for hosted models").click()
        field = page.locator("#key-words input")
        field.wait_for()
        assert width_used(page) <= 390
        box = field.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert field.get_attribute("type") == "password"
        page.screenshot(path=tmp_path / f"{colours}.png")
    assert seen.errors == []
