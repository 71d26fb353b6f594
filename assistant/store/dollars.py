"""US dollars as the database keeps them: whole millionths, whose sums are exact."""

_PARTS = 1_000_000
_MOST = 1e9  # US dollars: more than anybody means, and sums of many still fit into a column


def to_micros(usd: float) -> int:
    """Millionths of a dollar, to the nearest.

    Raises:
        ValueError: it is negative, too large, or no number.
    """
    if not 0 <= usd <= _MOST:
        raise ValueError(f"{usd!r} is no sum of dollars; give one from 0 to {_MOST:.0f}")
    return round(usd * _PARTS)


def to_usd(micros: int) -> float:
    """The float that is nearest to so many millionths of a dollar."""
    return micros / _PARTS
