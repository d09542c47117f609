"""The canary: an invented person's identifiers in six encodings, and the search for them in every byte.

Promise: what is planted here is found wherever it stands in a store, a file, the lake or a text, however it is packed.
"""

from __future__ import annotations

import base64
import json
import unicodedata
import urllib.parse
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from app.wiring import Services
from ingestion import inbox
from privacy.dictionary.catalogue import load

PERSON = {
    "phone": "13987650127",
    "email": "zhen.bucunzai@canary-of-nobody.cn",
    "national_id": "110101199003078873",
    "card": "6222021234567894",
    "openid": "oCanaryZq8-3f5_T1n0B0dy7",
    "name": "甄不存在",
}
NUMERALS = str.maketrans("0123456789", "零一二三四五六七八九")
UNSHAPED = ("name", "openid")
"""Kinds without a form of their own: in a word or a text that the lake keeps nothing tells them from a product's or a batch's name."""
OPEN_WORDS = ("product_id", "sku", "store_id", "category", "channel", "coupon")
"""Words of the source that the lake keeps; a direct identifier of known form in them is taken out."""


def batched(items: Any, size: int) -> Iterator[Any]:
    return (items[start : start + size] for start in range(0, len(items), size))


def check_digit(number: str) -> str:
    """ISO 7064, as Chinese resident numbers have it."""
    return "10X98765432"[sum(int(digit) * 2 ** (17 - place) for place, digit in enumerate(number)) % 11]


def encodings(kind: str) -> list[str]:
    """A value in six dresses; those that do not differ are one."""
    value = PERSON[kind]
    wide = "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in value)
    spaced = {
        "phone": f"+86 {value[:3]}-{value[3:7]} {value[7:]}",
        "national_id": f"{value[:6]} {value[6:14]} {value[14:]}",
        "card": " ".join(batched(value, 4)),
    }.get(kind, value)
    percent = "".join(f"%{byte:02X}" for byte in value.encode())
    return list(dict.fromkeys([value, wide, percent, base64.b64encode(value.encode()).decode(), spaced, value.translate(NUMERALS)]))


PLANTED = [(kind, text) for kind in PERSON for text in encodings(kind)]


def needles() -> dict[bytes, str]:
    """Everything that must not be found: each dress in UTF-8, UTF-16, as JSON escapes, and the bare forms that normalising makes."""
    found: dict[bytes, str] = {}
    for kind, text in PLANTED:
        for form in (text, text.lower(), text.upper(), unicodedata.normalize("NFKC", text), urllib.parse.quote(text)):
            found[form.encode()] = kind
            found[form.encode("utf-16-le")] = kind
            found[json.dumps(form)[1:-1].encode()] = kind
            found[form.encode().hex().encode()] = kind
    found[PERSON["phone"][-8:].encode()] = "phone"
    found[PERSON["email"].split("@")[0].encode()] = "email"
    found[PERSON["email"].split("@")[1].encode()] = "email"
    return found


NEEDLES = needles()


def hits(text: bytes | str) -> set[str]:
    """Which kinds of identifiers stand in these bytes, and in which form."""
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return {f"{kind}: {needle!r}" for needle, kind in NEEDLES.items() if needle in raw}


# ── searching ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def search_tables(services: Services) -> Iterator[tuple[str, bytes]]:
    """Every value of every column of both stores, and what is packed in them unpacked."""
    stores = services.stores
    for name, owner in (("vault", stores.vault_owner), ("platform", stores.platform_owner)):
        with owner.read() as tx:
            for table in sa.inspect(tx).get_table_names():
                values = {value for row in tx.execute(sa.select(sa.text("*")).select_from(sa.table(table))) for value in map(plain, row)}
                yield f"{name}.{table}", b"\x00".join(values)
    with services.read_jobs() as tx:
        for waiting in inbox.pending(tx, limit=100_000):
            yield f"inbox: {waiting.table}", cells(waiting.open())
    with services.stores.platform_owner.read() as tx:
        for (packed,) in tx.execute(sa.text("SELECT items FROM request_verdict")):
            yield "request_verdict", zlib.decompress(bytes(packed))


def plain(value: Any) -> bytes:
    """A database's value as bytes, text with its escapes resolved by whoever searches."""
    return bytes(value) if isinstance(value, (bytes, memoryview)) else str(value).encode()


def cells(table: pa.Table) -> bytes:
    """Names and distinct values of a table, a line each."""
    lines = [f"{name}={value}" for name in table.column_names for value in table.column(name).unique().to_pylist()]
    return "\n".join(lines).encode()


def search_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file's name and bytes, and Parquet unpacked."""
    for path in sorted(folder.rglob("*")):
        yield str(path), path.name.encode()
        if path.is_file():
            yield str(path), path.read_bytes()
            if path.suffix == ".parquet":
                yield f"{path} unpacked", cells(pq.ParquetFile(path).read())
                yield f"{path} metadata", str(pq.read_metadata(path).to_dict()).encode()


def search_files_of(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        yield str(path), path.read_bytes()
    except OSError:
        return


def search_lake(services: Services) -> Iterator[tuple[str, bytes]]:
    """What the catalogue keeps about files: manifests are compressed, their bounds could quote values."""
    for name in load().tables:
        table = services._lake.load_table(("lake", name))
        yield f"lake.{name} manifests", str(table.inspect.files().to_pylist()).encode()
        yield f"lake.{name} snapshots", str(table.metadata).encode()


def assert_clean(found: Iterator[tuple[str, bytes]]) -> None:
    bad = {f"{place}: {hit}" for place, raw in found for hit in hits(raw)}
    assert not bad, "\n".join(sorted(bad)[:40])
