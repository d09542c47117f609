"""TLS in front of the mock broker, which speaks none itself: certificates made for the test, and a proxy that ends TLS.

The proxy answers under its own port: in what brokers say about themselves it puts that in the place of theirs.
"""

from __future__ import annotations

import datetime
import ipaddress
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LOOPBACK = b"127.0.0.1"


def certify(folder: Path) -> tuple[Path, Path]:
    """(certificate, its key) of this machine's loopback address, signed by itself: authority and server in one."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "brokers of a test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "ca.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return certificate, private


@contextmanager
def sealed(brokers: str, certificate: Path, key: Path) -> Iterator[int]:
    """The port of a proxy that ends TLS in front of the brokers."""
    host, _, port = brokers.partition(",")[0].rpartition(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with (
                suppress(OSError),  # whoever does not trust us hangs up
                context.wrap_socket(self.request, server_side=True) as outer,
                socket.create_connection((host, int(port))) as inner,
            ):
                up = threading.Thread(target=_pump, args=(outer, inner), daemon=True)
                up.start()
                _frames(inner, outer, int(port), self.server.server_address[1])

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while block := source.recv(65536):
            target.sendall(block)
        target.shutdown(socket.SHUT_WR)


def _frames(source: socket.socket, target: socket.socket, port: int, own: int) -> None:
    """Whole answers, each with the brokers' port behind their host replaced by ours."""
    read = source.makefile("rb")
    while len(size := read.read(4)) == 4:
        body = read.read(struct.unpack(">i", size)[0])
        body = body.replace(LOOPBACK + struct.pack(">i", port), LOOPBACK + struct.pack(">i", own))
        target.sendall(size + body)
