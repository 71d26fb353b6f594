"""The memory of a device: loaded models are kept while they fit, then the least used goes first."""

import gc
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.base import ToolFailed


@dataclass(frozen=True)
class Key:
    """What a model is loaded from: another name has another card, other times other weights.

    Attributes:
        name: of the system.
        folder: of its weights.
        written: when each file of weights was written, nanoseconds since 1970.
    """

    name: str
    folder: Path
    written: tuple[int, ...]


@dataclass(frozen=True)
class _Kept:
    model: Any
    bytes: int


class Memory:
    """The loaded models of one device.

    Args:
        device: `cpu`, `cuda` or `mps`.
        limit: bytes that they may take together; what the device has free if left out.
    """

    def __init__(self, device: str, limit: int | None) -> None:
        self._device = device
        self._limit = limit
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()

    @property
    def capacity(self) -> int:
        """Bytes that one model may take when all others are freed."""
        return _free_and_all(self._device)[1] if self._limit is None else self._limit

    def check_capacity(self, name: str, needed: int) -> None:
        """Checks that a model fits when all others are freed.

        Args:
            name: of the model.
            needed: bytes that it takes.

        Raises:
            ToolFailed: it does not.
        """
        if (there := self.capacity) < needed:
            raise ToolFailed(_too_large(name, needed, f"{self._device} has {_mebibytes(there)}"))

    def model(
        self, key: Key, needed: Callable[[], int], load: Callable[[], tuple[Any, int]]
    ) -> Any:
        """The model of a key, loaded if it is not kept; one of the same folder is then dropped.

        Args:
            key: what it is loaded from.
            needed: gives the bytes that must be free to load it.
            load: gives the model and the bytes that it takes.

        Raises:
            ToolFailed: it does not fit, or cannot be loaded.
        """
        if key not in self._kept:
            for old in [old for old in self._kept if old.folder == key.folder]:
                self._drop(old)
            self._make_room(key.name, needed())
            self._kept[key] = _Kept(*load())
        self._kept.move_to_end(key)
        return self._kept[key].model

    def _make_room(self, name: str, needed: int) -> None:
        """Frees the models that were not used for longest until `needed` bytes are free."""
        while self._kept and self._free() < needed:
            self._drop(next(iter(self._kept)))
        if (free := self._free()) < needed:
            there = f"{_mebibytes(free)} are free on {self._device}"
            raise ToolFailed(_too_large(name, needed, there))

    def _free(self) -> int:
        """Bytes that another model may take now."""
        free = _free_and_all(self._device)[0]
        if self._limit is None:
            return free
        return min(free, self._limit - sum(kept.bytes for kept in self._kept.values()))

    def _drop(self, key: Key) -> None:
        del self._kept[key]
        gc.collect()
        if self._device == "cuda":
            import torch

            torch.cuda.empty_cache()


def _too_large(name: str, needed: int, there: str) -> str:
    return f"{name} needs {_mebibytes(needed)} of memory, but {there}. Choose a smaller model."


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:,.0f} MiB"


def _free_and_all(device: str) -> tuple[int, int]:
    """Bytes of a device."""
    if device == "cuda":
        import torch

        free, total = torch.cuda.mem_get_info()
        return int(free), int(total)
    import psutil

    memory = psutil.virtual_memory()
    return int(memory.available), int(memory.total)
