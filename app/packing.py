"""The package of somebody's copy: parts of every store as JSON and CSV, receipts, a manifest that says what is complete, signed and sealed.

Promise: built in memory, written to the disk only sealed, under a key that dies on the package's last day; a download is counted and logged
before a byte is given. The manifest names every table with how many rows of it are inside, or why none. What is withheld is named with its
ground. Learns rows about one person, and keeps none.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import secrets
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from app import parcels
from ingestion import inbox
from privacy.dictionary import catalogue
from privacy.errors import Conflict

if TYPE_CHECKING:
    from pathlib import Path

    from app.wiring import Services

FORMAT = "piying-access-package-1"
WITHHELD = "[withheld]"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_README = """\
This is your copy of what we hold about you. manifest.json lists every place that we keep and how many rows of it are here; manifest.jws is
its signature. Our public keys are at {keys}. Files under data/ are the same as JSON and as CSV. Times are UTC unless they say otherwise.

这是我们所持有的与您有关的个人信息副本。manifest.json 列出我们保存数据的每一处及其在本文件中的行数；manifest.jws 是其签名，公钥见 {keys}。
data/ 目录下的 JSON 与 CSV 内容相同。除另有说明外，时间均为协调世界时（UTC）。
"""


@dataclass(frozen=True, slots=True)
class Content:
    """Parts by name, receipts by number, and what the dictionary says of what was derived."""

    parts: Mapping[str, Sequence[Mapping[str, Any]]] = field(repr=False)
    receipts: Mapping[str, str] = field(repr=False)

    def counts(self) -> dict[str, int]:
        """Rows of each part."""
        return {name: len(rows) for name, rows in self.parts.items()}


def path(services: Services) -> Path:
    """The folder of sealed packages."""
    return services.settings.home / "packages"


def months(services: Services) -> list[int]:
    """Every month of which the lake may hold rows."""
    today = services.clock().astimezone(services.settings.time_zone).date()
    last = today.year * 12 + today.month - 1
    return [number // 12 * 100 + number % 12 + 1 for number in range(last - services.settings.retention.lake_months - 1, last + 2)]


def gather(services: Services, number: str, *, actor: str, clear: bool = False, handed_out: bool = False) -> Content:
    """Everything that every store holds of the request's person; the door has logged it first."""
    copy = services.rights.gather(number, actor=actor, clear=clear, months=months(services), handed_out=handed_out)
    parts: dict[str, Sequence[Mapping[str, Any]]] = dict(copy.parts)
    names = copy.bound.names
    known = catalogue.load().tables
    parts |= {f"lake.{name}": [] for name, table in known.items() if table.people}
    if copy.bound.members:
        parts |= {f"lake.{name}": rows for name, rows in services.subject_copy.of(names).items()}
        with services.read_console() as tx:
            waiting = inbox.of_people(tx, names["virtual_id"].to_pylist())
        parts["waiting"] = [{"table": table, **row} for table, rows in waiting.items() for row in rows]
        items = services.box.about(copy.identifiers)
        placed, because = services.audiences_of(copy.people, names)
        parts["audiences"] = placed
        parts["explanation"] = [*parts["explanation"], *because]
        parts["held"] = [{"items": len(items), "why": "their form failed; sealed, gone within seven days"}] if items else []
    derived = known["person_month"].columns.values()
    columns = [{"column": one.name, "meaning_en": one.meaning_en, "meaning_zh": one.meaning_zh} for one in derived]
    parts["explanation"] = [*parts["explanation"], *columns] if parts["lake.person_month"] else list(parts["explanation"])
    return Content(parts, copy.receipts)


def build(
    services: Services,
    number: str,
    content: Content,
    *,
    right: str,
    clear: bool,
    withheld: Sequence[str],
    ground: str | None,
    kin: bool = False,
) -> bytes:
    """The package as a ZIP archive; the same content makes the same bytes but for the signature."""
    rights, now = services.rights, services.clock()
    covered = services.stores_covered
    chosen = _chosen(covered, content, right, kin=kin)
    hidden = sorted({*withheld, *(covered.others_words if right == "portability" or kin else ())})
    shown = {name: _without(name, rows, hidden) for name, rows in chosen.items() if name not in hidden}
    files: dict[str, bytes] = {}
    for name, rows in shown.items():
        files[f"data/{name}.json"] = json.dumps(rows, ensure_ascii=False, indent=1, sort_keys=True, default=_plain).encode()
        files[f"data/{name}.csv"] = _csv(rows)
    if "consents" in shown:
        files |= {f"receipts/{receipt}.json": text.encode() for receipt, text in content.receipts.items()}
    files["README.txt"] = _README.format(keys=services.base_url + "/.well-known/jwks.json").encode()
    manifest = {
        "format": FORMAT,
        "request": number,
        "right": right,
        "made_at": now.isoformat(),
        "controller": services.settings.controller.name,
        "origin": rights.origin,
        "identifiers": "clear" if clear else "masked",
        "stores": covered.manifest(shown, hidden, chosen),
        "withheld": [{"part": name, "ground": ground or "third_party"} for name in hidden],
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())},
    }
    statement = json.dumps(manifest, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    files["manifest.json"], files["manifest.jws"] = statement, rights.sign_package(statement).encode()
    return _zipped(files, now)


def make(
    services: Services, number: str, *, right: str, actor: str, clear: bool, withheld: Sequence[str], ground: str | None, kin: bool = False
) -> dict[str, Any]:
    """Gathers, builds, signs, seals and enters a package; gives its document."""
    content = gather(services, number, actor=actor, clear=clear, handed_out=True)
    data = build(services, number, content, right=right, clear=clear, withheld=withheld, ground=ground, kin=kin)
    now, covered = services.clock(), services.stores_covered
    package_id = "pkg_" + secrets.token_hex(16)
    expires = now + covered.lasts
    services.parcel_seal.open_parcel(package_id, expires)
    sealed = 0
    with parcels.writing(path(services), package_id, services.parcel_seal) as file:
        for start in range(0, len(data), parcels.BLOCK):
            sealed = file.add(start, data[start : start + parcels.BLOCK])
    counts = {name: len(rows) for name, rows in _chosen(covered, content, right, kin=kin).items() if name not in withheld}
    package = covered.package(
        id=package_id, number=number, made_at=now, made_by=actor, expires_at=expires, size=len(data), sealed_size=sealed,
        sha256=hashlib.sha256(data).digest(), stores=counts, downloads=0, destroyed_at=None,
    )  # fmt: skip
    services.rights.enter_package(package, actor=actor)
    told: dict[str, Any] = package.document(now)
    return told


def _chosen(covered: Any, content: Content, right: str, *, kin: bool) -> dict[str, Sequence[Mapping[str, Any]]]:
    """The parts that a right hands out; `kin`: to a relative of somebody who died."""
    given = {name: rows for name, rows in content.parts.items() if covered.goes_into(right, name)}
    return {name: rows for name, rows in given.items() if covered.goes_to_kin(name)} if kin else given


def take(services: Services, number: str, *, actor: str) -> bytes:
    """The newest package of a request; counted and logged before it is opened."""
    taken = services.rights.take_package(number, actor=actor)
    with parcels.opener(path(services), taken.id, services.parcel_seal, taken.sealed_size)() as file:
        data = file.read()
    if hashlib.sha256(data).digest() != taken.sha256:
        raise Conflict("the package is not what was sealed", code="package_damaged", field="request")
    return data


def sweep(services: Services, numbers: Sequence[str] = ()) -> dict[str, int]:
    """Destroys packages whose time is over, and those of some requests: keys first, then files."""
    now, register = services.clock(), services.stores_covered
    with services.begin_jobs() as tx:
        ended = register.ended(tx, now, numbers)
    for one in ended:
        services.parcel_seal.destroy(one.id)
        parcels.remove(path(services), one.id)
    if ended:
        with services.begin_jobs() as tx:
            register.destroyed(tx, [one.id for one in ended], now)
            services.log(tx, "system", "retention.packages", actor="schedule", facts={"packages": len(ended)})
    return {"packages": len(ended)}


# ── files ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _without(name: str, rows: Sequence[Mapping[str, Any]], hidden: Sequence[str]) -> list[dict[str, Any]]:
    columns = {one.removeprefix(f"{name}.") for one in hidden if one.startswith(f"{name}.")}
    return [{key: WITHHELD if key in columns and value is not None else value for key, value in row.items()} for row in rows]


def _csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """UTF-8 with a BOM, RFC 4180, no cell that a spreadsheet would run as a formula."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool | int | float):
        return str(value).lower() if isinstance(value, bool) else str(value)
    text = (
        value
        if isinstance(value, str)
        else json.dumps(value, ensure_ascii=False, default=_plain)
        if isinstance(value, list | dict)
        else _plain(value)
    )
    return "'" + text if text.startswith(_FORMULA) else text


def _plain(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _zipped(files: Mapping[str, bytes], made: datetime) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, (made.year, made.month, made.day, made.hour, made.minute, made.second))
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            archive.writestr(entry, files[name])
    return out.getvalue()
