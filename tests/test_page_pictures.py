"""A generated picture is marked on the page, and its file leaves the server as it was written."""

import io
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from assistant.answer import Answer, to_json
from assistant.conversation import Turn
from assistant.grounding import faults
from assistant.kept import from_kept, to_kept
from assistant.page.document import as_markdown
from assistant.page.render import answer_messages
from assistant.terminal import show_answer
from tests.answers import index
from tests.pictures import quarters
from tests.served import Served, served
from tools import recipe
from tools.base import Block, Image, Table
from tools.recipe import Recipe

HOME = Path("/home-of-a-test")
RUN = HOME / "runs" / "me" / "r1"
MADE = Recipe(
    "7 foxes, 3 hens\n\n# https://example.org/9 at 5 pm, half of it", "2 dogs", "FLUX.1-schnell",
    42, 1024, 768, 4, 3.5, strength=0.75, adapters=(("my_dog_2", 0.8),), licence="apache-2.0",
)  # fmt: skip
MARK = "AI generated · FLUX.1-schnell · seed 42 · apache-2.0"
HOSTILE = Recipe("![x](http://a.b/c.png) <img src=x> [*y*](z) | a_b", seed=1, licence="*l*](m)")


def answered(*blocks: Block) -> Answer:
    return Answer("?", "c", 1, "run", blocks=blocks, finished=True)


def html(*blocks: Block) -> str:
    """What the page shows of blocks."""
    (message,) = answer_messages(answered(*blocks), (), HOME)
    return str(MarkdownIt().enable("table").render(message["content"]))


# --- the mark
def test_a_generated_picture_is_marked_in_sight_and_in_words() -> None:
    shown = html(recipe.picture(RUN / "1.png", MADE, "foxes"), Image(RUN / "2.png", "a photo"))
    assert shown == (
        f'<p><a href="files/runs/r1/1.png"><img src="files/runs/r1/1.png" '
        f'alt="foxes ({MARK})" /> <em>{MARK}</em></a> '
        f'<a href="files/runs/r1/2.png"><img src="files/runs/r1/2.png" alt="a photo" /></a></p>\n'
    )


def test_what_is_not_known_is_not_in_the_mark() -> None:
    assert recipe.caption(recipe.metadata(Recipe("x"))) == "AI generated"
    assert recipe.caption({"top": "cat"}) == ""
    assert recipe.caption({"origin": "a camera", "model": "x"}) == ""


def test_hostile_words_stay_words() -> None:
    shown = html(recipe.picture(RUN / "1.png", HOSTILE), recipe.told(HOSTILE))
    assert shown.count("<img") == shown.count("<a ") == 1
    assert "<em>AI generated · seed 1 · *l*](m)</em>" in shown
    assert "<td>![x](http://a.b/c.png) &lt;img src=x&gt; [*y*](z) | a_b</td>" in shown


def test_a_document_and_a_terminal_mark_it_too() -> None:
    answer = answered(recipe.picture(RUN / "1.png", MADE, "foxes"))
    turn = Turn("c", 1, "?", (), (to_kept(answer),), "2026-11-23")
    assert f"![foxes](1.png) *{MARK}*" in as_markdown("t", [turn])
    console = Console(file=io.StringIO(), width=200)
    show_answer(answer, console)
    assert isinstance(console.file, io.StringIO)
    assert f"foxes: {RUN / '1.png'} ({MARK})" in console.file.getvalue()


# --- what is told
def test_how_it_was_made_is_a_table() -> None:
    table = recipe.told(MADE)
    assert table.title == "How this picture was made, as its file says"
    assert table.columns == ("Setting", "Value")
    assert dict(table.rows) == {  # type: ignore[arg-type]
        "Prompt": "7 foxes, 3 hens # https://example.org/9 at 5 pm, half of it",
        "Negative prompt": "2 dogs", "Model": "FLUX.1-schnell", "Seed": "42",
        "Size in pixels": "1024x768", "Steps": "4", "Guidance": "3.5", "Strength": "0.75",
        "Adapters": "my_dog_2 (0.8)", "Licence of the model": "apache-2.0",
        "Made on": MADE.made, "Made with": MADE.version,
    }  # fmt: skip
    assert len(recipe.told(Recipe("x" * 9_000)).rows[0][1]) == 604


@pytest.mark.parametrize("made", [MADE, HOSTILE, Recipe("7", seed=7), Recipe("")])
def test_the_figures_of_a_recipe_are_not_withheld(made: Recipe) -> None:
    names = index().names
    assert faults(recipe.told(made), names) == ()
    assert faults(recipe.picture(RUN / "1.png", made), names) == ()


def test_other_figures_beside_a_recipe_are() -> None:
    shown = recipe.picture(RUN / "1.png", MADE)
    other = Image(shown.path, f"{shown.alt}: 12 ms", shown.metadata, state=shown.state)
    assert any("12" in fault for fault in faults(other, index().names))
    table = recipe.told(MADE)
    rows = (*table.rows, ("Speed", "99 ms"))
    assert faults(Table(table.columns, rows, table.title, state=table.state), index().names)


def test_a_kept_answer_keeps_the_mark() -> None:
    answer = answered(recipe.picture(RUN / "1.png", MADE), recipe.told(MADE))
    assert from_kept(to_kept(answer)) == answer
    told = to_json(answer)["blocks"][0]
    assert told.keys() == {"type", "path", "alt", "metadata"}
    assert told["metadata"]["origin"] == "AI generated"
    assert told["metadata"]["seed"] == "42"


# --- the file
@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("pictures")) as running:
        yield running


@pytest.fixture
def client(server: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60) as opened:
        yield opened


@pytest.mark.parametrize("ending", ["png", "jpg", "webp"])
def test_a_picture_of_an_answer_leaves_byte_for_byte(
    server: Served, client: httpx.Client, ending: str
) -> None:
    path = server.home / "runs" / "me" / "r1" / f"picture 1.{ending}"
    path.parent.mkdir(parents=True, exist_ok=True)
    recipe.write(quarters(), path, MADE)
    (message,) = answer_messages(answered(recipe.picture(path, MADE)), (), server.home)
    shown = re.findall(r"\((files/[^)]+)\)", message["content"])
    assert len(shown) == 2  # the picture, and what opens on a click
    for address in shown:
        reply = client.get(f"/{address}")
        assert reply.headers["content-type"] == f"image/{ending.replace('jpg', 'jpeg')}"
        assert reply.content == path.read_bytes()
        assert recipe.read(reply.content) == MADE


def test_a_dropped_picture_is_shown_with_its_recipe(
    server: Served, client: httpx.Client, tmp_path: Path
) -> None:
    recipe.write(quarters(), tmp_path / "fox.png", MADE)
    content = (tmp_path / "fox.png").read_bytes()
    (copy,) = client.post(
        "/gradio_api/upload", files={"files": ("fox.png", content, "image/png")}
    ).json()
    assert recipe.read(client.get(f"/gradio_api/file={copy}").content) == MADE
    dependencies = client.get("/config").json()["dependencies"]
    (send,) = (found["id"] for found in dependencies if found["api_name"] == "send")
    file = {"path": copy, "meta": {"_type": "gradio.FileData"}}
    body = {"data": [{"text": "hello", "files": [file]}, None], "fn_index": send}
    client.post("/gradio_api/queue/join", json={**body, "session_hash": "test"})
    page = ""
    with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": "test"}) as events:
        for line in events.iter_lines():
            page += line
            if "process_completed" in line:
                break
    addresses = set(re.findall(r"files/uploads/[\w./%-]+", page))
    (kept,) = (server.home / "uploads").rglob("fox.png")
    assert addresses
    for address in addresses:
        assert client.get(f"/{address}").content == kept.read_bytes()
    assert recipe.read(kept) == MADE
