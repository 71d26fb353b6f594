"""A person with pictures of their own: finds one again, uses it, downloads it, deletes it."""

import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from assistant.store import Store
from tests.browser.chat import Seen, answer, chat_page, reload, wait, width_used
from tests.browser.test_access import faults
from tests.served import Served, served
from tests.test_gallery import drawn, keep

ODD = "<img src=x onerror=\"document.title='caught'\"> ${1+1} {{x}}"


def gallery(page: Page) -> Locator:
    """Opens my pictures."""
    page.get_by_role("button", name="My pictures").click()
    found = page.get_by_role("dialog", name="My pictures")
    found.locator("li").first.wait_for()
    return found


def delete(page: Page) -> None:
    """Deletes the picture that is shown large, and is sure of it."""
    page.locator("[data-ask=picture] [data-do=delete]").click()
    sure = page.get_by_role("dialog", name="Delete this picture?")
    sure.get_by_role("button", name="Delete", exact=True).click()


@pytest.fixture(scope="module")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of its own: what other tests look at has no pictures."""
    del browser
    with served(tmp_path_factory.mktemp("pictures")) as running:
        yield running


@pytest.fixture(scope="module")
def store(server: Served) -> Iterator[Store]:
    with closing(Store(f"sqlite:///{server.home / 'fitting-room.db'}")) as opened:
        yield opened


def test_a_picture_is_found_used_downloaded_and_deleted(
    page: Page, server: Served, store: Store, seen: Seen, tmp_path: Path
) -> None:
    expect(gallery(page)).to_contain_text("No pictures yet")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="My pictures")).to_be_focused()
    keep(store, drawn(server.home, "run", "a red star", "a blue cup"))
    reload(page, seen)
    page.locator("#history .title", has_text="Draw it").click()
    expect(answer(page).locator("img")).to_have_count(2)
    found = gallery(page)
    found.get_by_role("searchbox").fill("no such words")
    expect(found).to_contain_text("No picture of yours has all these words")
    expect(found.get_by_role("link", name="Download all")).to_be_hidden()
    found.get_by_role("searchbox").fill("STAR schnell")
    expect(found.locator("[data-name]")).to_have_count(1)
    found.get_by_role("button", name="a red star").click()
    whole = page.get_by_role("dialog", name="a red star")
    expect(whole).to_contain_text("AI generated")
    expect(whole).to_contain_text("Seed1")
    with page.expect_download() as saved:
        whole.get_by_role("link", name="Download").click()
    assert saved.value.suggested_filename == "a-red-star.png"
    saved.value.save_as(tmp_path / "star.png")
    file = server.home / "runs" / "me" / "run" / "picture-1.png"
    assert (tmp_path / "star.png").read_bytes() == file.read_bytes()
    with page.expect_download() as saved:
        page.keyboard.press("Escape")
        found.get_by_role("link", name="Download all").click()
    saved.value.save_as(tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert archive.namelist() == ["0001-a-red-star.png", "recipes.json"]
    found.get_by_role("button", name="a red star").click()
    whole.get_by_role("button", name="Use again").click()
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.locator("#box .thumbnail-item")).to_have_count(1)
    expect(page.locator("#box textarea")).to_be_focused()
    page.keyboard.type("How was this picture made?")
    page.keyboard.press("Enter")
    expect(answer(page)).to_contain_text("How this picture was made")
    wait(page)
    gallery(page).get_by_role("button", name="a red star").click()
    delete(page)
    expect(found.locator("[data-name]")).to_have_count(1)
    expect(found.get_by_role("button", name="a blue cup")).to_be_focused()
    assert not file.exists()
    expect(page.locator("#chat")).to_contain_text("This picture was deleted on")


def test_many_pictures_are_readable_for_all(
    browser: Browser, server: Served, store: Store, seen: Seen
) -> None:
    with chat_page(browser, server.url, seen, 390, "dark") as page:
        keep(store, drawn(server.home, "old", *[f"{ODD} thirty {number}" for number in range(20)]))
        keep(store, drawn(server.home, "new", "gone of thirty", *["thirty"] * 9))
        (server.home / "runs" / "me" / "new" / "picture-1.png").unlink()
        page.get_by_role("button", name="Conversations").click()
        found = gallery(page)
        with page.expect_response(lambda reply: "search=thirty" in reply.url):
            found.get_by_role("searchbox").fill("thirty")
        expect(found.locator("[data-name]")).to_have_count(24)
        expect(found.get_by_role("status")).to_have_text("24 pictures, and there are older ones.")
        found.get_by_role("button", name="Show older ones").click()
        expect(found.locator("[data-name]")).to_have_count(30)
        expect(found.locator("[data-name] button").nth(24)).to_be_focused()
        assert faults(page) == []
        page.keyboard.press("Enter")
        whole = page.get_by_role("dialog", name="<img src=x onerror")
        expect(whole).to_contain_text("FLUX.1-schnell")
        assert faults(page) == []
        assert whole.evaluate("e => e.scrollWidth <= e.clientWidth")
        assert width_used(page) == 390
        page.keyboard.press("Escape")
        expect(found.locator("[data-name] button").nth(24)).to_be_focused()
        found.get_by_role("button", name="gone").click()
        gone = page.get_by_role("dialog", name="gone")
        expect(gone).to_contain_text("is not there any more")
        store.pictures.delete("me", "new/picture-1.png", lambda: None)  # in another tab
        delete(page)
        expect(found.locator("[data-name]")).to_have_count(29)
        expect(page.locator("dialog[open]")).to_have_count(1)
        assert page.title() == "Fitting Room"
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="My pictures")).to_be_focused()
    assert [error for error in seen.errors if "404" not in error] == []
    assert seen.outside == []
