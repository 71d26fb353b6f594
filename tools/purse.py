"""With what a tool pays a provider: the key, the books, and what may be spent."""

from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr


@dataclass(frozen=True)
class Purse:
    """With what one step pays. Requests that have the same name are one request, paid once.

    Attributes:
        key: of Black Forest Labs; shows itself as asterisks; none if there is none.
        books: the `tools.remote.Books` in which tasks and their money are kept.
        step: with which the names of this step's requests begin; the same when it is run again
            after a crash or a stop.
        question: with which the names of all requests of one agreement begin.
        conversation: with which those of one conversation begin; empty if there is none.
        per_conversation: US dollars that a conversation may cost.
        per_day: US dollars that 24 hours may cost.
        region: where Black Forest Labs is asked.
        offline: whether the network must not be reached for.
        public: whether strangers use this installation.
        job: number of the job that pays; 0 if none.
    """

    key: SecretStr | None
    books: Any
    step: str
    question: str
    conversation: str
    per_conversation: float
    per_day: float
    region: str
    offline: bool
    public: bool
    job: int = 0
