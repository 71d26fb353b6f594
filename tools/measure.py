"""Figures of this run: measured, described with their device and machine, kept as evidence."""

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path

from index.evidence import Measurement
from index.properties import properties
from tools.base import Context

_OWN = ("cpu", "mps")  # devices of this machine, beside cuda


def measure(
    ctx: Context, system: str, property: str, value: float, at: str, device: str = ""
) -> Measurement:
    """Keeps a measurement as evidence and returns it, as `described` describes it."""
    measurement = described(ctx, system, property, value, at, device)
    ctx.evidence.add(measurement)
    return measurement


def described(
    ctx: Context, system: str, property: str, value: float, at: str, device: str = ""
) -> Measurement:
    """A figure of this run with its circumstances, which is not kept.

    Args:
        ctx: the context of the run.
        system: id of the system that was run.
        property: a row of `properties.toml`, which fixes the unit.
        value: the figure, in that unit.
        at: the condition. With ": " in it, such as "holiday.jpg: star", every part must stand
            beside the figure wherever it is shown.
        device: the device, if it is not the one of the context; or who runs it elsewhere.
    """
    return Measurement(
        system=system,
        property=property,
        value=value,
        unit=properties()[property].unit,
        at=at,
        device=device_name(device or ctx.device),
        machine=machine(),
        versions=versions(),
        run=ctx.run,
        date=datetime.now(UTC).date().isoformat(),
    )


@cache
def device_name(device: str) -> str:
    """A device with its name: "cuda (NVIDIA H200)"; who runs it elsewhere, as it is called."""
    if device == "cuda":
        import torch

        return f"cuda ({torch.cuda.get_device_name()})"
    return f"{device} ({_processor()})" if device in _OWN else device


@cache
def machine() -> str:
    """Processor, cores that may be used, memory and system, in words."""
    import psutil

    memory = psutil.virtual_memory().total / 2**30
    return f"{_processor()}, {_cores()} cores, {memory:.0f} GiB memory, {platform.system()}"


@cache
def versions() -> str:
    """The library versions that speed and results depend on."""
    return ", ".join(f"{name} v{version(name)}" for name in ("torch", "timm"))


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor() -> str:
    """The processor's name, which Python's own `platform` does not tell on every system."""
    found = ""
    if sys.platform == "darwin":
        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        found = subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603 - fixed
    elif (told := Path("/proc/cpuinfo")).is_file():
        lines = told.read_text(encoding="utf-8").splitlines()
        found = next((line.partition(":")[2] for line in lines if "model name" in line), "")
    return found.strip() or platform.processor() or platform.machine()
