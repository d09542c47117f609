"""Bundles: what a period, a subject or a request shows, what it keeps to itself, and that an outsider sees through every change."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import random
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.stores import Stores
from privacy.audit import bundle, checkpoint, cosignatures, witness
from privacy.audit.bundle import COMMITMENTS, HASHES, PERIOD, REQUEST, SUBJECT, WHOLE, Scope
from privacy.audit.log import AuditLog, Entry
from privacy.audit.payload import canonical
from privacy.audit.verify import read_note, verify_bundle
from privacy.errors import Conflict, NotFound
from tests.fakes.signer import signer

START = datetime(2026, 6, 1, tzinfo=UTC)
ANNA, BO = os.urandom(16), os.urandom(16)
SIGNER, LATER = signer("piying.example/dep-1", bytes(range(32))), signer("piying.example/dep-1", bytes(range(1, 33)))
REQUEST_ID = "req_0123456789abcdef"


class House:
    """A log that grows by an entry an hour; every third is about Anna, some about Bo, a few about both or a request."""

    def __init__(self, stores: Stores) -> None:
        self.stores = stores
        self.now = START
        self.log = AuditLog(lambda: self.now, os.urandom)

    def grow(self, hours: int) -> None:
        with self.stores.begin_platform() as tx:
            for number in range(hours):
                self.now += timedelta(hours=1)
                facts: dict[str, Any] = {"n": number, "subject": (ANNA, BO, None)[number % 3]}
                if number % 10 == 7:
                    facts = {"subjects": [ANNA, BO], "request": REQUEST_ID}
                self.log.append_many(tx, [Entry("read", "person.show", "usr_000000000001", facts=facts)])

    def sign(self, by: checkpoint.Signer = SIGNER) -> str:
        with self.stores.begin_platform() as tx:
            return checkpoint.issue(tx, by, self.now)

    def bundle(self, scope: Scope, *, by: list[checkpoint.Signer] | None = None, **options: Any) -> bytes:
        out = io.BytesIO()
        with self.stores.read_platform() as tx:
            bundle.write(tx, out, bundle.plan(tx, scope, **options), by or [SIGNER], more={"note.txt": b"words\n"}, language="en")
        return out.getvalue()


@pytest.fixture
def house(on_sqlite: Stores) -> House:
    made = House(on_sqlite)
    for _ in range(4):
        made.grow(30)
        made.sign()
    return made


def checked(raw: bytes, **options: Any) -> dict[str, Any]:
    return verify_bundle(io.BytesIO(raw), **{"keys": [SIGNER.verifier_key], **options})


def entries(raw: bytes) -> list[dict[str, Any]]:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return [json.loads(line) for line in archive.read("entries.jsonl").splitlines()]


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def test_the_whole_log_is_complete_and_opened(house: House) -> None:
    told = checked(house.bundle(Scope()))
    assert (told["ok"], told["complete"], told["opened"], told["hidden"], told["closed"]) == (True, True, 120, 0, {})
    assert (told["signed_size"], told["keys"]) == (120, "given")


def test_a_period_is_complete_without_what_was_before_and_after(house: House) -> None:
    raw = house.bundle(Scope(PERIOD, since=day(1), until=day(2)))
    told = checked(raw)
    assert (told["ok"], told["complete"], told["opened"], told["size"]) == (True, True, 24, 60)
    assert told["closed"] == {"read": 2}, "the entries beside the period show where it begins and ends"
    assert told["hidden"] == 60 - 26
    assert sum("node" in piece for piece in entries(raw)) < 16


@pytest.mark.parametrize(("since", "until", "opened"), [(None, day(1), 23), (day(4), None, 25), (day(9), None, 0), (None, day(-1), 0)])
def test_a_period_at_an_end_of_the_log_or_beyond_it_is_complete_too(
    house: House, since: datetime | None, until: datetime | None, opened: int
) -> None:
    told = checked(house.bundle(Scope(PERIOD, since=since, until=until)))
    assert (told["ok"], told["complete"], told["opened"]) == (True, True, opened)


def test_a_subject_sees_all_that_names_them_and_nothing_of_others(house: House) -> None:
    raw = house.bundle(Scope(SUBJECT, (ANNA.hex(),)))
    told = checked(raw)
    opened = [json.loads(one["entry"]["payload"])["facts"] for one in entries(raw) if one["entry"].get("payload")]
    assert all(ANNA.hex() in (facts.get("subject"), *facts.get("subjects", ())) for facts in opened)
    assert (told["ok"], told["opened"], told["complete"], told["hidden"]) == (True, 48, None, 0)
    assert told["closed"] == {"read": 72}
    shut = [one["entry"] for one in entries(raw) if one["entry"].get("closed")]
    assert all(set(one) == {"seq", "ts", "kind", "c", "closed"} for one in shut)


def test_hashes_show_of_the_rest_neither_time_nor_kind(house: House) -> None:
    raw = house.bundle(Scope(SUBJECT, (ANNA.hex(),), redaction=HASHES))
    told = checked(raw)
    assert (told["ok"], told["opened"], told["closed"], told["hidden"]) == (True, 48, {}, 72)
    assert len(raw) < len(house.bundle(Scope(SUBJECT, (ANNA.hex(),), redaction=COMMITMENTS)))


def test_a_request_shows_its_own_entries(house: House) -> None:
    told = checked(house.bundle(Scope(REQUEST, (REQUEST_ID,))))
    assert (told["ok"], told["opened"], told["complete"]) == (True, 12, None)


def test_the_same_range_gives_the_same_bytes_whatever_came_after(house: House) -> None:
    scopes = [Scope(PERIOD, since=day(1), until=day(3)), Scope(SUBJECT, (ANNA.hex(),)), Scope()]
    before = [house.bundle(scope, size=90) for scope in scopes]
    house.grow(50)
    house.sign()
    house.sign(LATER)
    assert [house.bundle(scope, size=90, by=[SIGNER, LATER]) for scope in scopes] == before
    assert house.bundle(scopes[0], by=[SIGNER, LATER]) == house.bundle(scopes[0]), "a period chooses its own checkpoint"


def test_every_change_of_a_bundle_is_found(house: House) -> None:
    """One bit anywhere, two hundred times: in the file's own frame it does not open, anywhere else a digest does not hold."""
    raw, dice = house.bundle(Scope(SUBJECT, (ANNA.hex(),), since=day(1), until=day(2))), random.Random(20261123)
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        held = [(info.header_offset + 30 + len(info.filename), info.filename) for info in archive.infolist()]
        content = {name: archive.read(name) for _, name in held}
    unseen = []
    for number in range(200):
        name = sorted(content)[number % len(content)]
        place = raw.index(content[name]) + dice.randrange(len(content[name]))
        changed = raw[:place] + bytes([raw[place] ^ (1 << dice.randrange(8))]) + raw[place + 1 :]
        if checked(changed)["ok"]:
            unseen.append((name, place))
    assert unseen == []


def resigned(raw: bytes, change: Callable[[dict[str, bytes], dict[str, Any]], None], by: checkpoint.Signer = SIGNER) -> bytes:
    """What the operator can do, who holds the key: any content under a new manifest that is rightly signed."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        files = {info.filename: archive.read(info) for info in archive.infolist()}
    manifest = json.loads(files.pop("manifest.json"))
    files.pop("manifest.note")
    change(files, manifest)
    manifest["files"] = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    said = canonical(manifest)
    body = f"{manifest['format']}\n{base64.b64encode(hashlib.sha256(said).digest()).decode()}\n"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in (*files.items(), ("manifest.json", said), ("manifest.note", by.signed(body).encode())):
            archive.writestr(name, content)
    return out.getvalue()


def lines(files: dict[str, bytes], change: Callable[[list[dict[str, Any]]], None]) -> None:
    pieces = [json.loads(line) for line in files["entries.jsonl"].splitlines()]
    change(pieces)
    files["entries.jsonl"] = b"".join(canonical(piece) + b"\n" for piece in pieces)


def test_the_operator_cannot_leave_out_close_or_exceed_even_with_the_key(house: House) -> None:
    period = house.bundle(Scope(PERIOD, since=day(1), until=day(2)))

    def shut(pieces: list[dict[str, Any]]) -> None:
        entry = next(one["entry"] for one in pieces if one.get("entry", {}).get("payload"))
        del entry["salt"], entry["payload"]
        entry["closed"] = True

    def cut(pieces: list[dict[str, Any]]) -> None:
        pieces.remove(next(one for one in pieces if "entry" in one))

    assert checked(resigned(period, lambda files, _: lines(files, shut)))["reason"] == "scope_closed"
    assert checked(resigned(period, lambda files, _: lines(files, cut)))["first_bad"] is not None
    shorter = resigned(period, lambda _, said: said["scope"].update(until=bundle.stamp(day(1) + timedelta(hours=5))))
    assert checked(shorter)["reason"] == "scope_exceeded"
    longer = resigned(period, lambda _, said: said["scope"].update(until=bundle.stamp(day(3))))
    assert checked(longer)["reason"] == "scope_closed", "the entry that showed its end now belongs to it"

    def earlier(said: dict[str, Any]) -> None:
        said["scope"].update(until=bundle.stamp(day(3)))
        said["range"][1] -= 1

    assert checked(resigned(period, lambda _, said: earlier(said)))["complete"] is not True
    other = resigned(house.bundle(Scope(SUBJECT, (ANNA.hex(),))), lambda _, said: said["scope"].update(of=[BO.hex()]))
    assert checked(other)["reason"] == "scope_exceeded"


def test_a_bundle_of_another_key_or_without_its_checkpoint_does_not_count(house: House) -> None:
    raw = house.bundle(Scope())
    assert checked(raw, keys=[LATER.verifier_key])["reason"] == "manifest_signature"
    assert checked(resigned(raw, lambda *_: None, LATER))["reason"] == "manifest_signature"
    assert checked(resigned(raw, lambda files, _: files.update({"checkpoints.json": b"[]"})))["reason"] == "checkpoint_missing"
    assert checked(raw, keys=[])["keys"] == "own", "checked against its own keys it says so"


def test_an_erased_payload_is_excused_by_its_record_and_by_nothing_else(house: House) -> None:
    with house.stores.begin_platform() as tx:
        house.log.erase(tx, [30, 33], actor="system")
    with pytest.raises(Conflict):
        house.bundle(Scope(PERIOD, since=day(1), until=day(2)), size=90)
    house.sign()
    raw = house.bundle(Scope(PERIOD, since=day(1), until=day(2)))
    told = checked(raw)
    assert (told["ok"], told["complete"], told["erased"], told["opened"]) == (True, True, 2, 23)

    def forget(pieces: list[dict[str, Any]]) -> None:
        entry = pieces[-1]["entry"]
        del entry["salt"], entry["payload"]
        entry["closed"] = True

    assert checked(resigned(raw, lambda files, _: lines(files, forget)))["reason"] == "erasure_unrecorded"


def test_a_kept_checkpoint_is_compared_where_the_bundle_was_asked_to_be_comparable(house: House) -> None:
    with house.stores.read_platform() as tx:
        first, second, *_ = checkpoint.notes(tx)
    scope = Scope(PERIOD, since=day(3), until=day(4))
    assert checked(house.bundle(scope), held=[second])["ok"], "the last checkpoint before the period is always a place to compare"
    assert checked(house.bundle(scope), held=[first])["reason"] == "checkpoint_not_comparable"
    assert checked(house.bundle(scope, held=[30]), held=[first])["ok"]
    assert not checked(house.bundle(scope, held=[30]), held=[SIGNER.note(30, os.urandom(32))])["ok"]


def test_a_witness_inside_a_bundle_is_counted_only_under_the_witnesses_own_key(house: House, tmp_path: Any) -> None:
    vkey = witness.make_key(tmp_path / "key", "witness.example/w1")
    name, private = witness.open_key(tmp_path / "key")
    with house.stores.begin_platform() as tx:
        note = list(checkpoint.notes(tx))[1]
        line = witness.cosignature(name, private, read_note(note)[1], 1_780_000_000)
        found = cosignatures.read(tx, note + line + "\n", [vkey])
        entry = house.log(tx, "system", "log.cosigned", actor="usr_000000000001")
        cosignatures.keep(tx, found, entry)
    house.grow(3)
    house.sign()
    raw = house.bundle(Scope())
    assert checked(raw, witnesses=[vkey])["witnessed_size"] == 60
    other = witness.make_key(tmp_path / "other", "witness.example/w1")
    assert checked(raw, witnesses=[other])["witnessed_size"] == 0
    assert checked(house.bundle(Scope(), size=120), witnesses=[vkey])["witnessed_size"] == 0, "what the log did not know then is not in it"


def test_what_is_no_bundle_is_bad_form_and_not_a_crash(house: House) -> None:
    raw = house.bundle(Scope())
    for wrong in (b"", b"PK", raw[:-40], raw[: len(raw) // 2]):
        assert (checked(wrong)["ok"], checked(wrong)["reason"]) == (False, "form")
    for piece in ({}, {"node": []}, {"node": [-1, 0, ""]}, {"node": [70, 0, "00" * 32]}, {"entry": 5}, {"entry": {}}, []):
        broken = resigned(raw, lambda files, _, piece=piece: files.update({"entries.jsonl": canonical(piece) + b"\n"}))  # type: ignore[misc]
        assert not checked(broken)["ok"]
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as archive, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for info in archive.infolist():
            packed.writestr(info.filename, archive.read(info))
    assert checked(out.getvalue())["reason"] == "files", "nothing is unpacked"
    assert checked(resigned(raw, lambda files, _: files.update(extra=b"x")))["ok"]


def test_there_is_no_bundle_without_a_checkpoint_or_of_a_size_that_never_was(on_sqlite: Stores, house: House) -> None:
    with pytest.raises(NotFound):
        house.bundle(Scope(), size=77)
    with on_sqlite.begin_platform() as tx:
        tx.execute(sa.text("DELETE FROM checkpoint"))
    with pytest.raises(Conflict):
        house.bundle(Scope())


def test_the_kinds_of_a_scope_are_those_that_a_statement_is_there_for() -> None:
    from privacy.oversight import statement

    for kind in (WHOLE, PERIOD, SUBJECT, REQUEST):
        for language in ("en", "zh"):
            assert "verify.py" in statement.text(kind, language)
