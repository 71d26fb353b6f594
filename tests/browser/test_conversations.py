"""A person with several conversations: finds, renames, exports, deletes them, edits, uses tabs."""

import json
import re
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from assistant.answer import Answer, to_json
from tests.browser.chat import (
    Seen,
    answer,
    ask,
    begin,
    chat_page,
    edit,
    give,
    listed,
    pick,
    questions,
    reload,
    send,
    wait,
)
from tests.browser.test_chat import SLOW, drawing
from tests.served import Served, free_port, served

FEMTO = "How many parameters does convnext_femto have?"
FLUX = "Compare schnell and klein 4B"


def plain(colour: str) -> bytes:
    """A picture of one colour."""
    file = BytesIO()
    Image.new("RGB", (64, 64), colour).save(file, "PNG")
    return file.getvalue()


def titles(page: Page, *wanted: str) -> None:
    """Waits until just these conversations are listed."""
    expect(listed(page)).to_have_text(list(wanted))


def current(page: Page) -> Locator:
    return page.locator("#history [aria-current=true] .title")


def cut_off(page: Page) -> None:
    """From here on the tab hears nothing of the others; what it was told before has come."""
    page.wait_for_timeout(1_500)
    page.evaluate("""() => {
        window.others.close();
        Object.defineProperty(document, "visibilityState", {get: () => "hidden"});
    }""")


def confirm(page: Page, button: str) -> None:
    page.locator("dialog[open]").get_by_role("button", name=button).click()
    expect(page.locator("dialog[open]")).to_have_count(0)


def kept_pictures(server: Served) -> set[str]:
    return {file.name for file in (server.home / "uploads").rglob("*.png")}


# --- the list
def test_conversations_stay_and_are_found_again(
    browser: Browser, seen: Seen, tmp_path: Path
) -> None:
    port = free_port()
    with served(tmp_path, port) as first, chat_page(browser, first.url, seen) as page:
        expect(page.locator("#history")).to_contain_text("Your conversations will stand here.")
        ask(page, FEMTO)
        titles(page, FEMTO)
        begin(page)
        expect(current(page)).to_have_count(0)
        ask(page, FLUX)
        titles(page, FLUX, FEMTO)
        expect(current(page)).to_have_text(FLUX)
        listed(page).nth(1).click()
        expect(answer(page)).to_contain_text("5.22 million parameters")
        expect(questions(page)).to_have_count(1)
        expect(current(page)).to_have_text(FEMTO)
        page.evaluate("window.isOld = true")
        first.process.terminate()
        first.process.wait(60)
        with served(tmp_path, port):
            page.wait_for_function("() => !window.isOld")
            titles(page, FLUX, FEMTO)
            expect(current(page)).to_have_text(FEMTO)
            expect(answer(page)).to_contain_text("5.22 million parameters")
            ask(page, "hello")
            titles(page, FEMTO, FLUX)  # the newest turn comes first
    assert seen.outside == []


def test_conversations_are_searched(browser: Browser, seen: Seen, tmp_path: Path) -> None:
    with served(tmp_path) as server, chat_page(browser, server.url, seen) as page:
        ask(page, FEMTO)
        begin(page)
        ask(page, FLUX)
        titles(page, FLUX, FEMTO)
        search = page.get_by_placeholder("Search conversations")
        for words, found in (("FEMTO", FEMTO), ("5.22 million", FEMTO), ("same job", FLUX)):
            search.fill(words)
            titles(page, found)
        search.fill("a word that nobody said")
        expect(page.locator("#history")).to_contain_text("No conversation holds these words.")
        ask(page, "hello")
        for _ in range(10):  # while what the answer set off is still under way
            search.fill("5.22 million")
            search.fill("")
        titles(page, FLUX, FEMTO)
        page.wait_for_timeout(2_000)
        calls: list[str] = []
        page.on("request", lambda request: calls.append(request.url))
        page.wait_for_timeout(3_000)
        assert len(calls) <= 12  # a look at the jobs and one at the models each second, about
    assert seen.errors == []


def test_older_conversations_come_on_demand(browser: Browser, seen: Seen, tmp_path: Path) -> None:
    from assistant.store import Store

    with served(tmp_path) as server:
        store = Store(f"sqlite:///{server.home / 'fitting-room.db'}")
        for number in range(35):
            store.start_turn("me", "", f"Question {number}", ())
        store.close()
        with chat_page(browser, server.url, seen) as page:
            expect(listed(page)).to_have_count(30)
            page.get_by_role("button", name="Show older ones").click()
            expect(listed(page)).to_have_count(35)
            expect(listed(page).last).to_have_text("Question 0")
            expect(page.get_by_role("button", name="Show older ones")).to_have_count(0)
    assert seen.errors == []


def test_a_conversation_is_renamed(page: Page, seen: Seen) -> None:
    ask(page, "What can you do?")
    odd = "<b>Mine</b> & ${yours} `{{x}}`"
    pick(page, "What can you do?", "Rename").click()
    box = page.locator("dialog[open] input")
    assert box.input_value() == "What can you do?"
    box.fill(odd)
    box.press("Enter")
    expect(listed(page).first).to_have_text(odd)
    pick(page, odd, "Rename").click()
    expect(page.locator("dialog[open] input")).to_have_value(odd)
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    reload(page, seen)
    expect(current(page)).to_have_text(odd)


def test_a_conversation_is_deleted_after_a_question(page: Page, server: Served, seen: Seen) -> None:
    give(page, "drop", "only-here.png", "image/png", plain("#123456"))
    page.locator("#box .thumbnail-item").wait_for()
    ask(page, "hello, delete me")
    assert "only-here.png" in kept_pictures(server)
    pick(page, "delete me", "Delete").click()
    expect(page.locator("dialog[open]")).to_contain_text("hello, delete me goes with")
    confirm(page, "Keep it")
    expect(questions(page)).to_have_count(1)
    pick(page, "delete me", "Delete").click()
    confirm(page, "Delete")
    page.locator("#chat .example").first.wait_for()
    expect(listed(page).filter(has_text="delete me")).to_have_count(0)
    assert "only-here.png" not in kept_pictures(server)
    reload(page, seen)
    page.locator("#chat .example").first.wait_for()


def test_one_that_is_being_answered_can_be_left_and_deleted(page: Page) -> None:
    send(page, SLOW)
    expect(answer(page)).to_contain_text("benchmark · running")
    begin(page)
    expect(ask(page, FEMTO)).to_contain_text("5.22 million parameters")
    listed(page).filter(has_text=SLOW).first.click()
    expect(answer(page)).to_contain_text("benchmark · running")
    listed(page).filter(has_text=FEMTO).first.click()
    expect(answer(page)).to_contain_text("5.22 million parameters")
    page.wait_for_timeout(1500)
    expect(answer(page)).to_contain_text("5.22 million parameters")
    before = listed(page).filter(has_text=SLOW).count()
    pick(page, SLOW, "Delete").first.click()
    confirm(page, "Delete")
    expect(listed(page).filter(has_text=SLOW)).to_have_count(before - 1)
    expect(answer(page)).to_contain_text("5.22 million parameters")


# --- out
def test_a_conversation_is_exported(page: Page) -> None:
    give(page, "drop", "my drawing.png", "image/png", drawing())
    page.locator("#box .thumbnail-item").wait_for()
    ask(page, "What is in this picture?")
    ask(page, FEMTO)
    with page.expect_download() as download:
        pick(page, "What is in this picture?", "Markdown").first.click()
    assert download.value.suggested_filename == "what-is-in-this-picture.md"
    text = Path(download.value.path()).read_text(encoding="utf-8")
    for part in (
        "# What is in this picture?\n",
        "## What is in this picture?\n",
        "![Picture 1: my drawing.png](my%20drawing.png)",
        "| Picture | Label | Probability |",
        "Step: classify, done, ",
        "Why this tool: ",
        "**Evidence**",
        "~~4.7 million~~ **refuted.**",
        "[source](https://",
    ):
        assert part in text, part
    assert "files/" not in text
    with page.expect_download() as download:
        pick(page, "What is in this picture?", "JSON").first.click()
    told = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert [turn["question"] for turn in told["turns"]] == ["What is in this picture?", FEMTO]
    (last,) = told["turns"][1]["answers"]
    assert list(last) == list(to_json(Answer("", "", 0, "run")))
    assert last["evidence"][0]["value"] == 5.22


# --- questions
def test_a_question_is_edited_and_the_rest_goes_on_from_there(page: Page, seen: Seen) -> None:
    give(page, "drop", "one.png", "image/png", drawing())
    page.locator("#box .thumbnail-item").wait_for()
    ask(page, "What is in *this* picture?")
    ask(page, FLUX)
    edit(page, 0)
    expect(page.locator("#bar")).to_contain_text("What followed it will be replaced.")
    box = page.locator("#box textarea")
    expect(box).to_have_value("What is in *this* picture?")
    expect(page.locator("#box .thumbnail-item")).to_have_count(1)
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.locator("#bar")).to_be_hidden()
    expect(box).to_have_value("")
    expect(questions(page)).to_have_count(2)
    edit(page, 0)
    box.fill("Classify this picture")
    box.press("Enter")
    expect(questions(page)).to_have_count(1)
    wait(page)
    expect(page.locator("#bar")).to_be_hidden()
    expect(answer(page)).to_contain_text("classify · done")
    expect(questions(page)).to_contain_text("Classify this picture")
    expect(questions(page).locator("img")).to_have_count(1)
    expect(current(page)).to_have_text("Classify this picture")
    ask(page, FEMTO)
    reload(page, seen)
    expect(questions(page)).to_have_count(2)
    expect(answer(page)).to_contain_text("5.22 million")


def test_an_empty_edit_changes_nothing(page: Page, seen: Seen) -> None:
    ask(page, FEMTO)
    edit(page)
    page.locator("#box textarea").fill("")
    page.locator("#box textarea").press("Enter")
    expect(answer(page)).to_contain_text("The message is empty.")
    wait(page)
    expect(page.locator("#bar")).to_be_visible()
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.locator("#bar")).to_be_hidden()
    reload(page, seen)
    expect(answer(page)).to_contain_text("5.22 million parameters")


def test_several_pictures_are_numbered(page: Page) -> None:
    for place, colour in enumerate(("red", "green", "blue"), start=1):
        give(page, "drop", f"{colour}.png", "image/png", plain(colour))
        expect(page.locator("#box .thumbnail-item")).to_have_count(place)
    numbers = page.locator("#box .thumbnail-item").evaluate_all(
        "items => items.map(item => getComputedStyle(item, '::before').content)"
    )
    assert numbers == ["counter(picture)"] * 3
    ask(page, "Classify these pictures")
    shown = questions(page).last.locator("a:has(img)")
    expect(shown).to_have_text(["1", "2", "3"])
    files = shown.locator("img").evaluate_all("images => images.map(image => image.src)")
    assert [re.sub(r".*/", "", file) for file in files] == ["red.png", "green.png", "blue.png"]


def test_why_this_tool_stands_on_the_answer(page: Page) -> None:
    shown = ask(page, FEMTO)
    title = shown.locator(".title", has_text="why this tool?")
    title.click()
    expect(shown).to_contain_text("Why this tool: ")
    expect(title).to_have_attribute("aria-expanded", "true")


# --- tabs
def test_two_tabs_in_one_conversation_show_the_same(page: Page, server: Served, seen: Seen) -> None:
    ask(page, FEMTO)
    other = page.context.new_page()
    other.goto(server.url)
    expect(questions(other)).to_have_count(1)
    ask(other, FLUX)
    expect(questions(page)).to_have_count(2)  # by itself, side by side
    expect(answer(page)).to_contain_text("do the same job")
    ask(page, "hello")
    expect(questions(other)).to_have_count(3)
    edit(other, 1)
    other.locator("#box textarea").fill("What can you do?")
    other.locator("#box textarea").press("Enter")
    wait(other)
    expect(questions(page)).to_have_count(2)
    reload(page, seen)
    expect(questions(page)).to_have_count(2)
    expect(questions(page).last).to_contain_text("What can you do?")


def test_tabs_keep_their_own_conversations(page: Page, server: Served, seen: Seen) -> None:
    ask(page, FEMTO)
    other = page.context.new_page()
    other.goto(server.url)
    expect(questions(other)).to_have_count(1)
    begin(other)
    ask(other, FLUX)
    reload(page, seen)
    expect(answer(page)).to_contain_text("5.22 million parameters")
    ask(page, "hello")
    reload(other, seen)
    expect(questions(other)).to_have_count(1)
    expect(answer(other)).to_contain_text("do the same job")


def test_a_tab_that_heard_nothing_mixes_nothing(page: Page, server: Served) -> None:
    """The tab is cut off from the others' news, as one that slept is."""
    ask(page, "Who won the football match last night?")
    other = page.context.new_page()
    other.goto(server.url)
    expect(questions(other)).to_have_count(1)
    cut_off(page)
    ask(other, FEMTO)
    page.locator("#chat .option").first.click()
    expect(page.locator(".toast-body")).to_contain_text("went on in another tab")
    expect(questions(page)).to_have_count(2)
    expect(answer(page)).to_contain_text("5.22 million parameters")
    ask(other, FLUX)
    page.locator("#box textarea").fill("hello")
    page.locator("#box textarea").press("Enter")
    expect(questions(page)).to_have_count(4)
    wait(page)


def test_a_conversation_deleted_in_another_tab(page: Page, server: Served) -> None:
    ask(page, FEMTO)
    other = page.context.new_page()
    other.goto(server.url)
    expect(questions(other)).to_have_count(1)
    cut_off(page)
    pick(other, FEMTO, "Delete").first.click()
    confirm(other, "Delete")
    other.locator("#chat .example").first.wait_for()
    box = page.locator("#box textarea")
    box.fill("And how fast is it?")
    box.press("Enter")
    expect(page.locator(".toast-body")).to_contain_text("This conversation was deleted")
    page.locator("#chat .example").first.wait_for()
    expect(box).to_have_value("And how fast is it?")
    expect(ask(page, FLUX)).to_contain_text("do the same job")
    expect(questions(page)).to_have_count(1)
