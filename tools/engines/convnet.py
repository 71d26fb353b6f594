"""The engine of image classifiers: any timm model, with that model's own preprocessing."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timm
import torch
from PIL import Image
from safetensors import SafetensorError
from timm.data.config import resolve_model_data_config
from timm.data.imagenet_info import ImageNetInfo, infer_imagenet_subset
from timm.data.transforms_factory import create_transform
from torch import Tensor, nn

from tools.base import ToolFailed
from tools.pocket import convnext as pocket

_BATCH = 16  # pictures that go through the network together
_DAMAGED = (SafetensorError, OSError, RuntimeError, KeyError, TypeError, ValueError)


@dataclass(frozen=True)
class Classifier:
    """A loaded classifier.

    Attributes:
        system: id of the system.
        folder: where its weights came from.
        network: the network in evaluation mode, on its device.
        transform: the model's own preprocessing: RGB picture -> float tensor (3, height, width).
        labels: names of the classes, all different, in the order of the logits.
        limited: whether it can tell that a picture is outside what it knows.
        device: `cpu`, `cuda` or `mps`.
    """

    system: str
    folder: Path
    network: nn.Module
    transform: Callable[[Image.Image], Tensor]
    labels: tuple[str, ...]
    limited: bool
    device: str


@dataclass(frozen=True)
class Reading:
    """What a classifier makes of one picture.

    Attributes:
        ranked: labels with their probability from 0 to 1, most likely first.
        outside: whether the picture is outside what the classifier knows; the labels then
            mean nothing.
    """

    ranked: tuple[tuple[str, float], ...]
    outside: bool


def load_classifier(system: str, folder: Path, device: str) -> Classifier:
    """Loads a classifier from a folder in timm's local form: config.json and model.safetensors.

    Raises:
        ToolFailed: the folder is damaged, its network is unknown, it names no classes, or the
            device has no memory for it.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        network: Any = timm.create_model(f"local-dir:{folder}", pretrained=True)
    except _DAMAGED as error:
        raise ToolFailed(_damaged(system, folder, error)) from error
    if network.num_classes < 1:
        raise ToolFailed(
            f"{system} gives features and no labels, so it cannot say what is in a picture. "
            "Choose a model that was trained to classify."
        )
    labels = _labels(network)
    with _memory(system, device):
        network = network.eval().to(device)
    limited = "outside_threshold" in config
    classifier = Classifier(system, folder, network, _transform(network), labels, limited, device)
    # The first pass sets up the device; it should not be counted as the model's own time.
    logits(classifier, [Image.new("RGB", (8, 8))])
    return classifier


@torch.inference_mode()
def logits(classifier: Classifier, pictures: Sequence[Image.Image]) -> Tensor:
    """The raw outputs for pictures of any size and mode.

    Returns:
        Float tensor of shape (pictures, classes) on the CPU.

    Raises:
        ToolFailed: the device has no memory left.
    """
    parts = []
    for start in range(0, len(pictures), _BATCH):
        part = pictures[start : start + _BATCH]
        batch = torch.stack([classifier.transform(picture.convert("RGB")) for picture in part])
        with _memory(classifier.system, classifier.device):
            parts.append(classifier.network(batch.to(classifier.device)).float().cpu())
    return torch.cat(parts)


def read(classifier: Classifier, outputs: Tensor, top_k: int) -> tuple[Reading, ...]:
    """The most likely labels of each picture.

    Args:
        classifier: the classifier.
        outputs: what `logits` gave, of shape (pictures, classes).
        top_k: labels to give for each picture; all if it has fewer.
    """
    if classifier.limited:
        found = pocket.read(outputs, classifier.folder)
        return tuple(Reading(reading.kinds[:top_k], reading.outside) for reading in found)
    top = outputs.softmax(1).topk(min(top_k, outputs.shape[1]), dim=1)
    return tuple(
        Reading(tuple((classifier.labels[i], p) for i, p in zip(where, shares, strict=True)), False)
        for where, shares in zip(top.indices.tolist(), top.values.tolist(), strict=True)
    )


def parameter_count(classifier: Classifier) -> int:
    """The number of parameters of its network."""
    return sum(weight.numel() for weight in classifier.network.parameters())


def parameter_bytes(classifier: Classifier) -> int:
    """The memory that its parameters take."""
    return sum(w.numel() * w.element_size() for w in classifier.network.parameters())


@contextmanager
def _memory(system: str, device: str) -> Iterator[None]:
    try:
        yield
    except torch.OutOfMemoryError:
        raise ToolFailed(
            f"{device} has no memory left for {system}. Choose a smaller model."
        ) from None


def _transform(network: Any) -> Callable[[Image.Image], Tensor]:
    settings = resolve_model_data_config(network)  # type: ignore[no-untyped-call] # timm's
    transform: Callable[[Image.Image], Tensor] = create_transform(**settings, is_training=False)
    return transform


def _labels(network: Any) -> tuple[str, ...]:
    """Names of the classes: the model's own, else ImageNet's, else their numbers."""
    config = network.pretrained_cfg
    named = config.get("label_names")
    if named:
        told = config.get("label_descriptions") or {}
        told = told if isinstance(told, dict) else dict(zip(named, told, strict=False))
        return _distinct([str(told.get(name, name)) for name in named], [str(n) for n in named])
    subset = infer_imagenet_subset(network)
    if subset is None:
        return tuple(f"class {number}" for number in range(network.num_classes))
    info = ImageNetInfo(subset)
    return _distinct(list(info.label_descriptions()), list(info.label_descriptions(detailed=True)))


def _distinct(labels: Sequence[str], detailed: Sequence[str]) -> tuple[str, ...]:
    """The first name of each label; all its names, then details, where two would be alike."""
    short = [label.split(",")[0] for label in labels]
    often, whole = Counter(short), Counter(labels)
    return tuple(
        first if often[first] == 1 else label if whole[label] == 1 else detail
        for first, label, detail in zip(short, labels, detailed, strict=True)
    )


def _damaged(system: str, folder: Path, error: Exception) -> str:
    # In the Hub's cache the file itself lies beside the snapshot that points to it.
    root = folder.parents[1] if folder.parent.name == "snapshots" else folder
    reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    return (
        f"The weights of {system} in {folder} cannot be used: {reason}. "
        f"Remove {root} and ask again."
    )
