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
        "true or false: it runs in 8 GB",
        "I read on a blog that convolutions beat every transformer, can that be correct?",
        "My colleague insists that it may be used in paid work. Is he right?",
        "Am I right that it was trained on ImageNet-21k?",
        "A vendor claims that his model reaches 90 percent, should I believe it?",
        "Is the following claim correct: it costs 7 cents a picture",
        "Really? Is mobilenetv4 truly faster than resnet50, as they say?",
        "is it a myth that one needs 100 photos for this",
        "The slide says that vit_tiny has 6 million parameters, please confirm or deny",
        "Double-check something for me: pro was withdrawn last year",
        "I doubt that Fill is open source. Correct me if I am wrong",
        "Someone wrote that LoRA training needs 24 GB, is that nonsense?",
        "I am not sure whether this statement is correct, please check it",
        "they told me it is the most small model, it is true or a lie?",
        "Is it really possible that klein draws in under a second? I doubt it",
        "That can't be right, a 5 MB network at 80 percent accuracy?",
        "Before I print this in our brochure: is it a fact that it is free?",
        "Debunk or confirm: turbo models cannot do negative prompts",
        "My teacher says dall-e-3 can be downloaded. Was she wrong?",
        "Our contract states that outputs of dev belong to us, does this hold?",
        "An article said that kontext has 12 billion parameters, please fact-check that",
        "I heard the links die after ten minutes, is that so?",
        "The salesman promises one second per image, is that claim honest?",
        "Prove or disprove that transformers are more robust",
    ),
    built=False,
)


def verify(ctx: Context, claim: str) -> Iterator[Block]:
    """Says whether a claim about a model is true, with the right value and its source.

    Raises:
        NotBuiltYet: always.
    """
    raise NotBuiltYet("verify")
