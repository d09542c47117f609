"""An audit pack is the same bytes for the same range of the log, whatever happened since; it is signed, and a changed byte is found."""

from __future__ import annotations

import json

import pytest

from app.accountability import packs
from privacy.accountability import packing
from privacy.audit.log import head
from privacy.errors import Invalid, NotFound
from privacy.identity import receiptkeys
from privacy.oversight.packs import TYPE, check, name_of, range_of
from tests.fakes.paperwork import INCIDENT, active
from tests.house import House


def keys(house: House) -> str:
    return json.dumps(receiptkeys.public_keys(house.services.open_keyring()))


def test_a_pack_regenerates_byte_for_byte_after_everything_changed(house: House) -> None:
    """New papers, new versions, an erased payload and a new signing key later (A-06)."""
    services = house.services
    house.source("web")
    id_ = active(services)
    told = packs.take(services, actor="usr_ada0000000000")
    first = packs.file(services, told["pack"], actor="usr_ada0000000000")
    with services.read_console() as tx:
        assert told["size"] <= head(tx).size
    house.clock.forward(days=3)
    services.recipients.set_status(id_, "ended", seen=None, actor="usr_ada0000000000")
    services.incidents.add(INCIDENT, actor="usr_ada0000000000")
    house.source("later")
    with services.begin_console() as tx:
        services.log.erase(tx, [0, 1], actor="test")
    services.rotate_key("receipt", actor="test")
    packs.take(services, actor="usr_bob0000000000")
    assert packs.file(services, told["pack"], actor="usr_bob0000000000") == first
    assert packs.file(services, services.packs.listing()[0]["pack"], actor="usr_bob0000000000") != first
    assert check(first, keys(house)) == {"ok": True, "reason": "", "range": check(first, keys(house))["range"]}


def test_every_point_is_answered_and_the_root_is_the_logs(house: House) -> None:
    services = house.services
    told = packs.take(services, actor="usr_ada0000000000")
    with services.read_console() as tx:
        size, root = head(tx)
    files = packing.unzipped(packs.file(services, told["pack"], actor="usr_ada0000000000"))
    answers = json.loads(files["points.json"])
    assert [one["number"] for one in answers] == list(range(1, 27))
    assert all(one.get("why") or one["controls"] or one["acts"] or one["papers"] or one["register"] for one in answers)
    manifest = json.loads(files["manifest.json"])
    assert (manifest["range"]["size"], manifest["range"]["root"]) == (size, root.hex())
    assert {
        "README.md",
        "points.csv",
        "controls.csv",
        "controls.json",
        "register.json",
        "log.json",
        "papers/recipient.json",
    } <= files.keys()


def test_a_changed_file_a_foreign_key_and_no_zip_are_told(house: House) -> None:
    services = house.services
    raw = packs.file(services, packs.take(services, actor="usr_ada0000000000")["pack"], actor="usr_ada0000000000")
    files = packing.unzipped(raw)
    assert check(packing.zipped(files | {"log.json": b"[]\n"}), keys(house))["reason"] == "differs: log.json"
    other = files | {"manifest.json": files["manifest.json"].replace(b'"size"', b'"Size"')}
    assert check(packing.zipped(other), keys(house))["reason"] == "signature"
    assert check(raw, '{"keys": []}')["reason"] == "signature"
    assert check(b"nonsense", keys(house))["ok"] is False
    assert receiptkeys.opened(files["manifest.jws"].decode(), json.loads(keys(house)), type_="consent-receipt+jws") is None
    assert receiptkeys.opened("x.y.z", json.loads(keys(house)), type_=TYPE) is None


def test_a_range_without_a_snapshot_has_no_pack(house: House) -> None:
    assert range_of(name_of(0, 12)) == (0, 12)
    for name in ("", "5", "5-5", "a-b", "9-1"):
        with pytest.raises(Invalid):
            range_of(name)
    with pytest.raises(NotFound):
        packs.file(house.services, "0-1", actor="usr_ada0000000000")
