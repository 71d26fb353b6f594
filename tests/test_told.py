"""Limits are read from plain words: money, time, memory, rates, counts, licences, places."""

from typing import Any

import pytest

from index.gloss import gloss
from tests.answers import index
from tools.told import limits_told, task_told


def told(text: str) -> dict[str, Any]:
    return limits_told(gloss(text, index().names))


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("three cents each", 0.03),
        ("$45 for 1500 campaign images", 0.03),
        ("20 dollars per thousand", 0.02),
        ("$10 for 2k images", 0.005),
        ("$0.04 per 1024x1024 image", 0.04),
        ("3 cents per 4 megapixel picture", 0.03),
        ("max. 1,5 Cent pro Bild", 0.015),
        ("20 dollars a month", None),
        ("a turnover of 300,000 dollars", None),
    ],
)
def test_money(text: str, price: float | None) -> None:
    assert told(text).get("max_price_usd") == price


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("within two and a half seconds", 2500),
        ("in a fifth of a second", 200),
        ("our second-hand shop", None),
        ("5-second clips", None),
        ("must train in under an hour", None),
    ],
)
def test_time(text: str, milliseconds: float | None) -> None:
    assert told(text).get("max_latency_ms") == milliseconds


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("16 gigs of RAM and 8 GB VRAM", {"device": "cuda", "device_memory_gib": 8}),
        ("40 GB of photos, 6GB card", {"device": "cuda", "device_memory_gib": 6}),
        ("a 20M-parameter cap", {"max_parameters": 20e6}),
        ("sort 2 million scans", {}),
        ("an RTX 4090 under a second", {"device": "cuda", "max_latency_ms": 1000}),
        ("train a klein 4B LoRA", {}),
        ("4 frames each second on a Pi", {"device": "cpu", "min_fps": 4}),
        ("I don't have a gpu", {"device": "cpu"}),
        ("no GPU here, which service?", {}),
    ],
)
def test_machines_and_sizes(text: str, limits: dict[str, Any]) -> None:
    assert told(text) == limits


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        ("MIT and nothing else, not even Apache", "mit"),
        ("MIT or Apache weights", "apache-2.0, mit"),
        ("no Apache please", None),
    ],
)
def test_licences(text: str, licence: str | None) -> None:
    assert told(text).get("licence") == licence


@pytest.mark.parametrize(
    ("text", "commercial"),
    [
        ("nothing commercial, I learn from it", False),
        ("I sell t-shirts, so no non-commercial weights", True),
        ("for my granddaughter, not for sale", False),
        ("goes into our product", True),
        ("a picture of a bridge", None),
    ],
)
def test_whether_money_is_earned(text: str, commercial: bool | None) -> None:
    assert told(text).get("commercial") is commercial


@pytest.mark.parametrize(
    "text",
    [
        "nothing leaves the building",
        "the client forbids any upload",
        "it must not leave our server",
        "the wifi is terrible",
        "I refuse cloud stuff",
        "in-house",
        "must not need an account or internet",
        "I don't trust the cloud",
        "it can't be sent to any website",
        "nothing that uploads them",
    ],
)
def test_no_network(text: str) -> None:
    assert told(text)["offline"] is True


def test_a_place_that_is_no_limit() -> None:
    assert "offline" not in told("I am in-house counsel of a firm")
    assert "offline" not in told("a paid online service is ok, we own no computer")
    assert "offline" not in told("we don't mind the cloud")


def test_a_task_is_plain_only_where_it_is_named() -> None:
    assert task_told("which net fits a phone") == "classify"
    assert task_told("which net fits a phone", plainly=True) == ""
    assert task_told("classify leaves", plainly=True) == "classify"
