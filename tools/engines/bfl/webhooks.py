"""Checks that a webhook was sent by Black Forest Labs."""

import hashlib
import hmac

HEADER = "X-BFL-Signature"
_BEGINS = "sha256="


def is_signed(body: bytes, signature: str, secret: str) -> bool:
    """Whether a body was signed with our secret.

    Args:
        body: as it came, byte by byte.
        signature: the header `X-BFL-Signature`: `sha256=` and the HMAC-SHA256 in hex.
        secret: that was sent as `webhook_secret`; without one, nothing counts as signed.

    Returns:
        Whether it was; the time that this takes tells nothing of the signature.

    Source: the vendor's skill repository only, black-forest-labs/skills@d0793c8,
    references/webhook-integration.md.
    """
    if not secret or not signature.startswith(_BEGINS):
        return False
    right = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode()
    given = signature.removeprefix(_BEGINS).strip().lower().encode("utf-8", "replace")
    return hmac.compare_digest(right, given)
