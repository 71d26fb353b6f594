"""Who asks Black Forest Labs, and how long it may take."""

from dataclasses import dataclass

from pydantic import SecretStr

from tools.engines.bfl.hosts import Hosts
from tools.remote import Pace

_POLLING = Pace()


@dataclass(frozen=True)
class Webhook:
    """Where the vendor is to tell that a task has ended.

    Attributes:
        url: address of http or https.
        secret: with which it signs what it tells; none for no signature.
    """

    url: str
    secret: SecretStr | None = None


@dataclass(frozen=True)
class Waits:
    """How long things may take, in seconds.

    Attributes:
        connect: until there is a connection.
        silence: between two signs of life of one call.
        answer: of a whole call that starts or asks after a task; a stop waits for it.
        picture: of fetching a picture.
        busy: before each further try while too many tasks are in flight; longer by up to a
            quarter, by chance, and as long as the vendor asks for, up to `longest`.
        longest: before a further try.
        unseen: after the start of a task, in which it may not be found yet.
        lifetime: of a result, after which its address is dead.
        polling: how often a task is asked after.
    """

    connect: float = 10.0
    silence: float = 30.0
    answer: float = 60.0
    picture: float = 90.0
    busy: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0)
    longest: float = 30.0
    unseen: float = 30.0
    lifetime: float = 600.0
    polling: Pace = _POLLING


@dataclass(frozen=True)
class Account:
    """Who asks, and where.

    Attributes:
        key: of the API; shows itself as asterisks.
        hosts: where Black Forest Labs is asked.
        webhook: where it is to tell that a task has ended; none for nowhere.
        waits: how long things may take.
    """

    key: SecretStr
    hosts: Hosts = Hosts()  # noqa: RUF009 - frozen
    webhook: Webhook | None = None
    waits: Waits = Waits()
