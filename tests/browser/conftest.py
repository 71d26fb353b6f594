"""A real Chromium on the real server. No browser on this machine: skipped, and said so."""

import shutil
from collections.abc import Callable, Iterator
from typing import NoReturn

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.chat import Seen, chat_page
from tests.served import Served, served

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="package")
def browser(missing: Callable[[str], NoReturn]) -> Iterator[Browser]:
    """One browser for all tests here; not longer, since it keeps an event loop running."""
    program = shutil.which("chromium")
    if program is None:
        missing("there is no Chromium on this machine: install the package chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield opened
        opened.close()


@pytest.fixture(scope="package")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all tests that leave it running; each test has a browser profile of its own.

    It asks for the browser so that none is started where there is no browser.
    """
    del browser
    with served(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def seen() -> Seen:
    """What the pages of a test do."""
    return Seen()


@pytest.fixture
def page(browser: Browser, server: Served, seen: Seen) -> Iterator[Page]:
    """The chat, empty; afterwards nothing may have gone wrong or out."""
    with chat_page(browser, server.url, seen) as opened:
        yield opened
    assert seen.errors == []
    assert seen.outside == []
