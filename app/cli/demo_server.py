"""The server that the demonstration sends its messages to, and that stays when all is done."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from types import FrameType

from privacy.errors import Conflict, Unavailable

READY_SECONDS = 120
STOP_SECONDS = 30


def check_free(host: str, port: int) -> None:
    """Raises Conflict where somebody listens already."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((host, port))
        except OSError:
            raise Conflict(
                f"port {port} is in use: name another with --port (or make run PORT={port + 1})", code="port_taken", field="port"
            ) from None


class Processes:
    """Server and worker, each a process of its own; `stop` ends them, however the demonstration ends."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._children: list[subprocess.Popen[bytes]] = []
        signal.signal(signal.SIGTERM, _ended)

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """A command of ours as a process."""
        child = subprocess.Popen([sys.executable, "-m", "app.cli", *words], stderr=subprocess.DEVNULL)  # noqa: S603 (our own module)
        self._children.append(child)
        return child

    def serve(self) -> None:
        """Starts the server. It needs no worker before the data are in."""
        self.server = self.start("serve", "--host", self._host, "--port", str(self._port), "--no-worker")

    def wait_until_ready(self) -> None:
        """Raises Unavailable where the server does not come up."""
        ends = time.monotonic() + READY_SECONDS
        while time.monotonic() < ends and self.server.poll() is None:
            with suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection(self._host, self._port, timeout=5)
                connection.request("GET", "/readyz")
                answer = connection.getresponse()
                answer.read()
                connection.close()
                if answer.status == 200:
                    return
            time.sleep(0.1)
        raise Unavailable("the server did not start: try `piying serve` to see why", code="demo_not_served")

    def stay(self) -> None:
        """Until the server ends, or somebody ends us."""
        self.server.wait()

    def stop(self) -> None:
        """Asks every child to end, and insists after half a minute."""
        for child in self._children:
            child.terminate()
        for child in self._children:
            try:
                child.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()


def _ended(number: int, frame: FrameType | None) -> None:
    """Ends by an exception, so that the children are ended, too."""
    raise SystemExit(128 + number)
