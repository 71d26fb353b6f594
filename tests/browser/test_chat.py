"""A person at the page: asks, drops pictures, stops, retries, judges, comes back."""

import sqlite3
from io import BytesIO
from pathlib import Path
from typing import Literal

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.chat import (
    How,
    Seen,
    answer,
    ask,
    chat_page,
    fold,
    give,
    give_picture,
    questions,
    reload,
    send,
    wait,
    width_used,
)
from tests.processes import wait_for
from tests.served import Served, free_port, served
from tools.pocket.world import draw, scenes

SLOW = "Benchmark resnet18, resnet34 and resnet50"  # half a minute, and nobody waits for its end

_NAMELESS = """[...document.querySelectorAll('button, img, textarea, input')]
    .filter(e => e.offsetParent && !e.closest('[inert]'))
    .filter(e => !(e.ariaLabel || e.textContent.trim() || e.alt || e.title || e.placeholder))
    .map(e => e.outerHTML.slice(0, 120))"""


def drawing() -> bytes:
    """A picture that the pocket classifier knows."""
    (scene,) = scenes(1_000_003, 0, 1)
    file = BytesIO()
    Image.fromarray(draw(scene, 256)).save(file, "PNG")
    return file.getvalue()


def verdicts(home: Path) -> list[str]:
    with sqlite3.connect(home / "fitting-room.db") as database:
        return [row[0] for row in database.execute("select verdict from feedback order by id")]


# --- asking
def test_a_text_question_gets_an_answer_with_folded_evidence(page: Page) -> None:
    shown = ask(page, "How many parameters does convnext_femto have?")
    expect(shown).to_contain_text("5.22 million parameters")
    expect(shown).to_contain_text("explain · done")
    evidence = fold(page, "Evidence")
    expect(evidence).not_to_contain_text("refuted")
    evidence.locator(".title").press("Enter")
    expect(evidence).to_contain_text("refuted")
    expect(evidence).to_contain_text("Cards used: convnext_femto.d1_in1k")


def test_an_example_works_on_the_first_click(page: Page) -> None:
    page.locator("#chat .example", has_text="Compare schnell and klein 4B").click()
    wait(page)
    expect(answer(page)).to_contain_text("do the same job")
    expect(answer(page).locator("table tr").nth(5)).to_be_visible()


def test_an_example_with_a_picture_works_on_the_first_click(page: Page) -> None:
    page.locator("#chat .example", has_text="What is in this picture?").click()
    wait(page)
    expect(answer(page)).to_contain_text("classify · done")
    expect(answer(page)).to_contain_text("house")
    expect(questions(page).locator("img")).to_have_count(1)


@pytest.mark.parametrize("how", ["drop", "paste"])
def test_a_picture_is_dropped_or_pasted(page: Page, how: How) -> None:
    give_picture(page, how, drawing())
    shown = ask(page, "What is in this picture?")
    expect(shown).to_contain_text("classify · done")
    expect(shown.locator("table")).not_to_have_count(0)
    pictures = "[...document.querySelectorAll('#chat img')]"
    assert page.evaluate(f"{pictures}.length") > 1
    page.wait_for_function(f"{pictures}.every(picture => picture.naturalWidth)")


def test_a_file_that_is_no_picture_is_told_at_once(page: Page) -> None:
    give(page, "drop", "notes.heic", "image/heic", b"\0\0\0\x18ftypheic" + b"\0" * 64)
    expect(page.get_by_text("notes.heic is a HEIC photo")).to_be_visible()
    expect(page.locator("#box .thumbnail-item")).to_have_count(0)


def test_a_failure_is_told_plainly(page: Page) -> None:
    give_picture(page, "drop", drawing())
    shown = ask(page, "What does resnet50 say about this image?")
    expect(shown).to_contain_text("classify · failed")
    expect(shown).to_contain_text("This did not work. resnet50.a1_in1k cannot be used here")


def test_what_cannot_be_done_offers_choices_to_click(page: Page) -> None:
    shown = ask(page, "Who won the football match last night?")
    expect(shown).to_contain_text("I have no tool for that")
    choice = page.locator("#chat .option").first
    said = choice.inner_text()
    choice.click()
    expect(questions(page).last).to_contain_text(said)
    wait(page)


def test_long_work_waits_for_a_yes(page: Page) -> None:
    text = "Measure the latency of resnet18, resnet34, resnet50, vit_tiny and femto"
    expect(ask(page, text)).to_contain_text("Timing 5 models takes about 75 seconds. Shall I?")
    page.locator("#chat .option", has_text="No").click()
    expect(page.locator(".toast-body")).to_contain_text("Nothing was run.")
    page.locator("#chat .option", has_text="Yes, time them").click()
    expect(answer(page)).to_contain_text("It goes on in the background")
    expect(questions(page)).to_have_count(1)
    wait(page)
    expect(answer(page)).to_contain_text("benchmark · job ")
    page.locator("#jobs").get_by_role("button", name="Cancel job").click()
    expect(answer(page)).to_contain_text("benchmark · stopped")
    expect(page.locator("#jobs")).to_contain_text("cancelled")


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "The message is empty."), ("a b " * 250_000, "The message has 1,000,000 characters")],
    ids=["empty", "a megabyte"],
)
def test_a_message_that_cannot_be_answered_stays_in_the_box(
    page: Page, text: str, said: str
) -> None:
    expect(ask(page, text)).to_contain_text(said)
    assert page.locator("#box textarea").input_value() == text


# --- while it works
def test_stop_keeps_what_is_there_and_retry_keeps_the_old_answer(page: Page) -> None:
    send(page, SLOW)
    expect(answer(page)).to_contain_text("benchmark · running")
    page.locator("#box .stop-button").click()
    wait(page)
    expect(answer(page)).to_contain_text("benchmark · stopped")
    expect(answer(page)).to_contain_text("Stopped.")
    page.get_by_role("button", name="Retry", exact=True).click()
    expect(answer(page)).to_contain_text("benchmark · running")
    expect(answer(page)).to_contain_text("Earlier answer")
    page.locator("#box .stop-button").click()
    wait(page)
    earlier = fold(page, "Earlier answer")
    earlier.locator(".title").click()
    expect(earlier).to_contain_text("benchmark (stopped)")
    assert questions(page).count() == 1


def test_a_page_that_comes_back_goes_on_watching(
    browser: Browser, server: Served, seen: Seen
) -> None:
    with chat_page(browser, server.url, seen) as page:
        send(page, SLOW)
        expect(answer(page)).to_contain_text("benchmark · running")
        page.reload()
        expect(answer(page)).to_contain_text("benchmark · running")
        other = page.context.new_page()
        other.goto(server.url)
        expect(answer(other)).to_contain_text("benchmark · running")
        other.locator("#box textarea").fill("hello")
        other.locator("#box textarea").press("Enter")
        expect(other.get_by_text("still answering another question")).to_be_visible()
        assert other.locator("#box textarea").input_value() == "hello"
        page.locator("#box .stop-button").click()
        wait(page)
        expect(answer(page)).to_contain_text("Stopped.")
        expect(answer(other)).to_contain_text("Stopped.")


def test_a_new_chat_is_empty_and_stays_so(page: Page, seen: Seen) -> None:
    ask(page, "hello")
    page.get_by_role("button", name="New conversation").click()
    page.locator("#chat .example").first.wait_for()
    reload(page, seen)
    page.locator("#chat .example").first.wait_for()
    assert questions(page).count() == 0


# --- afterwards
def test_what_the_person_thinks_is_kept(page: Page, server: Served) -> None:
    before = len(verdicts(server.home))
    ask(page, "hello")
    page.get_by_role("button", name="Like", exact=True).click()
    wait_for(lambda: len(verdicts(server.home)) == before + 1)
    page.get_by_role("button", name="Dislike", exact=True).click()
    wait_for(lambda: len(verdicts(server.home)) == before + 2)
    page.get_by_role("button", name="Feedback").focus()
    page.get_by_role("button", name="Wrong tool").click()
    wait_for(lambda: "wrong tool" in verdicts(server.home)[before:])
    assert verdicts(server.home)[before:][:3] == ["like", "dislike", "wrong tool"]


def test_after_a_restart_the_page_goes_on(browser: Browser, seen: Seen, tmp_path: Path) -> None:
    port = free_port()
    with served(tmp_path, port) as first, chat_page(browser, first.url, seen) as page:
        give_picture(page, "drop", drawing())
        ask(page, "How many parameters does convnext_femto have?")
        assert seen.errors == []
        page.evaluate("window.isOld = true")
        first.process.terminate()
        first.process.wait(60)
        with served(tmp_path, port):
            page.wait_for_function("() => !window.isOld")  # it comes back by itself
            expect(answer(page)).to_contain_text("5.22 million parameters")
            assert page.evaluate("document.querySelector('#chat img').naturalWidth") == 256
            expect(ask(page, "Compare schnell and klein 4B")).to_contain_text("the same job")
            assert questions(page).count() == 2
    assert seen.outside == []


# --- how it looks
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_a_phone_shows_all_without_scrolling_sideways(
    browser: Browser, server: Served, seen: Seen, colours: Literal["light", "dark"]
) -> None:
    with chat_page(browser, server.url, seen, 390, colours) as page:
        assert width_used(page) == 390
        page.locator("#chat .example").first.wait_for()
        ask(page, "Compare schnell and klein 4B")
        assert width_used(page) == 390
        chat = page.locator("#chat .bubble-wrap")
        assert chat.evaluate("e => e.scrollWidth <= e.clientWidth")
        wide = page.locator("#chat table").first
        assert wide.evaluate("e => e.getBoundingClientRect().right <= innerWidth")
        box = page.locator("#box").bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 900
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
        lightness = sum(int(part) for part in dark[4:-1].split(",")[:3]) / 3
        assert lightness < 60 if colours == "dark" else lightness > 200
    assert seen.errors == []
    assert seen.outside == []


def test_the_keyboard_reaches_everything(page: Page) -> None:
    expect(page.locator("#box textarea")).to_be_focused()
    ask(page, "How many parameters does convnext_femto have?")
    reached = set()
    for _ in range(40):
        page.keyboard.press("Shift+Tab")
        reached.add(
            page.evaluate(
                "(e => e.getAttribute('aria-label') || e.innerText)(document.activeElement)"
            ).strip()
        )
    wanted = {"Conversations", "Edit", "Retry", "Like", "Dislike", "Feedback"}
    assert wanted <= reached
    assert any(name.startswith("Evidence") for name in reached)
    nameless = page.evaluate(_NAMELESS)
    assert nameless == []
