"""A small Hugging Face Hub on 127.0.0.1, real enough for huggingface_hub to fetch from.

It speaks the part of the protocol that a download takes: the repository's information and tree,
files with ETag, commit and Range, and the errors that the Hub tells by `X-Error-Code`. It can cut
a connection in the middle of a file, be slow, and claim sizes that it does not have.
"""

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

_RESOLVE = re.compile(r"/(?P<name>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<file>.+)")
_TREE = re.compile(r"/api/models/(?P<name>[^/]+/[^/]+)/tree/(?P<revision>[^/]+)")
_INFO = re.compile(r"/api/models/(?P<name>[^/]+/[^/]+)(/revision/(?P<revision>[^/]+))?")
_CHUNK = 65_536
_ACCEPTED = "Bearer accepted"


@dataclass
class Repository:
    """A repository and how it misbehaves.

    Attributes:
        files: content by path.
        gated: whether it asks for a token of somebody who accepted its terms.
        cuts: after how many bytes the next answers break off, one for each answer.
        pause: seconds to wait before each piece of a file, unless the hub is stopped.
        claimed: a size to claim for every file of weights instead of its own.
        status: an error to answer with instead of anything else.
    """

    files: dict[str, bytes]
    gated: bool = False
    cuts: list[int] = field(default_factory=list)
    pause: float = 0.0
    claimed: int | None = None
    status: int | None = None

    @property
    def commit(self) -> str:
        """Changes with the content."""
        return _sha1(b"".join(path.encode() + self.files[path] for path in sorted(self.files)))

    def size(self, path: str) -> int:
        """Bytes of a file, as they are listed."""
        own = len(self.files[path])
        return own if self.claimed is None or not path.endswith(".safetensors") else self.claimed


class Hub:
    """The server.

    Attributes:
        repositories: by "owner/name".
        asked: what was asked for, in order: method, path, and the Range header.
        stopped: set once it answers no more.
    """

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.asked: list[tuple[str, str, str]] = []
        self.stopped = threading.Event()
        hub = self

        class Handler(_Handler):
            served = hub

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def address(self) -> str:
        """What HF_ENDPOINT is to be set to."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def add(self, name: str, folder: Path) -> Repository:
        """Serves the files of a folder and its sub-folders as "owner/name"."""
        found = (path for path in folder.rglob("*") if path.is_file())
        files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}
        self.repositories[name] = Repository(files)
        return self.repositories[name]

    def ranges(self, file: str) -> list[str]:
        """The Range headers with which a file was asked for; empty where there was none."""
        return [found for method, path, found in self.asked if (method, path) == ("GET", file)]

    def use(self, monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
        """Sets what the library would have read from HF_ENDPOINT and HF_HUB_CACHE at its import."""
        from huggingface_hub import constants

        template = self.address + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "ENDPOINT", self.address)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(cache / "no-token"))
        monkeypatch.delenv("HF_TOKEN", raising=False)

    def start(self) -> None:
        """Begins to answer."""
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Answers no more; the address refuses connections."""
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def serving() -> Iterator[Hub]:
    """A hub that answers until the block ends."""
    hub = Hub()
    hub.start()
    try:
        yield hub
    finally:
        hub.stop()


class _Handler(BaseHTTPRequestHandler):
    served: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Keeps the tests' output clean."""

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        self.served.asked.append((self.command, path, self.headers.get("Range", "")))
        if match := _RESOLVE.fullmatch(path):
            self._file(match["name"], match["revision"], match["file"], body)
        elif match := _TREE.fullmatch(path):
            self._tree(match["name"], body)
        elif match := _INFO.fullmatch(path):
            self._info(match["name"], body)
        else:
            self._send(200, {}, b"a hub", body)

    def _repository(self, name: str, body: bool, open_to_all: bool = False) -> Repository | None:
        """The repository; an error is sent if it cannot be read."""
        found = self.served.repositories.get(name)
        token = self.headers.get("Authorization")
        if found is None:
            self._error(404 if token else 401, "RepoNotFound", body)
        elif found.status:
            self._error(found.status, "", body)
        elif found.gated and token != _ACCEPTED and not open_to_all:
            self._error(403 if token else 401, "GatedRepo", body)
        else:
            return found
        return None

    def _file(self, name: str, revision: str, file: str, body: bool) -> None:
        found = self._repository(name, body)
        if found is None:
            return
        if revision not in ("main", found.commit):
            self._error(404, "RevisionNotFound", body)
        elif file not in found.files:
            self._error(404, "EntryNotFound", body, found.commit)
        else:
            self._content(found, found.files[file], body)

    def _content(self, found: Repository, content: bytes, body: bool) -> None:
        start = int(self.headers.get("Range", "bytes=0-")[len("bytes=") :].partition("-")[0])
        headers = {
            "ETag": f'"{hashlib.sha256(content).hexdigest()}"',
            "X-Repo-Commit": found.commit,
            "Accept-Ranges": "bytes",
        }
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self._send(206 if start else 200, headers, content[start:], body, found)

    def _tree(self, name: str, body: bool) -> None:
        if found := self._repository(name, body):
            rows = [
                {"type": "file", "path": path, "size": found.size(path), "oid": _sha1(content)}
                for path, content in found.files.items()
            ]
            self._send(200, {}, json.dumps(rows).encode(), body)

    def _info(self, name: str, body: bool) -> None:
        # As on the real Hub, what is in a gated repository may be known to all.
        if found := self._repository(name, body, open_to_all=True):
            files = [{"rfilename": path, "size": found.size(path)} for path in found.files]
            told = {"id": name, "modelId": name, "sha": found.commit, "siblings": files}
            self._send(200, {}, json.dumps(told).encode(), body)

    def _error(self, status: int, code: str, body: bool, commit: str = "") -> None:
        headers = {"X-Error-Code": code, "X-Error-Message": f"{code}.", "X-Repo-Commit": commit}
        told = {key: value for key, value in headers.items() if value}
        self._send(status, told, json.dumps({"error": code}).encode(), body)

    def _send(
        self,
        status: int,
        headers: dict[str, str],
        content: bytes,
        body: bool,
        found: Repository | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")  # else a stopped hub would go on answering
        self.end_headers()
        if not body:
            return
        cut = found.cuts.pop(0) if found and found.cuts else len(content)
        for start in range(0, min(cut, len(content)), _CHUNK):
            self.served.stopped.wait(found.pause if found else 0)
            self.wfile.write(content[start : min(start + _CHUNK, cut)])


def _sha1(content: bytes) -> str:
    """The form of git's ids."""
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()
