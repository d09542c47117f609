"""A recipient of our own: an HTTPS server on this machine that keeps what it gets and answers as it is told.

Promise: it speaks real TLS with a certificate that signs itself, and applies what it gets to a list of its own, once a key, as a platform does.
"""

from __future__ import annotations

import datetime as dates
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

HOST = "push.partner.example"


@dataclass(frozen=True, slots=True)
class Answer:
    """What it says next. `drip` sends one byte of a header each so many seconds, without end; `silent` never answers."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    drip: float = 0.0
    silent: bool = False


@dataclass
class Receiver:
    """What it answers in turn (the last one stays), and what it got."""

    answers: list[Answer] = field(default_factory=lambda: [Answer()])
    got: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    members: set[str] = field(default_factory=set)
    removed: list[str] = field(default_factory=list)
    port: int = 0
    certificate: Path = Path()
    ending: threading.Event = field(default_factory=threading.Event)

    def take(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """Keeps a request; what is accepted is applied once a key."""
        self.got.append((method, path, headers, body))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        key = headers.get("Idempotency-Key", "")
        if 200 <= answer.status < 300 and key not in self.keys and headers.get("Content-Type") == "application/json":
            self.keys.add(key)
            rows = [row[0] for row in json.loads(body).get("payload", {}).get("data", [])] if body.startswith(b'{"payload":{') else []
            if method == "DELETE":
                self.removed += rows
                self.members -= set(rows)
            else:
                self.members |= set(rows)
        return answer


@contextmanager
def receiver(folder: Path, host: str = HOST) -> Iterator[Receiver]:
    """A recipient that listens on a free port of this machine."""
    told = Receiver(certificate=certificate(folder, host))

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            answer = told.take(self.command, self.path, dict(self.headers), self.rfile.read(length))
            if answer.silent:
                told.ending.wait(60)
                return
            if answer.drip:
                self._drip(answer.drip)
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            with suppress(OSError):  # whoever asked reads no more than it wants
                self.wfile.write(answer.body)

        def _drip(self, pause: float) -> None:
            try:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                until = time.monotonic() + 60
                while time.monotonic() < until and not told.ending.wait(pause):
                    self.wfile.write(b"x")
            except OSError:
                self.close_connection = True

        do_POST = do_PUT = do_PATCH = do_DELETE = do_GET = answer

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(told.certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    told.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        told.ending.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


def certificate(folder: Path, name: str) -> Path:
    """A certificate that signs itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    today = dates.datetime.now(dates.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - dates.timedelta(days=1))
        .not_valid_after(today + dates.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path
