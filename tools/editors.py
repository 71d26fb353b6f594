"""What changes pictures when the person names no model, by the kind of change."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_MASKED = ("FLUX.1-Fill-dev", "FLUX.2-klein-4B")
_TOLD = ("FLUX.2-klein-4B", "FLUX.1-Kontext-dev")
_STARTED = ("FLUX.2-klein-4B", "FLUX.1-schnell")
# Real ones, the best first.
REAL: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "img2img": _STARTED, "inpaint": _MASKED, "outpaint": _MASKED, "instruct": _TOLD,
        "reference": _TOLD, "canny": ("FLUX.1-Canny-dev",), "depth": ("FLUX.1-Depth-dev",),
        "variation": _STARTED,
    }
)  # fmt: skip
DEPTH = "depth-anything/Depth-Anything-V2-Small-hf"
"""What estimates the depth of a picture: a repository on the Hub under Apache 2.0, 99 MB."""

SHIPPED: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("img2img", "inpaint", "outpaint", "variation"), "pocket-flux"),
        **dict.fromkeys(("instruct", "reference"), "pocket-kontext"),
    }
)
