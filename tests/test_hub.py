"""Fetching from a hub that really answers: progress, cuts, stops, and every way to be refused."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from tests.contexts import Reports
from tests.hub import Hub, Repository, serving
from tools import hub as client
from tools.base import Stopped, ToolFailed
from tools.forms import CLASSIFIER

NAME = "timm/some_net.in1k"
CONTENT = bytes(range(256)) * 8_000  # 2 MB
LARGE = CONTENT * 12
PIECE = 10 * 2**20  # bytes that the library takes at a time


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving() as served:
        served.use(monkeypatch, tmp_path / "cache")
        served.repositories[NAME] = Repository(
            {"config.json": b"{}", "model.safetensors": CONTENT, "pytorch_model.bin": b"pickle"}
        )
        yield served


def fetch(report: Reports | None = None) -> Path:
    return client.fetch(listing(), report or Reports())


def listing() -> client.Listing:
    return client.listing(NAME, CLASSIFIER)


def weights(hub: Hub) -> str:
    """The path that the weights are asked for by."""
    return f"/{NAME}/resolve/{hub.repositories[NAME].commit}/model.safetensors"


def test_fetches_the_two_files_and_nothing_else(hub: Hub) -> None:
    assert client.cached(NAME, CLASSIFIER) is None
    folder = fetch()
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors"]
    assert (folder / "model.safetensors").read_bytes() == CONTENT
    assert client.cached(NAME, CLASSIFIER) == folder
    assert not any("pytorch_model" in path for _, path, _ in hub.asked)


def test_a_listing_fetches_no_weights(hub: Hub) -> None:
    found = listing()
    assert found.sizes == {"config.json": 2, "model.safetensors": len(CONTENT)}
    assert (found.total, found.left) == (len(CONTENT) + 2, len(CONTENT))
    assert not any("model.safetensors" in path for _, path, _ in hub.asked)


def test_progress_grows_to_the_end(hub: Hub) -> None:
    hub.repositories[NAME].files["model.safetensors"] = LARGE
    hub.repositories[NAME].pause = 0.005
    report = Reports()
    fetch(report)
    shares = [done for done, _ in report.told]
    assert shares == sorted(shares)
    total = len(LARGE) + 2  # with the config.json, which comes first
    assert {(PIECE + 2) / total, (2 * PIECE + 2) / total} < set(shares)
    assert ((PIECE + 2) / total, f"fetching {NAME}: 10 of 25 MB") in report.told


def test_goes_on_where_it_was_cut(hub: Hub) -> None:
    hub.repositories[NAME].files["model.safetensors"] = LARGE
    found = listing()
    hub.repositories[NAME].cuts = [PIECE + 70_000, PIECE + 50_000]
    folder = client.fetch(found, Reports())
    assert (folder / "model.safetensors").read_bytes() == LARGE
    assert hub.ranges(weights(hub)) == ["", f"bytes={PIECE}-", f"bytes={2 * PIECE}-"]


def test_a_cut_for_good_is_told_and_leaves_no_part(hub: Hub, tmp_path: Path) -> None:
    found = listing()
    hub.repositories[NAME].cuts = [300_000] + [0] * 50
    with pytest.raises(ToolFailed, match="was cut off"):
        client.fetch(found, Reports())
    assert client.cached(NAME, CLASSIFIER) is None
    assert not list((tmp_path / "cache").rglob("*.incomplete"))


def test_stops_within_a_moment_while_the_network_is_silent(hub: Hub) -> None:
    found = listing()
    hub.repositories[NAME].pause = 60.0
    started = time.monotonic()
    with pytest.raises(Stopped):
        client.fetch(found, Reports(stop=Stopped(), stop_at=1))
    assert time.monotonic() - started < 9  # the library itself waits for 10 s
    assert client.cached(NAME, CLASSIFIER) is None


def test_gated_says_where_to_accept(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.repositories[NAME].gated = True
    for token in ("", "of-somebody-else"):
        monkeypatch.setenv("HF_TOKEN", token)
        with pytest.raises(ToolFailed, match=f"gated. Open {hub.address}/{NAME}, accept"):
            listing()
    monkeypatch.setenv("HF_TOKEN", "accepted")
    assert (fetch() / "model.safetensors").is_file()


@pytest.mark.parametrize(
    ("repository", "words"),
    [
        (None, "is not on the Hub any more"),
        (Repository({"config.json": b"{}", "pytorch_model.bin": b""}), "has no model.safetensors"),
        (Repository({}, status=503), "The Hub answered 503"),
    ],
)
def test_what_cannot_be_had_is_told(hub: Hub, repository: Repository | None, words: str) -> None:
    del hub.repositories[NAME]
    if repository:
        hub.repositories[NAME] = repository
    with pytest.raises(ToolFailed, match=words):
        listing()


def test_no_network_is_told(hub: Hub) -> None:
    assert client.reachable()
    hub.stop()
    assert not client.reachable()
    with pytest.raises(ToolFailed, match=r"does not answer\. Connect"):
        listing()


def test_a_silent_hub_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as quiet:  # takes connections, answers nothing
        address = f"http://127.0.0.1:{quiet.getsockname()[1]}"
        monkeypatch.setattr(constants, "ENDPOINT", address)
        started = time.monotonic()
        assert not client.reachable()
        assert time.monotonic() - started < 9  # the library itself waits for 10 s


def test_no_room_is_told_before_a_byte_comes(hub: Hub) -> None:
    hub.repositories[NAME].claimed = 10**15
    with pytest.raises(ToolFailed, match=r"take 1,000,000,000 MB, but the disk of .* MB free"):
        client.check_room(listing().left)
    assert hub.ranges(weights(hub)) == []


def test_a_cache_that_cannot_be_written_is_told(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    hub.use(monkeypatch, tmp_path / "file")
    with pytest.raises(ToolFailed, match=r"could not be written to .*HF_HOME"):
        fetch()


def test_a_full_disk_is_told(hub: Hub, tmp_path: Path) -> None:
    """With a limit on the size of files, which the system tells like a full disk."""
    code = (
        "import resource, signal; from tools import forms, hub\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))\n"
        f"found = hub.listing('{NAME}', forms.CLASSIFIER)\n"
        "hub.fetch(found, lambda done, note='': None)"
    )
    ended = run(code, {"HF_ENDPOINT": hub.address, "HF_HOME": str(tmp_path / "hf")})
    assert "the disk is full. Make room, or set HF_HOME" in ended.stderr
    assert not list((tmp_path / "hf").rglob("*.incomplete"))


def test_the_environment_of_the_library_is_respected(hub: Hub, tmp_path: Path) -> None:
    code = (
        "from tools import forms, hub\n"
        f"found = hub.listing('{NAME}', forms.CLASSIFIER)\n"
        "print(found.total, hub.offline(), hub.reachable())"
    )
    here = {"HF_ENDPOINT": hub.address, "HF_HOME": str(tmp_path / "hf")}
    assert run(code, here).stdout.split() == [str(len(CONTENT) + 2), "False", "True"]
    code = "from tools import hub; print(hub.offline(), hub.reachable())"
    asked = len(hub.asked)
    assert run(code, {**here, "HF_HUB_OFFLINE": "1"}).stdout.split() == ["True", "False"]
    assert len(hub.asked) == asked


def run(code: str, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
