"""The tool `finetune`: train a classifier."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field

from tools.base import Block, Context, NotBuiltYet, ToolCard

CARD = ToolCard(
    title="Train a classifier",
    summary="Trains a classifier on your labelled pictures.",
    examples=(
        "Train a classifier on my labelled pictures",
        "Fine-tune convnext_femto on my dataset",
        "I have folders of photos per class, teach a model to tell them apart",
        "Adapt the classifier to my own categories",
        "Train on this zip of labelled images",
        "Learn my product classes from examples",
        "I labelled 500 x-rays as healthy or sick, train on them",
        "Train a network to recognise my 12 kinds of shoes",
        "can I make my own plant recogniser from a folder of pictures?",
        "fine tune resnet18 for 10 epochs, learning rate 1e-4",
        "Here is a csv with file names and classes, please train on it",
        "Only train the last layer and freeze the rest",
        "Retrain mobilenetv3 so that it knows our pottery marks",
        "learn to distinguish ripe from rotten, examples attached",
        "Teach a classifier good parts and broken parts from our factory line",
        "Do transfer learning with vit_small on my bird species",
        "The photos are sorted by car model into subfolders, start the training",
        "Build a custom image recogniser for my shop's categories",
        "it always confuses mushrooms, can we train it better with my examples?",
        "linear probe on my labelled images please",
        "how well could a model learn my classes? train one and tell me the accuracy",
        "train model for know dog breeds, I have 20 pictures each",
        "Make a cat-or-dog detector from my school project pictures",
        "Create an image classifier from this labelled set and hold out a fifth for testing",
        "Use my annotated flower photos to adapt convnext_nano",
        "Train an AI to tell real logos from fakes, I have both in folders",
        "I have pictures with labels, what now? I want my own classifier",
        "Run the training with this config on the leaf dataset",
        "I've got thousands of tagged stamps; make an automatic sorter out of them",
        "Train efficientnet_b0 on dataset.zip with early stopping",
    ),
    built=False,
)


def finetune(
    ctx: Context,
    dataset: Path,
    model: str | None = None,
    epochs: Annotated[int, Field(ge=1, le=1000)] | None = None,
    freeze: bool | None = None,
    learning_rate: Annotated[float, Field(gt=0)] | None = None,
    config: Path | None = None,
) -> Iterator[Block]:
    """Trains a classifier on your labelled pictures.

    Raises:
        NotBuiltYet: always.
    """
    raise NotBuiltYet("finetune")
