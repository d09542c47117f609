"""A shop's web page with a browser SDK on it, served from an origin of its own.

Promise: the page and the SDK's own files, nothing else; what is asked for is looked up in a list, not on the disk.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

MODULES = Path(__file__).parent / "node_modules"
SEGMENT = MODULES / "@segment" / "analytics-next" / "dist" / "umd"
RUDDERSTACK = MODULES / "@rudderstack" / "analytics-js" / "dist" / "npm" / "modern" / "bundled" / "umd" / "index.js"

PAGE = b"<!doctype html><html lang=en><head><meta charset=utf-8><title>A shop</title></head><body><script src='/sdk.js'></script></body></html>"


def scripts(client: str) -> dict[str, Path]:
    """What the page loads, by path: Segment's bundle fetches further parts of itself."""
    if client == "rudderstack":
        return {"/sdk.js": RUDDERSTACK}
    return {"/sdk.js": SEGMENT / "index.js"} | {f"/{part.name}": part for part in SEGMENT.glob("*.js")}


@contextmanager
def shop(client: str) -> Iterator[str]:
    """The origin of a page that carries a client."""
    files = scripts(client)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            found = PAGE if path == "/" else files[path].read_bytes() if path in files else None
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Type", "text/html" if path == "/" else "text/javascript")
            self.send_header("Content-Length", str(len(found or b"")))
            self.end_headers()
            self.wfile.write(found or b"")

        def log_message(self, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
