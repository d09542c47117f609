"""The canary: an invented person's identifiers, in six encodings, go in by every path and every failing path; then every byte is searched.

No hit is allowed anywhere but in the senders' own files, on both databases: not in tables, inbox, lake, catalogue, keys, temporary
files, logs at debug level, answers, metrics, or the arguments of processes (attacks 22 to 24, 46 and 58).
"""

from __future__ import annotations

import base64
import csv
import json
import logging
import os
import subprocess
import sys
import tempfile
import unicodedata
import urllib.error
import urllib.parse
import urllib.request
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from app import intake, people
from app.wiring import Services
from ingestion import inbox, verdicts
from privacy.deidentify import freetext
from privacy.dictionary.catalogue import load
from privacy.errors import PiyingError
from tests.conftest import NOW
from tests.house import ROOT, House, basic, bearer, served, track

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


# ── planting ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def placed(kind: str, text: str, number: int) -> Iterator[dict[str, Any]]:
    """Messages of somebody who allows everything, with the text in one place after the other."""
    words = [*OPEN_WORDS] if kind not in UNSHAPED else []
    for place in (
        *words,
        "currency",
        "session_id",
        "step",
        "path",
        "url",
        "referrer",
        "region",
        "value",
        "quantity",
        "order_id",
        "unknown",
    ):
        yield track(number, properties={place: text, **({"product_id": "P1"} if place != "product_id" else {})})
    yield track(
        number, properties={"url": f"https://shop.example/u/{text}?phone={text}#{text}", "referrer": f"https://{text}.example/{text}"}
    )
    yield track(number, event="Order Completed", properties={"order_id": text, "products": [{"product_id": "P1", "quantity": text}]})
    yield track(
        number, event="Order Completed", properties={"order_id": "O", "products": [{"product_id": "P1", "note": text}], "coupon": None}
    )
    for place in (
        "userId",
        "anonymousId",
        "messageId",
        "event",
        "type",
        "timestamp",
        "groupId",
        "previousId",
        "properties",
        "context",
        "traits",
    ):
        yield track(number) | {place: text}
    yield track(number) | {"messageId": f"order-{text}"}
    yield track(
        number, context={"ip": text, "userAgent": text, "page": {"url": text, "path": text}, "locale": text, "traits": {"email": text}}
    )
    yield track(number, context={"consent": {"categoryPreferences": {text: True}}, "consentManagement": {"allowedConsentIds": [text]}})
    yield track(number, extra={"phone": text, "list": [text, {"deep": text}]}, integrations={text: text})
    yield track(number, properties={text: 1, "face_template": text})
    yield track(number) | {text: text}
    for place in (
        "phone",
        "email",
        "openid",
        "unionid",
        "member_card",
        "name",
        "address",
        "region",
        "occupation",
        "tier",
        "birthday",
        "sex",
    ):
        if place != "tier" or words:
            yield track(number, type="identify") | {"traits": {place: text}, "context": {"traits": {place: text}}}
    yield track(number, type="identify") | {"traits": {"address": {"state": text, "street": text}, "note": text, "baby_name": text}}
    yield track(number, type="alias") | {"previousId": text}
    yield track(number, user=text, type="group") | {"groupId": text}
    yield track(number, type="page") | {"name": text, "category": text, "properties": {"title": text, "search": text}}
    yield track(number, user=None)


def send_everything(house: House, key: str, client: str) -> Iterator[str]:
    """Every message in batches, to a server key and to a client key, and what was answered."""
    messages = [message for number, (kind, text) in enumerate(PLANTED) for message in placed(kind, text, number)]
    for part in batched(messages, 400):
        for one in (key, client):
            answer = house.send(
                {"batch": list(part), "sentAt": NOW.isoformat()},
                one,
                headers={"User-Agent": urllib.parse.quote(str(part[0].get("userId")))},
            )
            assert answer.status_code == 200
            yield answer.get_data(as_text=True)


def fail_everything(house: House, key: str) -> Iterator[str]:
    """Requests that cannot succeed, each carrying every dress."""
    for kind, text in PLANTED:
        latin = text.encode().decode("latin-1").replace("\r", "").replace("\n", "")
        body = {"batch": [track(1, user=text)]}
        answers = [
            house.send(b'{"batch":[{"userId":"' + text.encode() + b'",', key),
            house.send(text.encode(), key),
            house.send(b"\xff" + text.encode(), key),
            house.send(b'["' + text.encode() + b'"]', key),
            house.send({"batch": text}, key),
            house.send({"batch": [text, {"type": text}, [text], {text: {text: text}}]}, key),
            house.send(b'{"batch":[{"' + text.encode() + b'":1,"' + text.encode() + b'":2}]}', key),
            house.send(b'{"batch":[{"x":"' + text.encode() + b'\\u0000\\ud800"}]}', key),
            house.send({"batch": [], "sentAt": text, "context": {"traits": {"x": text}}}, key),
            house.send(body, f"wk_{text}" if text.isascii() else "wk_x"),
            house.client.post(f"/v1/batch?writeKey={urllib.parse.quote(text)}&x={urllib.parse.quote(text)}", json=body),
            house.client.post("/v1/batch", json=body | {"writeKey": text}),
            house.client.post("/v1/batch", json=body, headers={"Authorization": f"Bearer {latin}"}),
            house.client.post("/v1/batch", json=body, headers={"Authorization": f"Basic {latin}", "Cookie": f"id={latin}"}),
            house.client.get(f"/{urllib.parse.quote(text)}"),
            house.client.get(f"/v1/verdicts/{urllib.parse.quote(text)}", headers=bearer(latin)),
            house.client.open("/v1/batch", method="PATCH", headers={"Referer": latin, "X-Forwarded-For": latin}),
            house.send(body, key, headers={"Content-Type": f"text/{latin}", "Content-Encoding": latin, "User-Agent": latin}),
            house.send({"batch": [track(1, properties={"x": text * (33_000 // len(text))})]}, key),
            house.send(text.encode() * (4_200_000 // len(text.encode())), key) if kind == "phone" else house.send(b"", key),
        ]
        yield from (answer.get_data(as_text=True) + str(answer.headers) for answer in answers)


def consent_everything(house: House, key: str, officer: dict[str, str]) -> Iterator[str]:
    """The consent API, well-formed and not; the management API with values where names belong."""
    types = {
        "phone": "phone",
        "email": "email",
        "national_id": "national_id",
        "card": "member_card",
        "openid": "openid",
        "name": "customer_no",
    }
    for kind, text in PLANTED:
        item = {"identifier": {"type": types[kind], "value": text}, "purpose": "analytics.statistics", "state": "granted"}
        latin = text.encode().decode("latin-1")
        bodies: list[Any] = [
            {"consents": [item]},
            {"consents": [item | {"state": "withdrawn"}]},
            {"consents": [item | {"purpose": text}, item | {"notice": text}, item | {"collection": text}]},
            {"consents": [item | {"notice": text}, item | {"state": "withdrawn", "notice": text}]},
            {"consents": [item | {"separate_for": [text]}]},
            {"consents": [item | {text: text}]},
            {"consents": [item | {"identifier": {"type": "email", "value": text + "@"}}]},
            {"consents": [item | {"identifier": {"type": text, "value": text}}]},
            {"consents": [item | {"at": text}]},
            {text: [text]},
        ]
        for number, body in enumerate(bodies):
            headers = officer if number % 2 else bearer(key)
            answer = house.client.post("/v1/consents", json=body, headers={**headers, "Idempotency-Key": f"{latin}{number}"})
            assert answer.status_code < 500
            yield answer.get_data(as_text=True)


def manage_everything(house: House) -> Iterator[str]:
    """Staff who type a person into the management API."""
    integrator, marketer = bearer(house.token("integrator")), bearer(house.token("marketer"))
    for _, text in PLANTED:
        answers = [
            house.client.post("/api/sources", json={"name": text, "kind": text, text: text}, headers=integrator),
            house.client.post("/api/tokens", json={"scopes": [text]}, headers=integrator),
            house.client.post("/api/tokens/redemptions", json={"code": text * 3}),
            house.client.post("/api/quarantine/replays", json={"source": text}, headers=integrator),
            house.client.post("/api/reports/quotes", json={"kind": text, "from": "2026-05"}, headers=marketer),
            house.client.post("/api/reports", json={"kind": "store_month", "from": text, "by": [text]}, headers=marketer),
            house.client.post(
                "/api/reports", json={"kind": "store_month", "from": "2026-05", "by": [text], "where": [text]}, headers=marketer
            ),
            house.client.get(f"/api/releases/{urllib.parse.quote(text)}", headers=marketer),
            house.client.get(f"/api/jobs/{urllib.parse.quote(text)}", headers=marketer),
        ]
        yield from (answer.get_data(as_text=True) for answer in answers)
    answer = house.client.post("/api/quarantine/replays", json={"source": "web"}, headers=integrator)
    assert answer.get_json()["replayed"] > 0
    yield answer.get_data(as_text=True)
    for path in ("/api/quarantine", "/api/sources", "/api/dictionary", "/metrics"):
        yield house.client.get(path, headers=integrator).get_data(as_text=True)


MEMBERS = """
record = "member"
zone = "Asia/Shanghai"
id = ["id"]
[identifiers]
customer_no = "no"
phone = "phone"
email = "email"
[fields]
changed_at = "at"
name = "name"
region = "region"
occupation = "job"
birth_date = "born"
tier = "tier"
[consent."analytics.statistics"]
from = "ok"
grant = ["yes"]
at = "ok_at"
notice = "notice"
"""
FEEDBACK = """
record = "feedback"
zone = "Asia/Shanghai"
[identifiers]
customer_no = "no"
[fields]
occurred_at = "at"
text = "text"
topic = "tier"
"""
COLUMNS = ("id", "no", "phone", "email", "at", "name", "region", "job", "born", "tier", "ok", "ok_at", "notice", "text", "surplus")
GOOD = {"no": "u-1", "at": "2026-06-01 10:00:00", "ok": "yes", "ok_at": "2026-01-01 10:00:00", "tier": "gold"}


def rows_of_files() -> list[dict[str, str]]:
    """A row for each place and dress; some cannot be read at all."""
    rows: list[dict[str, str]] = []
    for kind, text in PLANTED:
        for column in COLUMNS:
            if column not in ("tier", "text") or kind not in UNSHAPED:
                rows.append({"id": str(len(rows)), **GOOD, "no": "u-2" if column == "ok" else "u-1", column: text})
        if kind not in UNSHAPED:
            rows.append({"id": str(len(rows)), **GOOD, "text": f"请联系{text}，谢谢"})
    rows.append({"id": str(len(rows)), **GOOD, "text": f"收件人：{PERSON['name']}"})
    return rows


def write_files(folder: Path) -> list[Path]:
    """The rows as CSV with broken lines, JSON Lines with broken lines, and Parquet; a header that is a person among the columns."""
    rows, headed = rows_of_files(), [*COLUMNS, PERSON["phone"]]
    with (folder / "rows.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, headed, restval="")
        writer.writeheader()
        writer.writerows([row | {PERSON["phone"]: text} for row, (_, text) in zip(rows, PLANTED * 100, strict=False)])
        for _, text in PLANTED:
            out.write(f"{text},{text},{text}\n")
    with (folder / "rows.jsonl").open("w", encoding="utf-8") as lines:
        for number, row in enumerate(rows):
            lines.write(json.dumps(row | {PERSON["phone"]: [row]} | {"id": f"j{number}"}, ensure_ascii=number % 2 == 0) + "\n")
        for _, text in PLANTED:
            lines.write(f'{{"id":"{text}",\n"{text}"\n{{"{text}":1,"{text}":2}}\n')
    table = pa.table(
        {name: [row.get(name, "") for row in rows] for name in COLUMNS}
        | {"id": [f"p{number}" for number in range(len(rows))]}
        | {PERSON["phone"]: [row["id"] for row in rows]}
    )
    pq.write_table(table, folder / "rows.parquet")
    for name, text in (("members", MEMBERS), ("feedback", FEEDBACK)):
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return [folder / name for name in ("rows.csv", "rows.jsonl", "rows.parquet")]


def import_everything(house: House, folder: Path) -> Iterator[str]:
    """Both mappings over all files; what is reported of each."""
    house.source("crm", "file")
    for path in write_files(folder):
        for mapping in ("members", "feedback"):
            told = intake.import_file(
                house.services, path, source_name="crm", mapping_path=folder / f"{mapping}.toml", actor="test", progress=lambda *_: None
            )
            assert told["stored"] > 0, told
            assert told["received"] == sum(told[verdict] for verdict in ("stored", "duplicate", "quarantined", "refused"))
            yield json.dumps(told, ensure_ascii=False)
    for mapped in (folder / "members.toml", None):
        try:
            told = intake.replay(house.services, source_name="crm", mapping_path=mapped, actor="test")
        except PiyingError as error:
            yield str(error)
        else:
            yield json.dumps(told, ensure_ascii=False)


def break_everything(house: House, key: str) -> Iterator[str]:
    """Exceptions with the person in their locals and in their words, from inside a view."""
    services = house.services

    def fail() -> datetime:
        whole = dict(PLANTED)
        raise RuntimeError(f"cannot read {whole}")

    proper = services.intake
    services.__dict__["intake"] = replace(proper, clock=fail)
    try:
        answer = house.send({"batch": [track(1, user=PERSON["phone"])]}, key)
        assert answer.status_code == 500
        yield answer.get_data(as_text=True)
    finally:
        services.__dict__["intake"] = proper


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


def search_lake(services: Services) -> Iterator[tuple[str, bytes]]:
    """What the catalogue keeps about files: manifests are compressed, their bounds could quote values."""
    for name in load().tables:
        table = services._lake.load_table(("lake", name))
        yield f"lake.{name} manifests", str(table.inspect.files().to_pylist()).encode()
        yield f"lake.{name} snapshots", str(table.metadata).encode()


def assert_clean(found: Iterator[tuple[str, bytes]]) -> None:
    bad = {f"{place}: {hit}" for place, raw in found for hit in hits(raw)}
    assert not bad, "\n".join(sorted(bad)[:40])


@pytest.fixture
def own_temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Temporary files of this test, and of whatever it starts, land here."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    for variable in ("TMPDIR", "TMP", "TEMP"):
        monkeypatch.setenv(variable, str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_the_planted_values_are_what_they_claim_to_be() -> None:
    """A resident number with a right check digit, a card that passes Luhn: else nothing would have to find them."""
    number, card = PERSON["national_id"], PERSON["card"]
    assert check_digit(number[:17]) == number[17]
    digits = [int(digit) for digit in reversed(card)]
    assert sum(digit if place % 2 == 0 else sum(divmod(2 * digit, 10)) for place, digit in enumerate(digits)) % 10 == 0
    assert hits(f"x{PERSON['phone']}y") == {f"phone: {PERSON['phone'].encode()!r}", f"phone: {PERSON['phone'][-8:].encode()!r}"}
    assert len(PLANTED) >= 25


def test_the_search_finds_what_is_there(house: House, tmp_path: Path) -> None:
    """Controls: the senders' own files in all three formats, a count that somebody put a person into, a compressed list of verdicts."""
    files = tmp_path / "files"
    files.mkdir()
    for path in write_files(files):
        assert {hit.partition(":")[0] for place, raw in search_files(files) if place.startswith(str(path)) for hit in hits(raw)} == set(
            PERSON
        )
    assert_clean(search_tables(house.services))
    with house.services.begin_intake() as tx:
        for kind, (table, column) in {"email": ("dropped_field", "path"), "phone": ("tally", "reason")}.items():
            row = {"source_id": "s", "day": NOW.date(), "number": 1, "verdict": "x", column: PERSON[kind]}
            columns = [name for name in row if name != "verdict" or table == "tally"]
            names = sa.table(table, *(sa.column(name) for name in columns))
            tx.execute(sa.insert(names).values({name: row[name] for name in columns}))
        tell = [verdicts.Told(0, PERSON["openid"], "stored")]
        verdicts.put(tx, "req_x", "s", tell, now=NOW)
    found = {(place, hit.partition(":")[0]) for place, raw in search_tables(house.services) for hit in hits(raw)}
    assert found == {("platform.dropped_field", "email"), ("platform.tally", "phone"), ("request_verdict", "openid")}
    assert {hit.partition(":")[0] for _, raw in search_files(house.home) for hit in hits(raw)} == (
        {"email", "phone"} if house.services.stores.vault.on_sqlite else set()
    )


def test_a_person_planted_everywhere_is_found_nowhere(
    house: House, tmp_path: Path, own_temp: Path, capfd: pytest.CaptureFixture[str], every_line: pytest.LogCaptureFixture
) -> None:
    files = tmp_path / "files"
    files.mkdir()
    _, key = house.source("web")
    _, client = house.source("browser", public=True)
    officer = bearer(house.token("officer"))
    assert house.grant(key, [("customer_no", "u-1")]).status_code == 201
    with house.services.begin_intake():
        pass
    house.grant(key, [("customer_no", "u-1")], at=(NOW - timedelta(days=200)).isoformat())
    house.clock.forward(seconds=1)
    before = set(Path("/tmp").iterdir())
    told = [
        *send_everything(house, key, client),
        *fail_everything(house, key),
        *consent_everything(house, key, officer),
        *import_everything(house, files),
        *break_everything(house, key),
        *manage_everything(house),
    ]
    assert house.rows() > 500
    assert_clean(iter([("answers", "\n".join(told).encode())]))
    assert_clean(search_tables(house.services))
    house.flush()
    for kind in PERSON:
        types = {"card": "member_card", "name": "customer_no"}
        found = people.find(house.services, types.get(kind, kind), PERSON[kind], purpose="rights_request", reason="test", actor="test")
        assert_clean(iter([("find", json.dumps(found, ensure_ascii=False).encode())]))
    assert_clean(search_tables(house.services))
    assert_clean(search_lake(house.services))
    assert_clean(search_files(house.home))
    assert_clean(search_files(own_temp))
    house.close()
    assert_clean(search_files(house.home))
    new = set(Path("/tmp").iterdir()) - before
    assert_clean(item for path in new if path != tmp_path and path.is_file() for item in search_files_of(path))
    output = "".join(capfd.readouterr())
    assert "unhandled_error" in output
    assert_clean(iter([("output", output.encode()), ("log records", logged(every_line))]))


def search_files_of(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        yield str(path), path.read_bytes()
    except OSError:
        return


def logged(lines: pytest.LogCaptureFixture) -> bytes:
    """Every record of every library, with its arguments and traceback."""
    form = logging.Formatter()
    return "\n".join(form.format(record) + repr(record.args) for record in lines.records).encode()


@pytest.mark.xfail(reason="open: the scrubber knows no openid by its word, and no name that is encoded")
@pytest.mark.parametrize("text", [f"openid：{PERSON['openid']}", f"收件人：{encodings('name')[1]}", f"收件人：{encodings('name')[2]}"])
def test_a_text_that_says_what_its_value_is_loses_it(text: str) -> None:
    clean = freetext.scrub(pa.array([text]))[0][0].as_py()
    assert clean is None or not hits(clean)


@pytest.mark.slow
def test_processes_show_nobody_in_their_arguments_output_or_files(sqlite_only: House, tmp_path: Path, own_temp: Path) -> None:
    """A real server takes good and bad requests; the commands read the identifier from their input."""
    house = sqlite_only
    _, key = house.source("web")
    house.close()
    seen = []
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIYING_")} | {"PIYING_HOME": str(house.home)}
    command = [
        sys.executable,
        "-m",
        "app.cli",
        "consent",
        "record",
        "--type",
        "phone",
        "--purpose",
        "analytics.statistics",
        "--state",
        "granted",
    ]
    with served(house.home) as (address, server):
        recording = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        seen.append(arguments(recording.pid))
        out, err = recording.communicate(PERSON["phone"].encode() + b"\n", timeout=60)
        assert recording.returncode == 0, err.decode()[-500:]
        for _, text in PLANTED:
            for body in (json.dumps({"batch": [track(1, user=text)]}).encode(), text.encode()):
                asked = urllib.request.Request(
                    f"{address}/v1/batch?x={urllib.parse.quote(text)}",
                    data=body,
                    headers={**basic(key), "User-Agent": urllib.parse.quote(text)},
                )
                try:
                    with urllib.request.urlopen(asked, timeout=20) as answer:
                        seen.append(answer.read())
                except urllib.error.HTTPError as error:
                    seen.append(error.read())
        children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
        seen += [arguments(pid) for pid in (server.pid, *map(int, children))]
    assert_clean(("processes", one) for one in (*seen, out, err))
    assert_clean(search_files(house.home))
    assert_clean(search_files(own_temp))


def arguments(pid: int) -> bytes:
    """What anybody on the machine sees of a process, and its environment."""
    found = b""
    for name in ("cmdline", "environ"):
        try:
            found += Path(f"/proc/{pid}/{name}").read_bytes()
        except OSError:
            continue
    return found
