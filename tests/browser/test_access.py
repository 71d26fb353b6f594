"""The page without a mouse and for those who cannot see it: keyboard, focus, names, contrast."""

from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.chat import (
    Seen,
    answer,
    ask,
    chat_page,
    edit,
    give,
    pick,
    questions,
    reload,
    wait,
)
from tests.browser.test_chat import drawing
from tests.served import Served

FEMTO = "How many parameters does convnext_femto have?"
_NAME = """() => {
    const e = document.activeElement;
    return e.getAttribute("aria-label") || e.placeholder || e.innerText.trim() || e.tagName;
}"""
_UNSEEN = """() => {
    const e = document.activeElement, style = getComputedStyle(e);
    const box = e.getBoundingClientRect();
    const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
    const marked = ring || style.boxShadow !== "none" || e.tagName === "TEXTAREA";
    return e === document.body || (marked && box.width && box.height) ? "" : e.outerHTML;
}"""


def faults(page: Page) -> list[tuple[str, str, Any]]:
    """What axe-core finds to be serious or critical."""
    found = Axe().run(page).response["violations"]
    return [
        (fault["impact"], fault["id"], [node["target"] for node in fault["nodes"]])
        for fault in found
        if fault["impact"] in ("serious", "critical")
    ]


def tab_to(page: Page, name: str, key: str = "Tab") -> None:
    """Goes on with the keyboard until something of that name has the focus."""
    passed = []
    for _ in range(80):
        page.keyboard.press(key)
        passed.append(str(page.evaluate(_NAME)))
        if passed[-1].startswith(name):
            return
    raise AssertionError(f"{name!r} is not reached, only {passed}")


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_no_serious_fault(
    browser: Browser, server: Served, seen: Seen, width: int, colours: Literal["light", "dark"]
) -> None:
    with chat_page(browser, server.url, seen, width, colours) as page:
        page.locator("#chat .example").first.wait_for()
        assert faults(page) == []
        for place in (1, 2):
            give(page, "drop", f"{place}.png", "image/png", drawing())
            expect(page.locator("#box .thumbnail-item")).to_have_count(place)
        ask(page, "What is in this picture?")
        answer(page).locator(".title", has_text="why this tool?").click()
        assert faults(page) == []
        ask(page, "Who won the football match last night?")
        edit(page)
        assert faults(page) == []
        if width == 390:
            page.get_by_role("button", name="Conversations").click()
        pick(page, "What is in this picture?", "Rename")
        assert faults(page) == []
        page.locator("#history .menu [data-do=rename]:visible").click()
        assert faults(page) == []
        page.keyboard.press("Escape")
    assert seen.errors == []
    assert seen.outside == []


def test_everything_works_by_keyboard(page: Page) -> None:
    expect(page.locator("#box textarea")).to_be_focused()
    page.keyboard.type(FEMTO)
    page.keyboard.press("Enter")
    expect(questions(page)).to_have_count(1)
    wait(page)
    tab_to(page, "Evidence", "Shift+Tab")
    page.keyboard.press("Enter")
    expect(answer(page)).to_contain_text("Cards used")
    tab_to(page, "Edit", "Shift+Tab")
    page.keyboard.press("Enter")
    page.locator("#bar").wait_for()
    expect(page.locator("#box textarea")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("What can you do, by keyboard?")
    page.keyboard.press("Enter")
    expect(questions(page)).to_contain_text("What can you do, by keyboard?")
    wait(page)
    tab_to(page, "New conversation", "Shift+Tab")
    page.keyboard.press("Enter")
    page.locator("#chat .example").first.wait_for()
    expect(page.locator("#box textarea")).to_be_focused()
    tab_to(page, "What can you do, by keyboard?", "Shift+Tab")
    page.keyboard.press("Enter")
    expect(questions(page)).to_have_count(1)
    tab_to(page, "More for: What can you do, by keyboard?")
    page.keyboard.press("Enter")
    tab_to(page, "Rename")
    page.keyboard.press("Enter")
    expect(page.locator("dialog[open] input")).to_be_focused()
    page.keyboard.type("Renamed by keyboard")
    page.keyboard.press("Enter")
    expect(page.locator("#history .title").first).to_have_text("Renamed by keyboard")
    expect(page.locator("#history summary").first).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(page, "Delete")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Keep it")).to_be_focused()
    tab_to(page, "Delete")
    page.keyboard.press("Enter")
    page.locator("#chat .example").first.wait_for()
    expect(page.locator("#history")).not_to_contain_text("Renamed by keyboard")


def test_what_has_the_focus_is_seen(page: Page) -> None:
    ask(page, "Who won the football match last night?")
    tab_to(page, "New conversation", "Shift+Tab")
    for _ in range(40):
        assert page.evaluate(_UNSEEN) == ""
        page.keyboard.press("Tab")


def test_the_side_is_a_drawer_on_a_phone(browser: Browser, server: Served, seen: Seen) -> None:
    with chat_page(browser, server.url, seen, 390) as page:
        ask(page, "What can you do?")
        toggle = page.get_by_role("button", name="Conversations")
        side = page.locator("#side")
        expect(side).to_be_hidden()
        expect(toggle).to_have_attribute("aria-expanded", "false")
        toggle.focus()
        page.keyboard.press("Enter")
        expect(side).to_be_visible()
        expect(page.get_by_role("button", name="New conversation")).to_be_focused()
        page.keyboard.press("Escape")
        expect(side).to_be_hidden()
        expect(toggle).to_be_focused()
        page.keyboard.press("Enter")
        page.locator("#history .title").first.click()
        expect(side).to_be_hidden()
        expect(questions(page)).to_have_count(1)
        toggle.click()
        page.mouse.click(380, 450)
        expect(side).to_be_hidden()
    assert seen.errors == []


def test_the_side_stays_closed_where_it_was(page: Page, seen: Seen) -> None:
    toggle = page.get_by_role("button", name="Conversations")
    expect(page.locator("#side")).to_be_visible()
    toggle.click()
    expect(page.locator("#side")).to_be_hidden()
    page.locator("#chat .example").first.wait_for()
    reload(page, seen)
    page.locator("#chat .example").first.wait_for()
    expect(toggle).to_have_attribute("aria-expanded", "false")
    expect(page.locator("#side")).to_be_hidden()
