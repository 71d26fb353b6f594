"""Pipelines are shipped, local, one's own or fetched from a hub that really answers, and load."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest
import torch

from index import catalog
from tests.contexts import Reports
from tests.hub import Hub, Repository, serving
from tests.processes import wait_for
from tests.test_forms import shard
from tests.tiny import save_tiny
from tests.toys import toy
from tools import hub as client
from tools.base import Agreement, NeedsConsent, Stopped, TakesLong, ToolFailed
from tools.engines import convnet, flux
from tools.engines.flux import Order, Painter
from tools.forms import CLASSIFIER, PIPELINE
from tools.models import POCKET_GENERATOR, Models

KLEIN, SCHNELL = "FLUX.2-klein-4B", "FLUX.1-schnell"
OPEN, GATED = f"black-forest-labs/{KLEIN}", f"black-forest-labs/{SCHNELL}"
LARGEST = "vae/diffusion_pytorch_model.safetensors"
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A toy that is not to be changed."""
    return toy(SCHNELL, tmp_path_factory.mktemp("toy") / SCHNELL)


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    """A toy of one's own."""
    return Path(shutil.copytree(saved, tmp_path / "drawings"))


@pytest.fixture
def hub(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Serves the toy as two models, with the other files that real repositories hold."""
    with serving() as served:
        served.use(monkeypatch, tmp_path / "cache")
        for name in (OPEN, GATED):
            served.add(name, saved).files |= {
                "README.md": b"# FLUX",
                "flux1-schnell.safetensors": b"the same again",
                "transformer/diffusion_pytorch_model.bin": b"pickle",
                "transformer/diffusion_pytorch_model.fp16.safetensors": b"a variant",
                "text_encoder/modeling.py": b"raise SystemExit",
            }
        served.repositories[GATED].gated = True
        yield served


def models(home: Path, offline: bool = False, audience: str = "local") -> Models:
    return Models("cpu", home, offline, audience)


def load(found: Models, system: str, agreement: Agreement | None = None) -> Painter:
    painter = found.load(system, Reports(), agreement)
    assert isinstance(painter, Painter)
    return painter


def usable(found: Models, system: str) -> str:
    """What is said of a system that is usable; empty if it is not."""
    said = found.availability(catalog.load().cards[system])
    return said.why if said.usable else ""


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def fetched(served: Hub, since: int = 0) -> list[str]:
    """The files of which content was asked for."""
    asked = served.asked[since:]
    return [path.partition("/resolve/")[2].partition("/")[2] for how, path, _ in asked
            if how == "GET" and "/resolve/" in path]  # fmt: skip


# --- shipped, local, one's own
def ship(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Lets the card of a real model say that its weights are shipped in a folder."""
    known = catalog.load()
    card = known.cards[SCHNELL]
    shipped = replace(card, run=replace(card.run, weights=str(folder)))
    altered = replace(known, cards=MappingProxyType({**known.cards, SCHNELL: shipped}))
    monkeypatch.setattr(catalog, "load", lambda: altered)


def test_a_shipped_one_is_loaded_as_its_card_says(
    home: Path, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ship(monkeypatch, saved)
    found = models(home, offline=True, audience="public")
    painter = load(found, "flux schnell")
    assert (painter.system, painter.folder, painter.device) == (SCHNELL, saved, "cpu")
    assert painter.run == catalog.load().cards[SCHNELL].run
    assert painter.pipeline.transformer.dtype is torch.float32
    assert load(found, SCHNELL) is painter
    assert usable(found, SCHNELL) == "shipped with Fitting Room"
    order = Order("a red star", "", 32, 32, 1, 0.0, 7)
    [drawn] = flux.draw(painter, (order,), Reports())
    assert drawn.picture.size == (32, 32)


def test_a_shipped_one_that_is_not_whole_is_not_usable(
    home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ship(monkeypatch, folder)
    (folder / LARGEST).unlink()
    with pytest.raises(ToolFailed, match=r"are missing from this installation\. Install it again"):
        load(models(home), SCHNELL)


def test_a_local_one_by_path_and_by_name(home: Path, folder: Path) -> None:
    shutil.copytree(folder, home / "models" / "mine")
    found = models(home, offline=True)
    painter = load(found, str(folder))
    assert (painter.system, painter.run.steps) == ("drawings", 4)
    assert load(found, f"local-dir:{folder}") is painter
    assert load(found, "mine").system == "mine"
    assert found.weights("mine") == home / "models" / "mine"
    public = models(home, offline=True, audience="public")
    assert load(public, "mine").system == "mine"
    with pytest.raises(ToolFailed, match="No model is called"):
        load(public, str(folder))


def test_one_in_shards_is_loaded_when_all_are_there(home: Path, folder: Path) -> None:
    before = flux.parameter_bytes(load(models(home, offline=True), str(folder)))
    path = folder / "transformer" / shard(folder)[1]
    assert flux.parameter_bytes(load(models(home, offline=True), str(folder))) == before
    path.unlink()
    with pytest.raises(ToolFailed, match=f"no transformer/{path.name}, so the model is not whole"):
        load(models(home, offline=True), str(folder))


@pytest.mark.parametrize(
    ("lost", "words"),
    [
        ("transformer/diffusion_pytorch_model.safetensors", r"could run code\. Save the model"),
        ("tokenizer/tokenizer.json", r"has no tokenizer/tokenizer\.json, so the model is not wh"),
    ],
)
def test_a_local_one_that_is_not_whole_is_told(
    home: Path, folder: Path, lost: str, words: str
) -> None:
    (folder / lost).rename((folder / lost).with_suffix(".bin"))
    found = models(home, offline=True)
    with pytest.raises(ToolFailed, match=words):
        load(found, str(folder))
    assert found.weights(str(folder)) is None
    (folder / lost).with_suffix(".bin").rename(folder / lost)
    assert load(found, str(folder)).folder == folder


@pytest.mark.parametrize("content", [b"\x10" * 4_000, b"", None])
def test_a_damaged_one_is_told_and_loaded_once_it_is_mended(
    home: Path, folder: Path, content: bytes | None
) -> None:
    whole = (folder / LARGEST).read_bytes()
    (folder / LARGEST).write_bytes(whole[:-1000] if content is None else content)
    found = models(home, offline=True)
    with pytest.raises(ToolFailed, match="drawings"):
        load(found, str(folder))
    (folder / LARGEST).write_bytes(whole)
    assert load(found, str(folder)).folder == folder


def test_one_that_was_saved_again_is_loaded_again(home: Path, folder: Path) -> None:
    found = models(home, offline=True)
    before = load(found, str(folder))
    later = (folder / LARGEST).stat().st_mtime_ns + 1_000_000
    os.utime(folder / LARGEST, ns=(later, later))
    assert load(found, str(folder)) is not before


# --- from the Hub
def test_fetched_once_with_progress_then_loaded_from_the_cache(hub: Hub, home: Path) -> None:
    hub.repositories[OPEN].pause = 0.05
    found, report = models(home), Reports()
    painter = found.load(KLEIN, report)
    assert names(painter.folder) == names_of_the_form(hub)
    assert sorted(fetched(hub)) == sorted(names_of_the_form(hub))
    total = sum(len(hub.repositories[OPEN].files[name]) for name in names_of_the_form(hub))
    shares = [done for done, note in report.told if note.startswith(f"fetching {OPEN}: ")]
    assert shares == sorted(shares)
    assert len(set(shares)) > 3
    assert report.told[-1][1].endswith(f"of {total / 1e6:.0f} MB")
    assert load(found, "klein 4b") is painter
    hub.stop()
    offline = models(home, offline=True)
    assert load(offline, KLEIN).run == catalog.load().cards[KLEIN].run
    assert usable(offline, KLEIN) == "downloaded"


def names_of_the_form(served: Hub) -> set[str]:
    others = {"README.md", "flux1-schnell.safetensors", "text_encoder/modeling.py"}
    ends = (".bin", ".fp16.safetensors")
    files = served.repositories[OPEN].files
    return {name for name in files if name not in others and not name.endswith(ends)}


def test_a_broken_connection_is_taken_up_again(hub: Hub, home: Path) -> None:
    found = client.listing(OPEN, PIPELINE)
    hub.repositories[OPEN].cuts = [100, 10**9, 50]
    assert client.fetch(found, Reports()) == client.cached(OPEN, PIPELINE)


def test_what_was_cut_off_is_completed_without_fetching_twice(hub: Hub, home: Path) -> None:
    half = client.listing(OPEN, PIPELINE)
    hub.repositories[OPEN].cuts = [10**9] * 7 + [1000] + [0] * 50
    with pytest.raises(ToolFailed, match="was cut off"):
        client.fetch(half, Reports())
    there = names(half.folder)
    assert 7 < len(there) < len(half.sizes)
    assert client.cached(OPEN, PIPELINE) is None
    assert usable(models(home), KLEIN) == "can be fetched from the Hub"
    assert not usable(models(home, offline=True), KLEIN)
    hub.repositories[OPEN].cuts = []
    rest, since, report = client.listing(OPEN, PIPELINE), len(hub.asked), Reports()
    assert rest.left == sum(size for name, size in rest.sizes.items() if name not in there)
    assert load(models(home), KLEIN).folder == half.folder
    assert set(fetched(hub, since)) == set(half.sizes) - there
    assert report.told == []


def test_a_shard_that_is_gone_is_fetched_again(hub: Hub, home: Path, folder: Path) -> None:
    shards = shard(folder)
    hub.add(OPEN, folder)
    whole = load(models(home), KLEIN).folder
    (whole / "transformer" / shards[1]).unlink()
    since = len(hub.asked)
    assert models(home).weights(KLEIN) is None
    assert load(models(home), KLEIN).folder == whole
    assert fetched(hub, since) == []  # its content is in the cache still
    (whole / "transformer" / shards[1]).resolve().unlink()
    assert load(models(home), KLEIN).folder == whole
    assert fetched(hub, since) == [f"transformer/{shards[1]}"]


def test_an_older_whole_one_serves_while_a_newer_is_half_here(hub: Hub, home: Path) -> None:
    older = load(models(home), KLEIN).folder
    hub.repositories[OPEN].files["transformer/config.json"] += b" "
    newer = client.listing(OPEN, PIPELINE)
    assert newer.folder != older
    assert newer.folder.is_dir()
    assert client.cached(OPEN, PIPELINE) == older


def test_a_stop_is_heard_and_what_is_complete_stays(hub: Hub, home: Path) -> None:
    found = client.listing(OPEN, PIPELINE)
    hub.repositories[OPEN].pause = 0.3
    before = set(threading.enumerate())
    with pytest.raises(Stopped):
        client.fetch(found, Reports(stop=Stopped(), stop_at=4))
    wait_for(lambda: set(threading.enumerate()) <= before)  # nobody fetches any more
    assert set(fetched(hub)) < set(found.sizes)
    assert names(found.folder)
    assert client.cached(OPEN, PIPELINE) is None


def test_gated_without_and_with_a_token(
    hub: Hub, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ToolFailed, match=r"FLUX\.1-schnell cannot be used here: it is gated\. .*"):
        load(models(home), SCHNELL)
    monkeypatch.setenv("HF_TOKEN", "of-somebody-else")
    with pytest.raises(ToolFailed, match=f"gated. Open {hub.address}/{GATED}, accept"):
        load(models(home), SCHNELL)
    monkeypatch.setenv("HF_TOKEN", "accepted")
    assert load(models(home), SCHNELL).system == SCHNELL


def test_terms_that_are_no_longer_accepted_are_told_of_a_half_download(
    hub: Hub, home: Path
) -> None:
    client.listing(OPEN, PIPELINE)
    hub.repositories[OPEN].gated = True
    with pytest.raises(ToolFailed, match="is gated"):
        client.listing(OPEN, PIPELINE)


@pytest.mark.parametrize(
    ("lost", "words"),
    [
        ("transformer/diffusion_pytorch_model.safetensors", r"no transformer/\*\.safetensors, and"),
        ("model_index.json", r"no model_index\.json, and no other form of weights"),
    ],
)
def test_a_repository_without_safetensors_is_refused_before_anything_large(
    hub: Hub, home: Path, lost: str, words: str
) -> None:
    del hub.repositories[OPEN].files[lost]
    with pytest.raises(ToolFailed, match=words):
        load(models(home), KLEIN)
    assert set(fetched(hub)) <= {"model_index.json"}


def test_a_repository_that_lacks_a_shard_is_told(hub: Hub, home: Path, folder: Path) -> None:
    first, *_ = shard(folder)
    (folder / "transformer" / first).unlink()
    hub.add(OPEN, folder)
    with pytest.raises(ToolFailed, match=f"has no transformer/{first}, and no other form"):
        load(models(home), KLEIN)


def test_gone_silent_and_offline_are_told(hub: Hub, home: Path) -> None:
    with pytest.raises(ToolFailed, match="not downloaded, and the network is switched off"):
        load(models(home, offline=True), KLEIN)
    assert hub.asked == []
    kept = hub.repositories.pop(OPEN)
    with pytest.raises(ToolFailed, match="not on the Hub any more"):
        load(models(home), KLEIN)
    hub.repositories[OPEN] = Repository({}, status=503)
    with pytest.raises(ToolFailed, match="answered 503"):
        load(models(home), KLEIN)
    hub.repositories[OPEN] = kept
    found = models(home)
    assert usable(found, KLEIN)
    hub.stop()
    with pytest.raises(ToolFailed, match="does not answer"):
        load(found, KLEIN)


def test_a_damaged_download_is_told(hub: Hub, home: Path) -> None:
    hub.repositories[OPEN].files[LARGEST] = b"damaged"
    with pytest.raises(ToolFailed, match=r"FLUX\.2-klein-4B"):
        load(models(home), KLEIN)


def test_a_large_one_is_asked_about_and_then_a_job(hub: Hub, home: Path) -> None:
    hub.repositories[OPEN].claimed = 4_000_000_000
    found = models(home)
    with pytest.raises(NeedsConsent, match=r"klein-4B must be .* first: 16,000 MB\.") as asked:
        load(found, KLEIN)
    with pytest.raises(TakesLong):
        load(found, KLEIN, asked.value.agreement)
    assert client.cached(OPEN, PIPELINE) is None


def test_one_that_can_never_fit_is_not_fetched(hub: Hub, home: Path) -> None:
    hub.repositories[OPEN].claimed = 4_000_000_000
    with pytest.raises(ToolFailed, match=r"klein-4B needs .* of memory, but cpu has 0 MiB\. Choo"):
        load(Models("cpu", home, False, "local", limit=2**19), KLEIN, Agreement(download=True))


def test_no_room_on_the_disk_is_told_before_a_byte_comes(hub: Hub, home: Path) -> None:
    hub.repositories[OPEN].claimed = 10**15
    with pytest.raises(ToolFailed, match=r"take 4,000,000,00\d MB, but the disk of .* MB free"):
        models(home).fetch(KLEIN, Reports())
    assert fetched(hub) == ["model_index.json"]


def test_a_disk_that_fills_up_is_told_and_what_came_is_kept(hub: Hub, tmp_path: Path) -> None:
    """With a limit on the size of files, which the system tells like a full disk."""
    limited = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
    )
    code = (
        "from tools import forms, hub\n"
        f"found = hub.listing('{OPEN}', forms.PIPELINE)\n"
        "print(found.left, hub.fetch(found, lambda done, note='': None))"
    )
    full = run(limited + code, hub, tmp_path / "hf")
    assert "the disk is full. Make room, or set HF_HOME" in full.stderr
    since = len(hub.asked)
    assert str(tmp_path / "hf") in run(code, hub, tmp_path / "hf").stdout
    again = {name for name in fetched(hub, since) if name.endswith(".safetensors")}
    small = {name for name in names_of_the_form(hub) if name.endswith("er_2/model.safetensors")}
    assert small
    assert again == {n for n in names_of_the_form(hub) if n.endswith(".safetensors")} - small


def run(code: str, served: Hub, cache: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "HF_ENDPOINT": served.address, "HF_HOME": str(cache)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


# --- what fits, what is asked for
def test_the_least_recently_used_goes_when_another_needs_room(
    home: Path, folder: Path, tmp_path: Path
) -> None:
    other = Path(shutil.copytree(folder, tmp_path / "others"))
    net = save_tiny(tmp_path / "net")
    each = flux.parameter_bytes(load(models(home), str(folder)))
    tight = Models("cpu", home, True, "local", limit=int(2.1 * each))
    first, second = load(tight, str(folder)), load(tight, str(other))
    assert load(tight, str(folder)) is first
    tight.load(str(net), Reports())
    assert load(tight, str(folder)) is first
    assert load(tight, str(other)) is not second
    small = Models("cpu", home, True, "local", limit=each // 2)
    with pytest.raises(ToolFailed, match=r"drawings needs .* MiB of memory, but .* are free on"):
        load(small, str(folder))
    assert isinstance(small.load(str(net), Reports()), convnet.Classifier)


def test_half_precision_on_disk_needs_room_for_single(home: Path, folder: Path) -> None:
    painter = load(models(home), str(folder))
    single = flux.parameter_bytes(painter)
    painter.pipeline.to(torch.float16).save_pretrained(folder)
    again = load(models(home), str(folder))
    assert again.pipeline.vae.dtype is torch.float32
    assert flux.parameter_bytes(again) == single
    tight = Models("cpu", home, True, "local", limit=int(0.9 * single))
    with pytest.raises(ToolFailed, match="of memory"):
        load(tight, str(folder))


def test_another_form_is_refused_before_it_is_fetched(hub: Hub, home: Path, folder: Path) -> None:
    found = models(home)
    for system in (KLEIN, str(folder)):
        with pytest.raises(ToolFailed, match=r"that makes pictures; .* that classifies pictures\."):
            found.load(system, Reports(), form=CLASSIFIER)
    with pytest.raises(ToolFailed, match=r"pocket-convnext is a model that classifies pictures"):
        found.load("pocket-convnext", Reports(), form=PIPELINE)
    assert hub.asked == []


def test_public_needs_a_free_licence(hub: Hub, home: Path) -> None:
    public = models(home, audience="public")
    with pytest.raises(ToolFailed, match=r"not permit a public demo.* such as FLUX\.1-schnell\."):
        load(public, "FLUX.1-dev")
    assert load(public, KLEIN).system == KLEIN


def test_the_default_is_real_only_where_it_is_here_and_fits_a_gpu(hub: Hub, home: Path) -> None:
    gpu = Models("cuda", home, False, "local", limit=2**30)
    assert gpu.default_generator() == POCKET_GENERATOR
    gpu.fetch(KLEIN, Reports())
    assert gpu.default_generator() == KLEIN
    assert models(home).default_generator() == POCKET_GENERATOR
    small = Models("cuda", home, False, "local", limit=2**10)
    assert small.default_generator() == POCKET_GENERATOR
