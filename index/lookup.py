"""What a tool may ask of the index."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from index.evidence import Fact

if TYPE_CHECKING:  # `--help` must not wait for what they import
    from index.names import Names
    from index.ranker import Ranked
    from index.replies import Reply
    from index.search import Hit
    from index.topics import Topic


class Index(Protocol):
    """Where a tool looks things up by name and by meaning."""

    @property
    def names(self) -> "Names":
        """Finds systems by name."""
        ...

    def named(self, text: str) -> tuple[str, ...]:
        """Ids of the systems that a text names, in order."""
        ...

    def rank(
        self, text: str, find: Callable[[str], Sequence[Fact]], only: Sequence[str] = ()
    ) -> "Sequence[Ranked]":
        """Facts of the systems that a question may be about, the one that answers it best first."""
        ...

    def reply(self, text: str) -> "tuple[Reply, float]":
        """What is said to the way of asking about the assistant nearest to a text; its cosine."""
        ...

    def topic(self, text: str, before: str = "") -> "Topic":
        """What a message is after, said after the step and the words before it."""
        ...

    def search(self, text: str, k: int = 10) -> "Sequence[Hit]":
        """The best `k` cards, capabilities and tools for a text."""
        ...
