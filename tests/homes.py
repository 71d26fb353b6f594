"""Homes with something in them, for backups: rows of every kind, and files that rows name."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, select

from assistant import runs
from assistant.archive import BackupFailed, own_files
from assistant.backup import back_up
from assistant.restore import restore
from assistant.settings import Settings
from assistant.store import Store, StoreFailed
from assistant.store.claims import End
from assistant.store.jobs import NewJob
from assistant.store.tables import Base
from index.evidence import Measurement

STATES = ("running", "queued", "paused", "cancel", "pause", "done")  # of the jobs, in order
_FIGURE = ("latency_ms", 1.5, "ms", "batch 1", "cpu", "2 cores", "torch 2", "r1", "2026-01-01")


def fill(settings: Settings, name: str = "") -> str:
    """Puts rows and files into a home; returns the conversation's key."""
    home, store = settings.home, Store(settings.database)
    picture = home / "uploads" / "me" / "0123" / "käse 🧀.png"
    write(picture, b"picture" * 1000 + name.encode())
    run = runs.start(home, "me")
    write(run.path / "drawn.png", b"drawn")
    runs.complete(run, {"tool": "classify"})
    turn = store.start_turn("me", "", f"What is it? {name}", (picture,))
    block = {"type": "image", "path": str(run.path / "drawn.png"), "alt": f"at {home}/x"}
    store.keep_answer("me", turn.conversation, 1, {"outcome": "run", "blocks": [block], "n": 1.5})
    store.feedback("me", turn.conversation, 1, 1, "like", "ä")
    store.add_measurement("me", Measurement("resnet50.a1_in1k", *_FIGURE))
    for number, state in enumerate(STATES, 1):
        submit(store, f"{number}", state, str(picture))
        write(home / "jobs" / "me" / f"{number}" / "000000001-ab" / "state.pt", b"state" * 99)
        write(home / "jobs" / "me" / f"{number}" / "000000001-ab" / "manifest.json", b"{}")
    write(home / "models" / "mine" / "model.safetensors", bytes(range(256)) * 400)
    for other in ("index/vectors.npy", "holders/0123", "log.txt", "log.txt.1", ".hidden"):
        write(home / other, b"no use elsewhere")
    store.close()
    return turn.conversation


def write(path: Path, content: bytes) -> None:
    """Writes a file, with its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def submit(store: Store, request: str, state: str, image: str = "") -> int:
    """A job in some state; `cancel` and `pause` are wanted of one that runs."""
    new = NewJob(request, "classify", "a job", {"images": [image]}, {"lasting": True}, "device")
    number = store.jobs.submit("me", new)
    if state in ("running", "cancel", "pause", "done"):
        claim = store.claims.claim("somebody", "device", only=(number,))
        assert claim
        if state == "done":
            store.claims.end(claim, End("done"))
    if state in ("cancel", "pause", "paused"):
        store.jobs.act("me", number, "cancel" if state == "cancel" else "pause")
    return number


def rows(address: str) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables."""
    engine = create_engine(address)
    with engine.connect() as connection:
        found = {
            name: [dict(r) for r in connection.execute(select(t).order_by(t.c.id)).mappings()]
            for name, t in Base.metadata.tables.items()
        }
    engine.dispose()
    return found


def files(home: Path) -> dict[str, bytes]:
    """What belongs into a backup, by its path below the home."""
    return {name: (home / name).read_bytes() for name in own_files(home, frozenset())}


def tree(folder: Path) -> dict[str, bytes]:
    """Everything below a folder; folders with a slash."""
    found = {f"{path.relative_to(folder)}": path for path in folder.rglob("*")}
    return {
        f"{name}/" if path.is_dir() else name: b"" if path.is_dir() else path.read_bytes()
        for name, path in found.items()
    }


def silent(done: float, note: str) -> None:
    """Progress that nobody watches."""


# --- archives of one
def kept_rooms(folder: Path) -> Path:
    """An archive of the filled home `home` in a folder."""
    settings = Settings(home=folder / "home")
    fill(settings)
    back_up(settings, folder / "rooms.zip", silent)
    return folder / "rooms.zip"


def refused(file: Path, settings: Settings, says: str, *, replace: bool = True) -> None:
    """Checks that an archive is refused in one line, and that nothing is changed."""
    folder = settings.home.parent
    before = tree(folder)
    with pytest.raises((BackupFailed, StoreFailed), match=says) as failure:
        restore(settings, file, replace=replace, tell=silent)
    assert "\n" not in str(failure.value)
    assert tree(folder) == before
