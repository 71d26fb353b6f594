"""Uploads a picture to the page, lets Gradio delete what it takes for old, and says what is left.

A process of its own, since Gradio's blocks keep an event loop open.
"""

from contextlib import closing
from pathlib import Path

from fastapi.testclient import TestClient
from gradio.route_utils import delete_files_created_by_app
from gradio.routes import App
from starlette.routing import Mount

from assistant.page.examples import examples
from assistant.server import create_app
from assistant.settings import load_settings
from assistant.wiring import open_assistant


def main() -> None:
    """Prints "gone" or "there" for an upload and for an example."""
    with closing(open_assistant(load_settings())) as assistant:
        app = create_app(assistant)
        (page,) = [route.app for route in app.routes if isinstance(route, Mount)]
        assert isinstance(page, App)
        (example,) = examples(Path.cwd())[0].pictures
        with example.open("rb") as picture:
            reply = TestClient(app).post("/gradio_api/upload", files={"files": picture})
        upload = Path(reply.json()[0])
        shown = upload.parents[2] / example.name
        assert upload.is_file()
        delete_files_created_by_app(page.get_blocks(), age=None)
        for name, file in (("upload", upload), ("example", shown)):
            print(f"{name}: {'there' if file.exists() else 'gone'}")  # noqa: T201


if __name__ == "__main__":
    main()
