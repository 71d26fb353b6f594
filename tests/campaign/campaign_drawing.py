"""The acceptance rows of drawing, at full length; `make campaign` prints their figures."""

from assistant.settings import Settings
from tests.stopping import stop_again_and_again


def test_stops(settings: Settings) -> None:
    """50 drawings begun and stopped: each within a step, and no growth."""
    stops = stop_again_and_again(settings, 50)
    print(
        f"\nstops: {len(stops.steps)}, steps after one at most {max(stops.steps)}, ended after "
        f"{max(stops.seconds):.1f} s at worst; {stops.memory[0]:.0f} MiB after the first, "
        f"{stops.memory[-1]:.0f} after the last, grown by {stops.growth:.1f}; "
        f"files left {stops.files}"
    )
    assert len(stops.steps) == 50
    assert max(stops.steps) <= 1
    assert stops.growth < 8
    assert stops.files == 0
