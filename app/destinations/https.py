"""Pushes a parcel to the recipient's interface over HTTPS.

Promise: the certificate and its name are checked, redirects are not followed, the connection goes to an address that was looked at; one
attempt is one request under the parcel's key, over in bounded time, and of the answer at most a few bytes are read and none kept. Nobody's
value and no secret is in the path, a log or a code. Transport only: it must never learn what it carries.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from app.outbound import Address, Guard, Resolve
from privacy.carriage import Parcel, Sent
from privacy.errors import PiyingError, Refused
from privacy.records import Clock

SECONDS = 10.0
"""Of one wait for the recipient; the whole attempt ends within five of them, well inside its lease."""
MOST_BYTES = 65_536
_LATER = frozenset({408, 409, 423, 425, 429, 500, 502, 503, 504, 507, 521, 522, 523, 524})


@dataclass(frozen=True, slots=True)
class Push:
    """One recipient's interface. `headers` may carry its token; they are never shown."""

    address: Address
    guard: Guard
    resolve: Resolve
    clock: Clock
    context: ssl.SSLContext = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    seconds: float = SECONDS
    monotonic: Callable[[], float] = time.monotonic

    def look(self, key: str, name: str) -> Sent | None:
        """Nobody can tell: it is sent again under its key."""
        return None

    def send(self, parcel: Parcel) -> Sent:
        """One attempt."""
        try:
            secure = self._opened()
        except Refused as error:
            return Sent("refused", error.code, reached=False)
        except PiyingError as error:
            return Sent("again", error.code, reached=False)
        except (OSError, http.client.HTTPException) as error:
            return Sent("again", _why(error), reached=False)
        with closing(secure):
            try:
                return self._exchanged(secure, parcel)
            except (OSError, http.client.HTTPException) as error:
                return Sent("again", _why(error))

    def _opened(self) -> ssl.SSLSocket:
        """A connection to an address that was looked at, to whoever has the certificate of the name."""
        raw = self._connected(self.guard.places(self.address, self.resolve))
        try:
            return self.context.wrap_socket(raw, server_hostname=self.address.host)
        except BaseException:  # also an interrupt: the socket does not stay open
            raw.close()
            raise

    def _exchanged(self, secure: ssl.SSLSocket, parcel: Parcel) -> Sent:
        """One request and its answer. A recipient that drips is hung up on: each of its bytes would begin the wait anew."""
        with socket.fromfd(secure.fileno(), secure.family, secure.type) as line:
            over = threading.Event()
            hang_up = threading.Timer(3 * self.seconds, _ended, [line, over])
            hang_up.daemon = True
            hang_up.start()
            try:
                sent = self._asked(secure, parcel)
            finally:
                hang_up.cancel()
        return Sent("again", "destination_slow") if over.is_set() else sent

    def _asked(self, secure: ssl.SSLSocket, parcel: Parcel) -> Sent:
        until = self.monotonic() + 2 * self.seconds
        connection = http.client.HTTPConnection(self.address.host, self.address.port)
        connection.sock = secure
        connection.request(parcel.method, self.address.path, parcel.body, self._headers(parcel))
        answer = connection.getresponse()
        left = MOST_BYTES
        while left > 0 and self.monotonic() < until and (piece := answer.read1(min(left, 8_192))):
            left -= len(piece)
        return self._sent(answer.status, answer.getheader("Retry-After"))

    def _connected(self, places: list[str]) -> socket.socket:
        failure: OSError = OSError()
        for place in places[:3]:
            try:
                return socket.create_connection((place, self.address.port), timeout=self.seconds / 3)
            except OSError as error:
                failure = error
        raise failure

    def _headers(self, parcel: Parcel) -> dict[str, str]:
        own = {
            "Content-Type": parcel.media,
            "Idempotency-Key": parcel.key,
            "Accept": "application/json",
            "User-Agent": "piying",
            "Connection": "close",
        }
        return {**self.headers, **own, **({"Piying-Signature": parcel.signature} if parcel.signature else {})}

    def _sent(self, status: int, retry_after: str | None) -> Sent:
        if 200 <= status < 300:
            return Sent("acknowledged", f"http_{status}")
        if status in _LATER:
            return Sent("again", f"http_{status}", self._seconds(retry_after))
        return Sent("refused", f"http_{status}")

    def _seconds(self, text: str | None) -> int | None:
        """Retry-After: seconds, or a date (RFC 9110 §10.2.3); what is neither says nothing."""
        if text is None:
            return None
        if text.strip().isascii() and text.strip().isdigit():
            return min(int(text.strip()[:9]), 10**8)
        try:
            moment = parsedate_to_datetime(text.strip())
        except (TypeError, ValueError):
            return None
        moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return max(0, round((moment - _utc(self.clock())).total_seconds()))


def _ended(line: socket.socket, over: threading.Event) -> None:
    over.set()
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)


def _why(error: Exception) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return "certificate_refused"
        case ssl.SSLError():
            return "tls_failed"
        case TimeoutError():
            return "destination_slow"
        case _:
            return "destination_unreachable"


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def trusting(extra: str | None = None) -> ssl.SSLContext:
    """What certificates are checked with: the machine's authorities, or a file of the deployment's own. TLS 1.2 at the least."""
    context = ssl.create_default_context(cafile=extra)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
