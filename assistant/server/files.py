"""Files in and out: pictures taken in clean before the page keeps them, files of answers served.

The page keeps pictures that wait in the input box in a folder of this process, from which Gradio
serves them. Only clean copies ever get there: this module answers Gradio's upload address itself.
"""

import shutil
import tempfile
import uuid
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from assistant.conversation import ME
from assistant.steps import Assistant
from assistant.uploads import Refused, safe_name

_AT_ONCE = 50  # files in one upload
REFUSAL = ".refused.txt"
_SHOWN = {".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp"}


@dataclass(frozen=True)
class PageFolder:
    """The folder of this process from which Gradio serves what waits in the input box.

    Attributes:
        path: the folder; nobody can guess it or a name in it.
        uploaded: what was put there; Gradio deletes it when it is old.
    """

    path: Path
    uploaded: set[str] = field(default_factory=set)

    def add(self, picture: Path) -> Path:
        """A copy of a kept picture."""
        copy = self.path / uuid.uuid4().hex / picture.parent.name / picture.name
        copy.parent.mkdir(parents=True)
        shutil.copyfile(picture, copy)
        self.uploaded.add(str(copy))
        return copy

    def refuse(self, name: str, sentence: str) -> Path:
        """What stands in for a file that was not taken: why."""
        note = self.path / uuid.uuid4().hex / f"{name}{REFUSAL}"
        note.parent.mkdir(parents=True)
        note.write_text(sentence, encoding="utf-8")
        self.uploaded.add(str(note))
        return note

    def kept(self, file: Path, home: Path) -> Path:
        """The kept picture of which a file is the copy; the file itself if there is none."""
        picture = home / "uploads" / ME / file.parent.name / file.name
        return picture if file.is_relative_to(self.path) and picture.is_file() else file


def router(assistant: Assistant, folder: PageFolder) -> APIRouter:
    """The routes for files.

    Args:
        assistant: takes pictures in; its home holds the files of answers.
        folder: where the page finds what was uploaded.
    """
    routes = APIRouter()

    @routes.post("/gradio_api/upload")
    async def upload(request: Request) -> list[str]:
        async with request.form(max_files=_AT_ONCE, max_fields=1, max_part_size=1000) as form:
            files = [file for file in form.getlist("files") if isinstance(file, UploadFile)]
            return [str(await run_in_threadpool(_taken, file, assistant, folder)) for file in files]

    @routes.get("/files/{kind}/{path:path}")
    async def kept_file(kind: str, path: str) -> FileResponse:
        own = assistant.settings.home / kind / ME
        file = (own / path).resolve()
        if kind not in ("runs", "uploads") or not file.is_relative_to(own.resolve()):
            raise HTTPException(404)
        if not file.is_file():
            raise HTTPException(404, "This file is gone.")
        shown = _SHOWN.get(file.suffix)
        return FileResponse(
            file,
            media_type=shown or "application/octet-stream",
            # A name told here would win over the one that a link of the page gives a download.
            filename=None if shown else file.name,
            headers={"Cache-Control": "private, max-age=31536000, immutable"},
        )

    return routes


def in_run(home: Path, name: str) -> Path | None:
    """Where a file of an owner's run lies, or would; none for any other place.

    Args:
        home: the home.
        name: its run and file, "run/file.png"; from anyone.
    """
    own, parts = home / "runs" / ME, PurePosixPath(name).parts
    if len(parts) != 2 or ".." in parts or "\0" in name:
        return None
    file = own.joinpath(*parts)
    return file if file.resolve().is_relative_to(own.resolve()) else None


def refusal(file: Path) -> str:
    """Why an uploaded file was not taken; empty if it was."""
    if not file.name.endswith(REFUSAL) or not file.is_file():
        return ""
    return file.read_text(encoding="utf-8")


def _taken(file: UploadFile, assistant: Assistant, folder: PageFolder) -> Path:
    """A clean copy of an uploaded file, or a file that says why there is none."""
    name = safe_name(Path(file.filename or "picture").name)
    try:
        with tempfile.TemporaryDirectory(prefix="fitting-room-upload-") as aside:
            original = Path(aside) / name
            with original.open("wb") as copy:
                shutil.copyfileobj(file.file, copy)
            return folder.add(assistant.uploads.take(original, ME).path)
    except Refused as refused:
        return folder.refuse(name, str(refused))
    except OSError as error:
        return folder.refuse(name, f"{name} could not be kept: {error.strerror}. Make room.")
