"""Whether a system can be used here, and why not; the rule for hosted ones."""

from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz import fuzz

from index.card import Card

HOSTED = "bfl"  # the engine of models that Black Forest Labs runs
_FREE_LICENCES = {"apache-2.0", "mit", "bsd-3-clause"}
FREE = "FLUX.2-klein-4B"  # to name to whom has no key: its weights are open


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


def hosted(keyed: bool, offline: bool, public: bool) -> Availability:
    """Whether hosted models can be asked here, and why.

    Args:
        keyed: whether there is a key.
        offline: whether the network must not be reached for.
        public: whether strangers use this installation, who would pay with one another's keys.
    """
    if public:
        return Availability(
            False,
            "hosted models are switched off in a public demo",
            "Run Fitting Room on your own machine to use your key.",
        )
    if offline:
        return Availability(
            False,
            "it runs at Black Forest Labs, and the network is switched off",
            "Unset FITTING_ROOM_OFFLINE, or name a local model.",
        )
    if not keyed:
        return Availability(
            False,
            "it needs a key of Black Forest Labs",
            "Set BFL_API_KEY, or type it into the field 'Key for hosted models' beside the chat; "
            "keys are made at https://dashboard.bfl.ai. Each picture is paid: no free tier was "
            f"found in the vendor's documents. Open models such as {FREE} are free to run on a "
            "machine of your own.",
        )
    return Availability(True, "runs at Black Forest Labs; each picture is paid with your key")


def not_loaded(card: Card) -> Availability | None:
    """Why a hosted model cannot be loaded; none for one that is not hosted."""
    if card.run.engine != HOSTED:
        return None
    return Availability(
        False, "it runs at Black Forest Labs and is not loaded here", "Name a local model."
    )


def not_public(card: Card, known: Iterable[Card]) -> Availability | None:
    """Why a system may not be used in a public demo, and the nearest that may; none if it may.

    Args:
        card: the system.
        known: all systems.
    """
    if _is_free(card):
        return None
    free = (one for one in known if one.run.engine == card.run.engine and _is_free(one))
    nearest = max(free, key=lambda one: _likeness(one, card), default=None)
    instead = f", such as {nearest.id}" if nearest else ""
    return Availability(
        False,
        f"its licence ({card.licence or 'not known here'}) does not permit a public demo",
        f"Run Fitting Room on your own machine, or choose a model under a free licence{instead}.",
    )


def _is_free(card: Card) -> bool:
    return card.commercial_use == "yes" or card.licence.lower() in _FREE_LICENCES


def _likeness(one: Card, other: Card) -> tuple[int, float]:
    """How many capabilities two systems share, and how alike their names are."""
    able = [{capability.id for capability in card.capabilities} for card in (one, other)]
    return len(able[0] & able[1]), fuzz.ratio(one.id, other.id)
