"""Numbers in English words: "two hundred and five", "half a dozen"."""

from collections.abc import Iterator, Sequence

_NUMBERS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14,
    "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20,
    "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
    "ninety": 90, "hundred": 100, "thousand": 1000, "couple": 2, "dozen": 12,
}  # fmt: skip
_TIMES = ("dozen", "hundred", "thousand")  # words that multiply what stands before them


def numerals(words: Sequence[str]) -> Iterator[tuple[int, int, int | None]]:
    """The words of a text in order, those of one number together.

    Args:
        words: lower case.

    Yields:
        The place of the first word, the one after the last, and their number; none for a word that
        is no number, and for a lone "one", which stands for a thing as often.
    """
    place = 0
    while place < len(words):
        if tuple(words[place : place + 3]) == ("half", "a", "dozen"):
            yield place, place + 3, 6
            place += 3
            continue
        end, value = _number(words, place)
        if end == place or (end == place + 1 and value == 1):
            yield place, place + 1, None
            place += 1
        else:
            yield place, end, value
            place = end


def _number(words: Sequence[str], place: int) -> tuple[int, int]:
    """The end of the number that begins at a place, and the number; the place if there is none."""
    end, value, ahead = place, 0, place
    while ahead < len(words) and (
        words[ahead] in _NUMBERS or (ahead > place and words[ahead] in ("-", "and"))
    ):
        if words[ahead] in _NUMBERS:
            number = _NUMBERS[words[ahead]]
            value = max(value, 1) * number if words[ahead] in _TIMES else value + number
            end = ahead + 1
        ahead += 1
    return end, value
