"""Adapters of one's own: named, written as others read them, and kept by their names."""

import itertools
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tools.base import Context
from tools.subject import Subject

if TYPE_CHECKING:
    from tools.engines.flux import Painter
    from tools.engines.training.settings import Settings

_MARK: Final = "made-by.txt"


def free_name(ctx: Context, plain: str, mark: str) -> str:
    """A name that no other adapter has; the one that this training took before it was cut off.

    Args:
        ctx: the context.
        plain: the name that it would have if it were the only one.
        mark: what tells this training from all others.
    """
    numbered = (f"{plain}-{number}" for number in itertools.count(2))
    own = _own(ctx)
    return next(
        name
        for name in itertools.chain([plain], numbered)
        if not (own / name).exists() or _marked(own / name) == mark
    )


def keep(
    ctx: Context, painter: "Painter", chosen: "Settings", taught: Subject, name: str, mark: str
) -> Path:
    """Writes the adapter that a model wears into the run folder, and among the person's own.

    Args:
        ctx: the context.
        painter: the model, wearing what it has learned.
        chosen: how it was taught.
        taught: what it has learned.
        name: of the adapter, from `free_name`.
        mark: what tells this training from all others.

    Returns:
        Its file in the run folder.

    Raises:
        OSError: it cannot be written.
    """
    from tools.engines.training import dreambooth, keeping, settings

    card = ctx.catalog.get(painter.system)
    told = {
        "modelspec.title": name,
        "modelspec.description": f"{taught.trigger}, learned from {len(taught.pictures)} photos",
        "modelspec.trigger_phrase": taught.trigger,
        "modelspec.date": datetime.now(UTC).date().isoformat(),
        "modelspec.resolution": f"{chosen.resolution}x{chosen.resolution}",
        "modelspec.license": card.licence if card else "",
        "ss_sd_model_name": painter.system,
        "ss_output_name": name,
        "ss_network_dim": str(chosen.rank),
        "ss_network_alpha": str(chosen.rank),
        "ss_num_train_images": str(len(taught.pictures)),
        "ss_steps": str(chosen.steps),
        "ss_seed": str(chosen.seed),
        "ss_learning_rate": str(chosen.learning_rate),
    }
    folder = ctx.run_folder / name
    family = dreambooth.family(painter)
    file = keeping.save_adapter(painter.pipeline, family, folder / f"{name}.safetensors", told)
    (folder / "training.toml").write_text(settings.written(chosen), encoding="utf-8")
    (folder / _MARK).write_text(mark, encoding="utf-8")
    shutil.copytree(folder, _own(ctx) / name, dirs_exist_ok=True)
    return file


def _marked(folder: Path) -> str:
    file = folder / _MARK
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def _own(ctx: Context) -> Path:
    if ctx.models is None:
        raise RuntimeError("adapters are made where the models are")
    return ctx.models.own_adapters
