"""Planting the canary: every path in, and every path that fails, with the invented person in every place.

Promise: each function sends everything one way and yields what was answered, for the search.
"""

from __future__ import annotations

import csv
import json
import re
import urllib.parse
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from app import holding, intake
from privacy.errors import PiyingError
from tests.conftest import NOW
from tests.flow.canary import OPEN_WORDS, PERSON, PLANTED, UNSHAPED, batched
from tests.house import House, bearer, track


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


def look_everybody_up(house: House) -> Iterator[str]:
    """An officer who looks the person up by the console's forms, types them into every field, and has one value shown in clear.

    The one answer that shows it is not yielded: what it must not leave anywhere is for the search.
    """
    types = {"card": "member_card", "name": "customer_no"}
    for kind, text in PLANTED:
        officer = house.browser("officer")
        typed = {
            "type": types.get(kind, kind),
            "value": text,
            "purpose": "complaint",
            "reason": "asks" if kind in UNSHAPED else f"asks by {text}",
        }
        answers = [officer.post("/people", typed), officer.post("/people", dict.fromkeys(typed, text) | {"namespace": text})]
        answers.append(officer.post("/people", typed | {"reason": "asks what is held"}))
        if (case := answers[-1].headers.get("Location")) is not None:
            answers += [officer.get(f"{case}?show={tab}") for tab in ("timeline", "identities", "stopped")]
            answers.append(officer.post(f"{case}/reveals", {"ref": text, "purpose": text, "reason": text}))
            wish = {"purpose": text, "state": text, "collection": "paper", "notice": text, "default_state": text, "at": text}
            answers += [officer.post(f"{case}/decisions", wish), officer.post(f"{case}/merges/mrg_{'00' * 16}", typed)]
            answers += [officer.post(f"{case}/decisions", wish | {"collection": text}), officer.get(f"{case}/decisions")]
        yield from (answer.get_data(as_text=True) + str(answer.headers) for answer in answers)
    officer = house.browser("officer")
    case = officer.post("/people", {"type": "phone", "value": PERSON["phone"], "purpose": "complaint", "reason": "asks"}).headers[
        "Location"
    ]
    page = officer.get(f"{case}/reveals").get_data(as_text=True)
    (ref,) = re.findall(r'value="([0-9a-f]{32})" required> Telephone', page)
    shown = officer.post(f"{case}/reveals", {"ref": ref, "purpose": "complaint", "reason": "to call back"})
    assert PERSON["phone"] in shown.get_data(as_text=True)
    yield page + str(shown.headers)
    yield from (officer.get(f"{case}?show={tab}").get_data(as_text=True) for tab in ("timeline", "identities", "held", "stopped"))
    yield officer.get("/access-log").get_data(as_text=True)


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
            told = holding.replay(house.services, source_name="crm", mapping_path=mapped, actor="test")
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
