"""Writes the invented retailer's files, in the shapes in which a CRM, a till, a delivery platform and a mini-program really write."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from ingestion.sources.synthetic import campaigns, events, facts, feedback, flaws, members, orders, words
from ingestion.sources.synthetic.files import Expected, File, Made
from ingestion.sources.synthetic.members import Members
from ingestion.sources.synthetic.plan import APPID, NOTICE, Retailer

ERASURES = 30
"""People who are to be erased."""
SOURCES = {
    "stores": "demo-erp",
    "products": "demo-erp",
    "campaigns": "demo-marketing",
    "costs": "demo-marketing",
    "members": "demo-crm",
    "consents": "demo-service-desk",
    "joined": "demo-membership",
    "tills": "demo-pos",
    "deliveries": "demo-delivery",
    "touches": "demo-marketing",
    "feedback": "demo-feedback",
    "events": "demo-app-archive",
    "live": "demo-app-archive",
    "signals": "demo-app-archive",
}
MESSAGE = (
    '{"type":"track","messageId":"', "id", '","timestamp":"', "at", '","openid":"', "openid", '","appid":"' + APPID + '","event":"', "event",
    '","properties":{"product_id":"', "sku", '","category":"', "category", '","session_id":"', "visit", '","step":', "step",
    ',"channel":"mini_program"},"privacyAgreement":{"agreedAt":"', "agreed", '","version":"' + NOTICE + '"}}',
)  # fmt: skip
SIGNAL = (*MESSAGE[:-1], MESSAGE[-1][:-1] + ',"context":{"consent":{"categoryPreferences":{"statistics":false}}}}')
DELIVERY = (
    '{"order":"', "receipt", '","line":', "line", ',"at":"', "at", '","shop":"', "store", '","sku":"', "sku", '","pieces":', "cups",
    ',"price":"', "price", '","off":"', "off", '","paid":"', "paid", '","receiver":{"phone":"+86 ', "phone", '","name":"', "receiver",
    '","address":"', "address", '"}}',
)  # fmt: skip
"""Lines of JSON as text and names of columns by turns; no value needs an escape."""


def write(folder: Path, retailer: Retailer) -> Made:
    """Writes every file into `folder`."""
    people = members.invent(retailer)
    bought = orders.counted(retailer, people)
    files = [*_things(folder, retailer), *_people(folder, retailer, people)]
    files += _events(folder, retailer, people)
    files += _sales(folder, retailer, people, bought)
    files += _answers(folder, retailer, people)
    files.append(_signals(folder, retailer, people))
    erased = people.card[retailer.chance("erasures").permutation(people.counted)[: retailer.scaled(ERASURES)]]
    return Made(tuple(files), facts.truth(retailer, people, bought), tuple(np.sort(erased).tolist()), APPID)


def _things(folder: Path, retailer: Retailer) -> list[File]:
    """Stores, drinks, campaigns and costs: no people in them."""
    city = np.arange(orders.STORES) % len(words.CITIES)
    regions, cities, _, tiers = (np.array(column)[city] for column in zip(*words.CITIES, strict=True))
    place = np.array(words.PLACES)[np.arange(orders.STORES) // len(words.CITIES)]
    stores = {"id": orders.STORE_IDS, "name": np.char.add(np.char.add(cities, place), "店"), "region": regions, "tier": tiers}
    names, categories, prices = zip(*orders.SKUS, strict=True)
    drinks = {"id": orders.SKU_IDS, "name": names, "category": categories, "price": [str(price) for price in prices]}
    tables = {
        "stores": pa.table(stores),
        "products": pa.table(drinks),
        "campaigns": campaigns.listing(retailer),
        "costs": campaigns.costs(retailer),
    }
    return [_csv(folder, name, f"retail_{name}", table, Expected(stored=table.num_rows)) for name, table in tables.items()]


def _people(folder: Path, retailer: Retailer, people: Members) -> list[File]:
    joining, merging = members.joiners(retailer, people)
    told = members.decisions(retailer, people, joining[:merging])
    listing, expected, _ = flaws.add(
        members.listing(retailer, people, joining),
        np.ones(retailer.members, bool),  # of who refuses the decision itself is stored
        retailer.chance("members flaws"),
        key="card",
        broken={"birthday": "不详", "changed": "去年", "sex": "？"},
    )
    joined = members.joined(people, joining)
    return [
        _csv(folder, "members", "retail_members", listing, expected),
        _csv(folder, "consents", "retail_consents", told, Expected(stored=told.num_rows)),
        _csv(folder, "joined", "retail_joined", joined, Expected(stored=joined.num_rows)),
    ]


def _sales(folder: Path, retailer: Retailer, people: Members, bought: orders.Orders) -> list[File]:
    others = orders.uncounted(retailer, people, bought)
    files = []
    for name, make, who in (("tills", orders.tills, "card"), ("deliveries", orders.deliveries, "phone")):
        whole = pa.concat_tables([make(retailer, people, bought, "R"), make(retailer, people, others, "Q")])
        whole = whole.take(pc.sort_indices(whole, [("at", "ascending"), ("receipt", "ascending"), ("line", "ascending")]))
        ids = people.card if who == "card" else people.mobile
        admitted = pc.is_in(whole[who], pa.array(ids[people.admitted])).to_numpy()
        broken = {"at": "昨天", "paid": "免费", "cups": "一杯" if who == "card" else '"一杯"'}
        table, expected, _ = flaws.add(whole, admitted, retailer.chance(f"{name} flaws"), key="receipt", broken=broken)
        writer = _csv if who == "card" else partial(_jsonl, pieces=DELIVERY)
        files.append(writer(folder, name, f"retail_{name}", table, expected))
    return files


def _answers(folder: Path, retailer: Retailer, people: Members) -> list[File]:
    """What campaigns and feedback forms tell."""
    touches, theirs = campaigns.touches(retailer, people)
    chance = retailer.chance("touches flaws")
    touches, expected, _ = flaws.add(touches, theirs, chance, key="id", broken={"at": "昨天", "kind": "？"})
    said, speakers, _ = feedback.said(retailer, people)
    said, heard, _ = flaws.add(said, speakers, retailer.chance("feedback flaws"), key="id", broken={"rating": "很好"})
    return [
        _csv(folder, "touches", "retail_touches", touches, expected),
        _csv(folder, "feedback", "retail_feedback", said, heard),
    ]


def _events(folder: Path, retailer: Retailer, people: Members) -> list[File]:
    table, admitted, live = events.messages(retailer, people)
    files = []
    for name, which in (("live", live), ("events", ~live)):
        some, mine = table.filter(pa.array(which)), admitted[which]
        chance = retailer.chance(f"{name} flaws")
        whole, expected, _ = flaws.add(some, mine, chance, key="id", broken={"at": "昨天", "step": '"第一步"'})
        files.append(_jsonl(folder, name, "retail_events", whole, expected, live=name == "live"))
    return files


def _signals(folder: Path, retailer: Retailer, people: Members) -> File:
    """Last of all, so that what they withdraw is in already."""
    leaving = events.signals(retailer, people)
    return _jsonl(folder, "signals", "retail_events", leaving, Expected(stored=leaving.num_rows), live=True, pieces=SIGNAL)


# ── writing ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _csv(folder: Path, name: str, mapping: str, table: pa.Table, expected: Expected) -> File:
    path = folder / f"{name}.csv"
    arrow_csv.write_csv(table, path, arrow_csv.WriteOptions(quoting_style="needed"))
    return File(name, SOURCES[name], mapping, path, expected.made, expected)


def _jsonl(
    folder: Path, name: str, mapping: str, table: pa.Table, expected: Expected, *, live: bool = False, pieces: tuple[str, ...] = MESSAGE
) -> File:
    columns = [table[piece].combine_chunks() if piece in table.column_names else pa.scalar(piece) for piece in pieces]
    path = folder / f"{name}.jsonl"
    lines = pc.binary_join_element_wise(*columns, "").to_pylist()
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return File(name, SOURCES[name], mapping, path, expected.made, expected, live)
