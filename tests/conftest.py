"""What every test stands on: a home of its own, and no silent skip where all must run."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import hypothesis
import pytest

from assistant.settings import BFL_KEY, PREFIX, Settings
from assistant.store import Store
from tests.postgresql import Server, start_server

# How long an example takes says nothing: the machine may be slow, or stand still in one.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home that the settings lead to; no other setting comes from outside."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"{PREFIX}{name}".upper(), raising=False)
    monkeypatch.delenv(BFL_KEY, raising=False)
    folder = tmp_path / "home"
    monkeypatch.setenv(f"{PREFIX}HOME", str(folder))
    return folder


@pytest.fixture
def one_thread() -> Iterator[None]:
    """For models so small that two threads would mostly wait for each other."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def settings(home: Path) -> Settings:
    """Settings with the test's own home."""
    return Settings(home=home)


@pytest.fixture(scope="session")
def missing() -> Callable[[str], NoReturn]:
    """Says what this machine lacks: skips the test, or fails it under `REQUIRE_ALL=1`."""

    def tell(what: str) -> NoReturn:
        if os.environ.get("REQUIRE_ALL") == "1":
            pytest.fail(f"REQUIRE_ALL=1, but {what}")
        pytest.skip(what)

    return tell


@pytest.fixture(scope="session")
def postgresql(missing: Callable[[str], NoReturn]) -> Iterator[Server]:
    """A PostgreSQL server, started with the first test that needs it."""
    yield from start_server(missing)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database that does not exist yet, or is empty."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'rooms.db'}"
    server: Server = request.getfixturevalue("postgresql")
    return server.new_database()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An open store on SQLite, and on PostgreSQL."""
    opened = Store(url)
    yield opened
    opened.close()
