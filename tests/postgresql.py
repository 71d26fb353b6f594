"""A PostgreSQL server of the tests' own, in a temporary folder, on a free port."""

import importlib.util
import os
import pwd
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from tests.needs import found

_QUICK = ("-A", "trust", "-E", "UTF8", "--no-sync")


class Server:
    """A server that can be stopped and started.

    Args:
        programs: where they lie.
        folder: a folder of its own, where its data go.
        port: where it listens, on 127.0.0.1.
    """

    def __init__(self, programs: Path, folder: Path, port: int) -> None:
        self.bin, self.port = programs, port
        self._folder, self._user = folder, _user(folder)
        self._running: subprocess.Popen[bytes] | None = None
        initdb: list[str | Path] = [programs / "initdb", "-D", folder / "data", "-U", "postgres"]
        subprocess.run([*initdb, *_QUICK], check=True, stdout=subprocess.DEVNULL, **self._user)

    def start(self) -> None:
        """Starts it, and waits until it takes connections."""
        data, port = self._folder / "data", str(self.port)
        self._running = subprocess.Popen(
            [self.bin / "postgres", "-D", data, "-p", port, "-k", self._folder, "-F"],
            stderr=subprocess.DEVNULL,
            **self._user,
        )
        _wait([self.bin / "pg_isready", "-q", "-h", "127.0.0.1", "-p", port])

    def stop(self) -> None:
        """Ends it at once, as a crash would."""
        if self._running:
            self._running.send_signal(signal.SIGQUIT)
            self._running.wait()

    def new_database(self) -> str:
        """The SQLAlchemy address of a new, empty database."""
        name = f"rooms_{uuid.uuid4().hex[:8]}"
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres"]
        subprocess.run([self.bin / "createdb", *where, name], check=True)
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{name}"

    @contextmanager
    def another(self) -> "Iterator[Server]":
        """One more server, which may be stopped without harm to this one's databases."""
        with _started(self.bin) as server:
            yield server


def start_server(missing: Callable[[str], NoReturn]) -> Iterator[Server]:
    """Yields a server and ends it afterwards; says what is missing if there can be none."""
    if importlib.util.find_spec("psycopg") is None:
        missing("psycopg is not installed; install fitting-room[postgresql]")
    if (program := found("initdb")) is None:
        missing("PostgreSQL is not installed; install it")
    with _started(Path(program).resolve().parent) as server:
        yield server


@contextmanager
def _started(programs: Path) -> Iterator[Server]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        server = Server(programs, Path(folder), port)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _user(folder: Path) -> dict[str, Any]:
    """PostgreSQL refuses to run as root; then it runs as another user, who owns the folder."""
    if os.getuid() != 0:
        return {"cwd": folder}
    names = {entry.pw_name for entry in pwd.getpwall()}
    entry = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    os.chown(folder, entry.pw_uid, entry.pw_gid)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": [], "cwd": folder}


def _wait(ready: Sequence[str | Path]) -> None:
    """Before that it listens, but refuses whoever comes while it recovers."""
    for _ in range(1200):
        if subprocess.run(ready, check=False).returncode == 0:
            return
        time.sleep(0.1)
    raise TimeoutError(f"PostgreSQL takes no connections: {ready}")
