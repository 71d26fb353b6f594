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
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from tests.needs import found

_QUICK = ("-A", "trust", "-E", "UTF8", "--no-sync")


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        bin: folder of its programs.
        port: where it listens, on 127.0.0.1.
    """

    bin: Path
    port: int

    def new_database(self) -> str:
        """The SQLAlchemy address of a new, empty database."""
        name = f"rooms_{uuid.uuid4().hex[:8]}"
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres"]
        subprocess.run([self.bin / "createdb", *where, name], check=True)
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{name}"


def start_server(missing: Callable[[str], NoReturn]) -> Iterator[Server]:
    """Yields a server and ends it afterwards; says what is missing if there can be none."""
    if importlib.util.find_spec("psycopg") is None:
        missing("psycopg is not installed; install fitting-room[postgresql]")
    if (program := found("initdb")) is None:
        missing("PostgreSQL is not installed; install it")
    programs = Path(program).resolve().parent
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        user = _user(Path(folder))
        data = Path(folder) / "data"
        initdb: list[str | Path] = [programs / "initdb", "-D", data, "-U", "postgres"]
        subprocess.run([*initdb, *_QUICK], check=True, stdout=subprocess.DEVNULL, **user)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        with subprocess.Popen(
            [programs / "postgres", "-D", data, "-p", str(port), "-k", folder, "-F"],
            stderr=subprocess.DEVNULL,
            **user,
        ) as running:
            try:
                _wait(port)
                yield Server(programs, port)
            finally:
                running.send_signal(signal.SIGQUIT)  # at once; its files are of no use any more


def _user(folder: Path) -> dict[str, Any]:
    """PostgreSQL refuses to run as root; then it runs as another user, who owns the folder."""
    if os.getuid() != 0:
        return {"cwd": folder}
    names = {entry.pw_name for entry in pwd.getpwall()}
    entry = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    os.chown(folder, entry.pw_uid, entry.pw_gid)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": [], "cwd": folder}


def _wait(port: int) -> None:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"PostgreSQL does not listen on port {port}")
