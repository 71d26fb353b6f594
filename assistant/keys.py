"""Keys that people type, each for one conversation; only ever in the memory of this process."""

import threading

from pydantic import SecretStr


class Keys:
    """The typed keys, by conversation, or by page load before it has one.

    Nothing here is written anywhere: with the process they are gone, and are asked for again.
    """

    def __init__(self) -> None:
        self._keys: dict[str, SecretStr] = {}
        self._lock = threading.Lock()

    def keep(self, place: str, key: SecretStr) -> None:
        """Keeps a key; an earlier one of the same place is forgotten.

        Args:
            place: id of a conversation, or of a page load.
            key: as it was read.
        """
        with self._lock:
            self._keys[place] = key

    def find(self, place: str) -> SecretStr | None:
        """The key of a conversation or a page load; none if none was typed."""
        with self._lock:
            return self._keys.get(place)

    def forget(self, place: str) -> SecretStr | None:
        """Takes a key away, and returns it; none if there is none."""
        with self._lock:
            return self._keys.pop(place, None)
