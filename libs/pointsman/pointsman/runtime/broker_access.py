"""How every client of the broker is let in: TLS and SASL, as the settings say. One place, for all kinds of client."""

import ssl
from pathlib import Path
from typing import Any

from pointsman.runtime.login import read_password
from pointsman.runtime.settings import RuntimeSettings


def access_of(settings: RuntimeSettings) -> dict[str, Any]:
    """The arguments of aiokafka's clients: producer, consumer and admin take the same.

    Files are read at each call, so that a renewed certificate or password counts at the next connection. Raises
    `ValueError`, which names the setting, when something is missing or cannot be read.
    """
    given: dict[str, Any] = {"security_protocol": settings.broker_security.upper()}
    if settings.broker_security.endswith("ssl"):
        given["ssl_context"] = _tls(settings)
    if settings.broker_security.startswith("sasl"):
        if settings.broker_username is None or settings.broker_password_file is None:
            raise ValueError(
                f"POINTSMAN_BROKER_SECURITY={settings.broker_security} needs POINTSMAN_BROKER_USERNAME and "
                "POINTSMAN_BROKER_PASSWORD_FILE"
            )
        if settings.broker_sasl_mechanism == "PLAIN" and settings.broker_security == "sasl_plaintext":
            raise ValueError("POINTSMAN_BROKER_SASL_MECHANISM=PLAIN sends the password: it needs sasl_ssl")
        given |= {
            "sasl_mechanism": settings.broker_sasl_mechanism,
            "sasl_plain_username": settings.broker_username,
            "sasl_plain_password": _password(settings.broker_password_file),
        }
    return given


def _tls(settings: RuntimeSettings) -> ssl.SSLContext:
    """Verifies the broker's certificate and that it is for the name by which the broker is called."""
    try:
        context = ssl.create_default_context(cafile=settings.broker_ca_file)
    except OSError as error:
        raise ValueError(f"POINTSMAN_BROKER_CA_FILE={settings.broker_ca_file}: {error}") from error
    if settings.broker_certificate_file is not None:
        try:
            context.load_cert_chain(settings.broker_certificate_file, settings.broker_certificate_key_file)
        except OSError as error:
            raise ValueError(
                f"POINTSMAN_BROKER_CERTIFICATE_FILE={settings.broker_certificate_file}: {error}"
            ) from error
    return context


def _password(path: Path) -> str:
    try:
        found = read_password(path)
    except OSError as error:
        raise ValueError(f"POINTSMAN_BROKER_PASSWORD_FILE={path}: {error.strerror}") from error
    if not found:
        raise ValueError(f"POINTSMAN_BROKER_PASSWORD_FILE={path} is empty")
    return found
