"""Models are found where they are, loaded once, kept while they fit, and refused in words."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from index import catalog
from tests.contexts import Reports
from tests.hub import Hub, serving
from tests.tiny import save_tiny
from tools.base import Agreement, NeedsConsent, ToolFailed
from tools.engines.convnet import Classifier, parameter_bytes
from tools.models import DEFAULT_CLASSIFIER, POCKET_CLASSIFIER, Models

FEMTO, OTHER = f"timm/{DEFAULT_CLASSIFIER}", "timm/resnet18.a1_in1k"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving() as served:
        served.use(monkeypatch, tmp_path / "cache")
        served.add(FEMTO, save_tiny(tmp_path / "femto"))
        served.add(OTHER, save_tiny(tmp_path / "other", seed=1))
        yield served


def models(home: Path, offline: bool = False, audience: str = "local") -> Models:
    return Models("cpu", home, offline, audience)


def load(found: Models, system: str, agreement: Agreement | None = None) -> Classifier:
    loaded = found.load(system, Reports(), agreement)
    assert isinstance(loaded, Classifier)
    return loaded


def test_fetched_once_then_loaded_from_the_cache(hub: Hub, home: Path) -> None:
    hub.repositories[FEMTO].pause = 0.5
    first = models(home)
    report = Reports()
    found = first.load(DEFAULT_CLASSIFIER, report)
    assert found.system == DEFAULT_CLASSIFIER
    assert any(FEMTO in note for _, note in report.told)
    assert load(first, "femto") is found  # by an alias, the same model
    hub.stop()
    assert load(models(home, offline=True), DEFAULT_CLASSIFIER).labels == found.labels


def test_offline_reaches_for_nothing(hub: Hub, home: Path) -> None:
    found = models(home, offline=True)
    assert found.default_classifier() == POCKET_CLASSIFIER
    with pytest.raises(ToolFailed, match="not downloaded, and the network is switched off"):
        load(found, DEFAULT_CLASSIFIER)
    assert hub.asked == []


def test_the_default_is_the_real_one_where_it_can_be_had(hub: Hub, home: Path) -> None:
    reachable = models(home)
    assert reachable.default_classifier() == DEFAULT_CLASSIFIER
    hub.stop()
    assert reachable.default_classifier() == DEFAULT_CLASSIFIER  # remembered for a minute
    assert models(home).default_classifier() == POCKET_CLASSIFIER


def test_a_large_download_is_asked_about_before_it_begins(hub: Hub, home: Path) -> None:
    hub.repositories[OTHER].claimed = 123_000_000
    found = models(home)
    with pytest.raises(NeedsConsent, match=r"resnet18.* first: 123 MB\. Shall I") as asked:
        load(found, "resnet18.a1_in1k")
    assert asked.value.choices[0] == "Yes, download it"
    assert sum("model.safetensors" in path for _, path, _ in hub.asked) == 1  # only its header
    hub.repositories[OTHER].claimed = None
    agreed = load(found, "resnet18.a1_in1k", Agreement(download=True))
    assert agreed.system == "resnet18.a1_in1k"


def test_gated_and_gone_are_told(hub: Hub, home: Path) -> None:
    hub.repositories[OTHER].gated = True
    with pytest.raises(ToolFailed, match=r"resnet18.* is gated\. Open http.*HF_TOKEN"):
        load(models(home), "resnet18.a1_in1k")
    del hub.repositories[OTHER]
    with pytest.raises(ToolFailed, match="not on the Hub any more"):
        load(models(home), "resnet18.a1_in1k")


def test_a_local_folder_by_path_and_by_name(home: Path, tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "flowers")
    shutil.copytree(folder, home / "models" / "mine")
    found = models(home, offline=True)
    assert load(found, str(folder)).system == "flowers"
    assert load(found, f"local-dir:{folder}") is load(found, str(folder))
    assert load(found, "mine").system == "mine"
    assert found.weights("mine") == home / "models" / "mine"
    assert found.weights("../models/mine") is None


def test_in_public_no_path_of_this_machine_is_opened(home: Path, tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "flowers")
    shutil.copytree(folder, home / "models" / "mine")
    found = models(home, offline=True, audience="public")
    assert load(found, "mine").system == "mine"
    with pytest.raises(ToolFailed, match="No model is called"):
        load(found, str(folder))


def test_a_saved_again_folder_is_loaded_again(home: Path, tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "flowers")
    found = models(home, offline=True)
    before = load(found, str(folder))
    save_tiny(folder, seed=9)
    assert load(found, str(folder)) is not before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: (f / "model.safetensors").write_bytes(b"\x10" * 99), "cannot be used: .*Remove"),
        (lambda f: (f / "config.json").write_text("{", encoding="utf-8"), "cannot be used"),
        (
            lambda f: (f / "config.json").write_text(
                json.dumps({"architecture": "no_such_net"}), encoding="utf-8"
            ),
            "Unknown model",
        ),
        (
            lambda f: (f / "model.safetensors").rename(f / "pytorch_model.bin"),
            "no other form of weights is loaded, since it could run code",
        ),
        (lambda f: (f / "config.json").unlink(), "is no model folder"),
    ],
)
def test_a_folder_that_cannot_be_loaded_is_told(
    home: Path, tmp_path: Path, change: Callable[[Path], object], words: str
) -> None:
    folder = save_tiny(tmp_path / "broken")
    change(folder)
    with pytest.raises(ToolFailed, match=words):
        load(models(home, offline=True), str(folder))


def test_a_damaged_download_says_what_to_remove(hub: Hub, home: Path, tmp_path: Path) -> None:
    hub.repositories[FEMTO].files["model.safetensors"] = b"damaged"
    with pytest.raises(ToolFailed, match=r"Remove .*cache/models--timm--convnext_femto\.d1_in1k "):
        load(models(home), DEFAULT_CLASSIFIER)


def test_a_typo_gets_the_nearest_names(home: Path) -> None:
    with pytest.raises(ToolFailed, match=r"'convnext_fento'.*convnext_femto\.d1_in1k"):
        load(models(home, offline=True), "convnext_fento")


def test_what_runs_nowhere_here_is_told(home: Path) -> None:
    with pytest.raises(ToolFailed, match=r"sdxl-turbo cannot be used here: no tool here runs"):
        load(models(home), "sdxl-turbo")


def test_the_least_recently_used_goes_first(home: Path, tmp_path: Path) -> None:
    folders = [str(save_tiny(tmp_path / name, seed=i)) for i, name in enumerate("abc")]
    free = models(home, offline=True)
    each = parameter_bytes(load(free, folders[0]))
    assert load(free, folders[0]) is load(free, folders[0])
    tight = Models("cpu", home, True, "local", limit=int(2.9 * each))
    first, second = load(tight, folders[0]), load(tight, folders[1])
    assert load(tight, folders[0]) is first
    load(tight, folders[2])
    assert load(tight, folders[0]) is first
    assert load(tight, folders[1]) is not second


def test_what_cannot_fit_is_told(home: Path, tmp_path: Path) -> None:
    small = Models("cpu", home, True, "local", limit=1000)
    with pytest.raises(ToolFailed, match=r"needs .* MiB of memory, but .* MiB are free on cpu"):
        load(small, str(save_tiny(tmp_path / "net")))


def test_availability_says_why_and_how(hub: Hub, home: Path) -> None:
    known = catalog.load().cards
    local, public = models(home), models(home, audience="public")
    femto = local.availability(known[DEFAULT_CLASSIFIER])
    assert (femto.usable, femto.why, femto.how) == (True, "can be fetched from the Hub", "")
    load(local, DEFAULT_CLASSIFIER)
    assert local.availability(known[DEFAULT_CLASSIFIER]).why == "downloaded"
    no_commerce = known["convnextv2_atto.fcmae_ft_in1k"]
    assert local.availability(no_commerce).why.endswith(": no commercial use")
    refused = public.availability(no_commerce)
    assert not refused.usable
    assert "does not permit a public demo" in refused.why
    assert not local.availability(known["dall-e-3"]).usable


def test_a_gated_card_without_a_token_needs_one(hub: Hub, home: Path) -> None:
    card = catalog.load().cards["resnet18.a1_in1k"]
    gated = replace(card, run=replace(card.run, gated=True))
    found = models(home).availability(gated)
    assert not found.usable
    assert "HF_TOKEN" in found.how
