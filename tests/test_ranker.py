"""The ranker of facts: its features, its weights, and that fitting teaches it."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from assistant.fit_ranker import QUESTIONS, example, fit, read, right_first
from index.catalog import load
from index.ranker import FEATURES, OVERVIEW, fact_text, load_ranker
from index.search import SearchIndex
from tests.answers import index

FEMTO = "convnext_femto.d1_in1k"


def test_weights_fit_the_features() -> None:
    assert load_ranker().weights.shape == (len(FEATURES),)


def test_every_fact_has_a_vector_in_the_index() -> None:
    known = {found.text for found in index().documents}
    assert OVERVIEW in known
    for system in load().cards:
        assert {fact_text(fact) for fact in load().find(system)} <= known


def test_what_is_not_asked_for_scores_lower() -> None:
    ranked = index().rank("how many parameters does femto have", load().find)
    assert ranked[0].system == FEMTO
    assert ranked[0].fact is not None
    assert ranked[0].fact.property == "parameters"
    overview = next(found for found in ranked if found.system == FEMTO and found.fact is None)
    assert ranked[0].score > overview.score + 3


def test_a_named_system_is_never_left_for_another_kind() -> None:
    ranked = index().rank("what does one picture of mobilenetv3 large cost?", load().find)
    assert {load().cards[found.system].family for found in ranked} == {"MobileNetV3"}


def test_only_the_given_systems_are_ranked() -> None:
    ranked = index().rank("licence?", load().find, ("FLUX.1-dev", FEMTO))
    assert {found.system for found in ranked} == {"FLUX.1-dev", FEMTO}


def test_fitting_teaches_and_is_kept(tmp_path: Path) -> None:
    searched: SearchIndex = index()
    examples = [example(asked, searched, load()) for asked in read(QUESTIONS)[::40]]
    examples = [each for each in examples if each.right.any()]
    untaught = replace(
        load_ranker(),
        weights=np.zeros(len(FEATURES), dtype="float32"),
        question=(np.zeros((384, 1), "float32"), np.zeros((1, 384), "float32")),
        fact=(np.zeros((384, 1), "float32"), np.zeros((1, 384), "float32")),
    )
    taught = fit(examples)
    assert right_first(taught, examples)["first"] > right_first(untaught, examples)["first"] + 0.2
    taught.save(tmp_path / "ranker.safetensors")
    assert (tmp_path / "ranker.safetensors").stat().st_size < 500_000
    assert right_first(fit(examples), examples) == right_first(taught, examples)
