"""The gallery's routes: a page of pictures, one made small, all of them as a zip file, and delete.

The page asks these by itself, past Gradio: thousands of pictures are no state of a page.
"""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import HTMLResponse, Response, StreamingResponse
from PIL import Image

from assistant.conversation import ME
from assistant.page.pictures import pictures_html
from assistant.server.album import zipped
from assistant.server.files import in_run
from assistant.steps import Assistant
from assistant.store import StoreFailed
from assistant.store.pictures import StillMade, UnknownPicture

_SMALL = (320, 320)  # pixels at most; shown at half of that, for screens with fine pixels
_AT_ONCE = 2  # pictures made small; one of 4 megapixels takes 12 MB
_PRIVATE = {"Cache-Control": "private, no-store"}
_FOR_EVER = {
    "Cache-Control": "private, max-age=31536000, immutable"
}  # a run's name is never reused
_NONE = "No picture was found. Search for other words, or have one drawn first."
Search = Annotated[str, Query(max_length=1000)]


def router(assistant: Assistant) -> APIRouter:
    """The routes for pictures that conversations have made.

    Args:
        assistant: its store knows them; its home holds their files.
    """
    routes, found = APIRouter(), assistant.store.pictures
    home, room = assistant.settings.home, threading.BoundedSemaphore(_AT_ONCE)

    @routes.get("/pictures")
    def page(search: Search = "", after: str = "") -> Response:
        with _worded():
            shown = found.page(ME, search, after=after)
        html = pictures_html(shown, home, assistant.catalog, search, first=not after)
        return HTMLResponse(html.encode("utf-8", "replace"), headers=_PRIVATE)

    @routes.get("/pictures.zip")
    def album(search: Search = "") -> Response:
        with _worded():
            if not found.page(ME, search, limit=1).pictures:
                raise HTTPException(404, _NONE)
        headers = {**_PRIVATE, "Content-Disposition": 'attachment; filename="my-pictures.zip"'}
        pieces = zipped(found.all(ME, search))
        return StreamingResponse(pieces, media_type="application/zip", headers=headers)

    @routes.get("/pictures/{run}/{name}")
    def small(run: str, name: str) -> Response:
        with room:
            return Response(_small(_file(home, run, name)), 200, _FOR_EVER, "image/webp")

    @routes.delete("/pictures/{run}/{name}", status_code=204)
    def delete(run: str, name: str) -> None:
        file = _file(home, run, name)
        with _worded():
            found.delete(ME, f"{run}/{name}", lambda: file.unlink(missing_ok=True))

    return routes


@contextmanager
def _worded() -> Iterator[None]:
    """Turns what can go wrong into a reply that the page shows as a sentence."""
    try:
        yield
    except UnknownPicture as gone:
        raise HTTPException(404, str(gone)) from None
    except StillMade as early:
        raise HTTPException(409, str(early)) from None
    except StoreFailed as failure:
        raise HTTPException(503, str(failure)) from None
    except OSError as error:
        said = f"The file cannot be deleted: {error.strerror}. Change the rights of its folder."
        raise HTTPException(500, said) from None


def _file(home: Path, run: str, name: str) -> Path:
    if (file := in_run(home, f"{run}/{name}")) is None:
        raise HTTPException(404)
    return file


def _small(file: Path) -> bytes:
    try:
        with Image.open(file, formats=("PNG", "JPEG", "WEBP")) as picture:
            picture.thumbnail(_SMALL)
            made = io.BytesIO()
            picture.convert("RGB").save(made, "WEBP", quality=80)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise HTTPException(404, "This file is gone, or damaged.") from None
    return made.getvalue()
