"""How clients of the broker are let in: what is missing is named."""

from pathlib import Path
from typing import Any

import pytest

from pointsman.runtime.broker_access import access_of
from pointsman.runtime.settings import RuntimeSettings


def test_without_settings_nothing_is_asked_for() -> None:
    assert access_of(RuntimeSettings()) == {"security_protocol": "PLAINTEXT"}


def test_a_password_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret\n")
    given: dict[str, Any] = {"broker_username": "pointsman", "broker_password_file": tmp_path / "password"}
    access = access_of(RuntimeSettings(broker_security="sasl_plaintext", **given))
    assert access == {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "pointsman",
        "sasl_plain_password": "secret",
    }


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"broker_security": "sasl_ssl"}, "POINTSMAN_BROKER_USERNAME"),
        ({"broker_security": "ssl", "broker_ca_file": Path("/nonexistent")}, "POINTSMAN_BROKER_CA_FILE"),
        ({"broker_security": "ssl", "broker_certificate_file": Path("/none")}, "POINTSMAN_BROKER_CERTIFICATE_FILE"),
        (
            {"broker_security": "sasl_ssl", "broker_username": "p", "broker_password_file": Path("/none")},
            "POINTSMAN_BROKER_PASSWORD_FILE",
        ),
        (
            {
                "broker_security": "sasl_plaintext",
                "broker_sasl_mechanism": "PLAIN",
                "broker_username": "p",
                "broker_password_file": Path("/dev/null"),
            },
            "sends the password",
        ),
        (
            {"broker_security": "sasl_ssl", "broker_username": "p", "broker_password_file": Path("/dev/null")},
            "is empty",
        ),
    ],
)
def test_what_is_missing_is_named(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        access_of(RuntimeSettings(**changes))
