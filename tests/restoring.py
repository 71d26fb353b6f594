"""Restores that are killed, and what is there afterwards: the old home or the new one, whole."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from assistant.restore import restore
from assistant.settings import Settings
from tests.homes import files, fill, rows, silent
from tests.kills import Forks

RESTORE = """
import assistant.restore, assistant.settings, assistant.store.database
from pathlib import Path
assistant.store.database.knows("")
def work(home, file, events, last):
    seen = [0]
    def hear(event, given):
        if event in events:
            seen[0] += 1
            if seen[0] == last:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hear)
    settings = assistant.settings.Settings(home=Path(home))
    assistant.restore.restore(settings, Path(file), replace=True, tell=lambda done, note: None)
"""
_Home = tuple[Any, dict[str, bytes]]


class Restores:
    """Restores into a home, each over an old one.

    Args:
        forked: what runs them: `RESTORE`.
        settings: the home.
        file: the archive; made of the home `home` beside it.
    """

    def __init__(self, forked: Forks, settings: Settings, file: Path) -> None:
        self._forked, self._settings, self._file = forked, settings, file
        self._new = self._home(file.parent / "home")
        fill(settings, "Old")
        self._old = self._home(settings.home)
        forked.run(*self._call("", 0))
        self._seconds = forked.seconds
        self._found(done=True)

    def after(self, share: float) -> str:
        """What is there if one is killed after a share of the time that it takes.

        Returns:
            `old` or `new`; `done` if it was through by then.
        """
        call = self._call("", 0)
        done = self._forked.run(*call, kill_after=share * self._seconds)
        if done:  # the machine may have stood still while the first one was timed
            self._seconds = min(self._seconds, self._forked.seconds)
        return self._found(done)

    def at_each(self, events: str) -> Iterator[str]:
        """What is there if one is killed at the first event of these, at the second, and so on.

        Args:
            events: names of Python's audit events; they come before what they tell of.
        """
        last, found = 0, ""
        while found != "done":
            last += 1
            for left in self._settings.home.parent.glob(".home.*"):
                shutil.rmtree(left)  # else clearing it would be the first events of the next one
            yield (found := self._found(self._forked.run(*self._call(events, last))))

    def _call(self, events: str, last: int) -> tuple[str, str, list[str], int]:
        return str(self._settings.home), str(self._file), events.split(), last

    def _home(self, home: Path) -> _Home:
        found = rows(f"sqlite:///{home / 'fitting-room.db'}")
        return found["conversation"], files(home)

    def _found(self, done: bool) -> str:
        home = self._settings.home
        there = self._home(home)
        assert there in (self._old, self._new), "neither home is whole"
        if there == self._old:
            assert not done
            for path in home.parent.glob(f"{home.name}.before-*"):
                shutil.rmtree(path)
            return "old"
        [before] = home.parent.glob(f"{home.name}.before-*")
        assert self._home(before) == self._old
        shutil.rmtree(home)
        before.rename(home)
        return "done" if done else "new"


@contextmanager
def restores(forked: Forks, settings: Settings, file: Path) -> Iterator[Restores]:
    """Restores that can be killed; afterwards one goes through, and clears what they left."""
    yield Restores(forked, settings, file)
    restore(settings, file, replace=True, tell=silent)
    assert not list(settings.home.parent.glob(f".{settings.home.name}*"))
