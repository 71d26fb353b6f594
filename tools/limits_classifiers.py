"""Limits of a use case on classifiers: speed, accuracy, memory, file size."""

from collections.abc import Iterator

from tools import wording
from tools.dossiers import Dossier, Finding, speed_findings, value
from tools.needs import Needs

_ROOM = 5.0  # how often a classifier's weights must fit into the memory, for all else that it takes


def accuracy(found: Dossier, needs: Needs) -> Iterator[Finding]:
    """Whether it is quick and accurate enough."""
    if found.point:
        yield from speed_findings(found.point, needs)
    elif found.card.kind != "pocket":
        yield Finding("min_top1", None, "no published accuracy is known of it")


def footprint(found: Dossier, needs: Needs) -> Iterator[Finding]:
    """Memory and file size by the parameters, where nothing is stated."""
    count = found.first("parameters")
    megabytes = value(count[0]) * needs.limits.get("bytes_per_weight", 4) if count else 0.0
    if memory := needs.limit("device_memory_gib"):
        words = "no memory figure is published; its weights fill little of yours, by their number"
        kept = megabytes * _ROOM <= memory * 1000 if count else None
        told = f"{words} (parameters: {wording.shown(count[0])})" if count else words
        yield Finding("device_memory_gib", kept, told, count)
    if most := needs.limit("max_file_mb"):
        stated = [f for f in found.find("file_mb") if needs.limits["bytes_per_weight"] == 4][:1]
        size = value(stated[0]) if stated else megabytes
        words = f"file size: {wording.cell(stated[0])}" if stated else "its file size follows from"
        told = (
            words if stated or not count else f"{words} its parameters: {wording.shown(count[0])}"
        )
        yield Finding("max_file_mb", size <= most if size else None, told, (*stated, *count))
