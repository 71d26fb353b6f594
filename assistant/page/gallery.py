"""What happens in the gallery of my pictures and needs the chat: one is used again."""

from collections.abc import Mapping
from typing import Any

import gradio as gr

from assistant.conversation import ME
from assistant.server.files import PageFolder, in_run
from assistant.steps import Assistant
from assistant.uploads import Refused


class Gallery:
    """The events of the gallery; all else that it shows comes from `server/pictures.py`."""

    def __init__(self, assistant: Assistant, folder: PageFolder) -> None:
        self._uploads = assistant.uploads
        self._home = assistant.settings.home
        self._folder = folder

    def use(self, box: Mapping[str, Any], picked: gr.EventData) -> Any:
        """Puts a picture into the box, as if the person had dropped it there."""
        file = in_run(self._home, str(picked.name))
        if file is None:
            return gr.skip()
        try:
            taken = self._uploads.take(file, ME)
        except Refused as refused:
            gr.Warning(str(refused))
            return gr.skip()
        except OSError as error:
            gr.Warning(f"The picture cannot be copied: {error.strerror}. Make room.")
            return gr.skip()
        return {"text": box["text"], "files": [*box["files"], str(self._folder.add(taken.path))]}
