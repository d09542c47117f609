"""`piying serve` and `worker`: two kinds of processes on the same stores."""

from __future__ import annotations

import subprocess
import sys

import click

from app.cli.opening import opened


@click.command("serve")
@click.option("--port", type=int, help="Default: server.port of the settings.")
@click.option("--host", help="Default: server.host of the settings.")
@click.option("--workers", type=int, help="Processes; default: server.workers of the settings.")
@click.option("--no-worker", is_flag=True, help="Do not start a worker beside the server.")
def serve_command(port: int | None, host: str | None, workers: int | None, no_worker: bool) -> None:
    """Serve the endpoints and the API; starts a worker process of its own beside the server."""
    from granian import Granian
    from granian.constants import Interfaces

    services = opened(serving=True)
    server = services.settings.server
    services.close()
    worker = None if no_worker else subprocess.Popen([sys.executable, "-m", "app.cli", "worker"])
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
            blocking_threads=4,
            respawn_failed_workers=True,
            log_enabled=False,
        ).serve()
    finally:
        if worker is not None:
            worker.terminate()
            worker.wait(timeout=30)


@click.command("worker")
@click.option("--once", is_flag=True, help="Do what is due now, then stop.")
def worker_command(once: bool) -> None:
    """Do queued and scheduled work until stopped."""
    from app.worker import work

    work(opened(), once=once)
