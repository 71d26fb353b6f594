"""The real server as a process of its own, as `make chat` starts it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from assistant.settings import BFL_KEY
from tests.processes import wait_for

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Served:
    """A running server.

    Attributes:
        url: where it is.
        home: its home.
        folder: where it and its children put temporary files.
        log: what it writes on standard error.
        process: the process.
    """

    url: str
    home: Path
    folder: Path
    log: Path
    process: subprocess.Popen[bytes]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def environment(
    folder: Path, port: int, settings: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The environment of a server with everything it keeps below `folder`."""
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if "FITTING_ROOM" not in name}
    kept.pop(BFL_KEY, None)
    own = {
        "FITTING_ROOM_HOME": str(folder / "home"),
        "FITTING_ROOM_PORT": str(port),
        "FITTING_ROOM_OFFLINE": "true",
        "HF_HOME": str(folder / "hub"),
        "TMPDIR": str(folder / "tmp"),
    }
    return {**kept, **own, **(settings or {})}


@contextmanager
def served(
    folder: Path, port: int = 0, settings: Mapping[str, str] | None = None
) -> Iterator[Served]:
    """Starts the server, waits until it answers, and ends it as Ctrl-C does."""
    port = port or free_port()
    log = folder / "server.log"
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, "app.py"],
            cwd=ROOT,
            env=environment(folder, port, settings),
            stderr=errors,
        )
    running = Served(f"http://127.0.0.1:{port}", folder / "home", folder / "tmp", log, process)
    try:
        wait_for(lambda: _answers(running))
        yield running
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def _answers(running: Served) -> bool:
    assert running.process.poll() is None, running.log.read_text(encoding="utf-8")
    try:
        return httpx.get(f"{running.url}/healthz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False
