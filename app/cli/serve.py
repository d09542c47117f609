"""`piying serve` and `worker`: two kinds of processes on the same stores."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import click

from app.cli.opening import opened

LONGEST_PAUSE_SECONDS = 60
STOP_SECONDS = 30


class Kept:
    """A child process that is started again when it ends, after pauses that grow while it keeps ending; `stop` ends it for good."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._stopping = threading.Event()
        self._child = subprocess.Popen(command)  # noqa: S603 (our own interpreter and module)
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        pause = 1
        while True:
            started = time.monotonic()
            self._child.wait()
            pause = 1 if time.monotonic() - started > LONGEST_PAUSE_SECONDS else min(pause * 2, LONGEST_PAUSE_SECONDS)
            if self._stopping.wait(pause):
                return
            self._child = subprocess.Popen(self._command)  # noqa: S603 (the same)

    def stop(self) -> None:
        """Asks the child to end, and insists after half a minute."""
        self._stopping.set()
        self._child.terminate()
        try:
            self._child.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()


@click.command("serve")
@click.option("--port", type=int, help="Default: server.port of the settings.")
@click.option("--host", help="Default: server.host of the settings.")
@click.option("--workers", type=int, help="Processes; default: server.workers of the settings.")
@click.option("--no-worker", is_flag=True, help="Do not start a worker beside the server.")
def serve_command(port: int | None, host: str | None, workers: int | None, no_worker: bool) -> None:
    """Serve the endpoints and the API; starts a worker process of its own beside the server."""
    from app.settings import home_folder

    _share_counters(home_folder())

    from granian import Granian
    from granian.constants import Interfaces

    services = opened(serving=True)
    server = services.settings.server
    services.close()
    worker = None if no_worker else Kept([sys.executable, "-m", "app.cli", "worker"])
    address, listens = host or server.host, port if port is not None else server.port
    click.echo(f"serving on http://{address}:{listens}", err=True)
    try:
        Granian(
            "app.factory:create_app",
            address=address,
            port=listens,
            interface=Interfaces.WSGI,
            factory=True,
            workers=workers or server.workers,
            blocking_threads=32,  # those who answer client keys mostly wait for the beat
            respawn_failed_workers=True,
            log_enabled=False,
        ).serve()
    finally:
        if worker is not None:
            worker.stop()


def _share_counters(home: Path) -> None:
    """A folder where all processes of this server count, emptied first. The library reads its name as it is imported, so this comes before."""
    if home.is_dir():
        folder = home / "metrics"
        folder.mkdir(mode=0o700, exist_ok=True)
        for old in folder.glob("*.db"):
            old.unlink(missing_ok=True)
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


@click.command("worker")
@click.option("--once", is_flag=True, help="Do what is due now, then stop.")
def worker_command(once: bool) -> None:
    """Do queued and scheduled work until stopped."""
    from app import logs
    from app.worker import work

    logs.hush()
    work(opened(), once=once)
