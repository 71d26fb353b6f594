"""The work `download`: fetches the weights of a model, so that they are here when needed."""

from collections.abc import Iterator

from tools.base import Block, Context, Text, ToolCard

CARD = ToolCard(
    title="Download",
    summary="Fetches the weights of a model; what has come in is kept over a crash or a pause.",
    examples=(),
    runs_model=True,
)


def download(ctx: Context, model: str) -> Iterator[Block]:
    """Fetches the weights of a model.

    Args:
        ctx: the context.
        model: card id or timm name.

    Raises:
        ToolFailed: it cannot be had here; the message says why and what to do.
    """
    if ctx.models is None:
        raise RuntimeError("download runs where the models are")
    ctx.models.fetch(model, ctx.report)
    yield Text(f"{model} is here now and can be used without a network.")
