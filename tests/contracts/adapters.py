"""The contract of every adapter: a table of adapters, each with a sample that is made up here and what must become of it.

An adapter joins by a row here (how a source of its kind is declared, how it sends) and a sample in tests/contracts/samples.py: well-formed
items, broken ones with the rule they break, who stands in it, which fields must be dropped, what must reach the lake.
tests/flow/test_adapters.py asks all of them the same questions.
"""

from __future__ import annotations

import base64
import csv
import gzip
import hashlib
import hmac
import json
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from app import acts, intake, pulls
from tests.contracts import samples
from tests.contracts.samples import Sample
from tests.contracts.tree import ROOT
from tests.flow.pulling import brokers
from tests.house import House, basic

MAPPINGS = ROOT / "ingestion" / "sources" / "mappings"
SECRET = "whs_a-secret-of-the-tests-0123456789"


Send = Callable[[House, Path, "Door", Sequence[Any]], None]


@dataclass(frozen=True)
class Door:
    """A source of the house, as a sender sees it."""

    source: str
    name: str
    key: str


@dataclass(frozen=True)
class Adapter:
    """One row of the table. `silent` takes the consent out of an item, where items carry it; `selective` is what asks for named columns only,
    so that no unknown field ever comes."""

    name: str
    kind: str
    sample: Callable[[], Sample]
    send: Send
    mapping: str = ""
    people: bool = True
    silent: Callable[[Any], Any] = lambda item: item
    selective: bool = False


# ── ways to send ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def imported(mapping: str, suffix: str = "csv") -> Send:
    """As a file, by a mapping that is shipped."""

    def send(house: House, folder: Path, door: Door, items: Sequence[Mapping[str, Any]]) -> None:
        path = folder / f"{mapping}.{suffix}"
        if suffix == "csv":
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, list(dict.fromkeys(name for item in items for name in item)))
                writer.writeheader()
                writer.writerows(items)
        else:
            path.write_text("".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items), encoding="utf-8")
        told = intake.import_file(
            house.services,
            path,
            source_name=door.name,
            mapping_path=MAPPINGS / f"{mapping}.toml",
            actor="test",
            progress=lambda done, total: None,
        )
        assert told["received"] == told["stored"] + told["duplicate"] + told["quarantined"] + told["refused"] == len(items)

    return send


def posted(house: House, folder: Path, door: Door, items: Sequence[Any]) -> None:
    """As messages of Segment's shape."""
    _answered(house.send({"batch": list(items), "sentAt": house.clock().isoformat()}, door.key))


def signed(house: House, folder: Path, door: Door, items: Sequence[Any]) -> None:
    """As a shop's webhook, one body an item."""
    acts.share_secret(house.services, door.name, actor="test", given=SECRET)
    for item in items:
        raw = json.dumps(item).encode()
        signature = base64.b64encode(hmac.new(SECRET.encode(), raw, hashlib.sha256).digest()).decode()
        _answered(house.client.post(f"/c/{door.key}/orders", data=raw, headers={"X-Shopify-Hmac-Sha256": signature}))


def formed(house: House, folder: Path, door: Door, items: Sequence[Any]) -> None:
    """As the form that Sensors Data's SDKs post."""
    packed = base64.b64encode(gzip.compress(json.dumps(list(items)).encode())).decode()
    raw = urllib.parse.urlencode({"data_list": packed, "gzip": 1})
    kind = "application/x-www-form-urlencoded"
    _answered(house.client.post(f"/c/{door.key}/sa?project=default", data=raw, content_type=kind, headers=basic(door.key)))


def tracked(house: House, folder: Path, door: Door, items: Sequence[Any]) -> None:
    """As the payload that Snowplow's trackers post."""
    schema = "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4"
    _answered(house.client.post(f"/c/{door.key}/com.snowplowanalytics.snowplow/tp2", json={"schema": schema, "data": list(items)}))


def batched(house: House, folder: Path, door: Door, items: Sequence[Any]) -> None:
    """As a batch of PostHog's clients, whose key stands in the body."""
    _answered(house.client.post("/batch/", json={"api_key": door.key, "batch": list(items)}))


def tabled(house: House, folder: Path, door: Door, items: Sequence[Any]) -> None:
    """As the rows of somebody's table, which we read from its beginning."""
    path = folder / "theirs.db"
    path.unlink(missing_ok=True)
    engine = sa.create_engine(f"sqlite+pysqlite3:///{path}", poolclass=sa.NullPool)
    columns = [sa.Column("id", sa.Integer, primary_key=True), *(sa.Column(name, sa.Text) for name in items[0] if name != "id")]
    table = sa.Table("members", sa.MetaData(), *columns)
    with engine.begin() as tx:
        table.create(tx)
        tx.execute(sa.insert(table), list(items))
    engine.dispose()
    words = {"name": "members", "watermark": "changed", "mapping": samples.TABLE}
    _pulled(house, door, f"sqlite+pysqlite3:///{path}", words, len(items))


def streamed(house: House, folder: Path, door: Door, items: Sequence[Any]) -> None:
    """As records of a topic, which we read from its beginning."""
    with brokers() as made:
        made.send("shop", items)
        _pulled(house, door, made.address, {"topic": "shop"}, len(items))


def _pulled(house: House, door: Door, address: str, words: Mapping[str, Any], number: int) -> None:
    place = house.services.settings.keys_path.parent / "sources" / f"{door.name.upper()}.url"
    place.parent.mkdir(exist_ok=True)
    place.touch(mode=0o600)
    place.write_text(address, encoding="utf-8")
    if any(one["name"] == door.name for one in pulls.listing(house.services)):
        pulls.remove(house.services, door.name, actor="test")
    pulls.add(house.services, door.name, words, every=60, actor="test")
    told = pulls.run(house.services, door.name, seconds=None, stopped=lambda: False)
    assert told["stored"] + told["duplicate"] + told["quarantined"] + told["refused"] == number


def _answered(answer: Any) -> None:
    receipt = answer.get_json()
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert receipt["received"] == receipt["stored"] + receipt["duplicate"] + receipt["quarantined"] + receipt["refused"]


ADAPTERS = [
    Adapter("crm_members", "file", samples.crm_members, imported("crm_members"), "crm_members", silent=samples.silent_member),
    Adapter("crm_contacts", "file", samples.crm_contacts, imported("crm_contacts", "jsonl"), "crm_contacts"),
    Adapter("membership_changes", "file", samples.membership_changes, imported("membership_changes"), "membership_changes"),
    Adapter("pos_receipts", "file", samples.pos_receipts, imported("pos_receipts"), "pos_receipts"),
    Adapter("pos_totals", "file", samples.pos_totals, imported("pos_totals"), "pos_totals", people=False),
    Adapter("erp_stock", "file", samples.erp_stock, imported("erp_stock"), "erp_stock", people=False),
    Adapter("campaign_list", "file", samples.campaign_list, imported("campaign_list"), "campaign_list", people=False),
    Adapter("campaign_costs", "file", samples.campaign_costs, imported("campaign_costs"), "campaign_costs", people=False),
    Adapter("campaign_emails", "file", samples.campaign_emails, imported("campaign_emails"), "campaign_emails"),
    Adapter("campaign_ads", "file", samples.campaign_ads, imported("campaign_ads"), "campaign_ads"),
    Adapter("webhook", "webhook", samples.webhook, signed),
    Adapter("mini_program", "mini_program", samples.mini_program, posted),
    Adapter("sensors", "sensors", samples.sensors, formed),
    Adapter("segment", "segment", samples.segment, posted),
    Adapter("rudderstack", "rudderstack", samples.segment, posted),
    Adapter("snowplow", "snowplow", samples.snowplow, tracked),
    Adapter("posthog", "posthog", samples.posthog, batched),
    Adapter("database", "database", samples.database, tabled, selective=True),
    Adapter("stream", "stream", samples.segment, streamed),
]
