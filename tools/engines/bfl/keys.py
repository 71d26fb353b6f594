"""Keys of providers: never shown, and cut out of texts that might hold one."""

import re

from pydantic import SecretStr

from tools.base import ToolFailed

DASHBOARD = "https://dashboard.bfl.ai"
_SHORTEST, _LONGEST = 8, 400  # characters
# A key has digits or is long; `hf_hub_download` and `bfl_openapi` are words.
_LIKE_A_KEY = re.compile(
    r"(?<![A-Za-z0-9])(?:bfl|hf)_(?:[A-Za-z0-9-]{20,}|(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{8,})"
)
REMOVED = "(key hidden)"  # "removed" would be heard as a wish to edit


def read_key(words: str) -> SecretStr:
    """A key as the person gave it; blanks around it are no part of it.

    Args:
        words: the key.

    Returns:
        An object that shows itself as asterisks.

    Raises:
        ToolFailed: it cannot be a key; the message does not repeat it.
    """
    key = words.strip()
    # A line break would end the header, and the library's error would repeat the key.
    plain = key.isascii() and key.isprintable() and " " not in key
    if not plain or not _SHORTEST <= len(key) <= _LONGEST:
        raise ToolFailed(
            "The API key of Black Forest Labs is too short, too long, or has characters that no "
            f"key has. Copy it again from {DASHBOARD}."
        )
    return SecretStr(key)


def without_keys(text: str, key: SecretStr | None = None) -> str:
    """A text without what looks like a key (`bfl_…`, `hf_…`).

    Args:
        text: anything.
        key: one more that must not stay, whatever it looks like.
    """
    if key is not None:
        text = text.replace(key.get_secret_value(), REMOVED)
    return _LIKE_A_KEY.sub(REMOVED, text)
