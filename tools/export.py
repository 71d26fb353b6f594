"""The tool `export`: export a model."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from tools.base import Block, Context, NotBuiltYet, ToolCard

CARD = ToolCard(
    title="Export a model",
    summary="Writes a smaller or faster file for deployment and checks it against the original.",
    examples=(
        "Export the model to ONNX",
        "Convert convnext_femto to TFLite for my phone",
        "Give me an int8 version of this classifier",
        "Make a CoreML file for iOS",
        "Quantise the model",
        "I need an OpenVINO file",
    ),
)


def export(
    ctx: Context,
    model: str,
    format: Literal[
        "onnx", "openvino", "pt2", "litert", "coreml", "executorch", "tensorrt"
    ] = "onnx",
    precision: Literal["fp32", "fp16", "bf16", "fp8", "int8", "nf4"] = "fp32",
    calibration: Path | None = None,
    opset: int | None = None,
    dynamic_batch: bool = False,
) -> Iterator[Block]:
    """Writes a smaller or faster file for deployment and checks it against the original.

    Raises:
        NotBuiltYet: always.
    """
    raise NotBuiltYet("export")
