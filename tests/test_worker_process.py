"""The process chooses its device, and ends with the server and with Ctrl-C in silence."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import torch

from assistant.worker.process import choose_device
from tests.processes import gone, wait_for
from tools.base import ToolFailed

ROOT = Path(__file__).parent.parent


def test_choose_device() -> None:
    absent = "mps" if torch.cuda.is_available() else "cuda"
    with pytest.raises(ToolFailed, match=f"FITTING_ROOM_DEVICE is {absent}, but torch"):
        choose_device(absent)
    assert choose_device("cpu") == "cpu"
    assert choose_device("auto") != absent


SERVER = """
import signal, sys, threading
from assistant import runs
from assistant.settings import load_settings
from assistant.worker import Worker
from tools.base import Agreement
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
settings = load_settings()
worker = Worker(settings, tools="tests.worker_tools:tools")
run = runs.start(settings.home, "me")
messages = worker.run(TOOL, ARGUMENTS, owner="me", run=run, agreement=Agreement(),
                      stop=threading.Event())
assert not worker.ready
try:
    for message in messages:
        said = getattr(message, "note", "") or getattr(message, "text", "")
        print(said.split()[0] if said else type(message).__name__, flush=True)
    print(worker.ready, worker.device in {"cpu", "cuda", "mps"}, flush=True)
except KeyboardInterrupt:
    print("interrupted", flush=True)
worker.close()
print([name for name in ("torch", "timm", "transformers") if name in sys.modules])
"""


@contextmanager
def server(tool: str, arguments: str) -> Iterator["subprocess.Popen[str]"]:
    code = SERVER.replace("TOOL", repr(tool)).replace("ARGUMENTS", arguments)
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    ) as running:  # fmt: skip
        try:
            yield running
        finally:
            running.kill()


def said(running: "subprocess.Popen[str]") -> str:
    assert running.stdout
    return running.stdout.readline()


def test_server_loads_no_torch() -> None:
    with server("measure", "{}") as running:
        out, errors = running.communicate()
    assert out.split("\n") == ["getting", "Measurement", "Image", "True True", "[]", ""]
    assert errors == ""


def test_process_ends_with_the_server() -> None:
    """Even in the middle of a step that never looks up."""
    with server("sleep", "{'seconds': 600}") as running:
        assert (said(running), said(running)) == ("getting\n", "asleep\n")
        [child] = psutil.Process(running.pid).children()
        running.kill()
        wait_for(lambda: gone(child))


@pytest.mark.parametrize("when", ["starting", "running"])
def test_ctrl_c_prints_no_traceback(when: str) -> None:
    with server("count", "{'upto': 9999, 'seconds': 0.1}") as running:
        assert said(running) == "getting\n"
        if when == "running":
            assert said(running) == "1\n"
        else:
            wait_for(lambda: psutil.Process(running.pid).children())
        [child] = psutil.Process(running.pid).children()
        os.killpg(running.pid, signal.SIGINT)
        out, errors = running.communicate()
        assert out.endswith("interrupted\n[]\n")
        assert errors == ""
        wait_for(lambda: gone(child))
