"""One FastAPI app: the page, its files, and whether it is well."""

import contextlib
import errno
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI

from assistant.server import conversations, files, pictures
from assistant.server.guard import Guard
from assistant.settling import settle
from assistant.steps import Assistant
from tools.program import program_version

_UPLOAD_BYTES = {"local": 45_000_000, "public": 20_000_000}  # of one upload, all files together
_PATIENCE = 3  # seconds that running steps and open connections get to end


def create_app(assistant: Assistant) -> FastAPI:
    """The app: `/healthz`, the page at `/`, and the files of answers under `/files/`.

    Args:
        assistant: the parts that answer; whoever opened it closes it, after the app has ended.
    """
    from assistant import page
    from assistant.page.live import Live

    live = Live(assistant)
    folder = files.PageFolder(Path(tempfile.mkdtemp(prefix="fitting-room-")))

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        assistant.worker.start()
        assistant.jobs.start()
        settle(assistant.settings, assistant.store, assistant.settings.bfl_api_key)
        yield
        live.stop(_PATIENCE)
        shutil.rmtree(folder.path, ignore_errors=True)

    app = FastAPI(
        title="Fitting Room", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None
    )
    app.state.live = live

    @app.get("/healthz")
    async def healthz() -> dict[str, Any]:
        return {"ok": True, "version": program_version(), "worker": assistant.worker.ready}

    app.include_router(files.router(assistant, folder))
    app.include_router(conversations.router(assistant))
    app.include_router(pictures.router(assistant))
    page.mount(app, assistant, live, folder)
    app.add_middleware(Guard, upload_bytes=_UPLOAD_BYTES[assistant.settings.audience])
    return app


def serve(assistant: Assistant, host: str, port: int) -> None:
    """Serves the page until it is told to end by Ctrl-C or SIGTERM; running steps are stopped.

    Raises:
        SystemExit: the address cannot be listened on; status 1, and it says why and what to do.
    """
    with _listen(host, port) as listening:
        app = create_app(assistant)
        sys.stderr.write(f"Fitting Room is at http://{host}:{port} (Ctrl-C ends it)\n")
        _Server(app).run([listening])


class _Server(uvicorn.Server):
    """A server that stops running steps as soon as it is told to end."""

    def __init__(self, app: FastAPI) -> None:
        super().__init__(
            uvicorn.Config(
                app, log_config=None, access_log=False, timeout_graceful_shutdown=_PATIENCE
            )
        )
        self._live = app.state.live

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Ends the server; a second signal does not wait for what is still open.

        Uvicorn's own would raise the signal again at the end, and nothing would be closed.
        """
        self._live.stop(0)
        self.force_exit = self.should_exit
        self.should_exit = True


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with contextlib.ExitStack() as opened:
            listening = opened.enter_context(socket.socket(family, kind, protocol))
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            opened.pop_all()
            return listening
    except OSError as error:
        raise SystemExit(_unheard(host, port, error)) from None


def _unheard(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is in use by another program. "
            "End that program, or set FITTING_ROOM_PORT to another port."
        )
    return (
        f"Cannot listen on {host}, port {port}: {error.strerror or os.strerror(error.errno or 0)}. "
        "Set FITTING_ROOM_HOST and FITTING_ROOM_PORT to an address of this machine."
    )
