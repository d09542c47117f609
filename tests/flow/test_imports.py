"""Files over HTTP: uploads that break off, workers that die, error files without values; undo is in test_undo.py."""

from __future__ import annotations

import hashlib
import random
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app import imported, importing, imports, jobs, uploads
from ingestion import registry
from privacy.identity.ephemeral import EphemeralKey
from tests.flow.importer import (
    EXPECTED,
    MAPPING,
    ROWS,
    Killed,
    announce,
    numbers,
    put,
    run_jobs,
    shop,
    state,
    stored_rows,
    till_file,
    uploaded,
)
from tests.house import House, bearer


def on_disk(house: House) -> list[Path]:
    folder = house.services.uploads_path
    return list(folder.iterdir()) if folder.exists() else []


# ── uploads ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_upload_that_breaks_off_anywhere_is_resumed_and_imported_exactly(house: House) -> None:
    """Parts of any length, sent twice, sent late, sent with a gap; a part that broke off after bytes that were never acknowledged."""
    token, content, dice = shop(house), till_file(), random.Random(11)
    made = announce(house, token, content)["import"]
    offset = 0
    while offset < len(content):
        step = dice.randint(1, 20_000)
        answer = put(house, token, made, content[offset : offset + step], offset)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        assert int(answer.headers["Upload-Offset"]) == answer.get_json()["offset"] == min(offset + step, len(content))
        if offset + step >= len(content):
            break
        gap = put(house, token, made, b"x", offset + step + 1)
        assert (gap.status_code, gap.get_json()["code"], gap.headers["Upload-Offset"]) == (409, "wrong_offset", str(offset + step))
        again = max(0, offset - dice.randint(0, 500))
        assert put(house, token, made, content[again : offset + step], again).get_json()["offset"] == offset + step
        with on_disk(house)[0].open("ab") as torn:
            torn.write(b"what a crash left behind the last acknowledged block")
        offset += step
    assert state(house, token, made)["state"] == "queued"
    (sealed,) = on_disk(house)
    assert sealed.stat().st_mode & 0o777 == 0o600
    assert b"canary" not in sealed.read_bytes()
    run_jobs(house, "import")
    told = state(house, token, made)
    assert (told["state"], numbers(told)) == ("done", EXPECTED)
    assert stored_rows(house) == EXPECTED["stored"]
    assert on_disk(house) == []
    with house.services.stores.read_vault() as tx:
        assert not [name for name in tx.execute(sa.select(EphemeralKey.name)).scalars() if name.startswith("upload:")]


def test_what_is_not_what_was_announced_is_refused_and_gone(sqlite_only: House) -> None:
    house = sqlite_only
    token, content = shop(house), till_file(20)
    longer = announce(house, token, content)["import"]
    answer = put(house, token, longer, content + b"x", 0)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "upload_too_long")
    wrong = announce(house, token, content, sha256="0" * 64)["import"]
    answer = put(house, token, wrong, content, 0)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "upload_damaged")
    assert state(house, token, wrong)["state"] == "cancelled"
    assert [path.stem for path in on_disk(house)] == [longer]
    too_large = {"source": "pos", "format": "csv", "size": 1 << 39, "sha256": "0" * 64}
    assert house.client.post("/api/imports", json=too_large, headers=bearer(token)).status_code == 413
    for field, value in (("format", "exe"), ("format", "parquet.gz"), ("sha256", "x"), ("size", 0), ("source", "crm")):
        body = {"source": "pos", "format": "csv", "size": 1, "sha256": "0" * 64} | {field: value}
        assert house.client.post("/api/imports", json=body, headers=bearer(token)).status_code == 422, field
    assert house.client.put(f"/api/imports/{longer}/content", data=b"x", headers=bearer(token)).get_json()["code"] == "offset_missing"


def test_one_idempotency_key_announces_one_file(sqlite_only: House) -> None:
    house = sqlite_only
    token, content = shop(house), till_file(20)
    body = {"source": "pos", "format": "csv", "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    headers = {**bearer(token), "Idempotency-Key": "k1"}
    first, second = (house.client.post("/api/imports", json=body, headers=headers).get_json() for _ in range(2))
    assert first["import"] == second["import"]
    other = house.client.post("/api/imports", json=body | {"size": 1}, headers=headers)
    assert (other.status_code, other.get_json()["code"]) == (409, "idempotency_mismatch")


def test_open_uploads_are_few_and_end_by_themselves(sqlite_only: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house = sqlite_only
    token, content = shop(house), till_file(20)
    made = [announce(house, token, content)["import"] for _ in range(uploads.OPEN_UPLOADS)]
    put(house, token, made[0], content[:100], 0)
    more = house.client.post("/api/imports", json={"source": "pos", "format": "csv", "size": 1, "sha256": "0" * 64}, headers=bearer(token))
    assert (more.status_code, more.get_json()["code"]) == (409, "too_many_uploads")
    house.client.post(f"/api/imports/{made[1]}/cancellation", headers=bearer(token))
    announce(house, token, content)
    house.clock.now += imports.UPLOAD_LIFE
    assert uploads.expire(house.services) == {"uploads": uploads.OPEN_UPLOADS}
    token = house.token("integrator")
    assert [state(house, token, one)["state"] for one in made[:2]] == ["expired", "cancelled"]
    assert on_disk(house) == []
    assert put(house, token, made[0], content, 0).get_json()["code"] == "import_not_ready"


# ── the wizard over HTTP ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_is_looked_at_and_tried_before_anything_of_it_is_stored(sqlite_only: House) -> None:
    house = sqlite_only
    token, content = shop(house), till_file()
    made = announce(house, token, content, mapping=None)["import"]
    early = house.client.post(f"/api/imports/{made}/trials", json={}, headers=bearer(token))
    assert (early.status_code, early.get_json()["code"]) == (409, "import_not_ready")
    put(house, token, made, content, 0)
    before = house.counts()
    guessed = house.client.post(f"/api/imports/{made}/guesses", json={}, headers=bearer(token))
    assert guessed.status_code == 200, guessed.get_data(as_text=True)
    told = guessed.get_json()
    assert (told["record"], told["complete"]) == ("order_line", True), told
    tried = house.client.post(f"/api/imports/{made}/trials", json={"mapping": told["mapping"]}, headers=bearer(token)).get_json()
    assert (tried["received"], tried["valid"], tried["malformed"]) == (ROWS, ROWS - 20, 20)
    assert len(tried["errors"]) == 20
    assert tried["errors"][0] == {"row": 8, "path": "net_minor", "rule": "wrong_type"}
    assert tried["dropped_fields"] == {"note": ROWS}
    shown = guessed.get_data(as_text=True) + str(tried)
    assert "canary" not in shown
    assert "13812345678" not in shown
    assert "MC0000" not in shown
    changed = {name for name, number in house.counts().items() if number != before[name]}
    assert all("log_" in name for name in changed), "a trial wrote something but its own entry"
    missing = house.client.post(f"/api/imports/{made}/start", headers=bearer(token))
    assert (missing.status_code, missing.get_json()["code"]) == (422, "mapping_missing")
    address = f"/api/imports/{made}/mapping"
    seen = house.client.get(address, headers=bearer(token))
    assert seen.get_json() == {"mapping": None}
    named = {**bearer(token), "If-Match": seen.headers["ETag"]}
    bad = house.client.put(address, json={"mapping": "record = 'none'"}, headers=named)
    assert (bad.status_code, bad.get_json()["code"]) == (422, "mapping_invalid")
    unnamed = house.client.put(address, json={"mapping": told["mapping"]}, headers=bearer(token))
    assert (unnamed.status_code, unnamed.get_json()["code"]) == (428, "precondition_missing")
    assert house.client.put(address, json={"mapping": told["mapping"]}, headers=named).status_code == 200
    late = house.client.put(address, json={"mapping": told["mapping"]}, headers=named)
    assert (late.status_code, late.get_json()["code"]) == (412, "changed_meanwhile")
    assert house.client.get(address, headers=bearer(token)).get_json() == {"mapping": told["mapping"]}
    assert house.client.post(f"/api/imports/{made}/start", headers=bearer(token)).status_code == 202
    run_jobs(house, "import")
    assert numbers(state(house, token, made)) == EXPECTED


# ── the run ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("when", ["after a commit", "before a commit"])
def test_a_worker_that_dies_leaves_books_that_add_up_and_the_next_goes_on(house: House, when: str) -> None:
    """Killed at every third chunk, on either side of its commit: in the end every row was taken in once."""
    token, content = shop(house), till_file()
    made = announce(house, token, content)["import"]
    put(house, token, made, content, 0)
    lives = 0
    while state(house, token, made)["state"] != "done":
        lives += 1
        deaths = iter(range(3))

        def measure(source: str, receipt: Any, deaths: Any = deaths) -> None:
            if when == "after a commit" and next(deaths) == 2:
                raise Killed

        try:
            _run_a_life(house, made, measure, when)
        except Killed:
            told = state(house, token, made)
            assert told["counts"]["received"] == sum(told["counts"][name] for name in ("stored", "duplicate", "quarantined", "refused"))
            assert told["counts"]["stored"] == house.rows(), "the books and the inbox disagree"
    told = state(house, token, made)
    assert numbers(told) == EXPECTED
    assert house.rows() == EXPECTED["stored"]
    assert lives > 3


def _run_a_life(house: House, made: str, measure: Any, when: str) -> None:
    services = house.services
    with services.read_intake() as tx:
        facts = imports.get(tx, made)
    with services.read_intake() as tx:
        source = registry.get(tx, facts.source_id).facts
    mapping = services.parsed_mapping(facts.mapping or "")
    kept = services.intake
    if when == "before a commit":
        taken = iter(range(4))

        @contextmanager
        def dying() -> Any:
            with kept.begin() as tx:
                yield tx
                if next(taken) == 2:
                    raise Killed

        services.__dict__["intake"] = replace(kept, begin=dying)
    try:
        importing.run(
            services,
            made,
            services.chunks(services.content(facts), source, mapping, facts.chunk_rows),
            mapping,
            holder=f"worker {random.random()}",
            measure=measure,
            progress=lambda done, total: None,
        )
    finally:
        services.__dict__["intake"] = kept


def test_two_workers_on_one_import_store_no_chunk_twice(sqlite_only: House) -> None:
    """A worker that lost its lease wakes up: its next chunk is not stored."""
    house = sqlite_only
    token, content = shop(house), till_file()
    made = announce(house, token, content)["import"]
    put(house, token, made, content, 0)
    other: list[str] = []

    def overtake(source: str, receipt: Any) -> None:
        if not other:
            other.append("ran")
            _run_a_life(house, made, lambda source, receipt: None, "")

    with pytest.raises(Exception, match="somebody else") as raised:
        _run_a_life(house, made, overtake, "")
    assert getattr(raised.value, "code", "") == "import_taken"
    assert numbers(state(house, token, made)) == EXPECTED
    assert house.rows() == EXPECTED["stored"]


def test_a_cancelled_import_stops_after_its_chunk_and_what_failed_goes_on(sqlite_only: House) -> None:
    house = sqlite_only
    token, content = shop(house), till_file()
    made = announce(house, token, content)["import"]
    put(house, token, made, content, 0)

    def cancel(source: str, receipt: Any) -> None:
        assert house.client.post(f"/api/imports/{made}/cancellation", headers=bearer(token)).status_code == 200

    with house.services.begin_jobs() as tx:
        job = jobs.claim(tx, "w", now=house.clock())
    assert job is not None
    assert job.arguments == {"import": made}
    with pytest.raises(jobs.Stopped):
        uploads.run(house.services, job, measure=cancel)
    told = state(house, token, made)
    assert (told["state"], told["counts"]["received"]) == ("cancelled", 200)
    assert on_disk(house) == []
    lacking = announce(house, token, content, mapping=MAPPING.replace('"paid"', '"nowhere"'))["import"]
    put(house, token, lacking, content, 0)
    run_jobs(house, "import")
    told = state(house, token, lacking)
    assert (told["state"], told["error_code"]) == ("failed", "column_missing")


def test_the_list_of_imports_comes_in_pages_and_shows_numbers_only_to_who_may_see_them(
    sqlite_only: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = sqlite_only
    token = shop(house)
    made = [announce(house, token, till_file(number + 1))["import"] for number in range(5)]
    monkeypatch.setattr(imported, "PAGE", 2)
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        page = house.client.get(f"/api/imports{cursor and '?cursor='}{cursor}", headers=bearer(token)).get_json()
        seen += [one["import"] for one in page["items"]]
        cursor = page["next"]
    assert sorted(seen) == sorted(made)
    assert house.client.get("/api/imports?cursor=x", headers=bearer(token)).status_code == 422
    administrator = bearer(house.token("administrator"))
    assert house.client.get("/api/imports", headers=administrator).get_json()["items"][0]["counts"] is None
    assert house.client.get("/api/imports", headers=bearer(house.token("officer"))).get_json()["items"][0]["counts"] is not None


# ── the error file ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_error_file_tells_rows_paths_and_rules_and_no_value(house: House) -> None:
    """Of rows that were refused because of a person nothing but that they were not processed."""
    token = shop(house)
    made = uploaded(house, token, till_file(), name="till.csv")
    assert state(house, token, made)["name"] == "till.csv"
    answer = house.client.get(f"/api/imports/{made}/errors", headers=bearer(token))
    assert answer.mimetype == "text/csv"
    header, *lines = answer.get_data(as_text=True).splitlines()
    assert header == "row,path,rule"
    told = [line.split(",") for line in lines]
    assert [int(row) for row, _, _ in told] == sorted({number + 1 for number in range(ROWS) if number % 5 == 4 or number % 50 == 7})
    assert {(path, rule) for row, path, rule in told if int(row) % 50 == 8} == {("net_minor", "wrong_type")}
    assert {(path, rule) for row, path, rule in told if int(row) % 50 != 8} == {("", "not_processed")}
    for value in ("13812345678", "canary", "MC0000", "MX0000", "consent"):
        assert value not in answer.get_data(as_text=True)
    house.clock.now += imports.ERRORS_KEPT
    gone = house.client.get(f"/api/imports/{made}/errors", headers=bearer(house.token("integrator")))
    assert (gone.status_code, gone.get_json()["code"]) == (404, "errors_gone")
    uploads.expire(house.services)
    assert house.counts()["platform.import_chunk"] == 0
    assert state(house, house.token("officer"), made)["name"] is None
