"""The acceptance row of the page, at full length; `make campaign` prints its figures."""

from pathlib import Path

from playwright.sync_api import Browser

from assistant.store import Store
from tests.browser.chat import Seen, chat_page
from tests.browser.conftest import browser as browser
from tests.browser.test_jobs import ME, reach, runs, training
from tests.processes import wait_for
from tests.served import served


def test_r3_loads_in_a_running_job(browser: Browser, tmp_path: Path) -> None:
    """20 loads and closings of the page: found again within 3 s, finished once."""
    seen, settings = Seen(), {"OMP_NUM_THREADS": "1"}
    with (
        served(tmp_path, settings=settings) as server,
        chat_page(browser, server.url, seen) as page,
    ):
        store = Store(f"sqlite:///{server.home / 'fitting-room.db'}")
        number = training(store, "Twenty times", steps=60)
        wait_for(lambda: store.jobs.get(ME, number).done)
        took = reach(page, server.url, "Twenty times", loads=20)
        running = store.jobs.get(ME, number).state == "running"
        wait_for(lambda: store.jobs.get(ME, number).state == "done")
        store.close()
        print(f"\nR3: 20 loads, found again after {max(took):.1f} s at worst")
        assert running
        assert max(took) < 3
        assert runs(server, number) == 1
