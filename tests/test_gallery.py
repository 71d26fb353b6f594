"""My pictures: found page by page on real databases, sent as one zip, made small, deleted."""

import io
import json
import time
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image as PillowImage
from sqlalchemy import create_engine, text

from assistant.answer import Answer, StepState
from assistant.backup import back_up
from assistant.conversation import ME, Turn
from assistant.history import made_in
from assistant.kept import from_kept, to_kept
from assistant.page.document import as_json, as_markdown
from assistant.page.memory import here
from assistant.page.render import answer_messages
from assistant.server.album import zipped
from assistant.server.files import in_run
from assistant.settings import Settings
from assistant.store import Store
from assistant.store.claims import End
from assistant.store.jobs import NewJob
from assistant.store.pictures import Picture, StillMade, UnknownPicture
from index.evidence import Measurement
from tests.clock import quickest
from tests.pictures import quarters
from tests.served import Served, served
from tools import recipe
from tools.base import Block, File, Image, Text
from tools.recipe import Recipe

SCHNELL, DEV = "FLUX.1-schnell", "FLUX.1-dev"
TOOK = Measurement(
    SCHNELL, "latency_ms", 2500.0, "ms", "64 x 64 px", "cpu", "a machine", "", "r", "2026-11-23"
)


def drawn(home: Path, run: str, *prompts: str, model: str = SCHNELL) -> list[Block]:
    """Real pictures in a run of the home, as an answer shows them."""
    folder = home / "runs" / ME / run
    folder.mkdir(parents=True, exist_ok=True)
    blocks: list[Block] = []
    for number, prompt in enumerate(prompts, start=1):
        made, path = Recipe(prompt, model=model, seed=number), folder / f"picture-{number}.png"
        recipe.write(quarters(), path, made)
        blocks.append(recipe.picture(path, made))
    return blocks


def keep(store: Store, blocks: list[Block], conversation: str = "", tool: str = "generate") -> Turn:
    """Keeps an answer with those blocks."""
    turn = store.start_turn(ME, conversation, "Draw it", ())
    steps = (StepState(tool, {"prompt": "it"}, "done", blocks=len(blocks)),)
    place = (turn.conversation, turn.number)
    answer = Answer("Draw it", *place, "run", steps, blocks=tuple(blocks), finished=True)
    store.keep_answer(ME, *place, to_kept(answer))
    return store.turn(ME, *place)


def job(store: Store, blocks: list[Block], conversation: str) -> Any:
    """A running job that has made those blocks so far."""
    store.jobs.submit(ME, NewJob("j", "generate", "Draw", {}, {}, "device", conversation, 1))
    claim = store.claims.claim("here", "device")
    assert claim
    store.claims.keep(claim, blocks)
    return claim


def names(store: Store, search: str = "", **paging: Any) -> list[str]:
    return [found.name for found in store.pictures.page(ME, search, **paging).pictures]


# --- found
def test_all_are_found_once_newest_first_page_by_page(store: Store, tmp_path: Path) -> None:
    for number in range(7):
        keep(store, drawn(tmp_path, f"r{number}", "a fox", "a hen", "an owl"))
    seen, after = list[str](), ""
    while True:
        page = store.pictures.page(ME, limit=4, after=after)
        seen += [picture.name for picture in page.pictures]
        after = page.after
        if not after:
            break
        assert len(page.pictures) == 4
    wanted = [f"r{run}/picture-{n}.png" for run in reversed(range(7)) for n in (3, 2, 1)]
    assert seen == wanted
    assert [picture.name for picture in store.pictures.all(ME)] == wanted
    assert names(store, after="nonsense'; --") == names(store, after="")
    assert names(store, after="9" * 10 + ".0.0.0") == names(store)


def test_only_ones_own_of_conversations_that_are_there(store: Store, tmp_path: Path) -> None:
    kept = keep(store, drawn(tmp_path, "r1", "a fox"))
    keep(store, drawn(tmp_path, "r2", "an owl"))
    assert names(store) == ["r2/picture-1.png", "r1/picture-1.png"]
    assert store.pictures.page("you").pictures == ()
    store.delete(ME, kept.conversation)
    assert names(store) == ["r2/picture-1.png"]


def test_pictures_of_a_job_come_with_its_end_and_once(store: Store, tmp_path: Path) -> None:
    blocks = drawn(tmp_path, "r1", "a fox", "a hen")
    turn = keep(store, [Text("It has started.")])
    claim = job(store, blocks, turn.conversation)
    assert names(store) == []
    store.claims.end(claim, End("done"))
    keep(store, blocks, turn.conversation, tool="jobs")
    assert names(store) == ["r1/picture-2.png", "r1/picture-1.png"]
    store.delete(ME, turn.conversation)
    assert names(store) == []


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", 4), ("FOX", 1), ("fox schnell", 1), ("fox dev", 0), ("dev", 1), ("100%", 1), ("%", 1),
        ("_", 1), ('"', 1), ("' OR 1=1", 0), ("\\", 0), ("häuschen", 1), ("HA\u0308USCHEN", 1),
        ("generated", 0), ("  ", 4), ("x" * 5000, 0),
    ],
)  # fmt: skip
def test_it_is_searched_by_words_and_model(
    store: Store, tmp_path: Path, search: str, found: int
) -> None:
    keep(store, drawn(tmp_path, "r1", "a red Fox", '100% of a_b, "quoted"', "ein Häuschen"))
    keep(store, drawn(tmp_path, "r2", "an owl", model=DEV))
    assert len(names(store, search)) == found


def test_it_says_what_a_picture_took_if_that_was_measured(store: Store, tmp_path: Path) -> None:
    blocks = drawn(tmp_path, "r1", "a fox")
    keep(store, [*blocks, Text("latency 2,500 ms", (TOOK,))])
    keep(store, [*drawn(tmp_path, "r2", "a fox", model=DEV), Text("latency", (TOOK,))])
    assert [picture.seconds for picture in store.pictures.all(ME)] == [None, 2.5]


def test_ten_thousand_pictures_are_paged_in_no_time(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'many.db'}"
    with closing(Store(address)) as store:
        turn = keep(store, drawn(tmp_path, "first", "a fox"))
        engine = create_engine(address)
        with engine.begin() as connection:
            connection.execute(
                text(
                    "WITH RECURSIVE n(i) AS "
                    "(SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) "
                    "INSERT INTO answer (owner, turn_id, attempt, answer, kept, words) SELECT "
                    "owner, turn_id, n.i, replace(answer, '/first/', '/r' || n.i || '/'), kept, ''"
                    " FROM answer, n"
                )
            )
        engine.dispose()
        assert turn.number == 1
        page = store.pictures.page(ME)
        older = store.pictures.page(ME, after=page.after)
        assert quickest(lambda: store.pictures.page(ME)) < 0.5
        assert quickest(lambda: store.pictures.page(ME, after=page.after)) < 0.5
        assert [found.name for found in page.pictures[:2]] == [
            "r10000/picture-1.png", "r9999/picture-1.png",
        ]  # fmt: skip
        assert older.pictures[0].name == f"r{10000 - len(page.pictures)}/picture-1.png"
        began = time.monotonic()
        assert names(store, "no such words") == []
        assert time.monotonic() - began < 10
        assert sum(1 for _ in store.pictures.all(ME)) == 10_000


# --- all of them
def test_a_zip_holds_the_very_files_and_their_recipes(store: Store, tmp_path: Path) -> None:
    keep(store, drawn(tmp_path, "r1", "a fox", "a hen/../../x", "gone"))
    found = list(store.pictures.all(ME))
    found[0].path.unlink()
    packed = io.BytesIO(b"".join(zipped(found)))
    with zipfile.ZipFile(packed) as archive:
        assert archive.testzip() is None
        told = json.loads(archive.read("recipes.json"))
        assert [entry["file"] for entry in told] == [None, "0002-a-hen-x.png", "0003-a-fox.png"]
        assert [entry["prompt"] for entry in told] == ["gone", "a hen/../../x", "a fox"]
        assert archive.namelist() == ["0002-a-hen-x.png", "0003-a-fox.png", "recipes.json"]
        content = archive.read("0003-a-fox.png")
        assert content == found[2].path.read_bytes()
        made = recipe.read(content)
        assert made is not None
        assert (made.prompt, made.seed, made.model) == ("a fox", 1, SCHNELL)


def test_a_zip_is_sent_while_it_is_read(tmp_path: Path) -> None:
    large = tmp_path / "large.png"
    large.write_bytes(bytes(3_000_000))
    asked = list[int]()

    def pictures() -> Iterator[Picture]:
        for number in range(40):
            asked.append(number)
            yield Picture(large, "2026-11-23T10:00:00+00:00", {"prompt": "x"}, None)

    longest = 0
    for number, piece in enumerate(zipped(pictures())):
        longest = max(longest, len(piece))
        if number == 3:
            assert len(asked) <= 2
    assert len(asked) == 40
    assert longest < 2_500_000


# --- deleted
def test_a_deleted_picture_is_gone_and_its_place_says_so(
    settings: Settings, tmp_path: Path
) -> None:
    with closing(Store(settings.database)) as store:
        turn = keep(store, drawn(settings.home, "r1", "a fox", "a hen", "an owl"))
        before = here(store, {"conversation": turn.conversation}).memory
        assert not here(store, before).grown
        file = settings.home / "runs" / ME / "r1" / "picture-2.png"
        store.pictures.delete(ME, "r1/picture-2.png", file.unlink)
        assert here(store, before).grown
        assert names(store) == ["r1/picture-3.png", "r1/picture-1.png"]
        with pytest.raises(UnknownPicture, match="deleted already"):
            store.pictures.delete(ME, "r1/picture-2.png", file.unlink)
        turn = store.turn(ME, turn.conversation, 1)
        (message,) = answer_messages(from_kept(turn.answers[0]), (), settings.home)[1:]
        assert message["content"].count("files/runs/r1/") == 4
        assert "*This picture was deleted on " in message["content"]
        assert "a hen" not in json.dumps(turn.answers)
        assert "*This picture was deleted on " in as_markdown("t", [turn])
        assert json.loads(as_json("t", [turn]))["turns"][0]["answers"][0]["blocks"][1]["alt"]
        shown = made_in(turn, 1).pictures
        assert [path.exists() for path in shown] == [True, False, True]
        (found,) = store.conversations(ME, "owl")
        assert found.key == turn.conversation
        assert store.conversations(ME, "hen") == ()
    backup = back_up(settings, tmp_path / "all.zip", lambda done, note: None)
    assert backup.missing == ()


def test_a_picture_is_deleted_wherever_it_is_shown(store: Store, tmp_path: Path) -> None:
    blocks = drawn(tmp_path, "r1", "a fox", "a hen")
    turn = keep(store, [Text("It has started.")])
    claim = job(store, blocks, turn.conversation)
    shown = keep(store, blocks, turn.conversation, tool="jobs")
    with pytest.raises(StillMade, match="Job 1, which makes it, is running"):
        store.pictures.delete(ME, "r1/picture-1.png", lambda: None)
    store.claims.end(claim, End("done"))
    store.pictures.delete(ME, "r1/picture-1.png", lambda: None)
    assert names(store) == ["r1/picture-2.png"]
    for found in (store.jobs.get(ME, 1).blocks, _blocks(store, shown)):
        assert ["deleted" in getattr(block, "metadata", {}) for block in found] == [True, False]


def _blocks(store: Store, turn: Turn) -> Any:
    return from_kept(store.turn(ME, turn.conversation, turn.number).answers[0]).blocks


def test_nothing_is_deleted_if_the_file_cannot_be(store: Store, tmp_path: Path) -> None:
    keep(store, drawn(tmp_path, "r1", "a fox"))

    def remove() -> None:
        raise PermissionError(13, "Permission denied")

    with pytest.raises(PermissionError):
        store.pictures.delete(ME, "r1/picture-1.png", remove)
    assert names(store) == ["r1/picture-1.png"]


@pytest.mark.parametrize(
    "name",
    [
        "r1/picture-2.png", "%/picture-1.png", "r_/picture-1.png", "", "r1/before.png",
        "r1/model.safetensors",
    ],
)  # fmt: skip
def test_another_name_deletes_nothing(store: Store, tmp_path: Path, name: str) -> None:
    run = tmp_path / "r1"
    others: list[Block] = [
        Image(run / "before.png", "Before"),
        File(run / "model.safetensors", "a model"),
    ]
    keep(store, [*drawn(tmp_path, "r1", "a fox"), *others])
    with pytest.raises(UnknownPicture):
        store.pictures.delete(ME, name, lambda: None)
    assert names(store) == ["r1/picture-1.png"]


@pytest.mark.parametrize(
    "name",
    [
        "../secret.png", "r1/../secret.png", "/etc/passwd", "r1", "", "..", "r1/a/b.png",
        "a/\0.png", "../uploads", "away/x.png",
    ],
)  # fmt: skip
def test_only_files_of_runs_are_meant(tmp_path: Path, name: str) -> None:
    own = tmp_path / "runs" / ME
    (own / "r1").mkdir(parents=True)
    (own / "away").symlink_to(tmp_path)
    assert in_run(tmp_path, "r1/picture-1.png") == own / "r1" / "picture-1.png"
    assert in_run(tmp_path, name) is None


# --- over HTTP
@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("gallery")) as running:
        yield running


@pytest.fixture(scope="module")
def own(server: Served) -> Iterator[Store]:
    """The store of the server."""
    with closing(Store(f"sqlite:///{server.home / 'fitting-room.db'}")) as opened:
        yield opened


@pytest.fixture
def client(server: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60) as opened:
        yield opened


def test_the_page_asks_for_them(own: Store, server: Served, client: httpx.Client) -> None:
    assert "No pictures yet" in client.get("/pictures").text
    assert client.get("/pictures.zip").status_code == 404
    home, hostile = server.home, "<img src=x onerror=alert(1)> & ${x} 'y'"
    keep(own, drawn(home, "r1", hostile, "gone"))
    keep(own, drawn(home, "r2", *["an owl"] * 30, model=DEV))
    (home / "runs" / ME / "r1" / "picture-2.png").unlink()
    first = client.get("/pictures", params={"search": "owl"}).text
    assert first.count("<li data-name") == 24
    assert "does not allow commercial use" in first
    after = first.rpartition('data-after="')[2].partition('"')[0]
    second = client.get("/pictures", params={"search": "owl", "after": after}).text
    assert second.count("<li data-name") == 6
    assert "data-after" not in second
    assert "has all these words" in client.get("/pictures", params={"search": "%"}).text
    other = client.get("/pictures", params={"search": "onerror"}).text
    assert "<img src=x" not in other
    assert "commercial" not in other
    gone = client.get("/pictures", params={"search": "gone"}).text
    assert "is not there any more" in gone
    assert "pictures/r1" not in gone
    assert 'data-do="delete"' in gone
    packed = client.get("/pictures.zip", params={"search": "owl"})
    with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
        assert len(archive.namelist()) == 31


def test_a_picture_is_made_small_and_deleted(
    own: Store, server: Served, client: httpx.Client
) -> None:
    home = server.home
    keep(own, drawn(home, "r3", "a fox"))
    file = home / "runs" / ME / "r3" / "picture-1.png"
    PillowImage.new("RGBA", (2000, 1000), "red").save(file)
    small = client.get("/pictures/r3/picture-1.png")
    assert small.headers["content-type"] == "image/webp"
    assert PillowImage.open(io.BytesIO(small.content)).size == (320, 160)
    (file.parent / "broken.png").write_bytes(b"no picture")
    for path in ("r3/broken.png", "r3/none.png", "../runs", "%2e%2e/me", "r3/..%2f..%2fx"):
        assert client.get(f"/pictures/{path}").status_code == 404
    abroad = client.delete("/pictures/r3/picture-1.png", headers={"Origin": "https://a.example"})
    assert abroad.status_code == 403
    assert client.delete("/pictures/r3/broken.png").status_code == 404
    assert (file.parent / "broken.png").exists()
    assert client.delete("/pictures/r3/picture-1.png").status_code == 204
    assert not file.exists()
    again = client.delete("/pictures/r3/picture-1.png")
    assert (again.status_code, "deleted already" in again.json()["detail"]) == (404, True)
    assert client.get("/pictures/r3/picture-1.png").status_code == 404
