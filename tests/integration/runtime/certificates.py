"""Certificates of a test's own: an authority, and a server's for 127.0.0.1."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """Signs certificates; its own is `<folder>/<name>.pem`."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.file = folder / f"{name}.pem"
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        self._certificate = self._begin(self._name, self._key.public_key()).add_extension(constraints, critical=True)
        self.file.write_bytes(self._signed(self._certificate))

    def server(self, name: str, address: str = "127.0.0.1") -> tuple[Path, Path]:
        """(certificate, key) of a server that is called by this IP address; PEM, the key in PKCS 8 without password."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        called = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
        begun = self._begin(subject, key.public_key()).add_extension(called, critical=False)
        certificate, key_file = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        certificate.write_bytes(self._signed(begun))
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return certificate, key_file

    def _begin(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
        )

    def _signed(self, begun: x509.CertificateBuilder) -> bytes:
        return begun.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
