"""What the words of a language mean in English: `index/languages/*.tsv`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from index.numerals import numerals

UNKNOWN = "unknown"  # a language that has no glossary


@dataclass(frozen=True)
class Glossary:
    """What the words of a language mean.

    Attributes:
        exact: words and phrases, with their glosses.
        stems: beginnings of words, with their glosses.
    """

    exact: Mapping[str, str]
    stems: Mapping[str, str]

    def find(self, words: Sequence[str]) -> str | None:
        """The gloss of a word or phrase; none if it is unknown."""
        known = self.exact.get(" ".join(words).replace(" - ", "-").replace("' ", "'"))
        if known is not None or len(words) > 1:
            return known
        word = words[0]
        stems = (self.stems.get(word[:length]) for length in range(len(word), 2, -1))
        return next((stem for stem in stems if stem is not None), None)


@cache
def glossary(language: str) -> Glossary:
    """The glossary of a language, read once; empty for English."""
    if language in ("en", UNKNOWN):
        return Glossary({}, {})
    path = files("index") / "languages" / f"{language}.tsv"
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if line]
    exact = {form: _in_digits(meaning) for form, meaning in rows if not form.endswith("*")}
    stems = {form[:-1]: _in_digits(meaning) for form, meaning in rows if form.endswith("*")}
    return Glossary(exact, stems)


def _in_digits(meaning: str) -> str:
    """A phrase with its numbers in digits: "the three most likely" becomes "the 3 most likely".

    A single word stays as it is: it may be part of a longer number.
    """
    words = meaning.replace("-", " - ").split()
    if len(words) < 2:
        return meaning
    found = (
        str(value) if value is not None else " ".join(words[first:last])
        for first, last, value in numerals(words)
    )
    return " ".join(found).replace(" - ", "-")
