"""Files in and out: pictures taken in clean before the page keeps them, files of answers served.

The page keeps pictures that wait in the input box in a folder of this process, from which Gradio
serves them. Only clean copies ever get there: this module answers Gradio's upload address itself.
"""

import shutil
import tempfile
import uuid
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from assistant.ask import Assistant
from assistant.conversation import ME
from assistant.uploads import Refused, safe_name

_AT_ONCE = 50  # files in one upload
REFUSAL = ".refused.txt"
_SHOWN = {".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp"}


def router(assistant: Assistant, cache: Path) -> APIRouter:
    """The routes for files.

    Args:
        assistant: takes pictures in; its home holds the files of answers.
        cache: the folder that Gradio serves.
    """
    routes = APIRouter()

    @routes.post("/gradio_api/upload")
    async def upload(request: Request) -> list[str]:
        async with request.form(max_files=_AT_ONCE, max_fields=1, max_part_size=1000) as form:
            files = [file for file in form.getlist("files") if isinstance(file, UploadFile)]
            return [str(await run_in_threadpool(_taken, file, assistant, cache)) for file in files]

    @routes.get("/files/{kind}/{path:path}")
    async def kept_file(kind: str, path: str) -> FileResponse:
        folder = assistant.settings.home / kind / ME
        file = (folder / path).resolve()
        if kind not in ("runs", "uploads") or not file.is_relative_to(folder.resolve()):
            raise HTTPException(404)
        if not file.is_file():
            raise HTTPException(404, "This file is gone.")
        shown = _SHOWN.get(file.suffix)
        return FileResponse(
            file,
            media_type=shown or "application/octet-stream",
            filename=file.name,
            content_disposition_type="inline" if shown else "attachment",
            headers={"Cache-Control": "private, max-age=31536000, immutable"},
        )

    return routes


def kept_picture(file: Path, home: Path, cache: Path) -> Path:
    """The picture in the home of which the page shows a copy."""
    kept = home / "uploads" / ME / file.parent.name / file.name
    return kept if file.is_relative_to(cache) and kept.is_file() else file


def page_picture(picture: Path, cache: Path) -> Path:
    """A copy for the page of a picture in the home, where nobody can guess it."""
    copy = cache / uuid.uuid4().hex / picture.parent.name / picture.name
    copy.parent.mkdir(parents=True)
    shutil.copyfile(picture, copy)
    return copy


def refusal(file: Path) -> str:
    """Why an uploaded file was not taken; empty if it was."""
    if not file.name.endswith(REFUSAL) or not file.is_file():
        return ""
    return file.read_text(encoding="utf-8")


def _taken(file: UploadFile, assistant: Assistant, cache: Path) -> Path:
    """A clean copy of an uploaded file, or a file that says why there is none."""
    name = safe_name(Path(file.filename or "picture").name)
    try:
        with tempfile.TemporaryDirectory(prefix="fitting-room-upload-") as folder:
            original = Path(folder) / name
            with original.open("wb") as copy:
                shutil.copyfileobj(file.file, copy)
            return page_picture(assistant.uploads.take(original, ME).path, cache)
    except Refused as refused:
        return _refused(str(refused), name, cache)
    except OSError as error:
        return _refused(f"{name} could not be kept: {error.strerror}. Make room.", name, cache)


def _refused(sentence: str, name: str, cache: Path) -> Path:
    note = cache / uuid.uuid4().hex / f"{name}{REFUSAL}"
    note.parent.mkdir(parents=True)
    note.write_text(sentence, encoding="utf-8")
    return note
