"""Logits equal timm's own path, labels are told apart, and limits are known."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from timm.data.config import resolve_model_data_config
from timm.data.transforms_factory import create_transform
from timm.models import save_for_hf

from tests.contexts import Reports
from tests.hub import Hub, serving
from tests.tiny import KINDS, save_tiny
from tools.base import ToolFailed
from tools.engines import convnet
from tools.models import Models

FAMILIES: dict[str, dict[str, Any]] = {
    "convnext_atto.d2_in1k": {"depths": (1, 1, 2, 1), "dims": (16, 32, 48, 64)},
    "mobilenetv3_small_050.lamb_in1k": {},
    "mobilenetv4_conv_small_050.e3000_r224_in1k": {},
    "resnet10t.c3_in1k": {},
    "efficientnet_b0.ra_in1k": {},
    "vit_tiny_patch16_224.augreg_in21k_ft_in1k": {"depth": 3},
    "deit3_small_patch16_224.fb_in1k": {"depth": 2, "embed_dim": 96, "num_heads": 3},
    "swin_tiny_patch4_window7_224.ms_in1k": {"depths": (1, 1, 1, 1), "embed_dim": 24},
    "regnetx_002.pycls_in1k": {},
    "ghostnet_100.in1k": {},
    "edgenext_xx_small.in1k": {},
    "mobilevit_xxs.cvnets_in1k": {},
}
SIZES = ((1, 1), (31, 33), (640, 427), (427, 640), (224, 224), (9, 300), (517, 60), (288, 288))
MODES = ("RGB", "L", "LA", "P", "RGBA", "CMYK", "1", "YCbCr", "I;16", "HSV", "I")


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with serving() as served:
        yield served


def save_shaped(folder: Path, name: str) -> Path:
    """Saves a network of a family with random weights, through which pictures stay different."""
    torch.manual_seed(3)
    network: Any = timm.create_model(name, pretrained=False, **FAMILIES[name])
    torch.nn.init.normal_(network.get_classifier().weight, std=0.5)
    for path, weight in network.named_parameters():
        if path.endswith("gamma"):  # scales of layers, which begin at almost nothing
            torch.nn.init.constant_(weight, 0.5)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    size = network.pretrained_cfg["input_size"]
    network.train()(torch.randn(4, *size))
    save_for_hf(network, str(folder), safe_serialization=True)
    return folder


def odd_pictures(seed: int) -> list[Image.Image]:
    """Nine pictures, each of another size and mode."""
    noise = np.random.default_rng(seed)
    sizes = itertools.islice(itertools.cycle(SIZES), seed, seed + 9)
    modes = itertools.islice(itertools.cycle(MODES), seed, seed + 9)
    pictures = []
    for (width, height), mode in zip(sizes, modes, strict=True):
        coarse = noise.integers(0, 256, (6, 6, 3), dtype=np.uint8)
        picture = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
        wide = mode.startswith("I")
        pictures.append(picture.convert("L").convert(mode) if wide else picture.convert(mode))
    return pictures


@pytest.mark.parametrize(("number", "name"), list(enumerate(FAMILIES)))
@torch.inference_mode()
def test_logits_equal_timms_own_path(
    number: int,
    name: str,
    hub: Hub,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hub.use(monkeypatch, tmp_path / "cache")
    hub.add(f"timm/{name}", save_shaped(tmp_path / "saved", name))
    classifier = Models("cpu", home, False, "local").load(name, Reports())
    own: Any = timm.create_model(f"hf-hub:timm/{name}", pretrained=True).eval()
    settings = resolve_model_data_config(own)  # type: ignore[no-untyped-call] # timm's
    transform: Any = create_transform(**settings, is_training=False)
    pictures = odd_pictures(number)
    expected = own(torch.stack([transform(picture.convert("RGB")) for picture in pictures]))
    found = convnet.logits(classifier, pictures)
    assert found.shape == (9, 1000)
    assert expected.std(0).max() > 0.1  # else equal logits would prove nothing
    assert (found - expected).abs().max() <= 1e-4


def test_logits_do_not_depend_on_the_other_pictures(tmp_path: Path) -> None:
    classifier = convnet.load_classifier("tiny", save_tiny(tmp_path), "cpu")
    pictures = [picture for seed in range(3) for picture in odd_pictures(seed)]
    alone = torch.cat([convnet.logits(classifier, [picture]) for picture in pictures])
    assert (convnet.logits(classifier, pictures) - alone).abs().max() <= 1e-5


def test_top_labels_are_those_of_the_logits(tmp_path: Path) -> None:
    classifier = convnet.load_classifier("tiny", save_tiny(tmp_path), "cpu")
    outputs = torch.tensor([[0.0, 3.0, 1.0, 2.0, -1.0]])
    reading = convnet.read(classifier, outputs, 2)[0]
    assert [label for label, _ in reading.ranked] == ["heart", "fish"]
    assert reading.ranked[0][1] == pytest.approx(float(outputs.softmax(1)[0, 1]), abs=1e-7)
    everything = convnet.read(classifier, outputs, 1000)[0].ranked
    assert {label for label, _ in everything} == set(KINDS)
    assert sum(share for _, share in everything) == pytest.approx(1, abs=1e-6)
    assert not reading.outside


@pytest.mark.parametrize(
    ("classes", "example"), [(1000, "tench"), (11821, "benthos"), (7, "class 0")]
)
def test_labels_have_names_that_differ(tmp_path: Path, classes: int, example: str) -> None:
    folder = save_tiny(tmp_path, num_classes=classes)
    labels = convnet.load_classifier("tiny", folder, "cpu").labels
    assert labels[0] == example or example in labels
    assert len(set(labels)) == len(labels) == classes


def test_the_two_cranes_are_told_apart(tmp_path: Path) -> None:
    labels = convnet.load_classifier("tiny", save_tiny(tmp_path, num_classes=1000), "cpu").labels
    cranes = [label for label in labels if label.startswith("crane")]
    assert len(cranes) == 2
    assert "goldfish" in labels


def test_a_model_without_classes_is_told(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path, num_classes=0)
    with pytest.raises(ToolFailed, match="gives features and no labels"):
        convnet.load_classifier("tiny", folder, "cpu")


def test_a_limited_model_says_what_is_outside(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config |= {"outside_threshold": 0.5}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    classifier = convnet.load_classifier("tiny", folder, "cpu")
    assert classifier.limited
    inside, outside = convnet.read(
        classifier, torch.tensor([[5.0, 0, 0, 0, 0], [0, 0, 0, 0, 9]]), 3
    )
    assert inside.ranked[0][0] == "star"
    assert (inside.outside, outside.outside) == (False, True)


def test_parameters_are_counted(tmp_path: Path) -> None:
    classifier = convnet.load_classifier("tiny", save_tiny(tmp_path), "cpu")
    expected = sum(p.numel() for p in classifier.network.parameters())
    assert convnet.parameter_count(classifier) == expected
    assert convnet.parameter_bytes(classifier) == 4 * expected
