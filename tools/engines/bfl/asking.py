"""What is asked of a hosted model: checked, priced, and agreed to before it is sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from index.card import Card
from index.catalog import Catalog
from tools.base import Agreement, NeedsConsent, ToolFailed
from tools.engines.bfl.checking import check
from tools.engines.bfl.endpoints import Endpoint, endpoint_of
from tools.engines.bfl.keys import without_keys
from tools.engines.bfl.pictures import shapes
from tools.engines.bfl.places import MOST
from tools.engines.bfl.prices import Price, predicted
from tools.spending import dollars


@dataclass(frozen=True)
class Asked:
    """A request that may be sent.

    Attributes:
        system: card id of what is asked.
        endpoint: where it is sent.
        values: what is asked, by field; pictures by their files or addresses.
        price: what it will cost.
        in_flight: tasks of this system that the vendor allows at once.
    """

    system: str
    endpoint: Endpoint = field(hash=False)
    values: Mapping[str, Any] = field(hash=False)
    price: Price
    in_flight: int


def ask(card: Card, values: Mapping[str, Any], catalog: Catalog) -> Asked:
    """A request to a hosted model; nothing is sent.

    Args:
        card: the model.
        values: what is asked, by the vendor's field names; a picture by the path of its file, or
            where the field allows it, by its address.
        catalog: the other hosted models.

    Raises:
        ToolFailed: a value or a picture cannot be taken, or the model is not hosted by Black Forest
            Labs; the message names it.
    """
    endpoint = endpoint_of(card)
    for name in values:
        if name in endpoint.fields and name.startswith("webhook_"):
            # Requests are kept in the database, where a secret must not be.
            raise ToolFailed(
                f"{name} belongs to the account and not to a request. Leave it out here."
            )
    checked = check(endpoint, values)
    for name, value in checked.items():
        if isinstance(value, str) and without_keys(value) != value:
            raise ToolFailed(
                f"{name} holds what looks like an API key. Take it out; it would be kept and sent."
            )
    price = predicted(card, checked, shapes(endpoint, checked), catalog)
    return Asked(card.id, endpoint, checked, price, _in_flight(card))


def agree(asked: Asked, agreement: Agreement, count: int = 1) -> None:
    """Asks before money is spent.

    Args:
        asked: what is wanted.
        agreement: what the person has agreed to.
        count: how many of them are wanted.

    Raises:
        NeedsConsent: they may cost more than was agreed to.
    """
    most = round(count * asked.price.most, 6)
    if most <= agreement.usd:
        return
    what = "This request is" if count == 1 else f"These {count} requests are"
    raise NeedsConsent(
        f"{what} paid: {_sum(asked.price, count)} ({asked.price.words}). Shall I?",
        f"Yes, spend up to {dollars(most)}",
        replace(agreement, usd=most),
    )


def _sum(price: Price, count: int) -> str:
    most = dollars(round(count * price.most, 6))
    if price.usd is None:
        return f"how much is told afterwards, and {most} is set aside"
    if price.usd == price.most:
        return most
    return f"about {dollars(round(count * price.usd, 6))}, and at most {most}"


def _in_flight(card: Card) -> int:
    found = [c.value for c in card.claims if c.property == "concurrency" and c.truth == c.value]
    return min((int(most) for most in found), default=MOST)
