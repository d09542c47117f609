"""An endpoint that parses JSON and answers: what the benchmark of the real one is compared with."""

from __future__ import annotations

import sys

import orjson
from flask import Flask, request


def create_app() -> Flask:
    """The application."""
    app = Flask("parse_only", static_folder=None)

    @app.get("/healthz")
    def healthz() -> dict[str, bool]:
        return {"ok": True}

    @app.post("/v1/batch")
    def batch() -> dict[str, bool]:
        orjson.loads(request.get_data(cache=False))
        return {"success": True}

    return app


if __name__ == "__main__":
    from granian import Granian
    from granian.constants import Interfaces

    Granian(
        "tests.benchmarks.parse_only:create_app",
        address="127.0.0.1",
        port=int(sys.argv[1]),
        workers=int(sys.argv[2]),
        interface=Interfaces.WSGI,
        factory=True,
        blocking_threads=4,
        log_enabled=False,
    ).serve()
