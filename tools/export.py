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
        "how do I get this onto my Android app? I need the model file",
        "Save resnet50 as an ONNX graph with dynamic batch",
        "TensorRT engine in fp16 please",
        "Shrink the model so that it fits into my app",
        "Compile mobilenetv3 for ExecuTorch",
        "8-bit quantisation with these calibration pictures",
        "I want to run it in the browser, give me a file for that",
        "Package my trained shoe classifier for production",
        "coreml pls, for the iPhone",
        "Turn the fine-tuned plant network into a litert file",
        "Convert the weights to half precision",
        "Download the classifier as one file that I can ship",
        "Prepare vit_tiny for deployment on an Intel server",
        "torch.export of efficientnet_b0 as pt2",
        "i need model for put in microcontroller, small file",
        "Give our engineers something that runs without Python",
        "Can you make convnext_nano smaller without losing accuracy?",
        "Export with opset 17, fp32",
        "Write a bf16 copy of swin_tiny",
        "Our robot has a Jetson board, convert the detector for it",
        "Check that the converted file gives the same answers as the original",
        "Quantize mobilenetv4 to int8 and show how much accuracy is lost",
        "Compress the dog classifier for our edge camera",
        "Export klein in nf4",
    ),
    built=False,
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
