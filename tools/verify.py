"""The tool `verify`: check a claim."""

from collections.abc import Iterator

from tools.base import Block, Context, NotBuiltYet, ToolCard

CARD = ToolCard(
    title="Check a claim",
    summary="Says whether a claim about a model is true, with the right value and its source.",
    examples=(
        "Is it true that convnext_femto is smaller than MobileNetV3?",
        "They say FLUX.1 dev is free for commercial use, is that right?",
        "Check this claim: schnell needs one step",
        "Fact check: FLUX.1 pro is free",
        "Someone told me the model has 4.7 million parameters, true or false?",
        "Can you verify that SDXL Turbo needs only one step?",
    ),
)


def verify(ctx: Context, claim: str) -> Iterator[Block]:
    """Says whether a claim about a model is true, with the right value and its source.

    Raises:
        NotBuiltYet: always.
    """
    raise NotBuiltYet("verify")
