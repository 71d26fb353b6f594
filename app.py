"""Entry point of a Space, and of `python app.py`: settings, assistant, page, launch."""

import contextlib
import importlib
import os

with contextlib.suppress(ModuleNotFoundError):
    importlib.import_module("spaces")  # on ZeroGPU, before anything that touches the GPU

from assistant.logs import start_logging
from assistant.server import serve
from assistant.settings import SettingsError, load_settings
from assistant.store import StoreFailed
from assistant.wiring import open_assistant
from index.card import CardError
from index.encoder import EncoderError


def main() -> None:
    """Opens the assistant and serves its page."""
    try:
        settings = load_settings()
        start_logging(settings.home)
        assistant = open_assistant(settings, serves=True)
    except (SettingsError, StoreFailed, CardError, EncoderError) as failure:
        raise SystemExit(str(failure)) from None
    host = "0.0.0.0" if "SPACE_ID" in os.environ else settings.host  # noqa: S104 - behind a proxy
    with contextlib.closing(assistant):
        serve(assistant, host, settings.port)


if __name__ == "__main__":
    main()
