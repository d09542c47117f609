"""What failed in form: sealed, listed by place and rule, replayed after a fix, gone after seven days, erased with the person."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app import holding, housekeeping, intake, quality
from ingestion.quarantine import QuarantineItem
from privacy.errors import Unavailable
from privacy.identity.box import SealedPayload
from privacy.identity.ephemeral import EphemeralKey
from tests.house import NOW, House, bearer, track

PHONE = "13800138000"
MAPPING = """
record = "event"
zone = "Asia/Shanghai"
ignore = ["note"]
[identifiers]
customer_no = "member"
[fields]
occurred_at = "at"
event = {{ from = "what", values = {words} }}
product_id = "sku"
"""
OLD, NEW = '{ view = "product_viewed" }', '{ view = "product_viewed", seen = "product_viewed" }'


def mapping(folder: Path, words: str) -> Path:
    path = folder / "events.toml"
    path.write_text(MAPPING.format(words=words), "utf-8")
    return path


def file_of(folder: Path, rows: Iterable[dict[str, str]], name: str = "events.csv") -> Path:
    path = folder / name
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, ["member", "at", "what", "sku", "note"])
        writer.writeheader()
        writer.writerows(rows)
    return path


def row(number: int, what: str = "seen", member: str = "u-1", note: str = "") -> dict[str, str]:
    return {"member": member, "at": "2026-06-14 12:00:00", "what": what, "sku": f"P{number}", "note": note}


def bring(house: House, path: Path, mapped: Path) -> dict[str, Any]:
    return intake.import_file(house.services, path, source_name="till", mapping_path=mapped, actor="test", progress=lambda *_: None)


def granted(house: House, *members: str) -> tuple[str, str]:
    source, _ = house.source("till", "file", namespace="web")
    _, key = house.source("web")
    house.grant(key, [("customer_no", one) for one in members], at=(NOW - timedelta(days=30)).isoformat())
    return source, key


def payloads(house: House) -> tuple[int, int]:
    """Sealed payloads and keys of the quarantine that there are."""
    with house.services.stores.vault_owner.read() as tx:
        return (
            int(tx.scalar(sa.select(sa.func.count()).select_from(SealedPayload)) or 0),
            int(tx.scalar(sa.select(sa.func.count()).where(EphemeralKey.name.like("quarantine:%"))) or 0),
        )


def test_rows_that_a_mapping_did_not_know_enter_once_it_does(house: House, tmp_path: Path) -> None:
    source, _ = granted(house, "u-1")
    told = bring(house, file_of(tmp_path, [row(1), row(2), row(3, "view")]), mapping(tmp_path, OLD))
    assert (told["stored"], told["quarantined"]) == (1, 2)
    headers = bearer(house.token("officer"))
    assert house.client.get("/api/quarantine/counts", headers=headers).get_json()["items"] == [
        {"source": source, "path": "event", "rule": "not_allowed", "number": 2, "first_ends": (NOW + timedelta(days=7)).isoformat()}
    ]
    page = house.client.get(f"/api/quarantine?source={source}&rule=not_allowed&path=event&limit=1", headers=headers).get_json()
    rest = house.client.get(f"/api/quarantine?cursor={page['next']}&limit=1", headers=headers).get_json()
    assert [one["position"] for one in page["items"] + rest["items"]] == [0, 1]
    assert rest["next"] is None
    heard: list[tuple[int, int]] = []
    told = holding.replay(
        house.services, source_name="till", mapping_path=mapping(tmp_path, NEW), actor="test", progress=lambda *seen: heard.append(seen)
    )
    assert (told["replayed"], told["stored"], heard) == (2, 2, [(2, 2)])
    assert (house.rows(), payloads(house)[0]) == (3, 0)
    assert quality.unaccounted(house.services) == []
    body = {"source": "till", "mapping": MAPPING.format(words=NEW)}
    again = house.client.post("/api/quarantine/replays", json=body, headers=bearer(house.token("integrator")))
    assert again.get_json()["replayed"] == 0


def test_who_withdrew_in_between_is_refused_at_the_replay_and_who_had_not_agreed_yet_too(house: House, tmp_path: Path) -> None:
    _, key = granted(house, "u-1", "u-2")
    house.grant(key, [("customer_no", "u-3")], at=(NOW - timedelta(minutes=1)).isoformat())
    bring(house, file_of(tmp_path, [row(1, member="u-1"), row(2, member="u-2"), row(3, member="u-3")]), mapping(tmp_path, OLD))
    house.clock.forward(hours=1)
    house.grant(key, [("customer_no", "u-2")], state="withdrawn")
    told = holding.replay(house.services, source_name="till", mapping_path=mapping(tmp_path, NEW), actor="test")
    assert (told["stored"], told["refused"]) == (1, 2), "consent is asked at the row's time and now"
    assert (house.rows(), payloads(house)[0]) == (1, 0), "what the law refuses is not kept"


def test_messages_are_replayed_by_their_adapter_and_what_fails_again_keeps_its_first_end(house: House) -> None:
    source, key = house.source("web")
    house.grant(key, [("customer_no", "u-1")], at=(NOW - timedelta(days=1)).isoformat())
    house.batch([track(1, properties={"quantity": "many"}), track(2)], key)
    (first,) = holding.page(house.services, source)["items"]
    house.clock.forward(days=3)
    told = holding.replay(house.services, source_name="web", mapping_path=None, actor="test")
    assert (told["replayed"], told["quarantined"], told["reasons"]) == (1, 1, {"wrong_type": 1})
    (again,) = holding.page(house.services, source)["items"]
    assert (again["path"], again["expires_at"]) == (first["path"], first["expires_at"])
    assert again["id"] != first["id"]


@pytest.mark.slow
def test_thousands_are_replayed_in_steps_and_only_what_was_there_when_it_began(house: House, tmp_path: Path) -> None:
    granted(house, "u-1")
    bring(house, file_of(tmp_path, (row(number, "seen" if number % 2 else "odd") for number in range(2400))), mapping(tmp_path, OLD))
    heard: list[tuple[int, int]] = []
    told = holding.replay(
        house.services, source_name="till", mapping_path=mapping(tmp_path, NEW), actor="test", progress=lambda *seen: heard.append(seen)
    )
    assert (told["replayed"], told["stored"], told["quarantined"]) == (2400, 1200, 1200)
    assert heard == [(1000, 2400), (2000, 2400), (2400, 2400)]
    assert house.rows() == 1200
    assert quality.unaccounted(house.services) == []


def test_of_two_replays_at_once_each_item_goes_through_one(house: House, tmp_path: Path) -> None:
    """Rows without an id of their own: nothing but the transaction keeps them from entering twice."""
    granted(house, "u-1")
    bring(house, file_of(tmp_path, [row(1), row(2)]), mapping(tmp_path, OLD))
    fixed = mapping(tmp_path, NEW)
    services, proper = house.services, house.services.replayed

    def meanwhile(*arguments: Any) -> Any:
        services.__dict__["replayed"] = proper
        assert holding.replay(services, source_name="till", mapping_path=fixed, actor="second")["stored"] == 2
        return proper(*arguments)

    services.__dict__["replayed"] = meanwhile
    with pytest.raises(Unavailable) as busy:
        holding.replay(services, source_name="till", mapping_path=fixed, actor="first")
    assert busy.value.code == "replay_busy"
    assert house.rows() == 2
    assert quality.unaccounted(services) == []


def test_after_seven_days_rows_payloads_and_keys_are_gone(house: House) -> None:
    source, key = house.source("web")
    house.batch([{"type": "nonsense", "phone": PHONE}], key)
    assert payloads(house) == (1, 1)
    house.clock.forward(days=7, seconds=1)
    assert holding.replay(house.services, source_name="web", mapping_path=None, actor="test")["replayed"] == 0
    house.clock.forward(days=1)
    housekeeping.retention(house.services)
    assert payloads(house) == (0, 0)
    assert holding.page(house.services, source)["items"] == []


def test_a_person_who_is_erased_leaves_the_quarantine_and_nobody_else_does(house: House, tmp_path: Path) -> None:
    granted(house, "u-1")
    _, key = house.source("shop")
    rows = [row(1, note=f"电话 {PHONE[:3]} {PHONE[3:7]} {PHONE[7:]}"), row(2, note="no name"), row(3, member="card-55501")]
    bring(house, file_of(tmp_path, rows), mapping(tmp_path, OLD))
    house.batch([{"type": "nonsense", "traits": {"email": "ZHANG@example.com"}}, {"type": "nonsense", "n": 1}], key)
    assert payloads(house)[0] == 5
    person = [("phone", f"+86{PHONE}"), ("email", "zhang@example.com"), ("customer_no", "card-55501")]
    assert holding.erase(house.services, person, actor="officer") == 3
    assert payloads(house)[0] == 2
    with house.services.read_intake() as tx:
        assert tx.scalar(sa.select(sa.func.count()).select_from(QuarantineItem)) == 2
        left = str([tuple(one) for one in tx.execute(sa.select(QuarantineItem.__table__))])
    assert PHONE not in left
    assert holding.erase(house.services, person, actor="officer") == 0
    assert holding.replay(house.services, source_name="till", mapping_path=mapping(tmp_path, NEW), actor="test")["replayed"] == 1


def test_an_integrator_neither_sees_nor_replays_what_is_anothers(house: House) -> None:
    mine, other = bearer(house.token("integrator")), bearer(house.token("integrator"))
    made = house.client.post("/api/sources", json={"name": "own", "kind": "segment"}, headers=mine).get_json()
    house.batch([{"type": "nonsense"}], made["write_key"])
    for path in ("/api/quarantine", "/api/quarantine/counts"):
        assert len(house.client.get(path, headers=mine).get_json()["items"]) == 1
        assert house.client.get(path, headers=other).get_json()["items"] == []
    refused = house.client.post("/api/quarantine/replays", json={"source": "own"}, headers=other)
    assert (refused.status_code, refused.get_json()["code"]) == (404, "source_not_found")
