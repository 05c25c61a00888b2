"""Is a receiver's certificate held to the name it was registered under, though its checked address is asked?"""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from casework.outbox import sending

OURS = "hooks.example.org"
ADDRESS = "127.0.0.1"
_Signed = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def certificate(name: str, by: _Signed | None = None) -> _Signed:
    """One for this host, signed by an authority, or an authority's own; with all that the strictest checks ask for."""
    key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer, signing = (by[0].subject, by[1]) if by else (subject, key)
    usage = x509.KeyUsage(True, False, False, False, False, by is None, by is None, False, False)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False
        )
    )
    if by:
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        made = made.add_extension(names, critical=False)
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return made.sign(signing, hashes.SHA256()), key


def in_file(path: Path, signed: _Signed) -> Path:
    key = signed[1].private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(signed[0].public_bytes(serialization.Encoding.PEM) + key)
    return path


class Answering(BaseHTTPRequestHandler):
    heard: list[str]

    def do_POST(self) -> None:
        self.heard.append(self.headers["host"])
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is said of a test's requests."""


@contextmanager
def receiving(signed: Path) -> Iterator[tuple[int, list[str]]]:
    """A receiver behind TLS on the loopback: its port, and the hosts that it was asked as."""
    heard: list[str] = []
    server = HTTPServer((ADDRESS, 0), type("Receiver", (Answering,), {"heard": heard}))
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(signed)
    # The handshake is left to whoever reads first, where one that is broken off is an answer to one request alone.
    server.socket = own.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port, heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def authority() -> _Signed:
    return certificate("an authority")


@pytest.fixture
def tls(authority: _Signed, tmp_path: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=in_file(tmp_path / "authority.pem", authority))


def asked(tls: ssl.SSLContext, port: int) -> tuple[bool, str]:
    request = httpx.Request("POST", f"https://{OURS}:{port}/fraud", content=b"{}")
    return asyncio.run(sending.asked(tls, request, ADDRESS))


def test_the_address_is_asked_and_the_certificate_is_held_to_the_name(
    authority: _Signed, tls: ssl.SSLContext, tmp_path: Path
) -> None:
    with receiving(in_file(tmp_path / "own.pem", certificate(OURS, authority))) as (port, heard):
        assert asked(tls, port) == (True, "204 No Content")
    assert heard == [f"{OURS}:{port}"]


def test_whoever_is_at_the_address_with_anothers_certificate_hears_nothing(
    authority: _Signed, tls: ssl.SSLContext, tmp_path: Path
) -> None:
    own = in_file(tmp_path / "own.pem", certificate("elsewhere.example.org", authority))
    refused = pytest.raises(httpx.ConnectError, match="Hostname mismatch")
    with receiving(own) as (port, heard), refused:
        asked(tls, port)
    assert heard == []


def test_a_certificate_that_no_known_authority_signed_is_refused(tls: ssl.SSLContext, tmp_path: Path) -> None:
    unknown = certificate("nobody's authority")
    refused = pytest.raises(httpx.ConnectError, match="certificate verify failed")
    with receiving(in_file(tmp_path / "own.pem", certificate(OURS, unknown))) as (port, heard), refused:
        asked(tls, port)
    assert heard == []
