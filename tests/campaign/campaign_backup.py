"""Restoring is killed again and again: each time the old home stands whole, or the new one."""

import random
from collections import Counter

import pytest

from assistant.settings import Settings
from tests.homes import kept_rooms
from tests.kills import forks
from tests.restoring import RESTORE, restores

KILLS = 100
_EVENTS = (
    "open os.mkdir os.rename os.chmod os.remove os.rmdir os.listdir os.scandir "
    "shutil.rmtree shutil.copymode ctypes.dlopen ctypes.dlsym sqlite3.connect"
)


def test_kills(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> None:
    """At random moments, and at each call that touches the disk."""
    chance = random.Random(3)  # noqa: S311 - the same moments each time
    kept = kept_rooms(tmp_path_factory.mktemp("kept"))
    with forks(RESTORE) as forked, restores(forked, settings, kept) as killed:
        moments = Counter(killed.after(chance.uniform(0.0, 1.0)) for _ in range(KILLS))
        calls = Counter(killed.at_each(_EVENTS))
    print("\n| killed | old home whole | new home whole | through before |\n|---|---|---|---|")
    for told, found in (("at a random moment", moments), ("at each call", calls)):
        print(f"| {told} | {found['old']} | {found['new']} | {found['done']} |")
    assert moments.total() == KILLS
    assert calls["new"] > 0
