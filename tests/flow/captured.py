"""Recorded requests of real clients, byte for byte; only the credential is another."""

from __future__ import annotations

import base64
import gzip
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from werkzeug.test import TestResponse

from tests.house import House, basic, bearer

CAPTURES = Path(os.environ.get("PIYING_CAPTURES", Path(__file__).parents[2] / ".." / "shared" / "captures"))
captured = pytest.mark.skipif(not CAPTURES.is_dir(), reason="captured requests are not here: set PIYING_CAPTURES")
ORIGIN = "http://localhost:8811"
"""The page that the browser clients were recorded on."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A request as it came over the wire."""

    at: datetime
    variant: str
    method: str
    path: str
    query: list[list[str]]
    headers: dict[str, str]
    raw: bytes
    items: int

    @property
    def name(self) -> str:
        return f"{self.variant} {self.method} {self.path}"


def recorded(client: str) -> Iterator[Recorded]:
    """Every request of a client, in its order."""
    for request in json.loads((CAPTURES / f"{client}.json").read_text(encoding="utf-8"))["requests"]:
        body = request["body"]
        raw = b"" if body is None else _raw(request, body)
        items = body.get("batch", body.get("data", [body])) if isinstance(body, dict) else []
        at = datetime.fromtimestamp(request["t"], UTC)
        yield Recorded(
            at, request["variant"], request["method"], request["path"], request["query"], request["headers"], raw, len(items) or 1
        )


def _raw(request: dict[str, Any], body: Any) -> bytes:
    """The recorded bytes; where the client did not compress, its own spelling of the JSON, known by its length."""
    candidates = [
        base64.b64decode(request.get("raw_body_base64") or b""),
        json.dumps(body).encode(),
        json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
        json.dumps(body, separators=(",", ":")).encode(),
        (body.get("_raw") or "").encode(),
    ]
    return next(one for one in candidates if len(one) == request["raw_bytes"])


def replay(house: House, request: Recorded, key: str) -> TestResponse:
    """The request at the time it was recorded, under another key: where the client put its own, in header, path, query or body."""
    house.clock.now = request.at
    headers = {name: value for name, value in request.headers.items() if name.lower() not in ("host", "content-length", "authorization")}
    told = request.headers.get("Authorization", "")
    if told:
        headers |= bearer(key) if told.startswith("Bearer") else basic(key)
    path, raw = request.path, request.raw
    if path.startswith("/v1/projects/"):
        path = f"/v1/projects/{key}/settings"
    if path == "/batch/":
        raw = gzip.compress(gzip.decompress(raw).replace(b"phc_test", key.encode()))
    query = urlencode([(name, key if name == "writeKey" else value) for name, value in request.query])
    return house.client.open(path, method=request.method, query_string=query, data=raw, headers=headers)
