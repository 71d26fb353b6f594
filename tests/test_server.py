"""The real server: whether it is well, what it refuses, and that no metadata comes back out."""

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from PIL import Image

from tests.processes import wait_for
from tests.served import ROOT, Served, environment, free_port, served

SECRETS = (b"SECRET", b"Exif", b"GPS")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def client(server: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60) as opened:
        yield opened


def tagged_photo() -> bytes:
    """A JPEG that carries a place, a description and a comment."""
    exif = Image.Exif()
    exif[0x010E] = "SECRET description"
    place = exif.get_ifd(0x8825)
    place[1], place[2] = "N", (52.0, 31.0, 12.0)
    file = BytesIO()
    Image.new("RGB", (64, 48), (200, 80, 40)).save(
        file, "JPEG", exif=exif, comment=b"SECRET comment"
    )
    assert all(secret in file.getvalue() for secret in SECRETS[:2])
    return file.getvalue()


def held(file: Path) -> bytes:
    """What stands in a file; nothing if it is none, or the server has deleted it meanwhile."""
    with suppress(FileNotFoundError, IsADirectoryError):
        return file.read_bytes()
    return b""


def upload(client: httpx.Client, name: str, content: bytes, kind: str = "image/jpeg") -> str:
    reply = client.post("/gradio_api/upload", files={"files": (name, content, kind)})
    assert reply.status_code == 200, reply.text
    (path,) = reply.json()
    return str(path)


def listener(client: httpx.Client, name: str) -> int:
    """The number of the event that calls a method of the chat."""
    for dependency in client.get("/config").json()["dependencies"]:
        if dependency["api_name"] == name:
            return int(dependency["id"])
    raise AssertionError(name)


def send(client: httpx.Client, text: str, files: list[str]) -> httpx.Response:
    """Sends what stands in the box, as the page does."""
    data = [
        {"path": path, "meta": {"_type": "gradio.FileData"}, "url": str(client.base_url.join("x"))}
        for path in files
    ]
    return client.post(
        "/gradio_api/queue/join",
        json={
            "data": [{"text": text, "files": data}, None],
            "fn_index": listener(client, "send"),
            "session_hash": "test",
        },
    )


def shown(client: httpx.Client) -> str:
    """Everything that the page is sent until its event has ended."""
    with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": "test"}) as events:
        lines = []
        for line in events.iter_lines():
            lines.append(line)
            if "process_completed" in line:
                break
    return "\n".join(lines)


# --- health and headers
def test_it_says_that_it_is_well(client: httpx.Client) -> None:
    found = client.get("/healthz").json()
    assert found["ok"] is True
    assert found["version"]
    assert isinstance(found["worker"], bool)


def test_the_worker_gets_ready_by_itself(client: httpx.Client) -> None:
    wait_for(lambda: client.get("/healthz").json()["worker"])


@pytest.mark.parametrize("path", ["/", "/healthz", "/nothing", "/gradio_api/proxy=x"])
def test_every_reply_carries_the_safe_headers(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'self' https://huggingface.co" in policy


def test_the_page_names_no_other_host(client: httpx.Client) -> None:
    page = client.get("/").text
    loaded = re.findall(r"""(?:src|href)=["'](https?://[^"']+)""", page)
    assert [address for address in loaded if not address.startswith(str(client.base_url))] == []


def test_nothing_of_the_page_is_an_open_api(client: httpx.Client) -> None:
    info = client.get("/gradio_api/info").json()
    assert info == {"named_endpoints": {}, "unnamed_endpoints": {}}
    assert client.get("/monitoring").status_code in (403, 404)
    number = listener(client, "send")
    body = {"data": [{"text": "hi", "files": []}, None], "fn_index": number}
    assert client.post("/gradio_api/run/predict", json=body).status_code >= 400


# --- what is refused
@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=http://127.0.0.1:1/x",
        "/gradio_api/file=HTTPS://example.org/x",
        "/gradio_api/file=%68ttp://example.org/x",
        "/gradio_api/file/http://example.org/x",
        "/gradio_api/proxy=http://example.org/x",
        "//gradio_api/proxy=x",
    ],
)
def test_nothing_is_fetched_from_elsewhere(client: httpx.Client, path: str) -> None:
    reply = client.get(f"{client.base_url}".rstrip("/") + path)
    assert reply.status_code in (403, 404)


@pytest.mark.parametrize(
    "file",
    [
        {"path": "http://example.org/x.png"},
        {"path": "x.png", "url": "https://example.org/x.png"},
        {"url": "http://example.org/x.png", "meta": {"_type": "gradio.FileData"}},
        {"nested": [[{"deep": {"path": "ftp://example.org/x"}}]]},
    ],
)
def test_a_file_elsewhere_is_refused_in_a_message(client: httpx.Client, file: object) -> None:
    for kind in ("application/json", ""):
        body = json.dumps({"data": [{"text": "hi", "files": [file]}, None]})
        headers = {"content-type": kind} if kind else {}
        reply = client.post("/gradio_api/queue/join", content=body, headers=headers)
        assert reply.status_code == 403
        assert "Upload the file" in reply.json()["detail"]


@pytest.mark.parametrize("body", ["{", "[" * 100_000])
def test_a_body_that_is_no_json_is_refused(client: httpx.Client, body: str) -> None:
    headers = {"content-type": "application/json"}
    reply = client.post("/gradio_api/queue/join", content=body, headers=headers)
    assert reply.status_code == 400


def test_a_page_of_another_site_cannot_write(client: httpx.Client) -> None:
    files = {"files": ("a.png", b"x", "image/png")}
    for origin, status in (("https://example.org", 403), (str(client.base_url).rstrip("/"), 200)):
        reply = client.post("/gradio_api/upload", files=files, headers={"origin": origin})
        assert reply.status_code == status


def test_bodies_have_limits(client: httpx.Client) -> None:
    big = client.post("/gradio_api/upload", files={"files": ("a.png", b"x" * 46_000_000)})
    assert big.status_code == 413
    assert big.text == "That is too large: at most 45 MB. Send less at once."
    field = client.post("/gradio_api/upload", data={"x": "y" * 2000}, files={"files": b"x"})
    assert field.status_code == 400

    def chunks() -> Iterator[bytes]:
        for _ in range(12):
            yield b" " * 1_000_000

    headers = {"content-type": "application/json"}
    endless = client.post("/gradio_api/queue/join", content=chunks(), headers=headers)
    assert endless.status_code == 413
    assert "at most 10 MB" in endless.json()["detail"]
    other = client.post("/gradio_api/run/predict", content=b" " * 1_000_001, headers=headers)
    assert other.status_code == 413


def test_a_message_of_a_megabyte_gets_a_sentence(client: httpx.Client) -> None:
    assert send(client, "a b " * 250_000, []).status_code == 200
    assert "The message has 1,000,000 characters; a question may have 20,000." in shown(client)


@pytest.mark.parametrize("path", ["/etc/passwd", "app.py", "{home}/fitting-room.db"])
def test_a_file_that_was_not_uploaded_is_not_read(
    server: Served, client: httpx.Client, path: str
) -> None:
    named = path.format(home=server.home)
    assert send(client, "What is in this picture?", [named]).status_code == 200
    assert '"success":false' in shown(client)
    for address in (f"/gradio_api/file={named}", f"/gradio_api/file={quote(named, safe='')}"):
        assert client.get(address).status_code in (403, 404)
    name = Path(named).name.encode()
    assert not [file for file in server.folder.rglob("*") if file.name.encode() == name]


@pytest.mark.parametrize(
    "path",
    [
        "uploads/../../fitting-room.db",
        "uploads/%2e%2e/%2e%2e/fitting-room.db",
        "runs/../uploads",
        "secrets/x",
        "uploads//etc/passwd",
    ],
)
def test_only_files_of_answers_are_served(client: httpx.Client, path: str) -> None:
    assert client.get(f"/files/{path}").status_code == 404


# --- pictures
def test_no_metadata_of_a_photo_comes_back_out(server: Served, client: httpx.Client) -> None:
    photo = tagged_photo()
    path = upload(client, "holiday.jpg", photo)
    page_copy = client.get(f"/gradio_api/file={path}")
    assert page_copy.status_code == 200
    assert send(client, "What is in this picture?", [path]).status_code == 200
    page = shown(client)
    addresses = set(re.findall(r"files/uploads/[\w./%-]+|gradio_api/file=[\w./%-]+", page))
    served_files = [client.get(f"/{address}") for address in addresses]
    assert [reply.status_code for reply in served_files] == [200] * len(addresses)
    assert any("files/uploads/" in address for address in addresses)
    for content in (page_copy.content, *(reply.content for reply in served_files)):
        assert Image.open(BytesIO(content)).size == (64, 48)
        assert not any(secret in content for secret in SECRETS)
    kept = [file for folder in (server.home, server.folder) for file in folder.rglob("*")]
    for file in kept:
        content = held(file)
        assert b"SECRET" not in content, file
        assert photo[-200:] not in content, file


def test_a_refused_file_leaves_only_its_sentence(server: Served, client: httpx.Client) -> None:
    photo = b"\x00\x00\x00\x18ftypheic" + b"SECRET" * 100
    path = upload(client, "holiday.heic", photo, "image/heic")
    said = Path(path).read_text(encoding="utf-8")
    assert said.startswith("holiday.heic is a HEIC photo")
    assert "JPEG" in said
    kept = [file for folder in (server.home, server.folder) for file in folder.rglob("*")]
    assert not [file for file in kept if b"SECRET" in held(file)]


def test_several_files_keep_their_order(client: httpx.Client) -> None:
    names = ["b.jpg", "broken.jpg", "a.jpg"]
    contents = [tagged_photo(), b"\xff\xd8\xff broken", tagged_photo()]
    files = [("files", file) for file in zip(names, contents, strict=True)]
    paths = client.post("/gradio_api/upload", files=files).json()
    assert [Path(path).name for path in paths] == ["b.png", "broken.jpg.refused.txt", "a.png"]


# --- start and end
def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = subprocess.run(
            [sys.executable, "app.py"],
            cwd=ROOT, env=environment(tmp_path, port), capture_output=True, text=True, timeout=240,
        )  # fmt: skip
    assert ran.returncode == 1
    assert ran.stderr.splitlines() == [
        f"Port {port} on 127.0.0.1 is in use by another program. "
        "End that program, or set FITTING_ROOM_PORT to another port."
    ]


def test_an_address_of_another_machine_is_one_sentence(tmp_path: Path) -> None:
    settings = {"FITTING_ROOM_HOST": "203.0.113.1"}
    ran = subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT, env=environment(tmp_path, free_port(), settings),
        capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert ran.returncode == 1
    (line,) = ran.stderr.splitlines()
    assert line.startswith("Cannot listen on 203.0.113.1, port ")
    assert "FITTING_ROOM_HOST" in line


def test_it_ends_cleanly_and_logs_no_question(tmp_path: Path) -> None:
    with served(tmp_path) as running, httpx.Client(base_url=running.url, timeout=60) as client:
        client.get("/healthz", params={"token": "SECRET"})
        assert send(client, "What can you do, SECRET?", []).status_code == 200
        assert "I help to choose" in shown(client)
    assert running.process.returncode == 0
    log = running.log.read_text(encoding="utf-8")
    assert log.splitlines()[0] == f"Fitting Room is at {running.url} (Ctrl-C ends it)"
    assert "SECRET" not in log
    assert "Traceback" not in log
    assert not [*running.folder.glob("fitting-room-*")]
