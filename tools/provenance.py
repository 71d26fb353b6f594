"""Content Credentials: a signed statement in a picture's file that a model made it.

The standard is C2PA 2 (https://spec.c2pa.org); its library, c2pa-python, comes with the extra
`provenance`. A process signs with one identity, set at its start, or not at all. A time stamp would
need the network, so there is none: a statement is good for as long as its certificate.
"""

import io
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.base import ToolFailed
from tools.program import NAME, program_version
from tools.recipe_values import Recipe

_SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_MADE, _CHANGED = "trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"


class CannotSign(ToolFailed):
    """The certificate, its key or the library is missing or wrong; worded for the person."""


@dataclass(frozen=True)
class Identity:
    """Who signs.

    Attributes:
        certificate: PEM file of the certificate and those above it, its own first.
        key: PEM file of its private key, without a password.
    """

    certificate: Path
    key: Path


_identities: list[Identity] = []  # of this process: none or one


def use(identity: Identity | None) -> None:
    """Signs every picture that this process writes from here on; none ends it.

    Raises:
        CannotSign: a file or the library is missing, or a trial shows that they do not fit.
    """
    _identities.clear()
    if identity:
        from PIL import Image

        dot = io.BytesIO()
        Image.new("L", (1, 1)).save(dot, "PNG")
        _sign(identity, dot.getvalue(), "PNG", Recipe(prompt="a trial"))
        _identities.append(identity)


def signed(data: bytes, kind: str, made: Recipe) -> bytes:
    """A picture's file with a statement of how it was made; as it is if nobody signs.

    Args:
        data: the file.
        kind: PNG, JPEG or WEBP.
        made: how it was made.

    Raises:
        CannotSign: the certificate has run out, or a file is gone.
    """
    return _sign(_identities[0], data, kind, made) if _identities else data


def _sign(identity: Identity, data: bytes, kind: str, made: Recipe) -> bytes:
    try:
        import c2pa
    except ImportError:
        raise CannotSign(
            "Pictures are to be signed, but c2pa-python is not installed: "
            'uv pip install "fitting-room[provenance]".'
        ) from None
    chain, key = _read(identity.certificate), _read(identity.key)
    info = c2pa.C2paSignerInfo(_algorithm(identity.key, key), chain, key, None)
    mime, file = f"image/{kind.lower()}", io.BytesIO()
    claim = json.dumps(_claim(mime, made))
    try:
        with c2pa.Signer.from_info(info) as signer, c2pa.Builder(claim) as builder:
            builder.sign(signer, mime, io.BytesIO(data), file)
    except c2pa.C2paError as error:
        raise CannotSign(
            f"The certificate {identity.certificate} and the key {identity.key} cannot sign a "
            f"picture: {error}. C2PA wants a certificate for signing documents, with those above "
            "it in the same file."
        ) from None
    return file.getvalue()


def _claim(mime: str, made: Recipe) -> dict[str, Any]:
    action = {
        "action": "c2pa.created",
        "digitalSourceType": _SOURCE + (_CHANGED if made.mode else _MADE),
        "softwareAgent": {"name": made.model or NAME},
    }
    return {
        "claim_generator_info": [{"name": NAME, "version": program_version()}],
        "format": mime,
        "assertions": [{"label": "c2pa.actions", "data": {"actions": [action]}}],
    }


def _read(path: Path) -> bytes:
    with suppress(OSError):
        return path.read_bytes()
    raise CannotSign(f"{path} is not there or cannot be read; pictures are to be signed with it.")


def _algorithm(path: Path, key: bytes) -> bytes:
    """The algorithm that goes with a private key, as C2PA names it."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    with suppress(ValueError, TypeError):
        found = load_pem_private_key(key, None)
        if isinstance(found, ec.EllipticCurvePrivateKey):
            return {256: b"es256", 384: b"es384", 521: b"es512"}[found.key_size]
        if isinstance(found, ed25519.Ed25519PrivateKey):
            return b"ed25519"
        if isinstance(found, rsa.RSAPrivateKey):
            return b"ps256"
    raise CannotSign(f"{path} holds no private key of a kind that C2PA signs with, in PEM.")
