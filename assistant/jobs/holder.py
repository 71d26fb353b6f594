"""Who holds jobs: a process, known to be gone as soon as the lock on its file is free."""

import contextlib
import fcntl
import uuid
from pathlib import Path
from typing import IO


class Holder:
    """This process as one that runs jobs.

    The system frees a lock when its process ends, however that happens; one that is merely
    stopped keeps it. Of a process on another machine there is no file here.

    Args:
        home: folder whose `holders/` has a file for each process.
    """

    def __init__(self, home: Path) -> None:
        self._folder = home / "holders"
        self.name = uuid.uuid4().hex
        self._file: IO[str] | None = None

    def begin(self) -> None:
        """Takes the lock.

        Raises:
            OSError: the home cannot be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self._file = (self._folder / self.name).open("w", encoding="utf-8")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def is_gone(self, name: str) -> bool:
        """Whether another process of this machine has ended; its file goes with that."""
        path = self._folder / name
        with contextlib.suppress(OSError), path.open(encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
            return True
        return False

    def end(self) -> None:
        """Gives the lock back."""
        if self._file:
            (self._folder / self.name).unlink(missing_ok=True)
            self._file.close()
