"""The tool `recommend`: recommend a model."""

from collections.abc import Iterator

from tools.base import Block, Context, NotBuiltYet, ToolCard

CARD = ToolCard(
    title="Recommend a model",
    summary="Finds the models that fit your use case and limits, with reasons.",
    examples=(
        "Which model fits my use case?",
        "Which model should I use to sort product photos on a phone?",
        "I need a model under 8 GB that I may use commercially",
        "Recommend a picture generator for my shop",
        "What is the best classifier for a small computer?",
        "Which model should I pick for a real-time camera app?",
        "Suggest something to make illustrations offline",
        "What model would you use for portraits of my dog?",
    ),
)


def recommend(
    ctx: Context,
    use_case: str,
    task: str | None = None,
    commercial: bool | None = None,
    licence: str | None = None,
    device: str | None = None,
    device_memory_gib: float | None = None,
    offline: bool | None = None,
    max_latency_ms: float | None = None,
    min_fps: float | None = None,
    max_parameters: float | None = None,
    max_price_usd: float | None = None,
) -> Iterator[Block]:
    """Finds the models that fit your use case and limits, with reasons.

    Raises:
        NotBuiltYet: always.
    """
    raise NotBuiltYet("recommend")
