"""Small tools that do what a worker must survive."""

import ctypes
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from index.evidence import Claim, Measurement
from tools.base import (
    Agreement,
    Block,
    Context,
    Image,
    NeedsConsent,
    NeedsInput,
    NotBuiltYet,
    Text,
    Tool,
    ToolCard,
    ToolFailed,
)


class TooOdd(ToolFailed):
    """A failure of an engine's own, with a constructor of its own."""

    def __init__(self, odd: int, even: int) -> None:
        super().__init__(f"{odd} is not {even}. Take {even}.")


def count(ctx: Context, upto: int, seconds: float = 0.0) -> Iterator[Block]:
    for number in range(1, upto + 1):
        ctx.report(number / upto, f"{number} of {upto}")
        time.sleep(seconds)
        yield Text(str(number))


def hold(ctx: Context, flag: Path) -> Iterator[Block]:
    """Tells that it runs, and goes on until the flag is gone.

    The process that it starts keeps every file open that can be inherited.
    """
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(9)"], close_fds=False)
    flag.touch()
    yield Text(f"pid {os.getpid()}")
    while flag.exists():
        ctx.report(0.5, "holding")
        time.sleep(0.02)
    yield Text("done")


def write(ctx: Context, file: Path, name: str) -> Iterator[Block]:
    """Keeps the order in which steps run."""
    with file.open("a", encoding="utf-8") as names:
        names.write(f"{name} ")
    yield Text(name)


def sleep(ctx: Context, seconds: float) -> Iterator[Block]:
    """Sees no stop."""
    yield Text("asleep")
    ctypes.CDLL(None).usleep(int(seconds * 1e6))
    yield Text("awake")


def die(ctx: Context, how: str) -> Iterator[Block]:
    yield Text("last words")
    if how == "exit":
        os._exit(3)
    ctypes.string_at(0)


def fail(ctx: Context, how: str) -> Iterator[Block]:
    yield Text("before")
    if how == "memory":
        yield Text(str(len(bytearray(2**60))))
    raise {
        "input": NeedsInput("Which one?", ("this", "that")),
        "consent": NeedsConsent("It costs $1. Go on?", "Yes", Agreement(usd=1.0)),
        "failed": ToolFailed("It is 7. Take 8."),
        "not built": NotBuiltYet("fail"),
        "odd": TooOdd(1, 2),
        "bug": ValueError("a secret detail\nof two lines"),
    }[how]


def spin(ctx: Context) -> Iterator[Block]:
    """Never ends and says nothing."""
    yield Text("spinning")
    while True:
        pass


def bomb(ctx: Context) -> Iterator[Block]:
    """Takes memory, and uses it, for as long as it is given any."""
    yield Text("ticking")
    taken = []
    while True:
        ctx.report(0.0, "ticking")  # on a busy machine, too, it is memory that ends it
        taken.append(b"x" * 2**26)


class _LastGasp:
    def __del__(self) -> None:
        os._exit(5)


def gasp(ctx: Context) -> Iterator[Block]:
    """Takes the process with it when it is cleared away."""
    gasped = _LastGasp()
    yield Text("gasping")
    del gasped


def draw(ctx: Context, many: int, seconds: float = 0.0) -> Iterator[Block]:
    """Random numbers of every kind, with time for guests in between."""
    import numpy as np
    import torch

    torch.manual_seed(7)
    np.random.seed(7)
    random.seed(7)
    drawn = []
    for number in range(many):
        ctx.report(number / many, "drawing")
        time.sleep(seconds)
        drawn += [torch.rand(1).item(), float(np.random.rand()), random.random()]  # noqa: S311
    yield Text(" ".join(f"n{value:.12f}" for value in drawn))


def shuffle(ctx: Context) -> Iterator[Block]:
    """Draws from all generators, and leaves them elsewhere."""
    import numpy as np
    import torch

    torch.manual_seed(1)
    np.random.seed(1)
    random.seed(1)
    yield Text("shuffled")


def lasting(ctx: Context, seconds: float = 0.0) -> Iterator[Block]:
    """Is too long for a turn."""
    if ctx.agreement.seconds < 1000:
        raise NeedsConsent("It takes long. Shall I?", "Yes", Agreement(seconds=1000.0))
    ctx.agreement.hand_over(1000.0)
    ctx.report(0.5, "half of it")
    time.sleep(seconds)
    yield Text("it took long")


def keep(ctx: Context, upto: int, seconds: float = 0.0) -> Iterator[Block]:
    """Counts, and goes on from what it has kept; tells how often it was begun."""
    from tools.engines.checkpoint import Checkpoints

    kept = Checkpoints(ctx.kept)
    last = kept.last()
    state = last.load() if last else {"count": 0, "begun": 0}
    state["begun"] += 1
    while state["count"] < upto:
        try:
            ctx.report(state["count"] / upto, "counting", {"step": state["count"], "left": 1.0})
        finally:
            kept.save(state, state["count"])
        time.sleep(seconds)
        state["count"] += 1
    yield Text(f"begun {'x' * state['begun']}")


def stamp(ctx: Context, file: Path, seconds: float) -> Iterator[Block]:
    """Writes when it began, by the clock that all processes of this machine share."""
    file.write_text(str(time.perf_counter()), encoding="utf-8")
    time.sleep(seconds)
    yield Text("stamped")


def beside(ctx: Context, seconds: float, name: str = "") -> Iterator[Block]:
    """Needs no worker."""
    ctx.report(0.5, f"beside {name}")
    time.sleep(seconds)
    yield Text("beside it was")


def unsendable(ctx: Context) -> Iterator[Block]:
    yield Text(threading.Lock())  # type: ignore[arg-type]


def measure(ctx: Context) -> Iterator[Block]:
    made = Measurement(
        "m", "latency_ms", 1.5, "ms", "batch 1", ctx.device, "here", "t", ctx.run, "2026-01-01"
    )
    ctx.evidence.add(made)
    (ctx.run_folder / "note.txt").write_text(ctx.owner, encoding="utf-8")
    [claim, *_] = ctx.evidence.find("convnext_femto.d1_in1k", "top1")
    assert isinstance(claim, Claim)
    metadata: Mapping[str, str] = MappingProxyType({"seed": "1"})
    yield Image(ctx.run_folder / "a.png", "a picture", metadata, (made, claim))


def surroundings(ctx: Context) -> Iterator[Block]:
    import torch

    yield Text(
        f"{os.getpid()} {ctx.device} {torch.get_num_threads()} {type(ctx.models).__name__} "
        f"{ctx.index.named('is convnext_femto.d1_in1k small?')} {ctx.index.search('schnell', 1)}"
    )
    print("this must not reach the server's output")  # noqa: T201


def tools() -> Mapping[str, Tool]:
    card = ToolCard("a test", "Tests.", (), runs_model=True)
    calls = (
        count, hold, write, sleep, die, fail, unsendable, measure, surroundings, spin, bomb, gasp,
        draw, shuffle, lasting, keep, stamp,
    )  # fmt: skip
    light = ToolCard("a light test", "Tests.", ())
    return {call.__name__: Tool(call.__name__, card, call) for call in calls} | {
        "beside": Tool("beside", light, beside)
    }


def broken() -> Mapping[str, Tool]:
    raise ImportError("no such library")
