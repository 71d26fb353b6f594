"""The vocabulary of facts, and values in words."""

import pytest

from index.properties import properties, show


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (5.22, "million", "5.22 million"),
        (12_000, "million", "12 billion"),
        (0.04, "USD", "$0.04"),
        (0.014, "USD", "$0.014"),
        (0.07, "USD", "$0.07"),
        (77.498, "%", "77.498 %"),
        (6_573, "ms", "6.573 s"),
        (4_070, "MB", "4.07 GB"),
        (22_282.51, "pictures/s", "22,282.51 pictures/s"),
        (True, "", "yes"),
        ("Apache-2.0", "", "Apache-2.0"),
    ],
)
def test_values_in_words(value: str | float | bool, unit: str, words: str) -> None:
    assert show(value, unit) == words


def test_every_property_can_be_asked_for() -> None:
    for rule in properties().values():
        assert rule.label
        assert all(ask == ask.lower() for ask in rule.asks), rule.name


def test_no_phrase_asks_for_two_properties() -> None:
    owners: dict[str, set[str]] = {}
    for rule in properties().values():
        for ask in rule.asks:
            owners.setdefault(ask, set()).add(rule.name)
    assert {ask: names for ask, names in owners.items() if len(names) > 1} == {}
