"""The tool `jobs`: watch long work."""

from collections.abc import Iterator
from typing import Literal

from tools.base import Block, Context, NotBuiltYet, ToolCard

CARD = ToolCard(
    title="Watch long work",
    summary="Lists, watches, cancels, pauses, resumes and retries long work.",
    examples=(
        "Show my jobs",
        "What is running?",
        "Cancel the training",
        "Pause job 3",
        "How far is my training?",
        "Resume the download",
        "Retry the failed job",
        "is it done yet?",
        "stop it!",
        "How much longer will this take?",
        "please abort job 12",
        "What's the status of my export?",
        "Which tasks are waiting in the queue?",
        "hold the LoRA training until tonight",
        "Carry on with the paused one",
        "It crashed, start it again",
        "list everything that has finished today",
        "How much is left?",
        "kill the run, I made a mistake",
        "watch the progress of the dog training",
        "continue where the interrupted job left off",
        "Why did my last job fail?",
        "show me the percentage of the download",
        "how many epochs are already done?",
        "i want stop the work and make later",
        "Do I have anything still going on in the background?",
        "Cancel all my jobs",
        "Freeze the running job, I need my GPU for a game",
        "Try the failed one once more",
        "Let me know when the training is ready",
    ),
    built=False,
)


def jobs(
    ctx: Context,
    action: Literal["list", "watch", "cancel", "pause", "resume", "retry"] = "list",
    job: str | None = None,
) -> Iterator[Block]:
    """Lists, watches, cancels, pauses, resumes and retries long work.

    Raises:
        NotBuiltYet: always.
    """
    raise NotBuiltYet("jobs")
