"""A shop's till file and the ways to bring it in, for tests of imports."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

from analytics.lake.tables import load
from app import jobs
from tests.conftest import NOW
from tests.house import House, bearer


class Killed(BaseException):
    """The process is gone: nothing of ours may catch it."""


MAPPING = """
record   = "order_line"
zone     = "Asia/Shanghai"
currency = "CNY"
id       = ["receipt", "line"]

[identifiers]
member_card = "card"

[fields]
occurred_at    = "at"
order_id       = "receipt"
line           = "line"
store_id       = "store"
product_id     = "sku"
kind           = { const = "sale" }
quantity_milli = { from = "cups", times = 1000 }
net_minor      = { from = "paid", times = 100 }
"""
HEADER = "receipt,line,card,at,store,sku,cups,paid,note"
MEMBERS = 40
ROWS = 1_000
"""Of these every fifth is of a card that nobody allowed, and every fiftieth has an amount that is none."""
CARDS = [f"MC{number:08d}" for number in range(MEMBERS)]
STRANGERS = [f"MX{number:08d}" for number in range(10)]
EXPECTED = {"received": ROWS, "stored": 780, "duplicate": 0, "quarantined": 20, "refused": 200}


def till_file(rows: int = ROWS, *, first: int = 0) -> bytes:
    """Lines of receipts of the last weeks."""
    lines = [HEADER]
    for number in range(first, first + rows):
        card = STRANGERS[number % 10] if number % 5 == 4 else CARDS[number % MEMBERS]
        at = (NOW - timedelta(days=20, minutes=number)).strftime("%Y-%m-%d %H:%M:%S")
        paid = "13812345678x" if number % 50 == 7 else f"{number % 90 + 1}.50"
        lines.append(f"R{number // 2},{number % 2},{card},{at},S{number % 3},P{number % 5},1,{paid},canary-{number}")
    return ("\n".join(lines) + "\n").encode()


def shop(house: House, *, chunk: int = 20) -> str:
    """A source of files whose members allow everything; small chunks; an integrator's token."""
    settings = house.services.settings
    house.services.settings = replace(settings, limits=replace(settings.limits, import_rows=chunk))
    house.source("pos", "file")
    _, key = house.source("crm", "segment")
    house.grant(key, [("member_card", card) for card in CARDS], at=(NOW - timedelta(days=60)).isoformat())
    return house.token("integrator")


def announce(house: House, token: str, content: bytes, **more: Any) -> dict[str, Any]:
    """Announces a file."""
    body = {"source": "pos", "format": "csv", "size": len(content), "sha256": hashlib.sha256(content).hexdigest(), "mapping": MAPPING}
    answer = house.client.post("/api/imports", json=body | more, headers=bearer(token))
    assert answer.status_code == 201, answer.get_data(as_text=True)
    told: dict[str, Any] = answer.get_json()
    return told


def put(house: House, token: str, import_id: str, part: bytes, offset: int) -> Any:
    """Sends a part."""
    return house.client.put(
        f"/api/imports/{import_id}/content",
        data=part,
        headers={**bearer(token), "Upload-Offset": str(offset), "Content-Type": "application/octet-stream"},
    )


def state(house: House, token: str, import_id: str) -> dict[str, Any]:
    told: dict[str, Any] = house.client.get(f"/api/imports/{import_id}", headers=bearer(token)).get_json()
    return told


def run_jobs(house: House, kind: str) -> None:
    """Does the queued jobs of a kind, and no scheduled ones."""
    handlers = {kind: house.services.handlers[kind]}
    while jobs.run_one(house.services.begin_jobs, handlers, house.services.process, clock=house.clock):
        pass


def uploaded(house: House, token: str, content: bytes, **more: Any) -> str:
    """Announces and sends a file whole, and imports it; its id."""
    made = str(announce(house, token, content, **more)["import"])
    assert put(house, token, made, content, 0).status_code == 200
    run_jobs(house, "import")
    return made


def numbers(told: dict[str, Any]) -> dict[str, int]:
    """The counts that add up."""
    return {name: told["counts"][name] for name in EXPECTED}


def stored_rows(house: House) -> int:
    """Rows of order lines in the inbox and in the lake's current snapshot."""
    lake = load(house.services._lake, "order_lines")
    return house.rows() + sum(task.file.record_count for task in lake.scan().plan_files())
