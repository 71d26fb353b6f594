"""Drawings that are stopped in the middle leave nothing behind: no step, no file, no memory."""

from assistant.settings import Settings
from tests.stopping import stop_again_and_again


def test_stops_leave_nothing_behind(settings: Settings) -> None:
    """The short twin of the campaign's fifty."""
    stops = stop_again_and_again(settings, 10)
    assert len(stops.steps) == 10
    assert sorted(stops.steps)[-2] <= 1  # in one of them the machine may stand still
    assert stops.growth < 8
    assert stops.files == 0
