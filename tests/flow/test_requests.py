"""Requests of people from the first letter to the last: register, clocks, proof, review, two persons, packages, flags, corrections."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import pytest

from app import cases, requests
from app.wiring import Services
from privacy.audit import receipts
from privacy.errors import Conflict, Invalid, NotFound, PiyingError, Refused
from privacy.vocabulary import PROFILING, STATISTICS
from tests.fakes import known
from tests.house import House, bearer, track

ANNA, BEN = "usr_0123456789abcdef", "usr_fedcba9876543210"
ASKED = {"channel": "phone", "language": "en"}


@pytest.fixture
def house(sqlite_only: House) -> House:
    known.know(sqlite_only)
    sqlite_only.flush()
    return sqlite_only


def opened(services: Services, right: str, *, phone: str = known.PHONE, **more: Any) -> str:
    """A request by a look-up with a telephone."""
    asked = {**ASKED, "right": right, **more}
    made = requests.open_by(services, "phone", phone, asked, reason="she called and asked", actor=ANNA)
    assert phone not in json.dumps(made)
    return str(made["number"])


def proven(services: Services, number: str) -> None:
    requests.check_identity(services, number, method="code", passed=True, actor=ANNA)


def granted(services: Services, number: str) -> None:
    """A request that was decided for, up to its delivery."""
    proven(services, number)
    requests.gather(services, number, actor=ANNA)
    requests.reviewed(services, number, actor=ANNA)
    requests.decide(services, number, outcome="fulfilled", reason="", words="", actor=ANNA)


def archive(services: Services, number: str) -> Mapping[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(requests.take(services, number, actor=ANNA))) as file:
        return {name: file.read(name) for name in file.namelist()}


# ── the way ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_request_goes_from_receipt_to_its_end_and_every_act_is_in_its_line(house: House) -> None:
    services = house.services
    number = opened(services, "access")
    requests.assign(services, number, None, actor=ANNA)
    requests.ask_identity(services, number, actor=ANNA)
    granted(services, number)
    requests.deliver(services, number, actor=ANNA)
    requests.letter(services, number, "answer", "zh", actor=ANNA)
    requests.close(services, number, "done", "the file was handed over", actor=ANNA)
    told = requests.show(services, number, actor=ANNA)
    acts = [one["act"] for one in told["events"]]
    assert acts == [
        "open",
        "assign",
        "identity_asked",
        "identity_proven",
        "gathered",
        "reviewed",
        "decided",
        "delivered",
        "letter",
        "closed",
    ]
    assert (told["step"], told["clock"], told["closing"]) == ("closed", "stopped", "done")
    assert known.PHONE not in json.dumps(told)
    assert "138****8000" in json.dumps(told)


def test_nothing_is_closed_or_refused_without_a_reason_and_nothing_is_decided_before_proof(house: House) -> None:
    services = house.services
    number = opened(services, "deletion")
    for reason in ("", "because"):
        with pytest.raises(Invalid) as without:
            requests.close(services, number, reason, "", actor=ANNA)
        assert without.value.code == "reason_missing"
        with pytest.raises(Invalid):
            requests.decide(services, number, outcome="refused", reason=reason, words="", actor=ANNA)
    with pytest.raises(Conflict) as early:
        requests.decide(services, number, outcome="fulfilled", reason="", words="", actor=ANNA)
    assert early.value.code == "identity_unproven"
    with pytest.raises(Conflict):
        requests.decide(services, number, outcome="refused", reason="nothing_held", words="", actor=ANNA)
    told = requests.decide(services, number, outcome="refused", reason="identity_unproven", words="", actor=ANNA)
    assert told["step"] == "deliver"


def test_words_that_name_somebody_are_not_kept(house: House) -> None:
    services = house.services
    number = opened(services, "access")
    for words in (f"call {known.PHONE} back",):
        told = requests.comment(services, number, words, actor=ANNA)
        assert known.PHONE not in json.dumps(requests.show(services, number, actor=ANNA))
        assert told["number"] == number
    with pytest.raises(Invalid):
        requests.comment(services, number, " ", actor=ANNA)
    with pytest.raises(Invalid) as long:
        requests.comment(services, number, "x " * 600, actor=ANNA)
    assert long.value.code == "reason_identifies"


def test_a_deletion_needs_a_second_person_whoever_asks_the_server(house: House) -> None:
    services = house.services
    number = opened(services, "deletion")
    granted(services, number)
    assert requests.show(services, number, actor=ANNA)["step"] == "decide"
    with pytest.raises(Refused) as own:
        requests.approve(services, number, actor=ANNA)
    assert own.value.code == "own_decision"
    with pytest.raises(Conflict):
        requests.deliver(services, number, actor=ANNA)
    assert requests.send_back(services, number, "look at the orders again", actor=BEN)["step"] == "review"
    requests.reviewed(services, number, actor=ANNA)
    requests.decide(services, number, outcome="fulfilled", reason="", words="", actor=ANNA)
    assert requests.approve(services, number, actor=BEN)["step"] == "deliver"


def test_the_clock_stands_still_only_while_proof_is_missing_and_is_lengthened_once(house: House) -> None:
    services = house.services
    number = opened(services, "access")
    first = requests.show(services, number, actor=ANNA)["due_by_law"]
    requests.ask_identity(services, number, actor=ANNA)
    house.clock.forward(days=4)
    waiting = requests.show(services, number, actor=ANNA)
    assert (waiting["clock"], waiting["due_by_law"] > first) == ("paused", True)
    proven(services, number)
    moved = requests.show(services, number, actor=ANNA)["due_by_law"]
    house.clock.forward(days=3)
    assert requests.show(services, number, actor=ANNA)["due_by_law"] == moved
    longer = requests.lengthen(services, number, "complex", actor=ANNA)
    assert longer["due_by_law"] > moved
    with pytest.raises(Conflict) as again:
        requests.lengthen(services, number, "complex", actor=ANNA)
    assert again.value.code == "lengthened_before"
    with pytest.raises(Invalid):
        requests.lengthen(services, opened(services, "objection"), "complex", actor=ANNA)


def test_two_who_act_at_once_do_not_overwrite_each_other(house: House) -> None:
    services = house.services
    number = opened(services, "access")
    with services.begin_console() as tx:
        from privacy.rights import register

        one = register.one(tx, number)
        register.change(tx, one, {"assignee": ANNA})
        with pytest.raises(Conflict) as lost:
            register.change(tx, one, {"assignee": BEN})
    assert lost.value.code == "request_changed"


# ── unknown people ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nobody_gets_a_request_that_takes_the_same_steps(house: House) -> None:
    """Attack 55: what a request answers does not depend on whether somebody is known."""
    services = house.services
    numbers = [requests.open_public(services, "phone", phone, right="access", language="zh") for phone in (known.PHONE, "13900009999")]
    assert all(len(number) == len("SR-BCDFG-HJKLM") for number in numbers)
    shapes = []
    for number in numbers:
        granted(services, number)
        requests.deliver(services, number, actor=ANNA)
        files = archive(services, number)
        shapes.append(
            (sorted(name for name in files if not name.startswith("receipts/")), requests.show(services, number, actor=ANNA)["step"])
        )
    assert shapes[0] == shapes[1]
    assert requests.show(services, numbers[1], actor=ANNA)["found"] == "unknown"
    with pytest.raises(NotFound):
        requests.case_of(services, numbers[1], actor=ANNA, reason="to work on it")


def test_a_second_request_of_the_same_person_and_kind_is_told_and_needs_its_own_proof(house: House) -> None:
    services = house.services
    first, second = opened(services, "access"), opened(services, "access")
    proven(services, first)
    told = requests.show(services, second, actor=ANNA)
    assert told["duplicate"] == [first]
    assert told["proven_at"] is None
    assert requests.show(services, opened(services, "access", phone="13900009999"), actor=ANNA)["duplicate"] == []


# ── what is delivered ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_package_is_complete_signed_sealed_counted_and_ends(house: House) -> None:
    services = house.services
    number = opened(services, "access")
    granted(services, number)
    requests.deliver(services, number, actor=ANNA)
    sealed = [path.read_bytes() for path in (house.home / "packages").iterdir()]
    assert len(sealed) == 1
    assert b"manifest.json" not in sealed[0]
    files = archive(services, number)
    manifest = json.loads(files["manifest.json"])
    rows = {one["table"]: one["rows"] for one in manifest["stores"] if one["part"]}
    assert rows["lake.events"] >= 3
    assert rows["platform.consent_event"] > 0
    assert rows["platform.log_entry"] > 0
    assert all(one["rows"] is not None or one["why"] for one in manifest["stores"])
    assert known.PHONE not in b"".join(files.values()).decode("utf-8", "ignore")
    keys = json.dumps(services.consent_log.public_keys())
    receipt = next(text for name, text in files.items() if name.startswith("receipts/"))
    checked = receipts.verify(receipt.decode(), keys)
    assert (checked["ok"], checked["subject"]) == (True, "opens")
    assert len(files["manifest.jws"].split(b".")) == 3
    assert requests.show(services, number, actor=ANNA)["packages"][0]["downloads"] == 1
    house.clock.forward(days=15)
    with pytest.raises(NotFound) as gone:
        requests.take(services, number, actor=ANNA)
    assert gone.value.code == "package_gone"
    answer = house.client.post(f"/api/requests/{number}/packages", headers=bearer(house.token("officer")))
    assert (answer.status_code, answer.get_json()["code"]) == (410, "package_gone")
    browser = house.browser("officer")
    page = browser.post(f"/requests/{number}/package")
    assert (page.status_code, "The package is gone" in page.get_data(as_text=True)) == (410, True)
    from app import packing

    assert packing.sweep(services) == {"packages": 1}
    assert list((house.home / "packages").iterdir()) == []


def test_a_portable_file_holds_what_was_given_and_nothing_that_was_derived(house: House) -> None:
    services = house.services
    number = opened(services, "portability")
    granted(services, number)
    requests.deliver(services, number, actor=ANNA, clear=True)
    files = archive(services, number)
    names = {name for name in files if name.startswith("data/")}
    assert "data/lake.events.json" in names
    assert not names & {"data/lake.person_month.json", "data/log.json", "data/explanation.json", "data/stopped.json"}
    assert known.PHONE in files["data/identifiers.json"].decode()


def test_what_is_withheld_is_named_with_its_ground_and_not_inside(house: House) -> None:
    services = house.services
    number = opened(services, "access")
    proven(services, number)
    requests.gather(services, number, actor=ANNA)
    with pytest.raises(Invalid):
        requests.redact(services, number, ["log"], "whim", actor=ANNA)
    requests.redact(services, number, ["log", "consents.source"], "security", actor=ANNA)
    requests.reviewed(services, number, actor=ANNA)
    requests.decide(services, number, outcome="partly", reason="others_rights", words="", actor=ANNA)
    requests.deliver(services, number, actor=ANNA)
    files = archive(services, number)
    manifest = json.loads(files["manifest.json"])
    assert manifest["withheld"] == [{"part": "consents.source", "ground": "security"}, {"part": "log", "ground": "security"}]
    assert "data/log.json" not in files
    assert {one["source"] for one in json.loads(files["data/consents.json"])} == {"[withheld]"}


def test_a_restriction_holds_at_once_everywhere(house: House) -> None:
    services = house.services
    _, key = house.source("restricted")
    house.grant(key, [("phone", known.OTHER)], at="2026-06-01T10:00:00+08:00")
    house.batch([known.identify(800, "C-1", phone=known.OTHER)], key)
    house.grant(key, [("phone", known.OTHER)])
    before = len(services.preferences.population(STATISTICS).run_ids)
    number = opened(services, "restriction", phone=known.OTHER)
    granted(services, number)
    requests.deliver(services, number, actor=ANNA)
    assert len(services.preferences.population(STATISTICS).run_ids) == before - 1
    told = house.batch([track(801, user="C-1", at=house.clock())], key)
    assert (told["stored"], told["refused"]) == (0, 1)
    case = cases.open_(services, "phone", known.OTHER, actor=ANNA, **known.WHY)
    assert cases.look(services, case["case"], (), actor=ANNA)["flags"] == ["restricted"]
    ref = case["identifiers"][0]["ref"]
    with pytest.raises(Refused) as refused:
        services.oversight.reveal(case["handle"], ref, purpose="complaint", reason="to call her back", actor=ANNA)
    assert refused.value.code == "restricted"
    assert services.oversight.reveal(case["handle"], ref, purpose="rights_request", reason="her own request", actor=ANNA)["value"]
    assert requests.lift(services, number, "restricted", actor=ANNA) == 1
    assert len(services.preferences.population(STATISTICS).run_ids) == before
    assert house.batch([track(802, user="C-1", at=house.clock())], key)["stored"] == 1


def test_an_objection_takes_a_person_out_of_automated_decisions_and_of_nothing_else(house: House) -> None:
    services = house.services
    _, key = house.source("objecting")
    house.grant(key, [("phone", known.OTHER)], at="2026-06-01T10:00:00+08:00")
    house.batch([known.identify(800, "C-1", phone=known.OTHER)], key)
    before = [len(services.preferences.population(purpose).run_ids) for purpose in (PROFILING, STATISTICS)]
    number = opened(services, "objection", phone=known.OTHER)
    granted(services, number)
    requests.deliver(services, number, actor=ANNA)
    assert [len(services.preferences.population(purpose).run_ids) for purpose in (PROFILING, STATISTICS)] == [before[0] - 1, before[1]]
    assert house.batch([track(803, user="C-1", at=house.clock())], key)["stored"] == 1


def test_a_withdrawal_is_recorded_as_an_act_of_consent_with_a_receipt(house: House) -> None:
    services = house.services
    _, key = house.source("withdrawing")
    house.grant(key, [("phone", known.OTHER)])
    with pytest.raises(Invalid):
        opened(services, "withdrawal", phone=known.OTHER)
    number = opened(services, "withdrawal", phone=known.OTHER, purposes=[STATISTICS])
    granted(services, number)
    requests.deliver(services, number, actor=ANNA)
    shown = services.preferences.show("phone", known.OTHER, actor=ANNA)
    assert not shown["purposes"][STATISTICS]["allowed"]


def test_a_correction_replaces_a_value_and_the_log_knows_its_kind_alone(house: House) -> None:
    services = house.services
    number = opened(services, "correction")
    granted(services, number)
    (ref,) = {one["ref"] for one in requests.show(services, number, actor=ANNA)["identifiers"] if one["type"] == "phone"}
    with pytest.raises(Conflict) as early:
        requests.deliver(services, number, actor=ANNA)
    assert early.value.code == "not_corrected"
    house.grant(house.source("other")[1], [("phone", known.OTHER)])
    for asked, code in (
        ({"type": "phone", "ref": ref, "value": known.OTHER}, "identifier_taken"),
        ({"type": "phone", "ref": ref, "value": "12"}, "bad_identifier"),
        ({"type": "phone", "ref": "00" * 16, "value": "13700137000"}, "identifier_unknown"),
        ({"type": "phone", "ref": "", "value": ""}, "bad_identifier"),
        ({"type": "birth_date", "value": "soon"}, "bad_day"),
    ):
        with pytest.raises(PiyingError) as wrong:
            requests.correct(services, number, asked, actor=ANNA)
        assert wrong.value.code == code
    requests.correct(services, number, {"type": "phone", "ref": ref, "value": "137 0013 7000"}, actor=ANNA)
    requests.correct(services, number, {"type": "birth_date", "value": "1990-02-03"}, actor=ANNA)
    told = requests.deliver(services, number, actor=ANNA)
    assert told["delivered_at"]
    assert services.oversight.find_person("phone", known.PHONE, actor=ANNA, **known.WHY)["handle"] is None
    assert services.oversight.find_person("phone", "13700137000", actor=ANNA, **known.WHY)["handle"] is not None
    events = requests.show(services, number, actor=ANNA)["events"]
    assert [one["facts"] for one in events if one["act"] == "corrected"] == [
        {"type": "phone", "change": "replaced"}, {"type": "birth_date", "change": "replaced"}
    ]  # fmt: skip
    assert "13700137000" not in json.dumps(events)
