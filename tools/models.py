"""Loads models once, keeps what fits, and says which systems are usable here and why not."""

import gc
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from index import catalog
from index.card import Card
from index.names import Names
from tools import hub
from tools.base import Agreement, NeedsConsent, Report, ToolFailed

DEFAULT_CLASSIFIER = "convnext_femto.d1_in1k"
POCKET_CLASSIFIER = "pocket-convnext"
LARGE = 100_000_000  # bytes from which a download is asked about first
_FREE_LICENCES = {"apache-2.0", "mit", "bsd-3-clause"}
_MINUTE = 60.0  # seconds for which it is remembered whether the Hub answers
_PACKAGE = Path(__file__).parent


@dataclass(frozen=True)
class Availability:
    """Whether a system can be used here.

    Attributes:
        usable: whether it can.
        why: where it comes from, or why it cannot.
        how: what to do about it; empty if nothing is to be done.
    """

    usable: bool
    why: str
    how: str = ""


@dataclass(frozen=True)
class _Kept:
    model: Any
    bytes: int


class Models:
    """The loaded models of one device; lives in the worker.

    Args:
        device: `cpu`, `cuda` or `mps`.
        home: folder whose `models/<name>/` hold models of one's own, in timm's local form.
        offline: never reach for the network.
        audience: `public` allows only licences that permit it, and no paths of this machine.
        limit: bytes that the loaded models may take; what the device has free if left out.
    """

    def __init__(
        self, device: str, home: Path, offline: bool, audience: str, limit: int | None = None
    ) -> None:
        self._device = device
        self._own = home / "models"
        self._offline = offline or hub.offline()
        self._public = audience == "public"
        self._limit = limit
        self._names = Names(catalog.load(), lambda word: False)
        self._kept: OrderedDict[tuple[Path, int], _Kept] = OrderedDict()
        self._reached = (-_MINUTE, False)

    def load(self, system: str, report: Report, agreement: Agreement | None = None) -> Any:
        """The loaded model of a system: a `Classifier` for the engine `convnet`.

        Args:
            system: card id, timm name, name of a model of one's own, or path of a local folder.
            report: told the progress of a download.
            agreement: whether a large download is agreed to.

        Raises:
            ToolFailed: it cannot be had here; the message says why and what to do.
            NeedsConsent: it must be downloaded first, and that is large.
            Stopped: the person asked to stop.
        """
        card = self._card(system)
        folder = self._folder(system, card, report, agreement)
        name = card.id if card else folder.name
        key = (folder, (folder / hub.WEIGHTS).stat().st_mtime_ns)
        if key not in self._kept:
            self._kept[key] = self._loaded(name, folder)
        self._kept.move_to_end(key)
        return self._kept[key].model

    @property
    def own(self) -> Path:
        """The folder that holds the models of one's own, each in a folder by its name."""
        return self._own

    def fetch(self, system: str, report: Report) -> Path:
        """Downloads the weights of a system, if they are not here; returns their folder.

        Raises:
            ToolFailed: it cannot be had here; the message says why and what to do.
            Stopped: the person asked to stop.
        """
        card = self._card(system)
        return self._folder(system, card, report, Agreement(download=True, lasting=True))

    def weights(self, system: str) -> Path | None:
        """The folder that holds the weights of a system, if they are on this machine."""
        card = self._card(system)
        if card is None:
            return self._local(system)
        if card.run.weights:
            shipped = _PACKAGE / card.run.weights
            return shipped if (shipped / hub.WEIGHTS).is_file() else None
        return hub.cached(card.run.repository) if card.run.engine == "convnet" else None

    def default_classifier(self) -> str:
        """The real default if it is here or can be fetched, else the one that is shipped."""
        card = self._card(DEFAULT_CLASSIFIER)
        usable = card is not None and self.availability(card).usable
        return DEFAULT_CLASSIFIER if usable else POCKET_CLASSIFIER

    def availability(self, card: Card) -> Availability:
        """Whether a system can be used here, and why."""
        rules: tuple[Callable[[Card], Availability | None], ...] = (
            _not_run, self._not_allowed, self._here, self._not_fetchable,
        )  # fmt: skip
        said = next((said for rule in rules if (said := rule(card))), None)
        return said or Availability(True, f"can be fetched from the Hub{_licence_note(card)}")

    def _card(self, system: str) -> Card | None:
        known = self._names.catalog
        return known.get(system) or known.get(self._names.resolve(system) or "")

    def _local(self, system: str) -> Path | None:
        """A folder of one's own: by name below the home, or by path on one's own machine."""
        named = self._own / system
        if named.parent == self._own and system != ".." and (named / hub.WEIGHTS).is_file():
            return named
        path = Path(system.removeprefix("local-dir:")).expanduser()
        return path if not self._public and (path / hub.CONFIG).is_file() else None

    def _not_allowed(self, card: Card) -> Availability | None:
        if not self._public or card.commercial_use == "yes":
            return None
        if card.licence.lower() in _FREE_LICENCES:
            return None
        return Availability(
            False,
            f"its licence ({card.licence or 'not known here'}) does not permit a public demo",
            "Run Fitting Room on your own machine, or choose a model under a free licence.",
        )

    def _here(self, card: Card) -> Availability | None:
        if self.weights(card.id):
            where = "shipped with Fitting Room" if card.run.weights else "downloaded"
            return Availability(True, f"{where}{_licence_note(card)}")
        if card.run.weights:
            return Availability(
                False, "its weights are missing from this installation", "Install it again."
            )
        return None

    def _not_fetchable(self, card: Card) -> Availability | None:
        if self._offline:
            return Availability(
                False,
                "it is not downloaded, and the network is switched off",
                "Unset HF_HUB_OFFLINE and FITTING_ROOM_OFFLINE, or name a local folder.",
            )
        if card.run.gated and not hub.has_token():
            return Availability(False, "it is gated", hub.gate(card.run.repository))
        if not self._reachable():
            return Availability(
                False,
                f"it is not downloaded, and {hub.address()} does not answer",
                "Connect to the network, or name a local folder.",
            )
        return None

    def _reachable(self) -> bool:
        asked, answer = self._reached
        if time.monotonic() - asked >= _MINUTE:
            answer = hub.reachable()
            self._reached = (time.monotonic(), answer)
        return answer

    def _folder(
        self, system: str, card: Card | None, report: Report, agreement: Agreement | None
    ) -> Path:
        """The folder of a system's weights, fetched if need be."""
        if card is None:
            folder = self._local(system)
        else:
            said = self.availability(card)
            if not said.usable:
                raise ToolFailed(f"{card.id} cannot be used here: {said.why}. {said.how}")
            folder = self.weights(card.id) or _fetched(card, report, agreement)
        if folder is None:
            raise ToolFailed(self._unknown(system))
        if not (folder / hub.WEIGHTS).is_file():
            raise ToolFailed(
                f"{folder} has no {hub.WEIGHTS}, and no other form of weights is loaded, since it "
                "could run code. Save the model with safe_serialization=True."
            )
        return folder

    def _unknown(self, name: str) -> str:
        if not self._public and Path(name).expanduser().is_dir():
            return (
                f"{name} holds no {hub.CONFIG}, so it is no model folder. Save the model with "
                "timm's save_for_hf (safe_serialization=True) and name that folder."
            )
        return f"No model is called {name!r}. The nearest: {', '.join(self._names.nearest(name))}."

    def _loaded(self, name: str, folder: Path) -> _Kept:
        from tools.engines import convnet

        self._make_room(name, (folder / hub.WEIGHTS).stat().st_size)
        model = convnet.load_classifier(name, folder, self._device)
        return _Kept(model, convnet.parameter_bytes(model))

    def _make_room(self, name: str, needed: int) -> None:
        """Frees the models that were not used for longest until `needed` bytes are free."""
        while self._kept and self._free() < needed:
            self._kept.popitem(last=False)
            _release(self._device)
        if self._free() < needed:
            raise ToolFailed(
                f"{name} needs {needed / 2**20:,.0f} MiB of memory, but {self._free() / 2**20:,.0f}"
                f" MiB are free on {self._device}. Choose a smaller model."
            )

    def _free(self) -> int:
        free = _free_memory(self._device)
        if self._limit is None:
            return free
        return min(free, self._limit - sum(kept.bytes for kept in self._kept.values()))


def _fetched(card: Card, report: Report, agreement: Agreement | None) -> Path:
    size = hub.size(card.run.repository)
    if size > LARGE and not (agreement and agreement.download):
        raise NeedsConsent(
            f"{card.id} must be downloaded first: {size / 1e6:,.0f} MB. Shall I fetch it?",
            "Yes, download it",
            replace(agreement or Agreement(), download=True),
        )
    if size > LARGE and agreement:
        agreement.hand_over(float("inf"))
    hub.check_room(size)
    return hub.fetch(card.run.repository, size, report)


def _not_run(card: Card) -> Availability | None:
    if card.run.engine == "convnet":
        return None
    return Availability(False, "no tool here runs it yet", f"Read about it: {card.page}")


def _licence_note(card: Card) -> str:
    return f"; licence {card.licence}: no commercial use" if card.commercial_use == "no" else ""


def _free_memory(device: str) -> int:
    """Bytes that are free on a device."""
    if device == "cuda":
        import torch

        return int(torch.cuda.mem_get_info()[0])
    import psutil

    return int(psutil.virtual_memory().available)


def _release(device: str) -> None:
    gc.collect()
    if device == "cuda":
        import torch

        torch.cuda.empty_cache()
