"""The catalog: cards by id, the table of timm weights, names."""

import pytest

from index.catalog import load
from index.evidence import Measurement


def test_every_timm_weight_answers_from_the_table() -> None:
    catalog = load()
    assert len(catalog.timm) > 1_200
    card = catalog.get("resnest50d.in1k")
    assert card is not None
    facts = {(claim.property, claim.at): claim for claim in card.claims}
    assert facts["parameters", ""].unit == "million"
    assert facts["top1", "224 px"].date == "2026-08-08"
    assert "aa4b585" in facts["top1", "224 px"].source


def test_a_carded_weight_has_the_table_too() -> None:
    found = load().find("convnext_femto.d1_in1k", "top1")
    assert {(fact.value, fact.at) for fact in found if fact.at.endswith("px")} >= {
        (77.498, "224 px"),
        (78.712, "288 px"),
    }


def test_verified_claims_come_first() -> None:
    found = load().find("convnext_femto.d1_in1k", "parameters")
    verdicts = [getattr(fact, "verdict", "") for fact in found]
    assert verdicts[0] == "verified"
    assert "refuted" in verdicts


def test_an_unknown_system_has_no_facts() -> None:
    assert load().get("nothing") is None
    assert load().find("nothing") == []


def test_a_catalog_keeps_no_measurements() -> None:
    measured = Measurement("x", "latency_ms", 1.0, "ms", "", "cpu", "", "", "run", "2026-01-01")
    with pytest.raises(TypeError, match="keeps no measurements"):
        load().add(measured)
