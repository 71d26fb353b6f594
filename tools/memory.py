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
        held: in which way, where there are several.
    """

    name: str
    folder: Path
    written: tuple[int, ...]
    held: tuple[str, ...] = ()


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

    @property
    def obtainable(self) -> int:
        """Bytes that one model may take now, when all others are freed."""
        return self._free() + sum(kept.bytes for kept in self._kept.values())

    def check_capacity(self, name: str, needed: int) -> None:
        """Checks that a model fits when all others are freed; a GPU can be lent its parts.

        Args:
            name: of the model.
            needed: bytes that it takes.

        Raises:
            ToolFailed: it does not.
        """
        there = self.capacity
        if self._limit is None:
            there = max(there, _free_and_all("cpu")[1])
        if there < needed:
            raise ToolFailed(_too_large(name, needed, f"{self._device} has {_mebibytes(there)}"))

    def model(
        self,
        key: Key,
        needed: Callable[[], int],
        load: Callable[[], tuple[Any, int]],
        work: int = 0,
    ) -> Any:
        """The model of a key, loaded if it is not kept; one of the same folder is then dropped.

        Args:
            key: what it is loaded from.
            needed: gives the bytes that must be free to load it.
            load: gives the model and the bytes that it takes.
            work: bytes that it takes beyond those when it works.

        Raises:
            ToolFailed: it does not fit, or cannot be loaded.
        """
        if key not in self._kept:
            for old in [old for old in self._kept if old.folder == key.folder]:
                self._drop(old)
            self._make_room(key.name, needed() + work)
            self._kept[key] = _Kept(*load())
        self._kept.move_to_end(key)
        while len(self._kept) > 1 and self._free() < work:
            self._drop(next(iter(self._kept)))
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
        unused = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
        return int(free) + unused, int(total)
    import psutil

    memory = psutil.virtual_memory()
    return int(memory.available), int(memory.total)
