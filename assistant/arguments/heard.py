"""Everything that the arguments of one step are read from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assistant.conversation import Attachment, Past, Step
from assistant.router import Reading
from index.gloss import Gloss


@dataclass(frozen=True)
class Heard:
    """A part of a question, as it was read, and what is there beside it.

    Attributes:
        gloss: the words of this part.
        reading: what the network makes of them.
        files: what came with the question.
        past: the turns before.
        steps: the steps of this plan so far.
        carried: arguments of the last step, if this one is that step once more.
        kin: the classifiers of the families that are named.
    """

    gloss: Gloss
    reading: Reading
    files: Sequence[Attachment]
    past: Past
    steps: Sequence[Step]
    carried: Mapping[str, Any]
    kin: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The plain English words."""
        return self.gloss.text

    @property
    def systems(self) -> tuple[str, ...]:
        """The systems named, in order, each once."""
        return tuple(dict.fromkeys(mention.system for mention in self.gloss.mentions))
