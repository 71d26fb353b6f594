"""How long a person waits from the start of the server to the first answer, in a real browser."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from playwright.sync_api import expect, sync_playwright

from tests.browser.chat import Seen, ask, chat_page
from tests.browser.conftest import FLAGS
from tests.served import served


def test_start(tmp_path: Path, missing: Callable[[str], NoReturn]) -> None:
    """The page answers within 12 s of the start, the first question within 6 s more."""
    program = shutil.which("chromium")
    if program is None:
        missing("there is no Chromium on this machine: install the package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        started = time.perf_counter()
        with served(tmp_path) as running:
            answers = time.perf_counter() - started
            with chat_page(browser, running.url, Seen()) as page:
                asked = time.perf_counter()
                shown = ask(page, "How many parameters does convnext_femto have?")
                expect(shown).to_contain_text("5.22 million parameters")
                first = time.perf_counter() - asked
        browser.close()
    print(f"\nserver answers after {answers:.1f} s; first question answered in {first:.1f} s")
    assert answers <= 12
    assert first <= 6
