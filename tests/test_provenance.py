"""Pictures signed with a certificate: read back by the standard's own library, and refused."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import c2pa
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import Image

from assistant.ask import call
from assistant.conversation import Question
from assistant.settings import Settings, SettingsError
from assistant.wiring import open_assistant
from tools import provenance, recipe
from tools.base import Image as Picture
from tools.provenance import CannotSign, Identity

MADE = recipe.Recipe(prompt="a red star", model="pocket-flux", seed=7)
KEYS: dict[str, Callable[[], Any]] = {
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "RSA": lambda: rsa.generate_private_key(65537, 2048),
}


def _certificate(subject: str, key: Any, issuer: str, above: Any, *, days: int = 30) -> bytes:
    """A certificate in PEM; it signs others if it is its own issuer."""
    root, now = subject == issuer, datetime.now(UTC)
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
         "encipher_only", "decipher_only"), False,
    )  # fmt: skip

    def named(name: str) -> x509.Name:
        told = ((NameOID.ORGANIZATION_NAME, "A studio"), (NameOID.COMMON_NAME, name))
        return x509.Name([x509.NameAttribute(*one) for one in told])

    built = (
        x509.CertificateBuilder()
        .subject_name(named(subject))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(root, None), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=True, key_cert_sign=root, crl_sign=root, **usage),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(above.public_key()), critical=False
        )
    )
    if not root:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        built = built.add_extension(purpose, critical=False)
    signed: bytes = built.sign(above, hashes.SHA256()).public_bytes(Encoding.PEM)
    return signed


def identity(folder: Path, kind: str = "P-256", days: int = 30) -> Identity:
    """A certificate with the one above it, and its key."""
    above, key = KEYS["P-256"](), KEYS[kind]()
    chain = _certificate("signer", key, "root", above, days=days)
    chain += _certificate("root", above, "root", above)
    (folder / "chain.pem").write_bytes(chain)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(secret)
    return Identity(folder / "chain.pem", folder / "key.pem")


@pytest.fixture(autouse=True)
def _nobody() -> Iterator[None]:
    yield
    provenance.use(None)


def statement(path: Path) -> dict[str, Any]:
    with c2pa.Reader(path) as reader:
        told: dict[str, Any] = json.loads(reader.json())
    return told


def faults(told: dict[str, Any]) -> set[str]:
    """What is wrong with it; nobody trusts the root that the test has made."""
    return {one["code"] for one in told["validation_status"]} - {"signingCredential.untrusted"}


@pytest.mark.parametrize("kind", KEYS)
def test_a_picture_says_that_a_model_made_it(tmp_path: Path, kind: str) -> None:
    provenance.use(identity(tmp_path, kind))
    for ending in ("png", "jpg", "webp"):
        path = tmp_path / f"picture.{ending}"
        recipe.write(Image.new("RGB", (64, 64), "red"), path, MADE)
        told = statement(path)
        claim = told["manifests"][told["active_manifest"]]
        action = claim["assertions"][0]["data"]["actions"][0]
        assert action["digitalSourceType"].endswith("/trainedAlgorithmicMedia")
        assert action["softwareAgent"]["name"] == "pocket-flux"
        assert claim["claim_generator_info"][0]["name"] == "Fitting Room"
        assert claim["signature_info"]["common_name"] == "signer"
        assert faults(told) == set()
        assert recipe.read(path) == MADE


def test_a_change_is_noticed(tmp_path: Path) -> None:
    provenance.use(identity(tmp_path))
    path = tmp_path / "picture.png"
    recipe.write(Image.effect_noise((64, 64), 60), path, MADE)
    data = bytearray(path.read_bytes())
    data[-40] ^= 1  # a pixel, compressed
    path.write_bytes(data)
    assert faults(statement(path)) == {"assertion.dataHash.mismatch"}


def test_what_is_drawn_is_signed(settings: Settings, tmp_path: Path) -> None:
    who = identity(tmp_path)
    told = {"provenance_certificate": who.certificate, "provenance_key": who.key}
    with closing(open_assistant(settings.model_copy(update=told))) as assistant:
        wanted = {"prompt": MADE.prompt, "steps": 1}
        *_, answer = call(assistant, "generate", wanted, Question(MADE.prompt))
    drawn = [block for block in answer.blocks if isinstance(block, Picture)]
    assert [faults(statement(one.path)) for one in drawn] == [set()]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda who: who.certificate.unlink(), "chain.pem is not there"),
        (lambda who: who.key.unlink(), "key.pem is not there"),
        (lambda who: who.key.write_text("no key"), "key.pem holds no private key"),
        (lambda who: who.certificate.write_text("none"), "cannot sign a picture"),
    ],
)
def test_what_cannot_sign_is_told_at_the_start(tmp_path: Path, spoil: Any, says: str) -> None:
    who = identity(tmp_path)
    spoil(who)
    with pytest.raises(CannotSign, match=says):
        provenance.use(who)


def test_a_certificate_that_has_run_out(tmp_path: Path) -> None:
    with pytest.raises(CannotSign, match=r"cannot sign a picture: .*not valid at time of signing"):
        provenance.use(identity(tmp_path, days=-1))


def test_half_an_identity(settings: Settings, tmp_path: Path) -> None:
    half = settings.model_copy(update={"provenance_key": tmp_path / "key.pem"})
    with pytest.raises(SettingsError, match="PROVENANCE_CERTIFICATE is not set"):
        open_assistant(half)


def test_nobody_signs_by_default(tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.new("L", (8, 8)).save(file, "PNG")
    assert provenance.signed(file.getvalue(), "PNG", MADE) == file.getvalue()
