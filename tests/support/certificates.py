"""A certificate authority that nobody knows, and a door with its certificate in front of any server of a test.

The door ends TLS and hands the bytes on to a port of 127.0.0.1: what stands behind it need not know.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_PATIENCE_SECONDS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """Files in PEM: the authority's own certificate, and one of a server with its key."""

    certificate: Path
    server: Path
    key: Path


def authority(folder: Path, *hosts: str) -> Authority:
    """A new authority, and a certificate of 127.0.0.1 and of these host names."""
    ours, theirs = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = _certificate("Acme private CA", ours, signed_by=None)
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1")), *map(x509.DNSName, hosts)])
    server = _certificate("server", theirs, signed_by=(root, ours), names=names)
    made = Authority(certificate=folder / "ca.pem", server=folder / "server.pem", key=folder / "server.key")
    folder.mkdir(parents=True, exist_ok=True)
    made.certificate.write_bytes(root.public_bytes(serialization.Encoding.PEM))
    made.server.write_bytes(server.public_bytes(serialization.Encoding.PEM))
    made.key.write_bytes(
        theirs.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return made


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    *,
    signed_by: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None,
    names: x509.SubjectAlternativeName | None = None,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer, signer = (signed_by[0].subject, signed_by[1]) if signed_by else (subject, key)
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=signed_by is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(_usage(signs=signed_by is None), critical=True)
    )
    if names is not None:
        builder = builder.add_extension(names, critical=False)
    return builder.sign(signer, hashes.SHA256())


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


@dataclass(slots=True)
class Door:
    """A port that speaks TLS. `came` counts connections whose handshake went through."""

    port: int
    came: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"


@contextmanager
def door(made: Authority, behind: int) -> Iterator[Door]:
    """TLS in front of a port of 127.0.0.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.server, made.key)

    class Connection(BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError), context.wrap_socket(self.request, server_side=True) as client:
                opened.came.append(str(client.version()))
                with socket.create_connection(("127.0.0.1", behind), _PATIENCE_SECONDS) as server:
                    both_ways(client, server)

    with Listener(("127.0.0.1", 0), Connection) as listener:
        opened = Door(port=listener.server_address[1])
        with served(listener):
            yield opened


class Listener(ThreadingTCPServer):
    """A thread for each connection, none of which keeps the test from ending."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64


@contextmanager
def served(listener: ThreadingTCPServer) -> Iterator[None]:
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        listener.shutdown()
        thread.join()


def both_ways(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes between two connections until one of them ends."""
    back = threading.Thread(target=_carry, args=(other, one), daemon=True)
    back.start()
    _carry(one, other)
    back.join(_PATIENCE_SECONDS)


def _carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while part := source.recv(65536):
            target.sendall(part)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
