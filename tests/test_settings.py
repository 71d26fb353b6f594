"""Settings: flat, typed, and an unknown one is an error."""

from pathlib import Path

import pytest

from assistant.settings import SettingsError, load_settings


def test_defaults_and_environment(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("FITTING_ROOM_PORT", "7999")
    settings = load_settings()
    assert settings.port == 7999
    assert settings.home == home
    assert settings.device == "auto"
    assert settings.database.startswith("sqlite:///")


def test_an_unknown_setting_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FITTING_ROOM_COLOUR", "blue")
    with pytest.raises(SettingsError, match="FITTING_ROOM_COLOUR is not a setting"):
        load_settings()


def test_a_wrong_value_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FITTING_ROOM_DEVICE", "abacus")
    with pytest.raises(SettingsError, match="FITTING_ROOM_DEVICE is 'abacus'"):
        load_settings()
