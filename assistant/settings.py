"""Settings: environment first, then `.env`, then the default; an unknown key is an error."""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, NonNegativeFloat, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from tools.provenance import Identity

PREFIX = "FITTING_ROOM_"
BFL_KEY = "BFL_API_KEY"  # as the vendor's own documents name it


class SettingsError(ValueError):
    """A setting that is unknown or has a wrong value; worded for the person."""


class Settings(BaseSettings):
    """Every setting, flat. Each is read from `FITTING_ROOM_<NAME>`.

    Attributes:
        home: folder for the database, runs, uploads and the saved index.
        database_url: SQLAlchemy address; empty means SQLite in `home`.
        device: auto, cpu, cuda or mps.
        host: address that the server listens on.
        port: port that the server listens on.
        audience: `public` allows only weights whose licence permits it, and tightens limits.
        offline: never reach for the network.
        memory_gib: memory that the process that runs models may take on a CPU; 0 means nine
            tenths of the machine's.
        usd_per_conversation: US dollars that hosted models may cost in one conversation.
        usd_per_day: US dollars that hosted models may cost in 24 hours.
        provenance_certificate: PEM file of the certificate that pictures are signed with (C2PA).
        provenance_key: PEM file of its private key.
        bfl_region: where Black Forest Labs is asked: global, eu, us, eu1 or us1; or the address of
            a server on this machine, for tests.
        bfl_api_key: key of Black Forest Labs, from `BFL_API_KEY`; shows itself as asterisks.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_file_encoding="utf-8",
        extra="forbid",
        frozen=True,
        populate_by_name=True,
    )

    home: Path = Path("~/.fitting-room")
    database_url: str = ""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    host: str = "127.0.0.1"
    port: int = 7860
    audience: Literal["local", "public"] = "local"
    offline: bool = False
    memory_gib: NonNegativeFloat = 0.0
    usd_per_conversation: NonNegativeFloat = 2.0
    usd_per_day: NonNegativeFloat = 10.0
    provenance_certificate: Path | None = None
    provenance_key: Path | None = None
    bfl_region: str = "global"
    bfl_api_key: SecretStr | None = Field(default=None, validation_alias=BFL_KEY)

    @field_validator("home", "provenance_certificate", "provenance_key")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return path and path.expanduser().resolve()

    @field_validator("bfl_api_key")
    @classmethod
    def _not_blank(cls, key: SecretStr | None) -> SecretStr | None:
        return key if key and key.get_secret_value().strip() else None

    @property
    def identity(self) -> Identity | None:
        """Who signs the pictures; None if nobody does.

        Raises:
            SettingsError: there is a certificate without a key, or a key without a certificate.
        """
        certificate, key = self.provenance_certificate, self.provenance_key
        if certificate and key:
            return Identity(certificate, key)
        if certificate or key:
            lacks = "KEY" if certificate else "CERTIFICATE"
            raise SettingsError(
                f"Pictures cannot be signed: {PREFIX}PROVENANCE_{lacks} is not set. Set both or "
                "neither."
            )
        return None

    @property
    def database(self) -> str:
        """The SQLAlchemy address of the database."""
        return self.database_url or f"sqlite:///{self.home / 'fitting-room.db'}"


def load_settings() -> Settings:
    """Reads the settings.

    Raises:
        SettingsError: a `FITTING_ROOM_` variable is unknown or has a wrong value.
    """
    named = {name for name, field in Settings.model_fields.items() if not field.validation_alias}
    known = {f"{PREFIX}{name}".upper() for name in named}
    for key in os.environ:
        if key.upper().startswith(PREFIX) and key.upper() not in known:
            raise SettingsError(f"{key} is not a setting. Known: {', '.join(sorted(known))}.")
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + str(first["loc"][0]).upper() if first["loc"] else PREFIX
        raise SettingsError(f"{name} is {first['input']!r}: {first['msg']}. Change it.") from None
