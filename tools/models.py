"""Loads models once, keeps what fits, and says which systems are usable here and why not."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from index import catalog
from index.card import Card, Run
from index.names import Names
from tools import adapters, editors, forms, hub, kin, usable
from tools.base import Agreement, NeedsConsent, Report, ToolFailed
from tools.forms import FORMS, Form
from tools.memory import Key, Memory
from tools.placement import Wanted
from tools.usable import Availability

DEFAULT_CLASSIFIER = "convnext_femto.d1_in1k"
POCKET_CLASSIFIER = "pocket-convnext"
GENERATORS = ("FLUX.2-klein-4B", "FLUX.1-schnell")  # real ones that need no key, the best first
POCKET_GENERATOR = "pocket-flux"
LARGE = 100_000_000  # bytes from which a download is asked about first
_MINUTE = 60.0  # seconds for which it is remembered whether the Hub answers
_PACKAGE = Path(__file__).parent


class Models:
    """The loaded models of one device; lives in the worker.

    Args:
        device: `cpu`, `cuda` or `mps`.
        home: folder whose `models/<name>/` hold models of one's own, in a form of `tools/forms.py`,
            and whose `adapters/` holds adapters by name.
        offline: never reach for the network.
        audience: `public` allows only licences that permit it, and no paths of this machine.
        limit: bytes that the loaded models may take; what the device has free if left out.
        keyed: whether there is a key for hosted models.
    """

    def __init__(
        self,
        device: str,
        home: Path,
        offline: bool,
        audience: str,
        limit: int | None = None,
        keyed: bool = False,
    ) -> None:
        self._device = device
        self._own = home / "models"
        self._adapters = home / "adapters"
        self._offline = offline or hub.offline()
        self._public = audience == "public"
        self._memory = Memory(device, limit)
        self._names = Names(catalog.load(), lambda word: False)
        self._reached = (-_MINUTE, False)
        self._hosted = usable.hosted(keyed, offline, audience == "public")

    def load(
        self,
        system: str,
        report: Report,
        agreement: Agreement | None = None,
        form: Form | None = None,
        wanted: Wanted | None = None,
    ) -> Any:
        """The loaded model of a system: a `Classifier` for the engine `convnet`, else a `Painter`.

        Args:
            system: card id, timm name, name of a model of one's own, or path of a local folder.
            report: told the progress of a download.
            agreement: whether a large download is agreed to.
            form: the only form that will do; any will if left out.
            wanted: what a pipeline is to draw, which decides how it is held in memory.

        Raises:
            ToolFailed: it cannot be had here; the message says why and what to do.
            NeedsConsent: it must be downloaded first, and that is large.
            NeedsInput: what is wanted of it does not fit, but something smaller does.
            Stopped: the person asked to stop.
        """
        card = self._card(system)
        self._check_form(system, card, form)
        found, folder = self._found(system, card, report, agreement or Agreement())
        name = card.id if card else folder.name
        written = forms.written(found, folder)
        run = kin.run_of(card, folder, self._names.catalog.cards)
        if wanted and found is forms.PIPELINE:
            return self._painter(Key(name, folder, written), run, wanted)
        return self._memory.model(
            Key(name, folder, written),
            lambda: forms.memory(found, forms.parameters(found, folder), self._device),
            lambda: _LOADERS[found](name, folder, self._device, run),
        )

    def _painter(self, key: Key, run: Run, wanted: Wanted) -> Any:
        """A pipeline that is held as it must be for what is wanted of it."""
        from tools.engines import flux, placing

        where = key.name, key.folder, self._device, run
        placement = placing.place(*where, wanted, self._memory.obtainable)
        painter = self._memory.model(
            replace(key, held=tuple(filter(None, (placement.quantised, placement.offload)))),
            lambda: placement.weights,
            lambda: flux.loaded(*where, placement),
            placement.needed - placement.weights,
        )
        return replace(painter, placement=placement)

    @property
    def own(self) -> Path:
        """The folder that holds the models of one's own, each in a folder by its name."""
        return self._own

    @property
    def own_adapters(self) -> Path:
        """The folder that holds the adapters of one's own, by name."""
        return self._adapters

    def fetch(self, system: str, report: Report) -> Path:
        """Downloads the weights of a system, if they are not here; returns their folder.

        Raises:
            ToolFailed: it cannot be had here; the message says why and what to do.
            Stopped: the person asked to stop.
        """
        card = self._card(system)
        return self._found(system, card, report, Agreement(download=True, lasting=True))[1]

    def depth(self, report: Report, agreement: Agreement) -> Path | None:
        """The folder of the model that estimates depth, fetched if need be; none if it cannot be.

        Raises:
            ToolFailed: the download failed; the message says why and what to do.
            NeedsConsent: it must be downloaded first, and that is large.
            Stopped: the person asked to stop.
        """
        folder = hub.cached(editors.DEPTH, forms.DEPTH)
        if folder is None and not self._offline and self._reachable():
            folder = self._fetched(editors.DEPTH, editors.DEPTH, forms.DEPTH, report, agreement)
        return folder

    def weights(self, system: str) -> Path | None:
        """The folder that holds the weights of a system, if they are on this machine."""
        card = self._card(system)
        if card is None:
            folder, form = self._local(system)
        else:
            folder, form = _PACKAGE / card.run.weights, FORMS.get(card.run.engine)
            if form and not card.run.weights:
                return hub.cached(card.run.repository, form)
        return folder if form and not forms.lacks(form, folder) else None

    def default_classifier(self) -> str:
        """The real default if it is here or can be fetched, else the one that is shipped."""
        card = self._card(DEFAULT_CLASSIFIER)
        usable = card is not None and self.availability(card).usable
        return DEFAULT_CLASSIFIER if usable else POCKET_CLASSIFIER

    def default_generator(self) -> str:
        """The best real one that is here and fits a GPU, else the one that is shipped."""
        real = GENERATORS if self._device == "cuda" else ()
        return next((name for name in real if self._runs_now(name)), POCKET_GENERATOR)

    def default_editor(self, mode: str) -> str:
        """What changes pictures when the person names no model; empty if nothing here does.

        Args:
            mode: the kind of change, one of `tools.editors.REAL`.
        """
        real = editors.REAL[mode] if self._device == "cuda" else ()
        shipped = editors.SHIPPED.get(mode, "")
        here = shipped if shipped and self._card(shipped) and self.weights(shipped) else ""
        return next((name for name in real if self._runs_now(name)), here)

    def adapters(self, told: str) -> tuple[Any, ...]:
        """The adapters that a person names, as `tools.adapters.adapters` reads them.

        Raises:
            ToolFailed: one is not here, or a strength is no number.
        """
        return adapters.adapters(told, self._adapters, paths=not self._public)

    def availability(self, card: Card) -> Availability:
        """Whether a system can be used here, and why."""
        if card.run.engine == usable.HOSTED:
            return self._hosted
        rules: tuple[Callable[[Card], Availability | None], ...] = (
            _not_run, self._not_allowed, self._here, self._not_fetchable,
        )  # fmt: skip
        said = next((said for rule in rules if (said := rule(card))), None)
        return said or Availability(True, f"can be fetched from the Hub{_licence_note(card)}")

    def _card(self, system: str) -> Card | None:
        known = self._names.catalog
        return known.get(system) or known.get(self._names.resolve(system) or "")

    def _local(self, system: str) -> tuple[Path, Form | None]:
        """A folder of one's own: by name below the home, or by path on one's own machine."""
        named = self._own / system
        if named.parent == self._own and system != ".." and (form := forms.of(named)):
            return named, form
        path = Path(system.removeprefix("local-dir:")).expanduser()
        return path, None if self._public else forms.of(path)

    def _runs_now(self, system: str) -> bool:
        """Whether a system can be loaded as it lies here, with nothing fetched."""
        card, folder = self._card(system), self.weights(system)
        if card is None or folder is None or not self.availability(card).usable:
            return False
        form = FORMS[card.run.engine]
        needed = forms.memory(form, forms.parameters(form, folder), self._device)
        return needed <= self._memory.capacity

    def _not_allowed(self, card: Card) -> Availability | None:
        known = self._names.catalog.cards.values()
        return usable.not_public(card, known) if self._public else None

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

    def _check_form(self, system: str, card: Card | None, needed: Form | None) -> None:
        """Refuses another form before anything is fetched."""
        form = FORMS.get(card.run.engine) if card else self._local(system)[1]
        if needed and form and form is not needed:
            raise ToolFailed(
                f"{card.id if card else system} is a model that {form.does}; here one is needed "
                f"that {needed.does}. Name another model."
            )

    def _found(
        self, system: str, card: Card | None, report: Report, agreement: Agreement
    ) -> tuple[Form, Path]:
        """The form of a system's weights and their folder, fetched if need be."""
        if card is None:
            folder, form = self._local(system)
        else:
            said = usable.not_loaded(card) or self.availability(card)
            if not said.usable:
                raise ToolFailed(f"{card.id} cannot be used here: {said.why}. {said.how}")
            form = FORMS[card.run.engine]
            folder = self.weights(card.id) or self._fetched(
                card.id, card.run.repository, form, report, agreement
            )
        if form is None:
            raise ToolFailed(self._unknown(system))
        if lacking := forms.lacks(form, folder):
            raise ToolFailed(_not_whole(folder, lacking))
        return form, folder

    def _fetched(
        self, name: str, repository: str, form: Form, report: Report, agreement: Agreement
    ) -> Path:
        found = hub.listing(repository, form)
        if found.left > LARGE:
            # A job was checked before it began, and a download alone may be for another machine.
            if not agreement.lasting:
                needed = forms.memory(form, hub.parameters(found), self._device)
                self._memory.check_capacity(name, needed)
            if not agreement.download:
                raise NeedsConsent(
                    f"{name} must be downloaded first: {found.left / 1e6:,.0f} MB. "
                    "Shall I fetch it?",
                    "Yes, download it",
                    replace(agreement, download=True),
                )
            agreement.hand_over(float("inf"))
        hub.check_room(found.left)
        return hub.fetch(found, report)

    def _unknown(self, name: str) -> str:
        if not self._public and Path(name).expanduser().is_dir():
            return (
                f"{name} holds no {forms.CONFIG} and no {forms.MODEL_INDEX}, so it is no model "
                "folder. Save a classifier with timm's save_for_hf (safe_serialization=True), or a "
                "pipeline with diffusers' save_pretrained, and name that folder."
            )
        return f"No model is called {name!r}. The nearest: {', '.join(self._names.nearest(name))}."


def _load_classifier(system: str, folder: Path, device: str, _: Run) -> tuple[Any, int]:
    from tools.engines import convnet

    classifier = convnet.load_classifier(system, folder, device)
    return classifier, convnet.parameter_bytes(classifier)


def _load_painter(system: str, folder: Path, device: str, run: Run) -> tuple[Any, int]:
    from tools.engines import flux

    return flux.loaded(system, folder, device, run)


# Each gives the loaded model and the bytes that its weights take.
_LOADERS = {forms.CLASSIFIER: _load_classifier, forms.PIPELINE: _load_painter}


def _not_run(card: Card) -> Availability | None:
    if card.run.engine in FORMS:
        return None
    return Availability(False, "no tool here runs it yet", f"Read about it: {card.page}")


def _licence_note(card: Card) -> str:
    return f"; licence {card.licence}: no commercial use" if card.commercial_use == "no" else ""


def _not_whole(folder: Path, lacking: str) -> str:
    if lacking.endswith(("*.safetensors", forms.WEIGHTS)):
        return (
            f"{folder} has no {lacking}, and no other form of weights is loaded, since it "
            "could run code. Save the model with safe_serialization=True."
        )
    return (
        f"{folder} has no {lacking}, so the model is not whole. Copy all of its files there, or "
        "save it again."
    )
