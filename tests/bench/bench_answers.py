"""How long answers take: from the command line, and warm in one process."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from PIL import Image

from assistant.ask import ask
from assistant.conversation import Question
from assistant.settings import Settings
from assistant.steps import Assistant
from assistant.wiring import open_assistant
from tests.processes import wait_for
from tools import pocket
from tools.pocket.world import draw, scenes

TEXTS = (
    "How many parameters does convnext_femto have?",
    "What is the licence of FLUX.1 schnell?",
    "Compare schnell and klein 4B",
    "What can you do?",
    "hello",
    "How much VRAM does klein 4B need?",
    "Tell me about Stable Diffusion XL",
    "top-1 of efficientnet_b0",
)
ROUNDS = 5
WEIGHTS = Path(pocket.__file__).parent / "weights" / "pocket-convnext"


def seconds(action: Callable[[], object]) -> float:
    """How long it takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def command(*arguments: str) -> float:
    """Seconds of a run of the command line in a process of its own, the middle one of three."""

    def run() -> None:
        subprocess.run([sys.executable, "-m", "assistant", *arguments], check=True, stdout=-3)

    return statistics.median(seconds(run) for _ in range(3))


@pytest.fixture
def assistant(settings: Settings) -> Iterator[Assistant]:
    with closing(open_assistant(settings)) as opened:
        yield opened


def test_the_command_line_starts_fast() -> None:
    """`--help` <= 1 s; a text question from a cold start <= 10 s."""
    shown = command("--help")
    cold = command("ask", "What is the licence of FLUX.1 schnell?")
    print(f"\n--help {shown:.2f} s; cold ask {cold:.2f} s")
    assert shown <= 1
    assert cold <= 10


def test_a_text_answer_warm(assistant: Assistant) -> None:
    """p50 <= 200 ms to the last word."""
    for text in TEXTS:
        list(ask(assistant, Question(text)))
    times = {
        text: statistics.median(
            seconds(lambda text=text: list(ask(assistant, Question(text))))  # type: ignore[misc]
            for _ in range(ROUNDS)
        )
        for text in TEXTS
    }
    print()
    for text, took in times.items():
        print(f"{1000 * took:6.0f} ms  {text}")
    middle = statistics.median(times.values())
    print(f"{1000 * middle:6.0f} ms  p50")
    assert middle <= 0.2


def timm_alone(files: Sequence[Path]) -> list[float]:
    """Seconds that the same network takes for each picture by timm's own path."""
    data: Any = timm.data
    network = timm.create_model(f"local-dir:{WEIGHTS}", pretrained=True).eval()
    prepared = data.create_transform(**data.resolve_model_data_config(network))

    def run(file: Path) -> None:
        with Image.open(file) as picture, torch.inference_mode():
            network(prepared(picture.convert("RGB")).unsqueeze(0)).softmax(1)

    return [seconds(lambda file=file: run(file)) for file in files]  # type: ignore[misc]


def test_one_picture_warm(assistant: Assistant, tmp_path: Path) -> None:
    """p50 <= 250 ms with pocket-convnext through `ask`; beside it timm's own path."""
    assistant.worker.start()
    wait_for(lambda: assistant.worker.ready)
    files = []
    for number, scene in enumerate(scenes(1_000_003, 0, 21)):
        files.append(tmp_path / f"drawing {number}.png")
        Image.fromarray(draw(scene, 256)).save(files[-1])
    question = "What is in this picture? Use pocket-convnext"
    times = [
        seconds(lambda file=file: list(ask(assistant, Question(question, (file,)))))  # type: ignore[misc]
        for file in files
    ]
    peer = timm_alone(files)
    through, bare = statistics.median(times[1:]), statistics.median(peer[1:])
    print(
        f"\none picture through ask p50 {1000 * through:.0f} ms; "
        f"timm alone {1000 * bare:.0f} ms; ratio {through / bare:.1f}"
    )
    assert through <= 0.25
