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
    ),
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
