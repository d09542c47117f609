"""The consent log and its receipts from end to end, on both databases: recorded by a source, listed, signed, verified away from here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.house import House, bearer
from tests.unit.app.commands import run

PHONE = "13912345678"


def say(house: House, key: str, *, state: str = "granted", purpose: str = "analytics.statistics") -> dict[str, Any]:
    item = {"identifier": {"type": "phone", "value": PHONE}, "purpose": purpose, "state": state, "collection": "form"}
    (told,) = house.client.post("/v1/consents", json={"consents": [item]}, headers=bearer(key)).get_json()["items"]
    house.clock.forward(seconds=3)
    return dict(told)


def test_what_a_source_recorded_is_listed_by_the_interface_and_every_page_follows_the_last(house: House) -> None:
    _, key = house.source("shop")
    numbers = [say(house, key, state=state)["receipt"] for state in ("granted", "withdrawn", "denied")]
    officer = bearer(house.token("officer"))
    first = house.client.get("/api/consents?limit=2", headers=officer).get_json()
    rest = house.client.get(f"/api/consents?limit=2&cursor={first['next']}", headers=officer).get_json()
    assert [one["receipt"] for one in first["items"] + rest["items"]] == numbers[::-1]
    assert rest["next"] is None
    assert {one["source_name"] for one in first["items"]} == {"shop"}
    assert PHONE not in json.dumps([first, rest])
    chosen = house.client.get("/api/consents?state=denied&method=form&since=2026-06-15&until=2026-06-15", headers=officer).get_json()
    assert [one["receipt"] for one in chosen["items"]] == [numbers[2]]
    assert house.client.get("/api/consents?conflicts=true", headers=officer).get_json()["items"] == []
    assert house.client.get("/api/consents?state=maybe", headers=officer).status_code == 422
    assert house.client.get("/api/consents?cursor=x", headers=officer).get_json()["code"] == "bad_cursor"


def test_a_receipt_verifies_with_nothing_but_two_files(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Away from the house: no home, no store, no key file; a change in the file is found, and exit codes say so."""
    _, key = house.source("shop")
    told = say(house, key)
    receipt = house.client.get(f"/api/consents/{told['receipt']}", headers=bearer(house.token("officer"))).get_json()
    keys = house.client.get("/.well-known/jwks.json")
    assert (keys.status_code, keys.mimetype) == (200, "application/jwk-set+json")
    away = tmp_path / "away"
    away.mkdir()
    (away / "receipt.json").write_text(json.dumps(receipt), encoding="utf-8")
    (away / "receipt.jws").write_text(receipt["jws"], encoding="utf-8")
    (away / "jwks.json").write_bytes(keys.data)
    monkeypatch.chdir(away)
    monkeypatch.setenv("PIYING_HOME", str(away / "there-is-none"))
    for file in ("receipt.json", "receipt.jws"):
        done = run(None, "receipt", "verify", file, "--keys", "jwks.json", "--json")
        assert (done.code, done.json["ok"], done.json["receipt"]) == (0, True, told["receipt"])
    assert "the receipt holds" in run(None, "receipt", "verify", "receipt.json", "--keys", "jwks.json").out
    (away / "receipt.jws").write_text(receipt["jws"][:-9] + "AAAAAAAAA", encoding="utf-8")
    broken = run(None, "receipt", "verify", "receipt.jws", "--keys", "jwks.json", "--json")
    assert (broken.code, broken.json["ok"], broken.json["statement"]) == (1, False, None)
    assert run(None, "receipt", "verify", "missing", "--keys", "jwks.json", "--json").error["code"] == "file_unreadable"
    assert not (away / "there-is-none").exists()


def test_a_verification_by_the_interface_names_what_was_looked_at(house: House) -> None:
    _, key = house.source("shop")
    told = say(house, key)
    officer = bearer(house.token("officer"))
    checks = house.client.post(f"/api/consents/{told['receipt']}/verifications", headers=officer).get_json()["items"]
    assert {one["name"] for one in checks} == {"signature", "notice", "acts", "entry", "tree", "checkpoint"}
    assert not [one for one in checks if one["state"] == "bad"]
    assert house.client.get("/api/consents/rcp_aaaaaaaaaaaaaaaaaaaaaaaaaa", headers=officer).status_code == 404


def test_acts_that_came_with_events_have_receipts_too(house: House) -> None:
    """A consent object in an event is a source's word; the receipt says so, and its entry is the batch's."""
    _, key = house.source("web", consent_signals="accept", categories={"stats": "analytics.statistics"})
    message = {
        "type": "track", "event": "Product Viewed", "userId": "u-1", "messageId": "m-1", "timestamp": house.clock().isoformat(),
        "properties": {"product_id": "P1"}, "context": {"consent": {"categoryPreferences": {"stats": True}}},
    }  # fmt: skip
    house.batch([message], key)
    officer = bearer(house.token("officer"))
    (line,) = house.client.get("/api/consents", headers=officer).get_json()["items"]
    assert (line["method"], line["kind"], line["source_name"]) == ("signal", "asserted", "web")
    checks = house.client.post(f"/api/consents/{line['receipt']}/verifications", headers=officer).get_json()["items"]
    assert {one["name"]: one["state"] for one in checks} == {
        "signature": "good", "notice": "open", "entry": "good", "acts": "open", "tree": "good", "checkpoint": "open",
    }  # fmt: skip


def test_notices_are_listed_by_the_hash_that_names_them(house: House) -> None:
    from privacy.consent import registry

    with house.services.stores.platform_owner.begin() as tx:
        identity = registry.publish_notice(tx, "v1", {"en": "We count.", "zh": "我们统计。"}, ["analytics.statistics"], house.clock())
    (notice,) = house.client.get("/api/notices", headers=bearer(house.token("integrator"))).get_json()["items"]
    assert (notice["notice"], notice["version"], notice["texts"]["en"]) == (identity, "v1", "We count.")


def test_whoever_holds_no_token_gets_the_keys_and_nothing_else(house: House) -> None:
    (key,) = house.client.get("/.well-known/jwks.json").get_json()["keys"]
    assert "d" not in key
    for path in ("/api/consents", "/api/notices", "/api/consents/rcp_aaaaaaaaaaaaaaaaaaaaaaaaaa"):
        assert house.client.get(path).status_code == 401
    assert house.client.get("/consents").status_code == 302
    for role in ("marketer", "integrator", "administrator"):
        assert house.client.get("/api/consents", headers=bearer(house.token(role))).status_code == 403
        assert house.browser(role).get("/consents").status_code == 403


def test_the_find_box_leads_from_a_number_to_its_receipt(house: House) -> None:
    _, key = house.source("shop")
    number = say(house, key)["receipt"]
    officer = house.browser("officer")
    answer = officer.post("/find", {"number": number})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/consents/{number}")
    assert officer.get(answer.headers["Location"]).status_code == 200


def test_the_persons_own_copy_needs_a_fresh_password_and_says_so_in_the_log(house: House) -> None:
    _, key = house.source("shop")
    number = say(house, key)["receipt"]
    officer = house.browser("officer")
    copy = officer.post(f"/consents/{number}/copies")
    assert copy.status_code == 200
    assert copy.headers["Content-Disposition"] == f'attachment; filename="{number}-own.json"'
    assert set(copy.get_json()["opening"]) == {"reference", "salt"}
    newest = house.services.log_page(before=None, actor="test")["items"][1]
    assert (newest["action"], newest["facts"]["opened"]) == ("consent.copy", 1)
    plain = officer.get(f"/consents/{number}/receipt.json").get_json()
    assert "opening" not in plain
    house.clock.forward(minutes=11)
    assert officer.post(f"/consents/{number}/copies").headers["Location"].startswith("/reauthenticate")
