"""Lists that a recipient's own people fetch, and who is taken out of them afterwards: by a no, an erasure, a correction; what officers do by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from app import deliveries, erasing, jobs, requests
from app.cli import deliveries as commands
from privacy.delivery.desk import Deliveries
from privacy.errors import PiyingError
from tests import house
from tests.fakes.paperwork import ADA, BOB
from tests.flow.delivering import direct
from tests.gatehouse import Scene, opened
from tests.house import House, bearer

PHONES = [f"+86136{number:08d}" for number in range(60)]
RHO_NANO = 40_000_000
"""σ = 3.5: a count of 60 fails a minimum of 10 with its margin with a probability below 10⁻¹⁸."""


@pytest.fixture(scope="module")
def lane_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a recipient and people: made once, copied for each test."""
    folder = tmp_path_factory.mktemp("lane")
    house.make_home(folder / "empty", {}, house.Clock())
    with house.sqlite_house(folder / "empty", folder / "home") as made:
        Scene(made, phones=PHONES)
    return folder / "home"


@pytest.fixture
def lane(lane_home: Path, tmp_path: Path) -> Iterator[Scene]:
    with house.sqlite_house(lane_home, tmp_path / "home") as made:
        scene = Scene(made, phones=PHONES)
        scene.delivery = scene.services.deliveries  # type: ignore[assignment]
        scene.door = scene.services.__dict__["exports"] = scene.gate(RHO_NANO, cap=None, minimum=10)
        yield scene


def door(lane: Scene) -> Deliveries:
    return lane.services.deliveries


def part(lane: Scene) -> str:
    """The only removal's only part."""
    (one,) = deliveries.listing(lane.services, action="remove")["items"]
    return str(one["id"])


def removed(lane: Scene, delivery: str) -> set[str]:
    """The telephones of a removal, as its recipient reads them."""
    _, raw, _ = deliveries.fetch(lane.services, delivery, actor=ADA)
    return {row["phone"] for row in opened([raw])}


def handle_of(house: House, phone: str) -> str:
    found = house.services.cases.open("phone", phone, purpose="rights_request", reason="asked for it", actor=ADA)
    return str(found["handle"])


def test_who_withdrew_before_the_download_is_neither_in_it_nor_in_a_removal_and_who_withdrew_after_it_is_in_one(lane: Scene) -> None:
    """Attack 26: before the snapshot, after the seal, before the download, after it."""
    lane.allow(PHONES[:1], lane.share, "withdrawn")
    export = lane.released()
    lane.allow(PHONES[1:2], lane.share, "withdrawn")
    deliveries.carry(lane.services)
    assert lane.phones(export) == set(PHONES[2:])
    deliveries.carry(lane.services)
    assert deliveries.listing(lane.services)["items"] == []
    lane.allow(PHONES[2:3], lane.share, "withdrawn")
    deliveries.carry(lane.services)
    assert removed(lane, part(lane)) == {PHONES[2]}
    assert lane.phones(export) == set(PHONES[3:])


def test_who_withdrew_and_came_back_before_the_download_is_followed_afterwards(lane: Scene) -> None:
    export = lane.released()
    lane.allow(PHONES[:1], lane.share, "withdrawn")
    deliveries.carry(lane.services)
    lane.house.clock.forward(minutes=1)
    lane.allow(PHONES[:1], lane.share)
    assert PHONES[0] in lane.phones(export)
    lane.house.clock.forward(minutes=1)
    lane.allow(PHONES[:1], lane.share, "withdrawn")
    deliveries.carry(lane.services)
    assert removed(lane, part(lane)) == {PHONES[0]}


def test_an_erased_person_is_taken_out_of_what_recipients_hold_although_nothing_here_knows_them_any_more(lane: Scene) -> None:
    """S-10 and attack 33: the certificate says that recipients were told; the row that says which is gone when they acknowledge."""
    export = lane.released()
    lane.opened(export)
    services = lane.services
    erasure = erasing.begin(services, handle_of(lane.house, PHONES[5]), actor=ADA, approved_by=BOB)
    while jobs.run_one(services.begin_jobs, {erasing.ERASURE: lambda job: erasing.run(services, job)}, "test", clock=services.clock):
        pass
    told = erasing.certificate(services, erasure)["document"]
    assert {one["store"]: (one["method"], one["left"]) for one in told["stores"]}["recipients"] == ("told", 0)
    assert removed(lane, part(lane)) == {PHONES[5]}
    before = lane.house.counts()
    deliveries.acknowledge(services, part(lane), actor=ADA)
    after = lane.house.counts()
    assert (before["vault.export_holding"] - after["vault.export_holding"], after["platform.suppression"]) == (1, 0)
    assert deliveries.removals(services)["items"][0]["reasons"] == {"erased": 1}


def test_a_corrected_telephone_is_taken_out_as_it_was_and_a_mistyped_one_changes_nothing(lane: Scene) -> None:
    export, services = lane.released(), lane.services
    lane.opened(export)
    asked = {"channel": "phone", "language": "en", "right": "correction"}
    number = str(requests.open_by(services, "phone", PHONES[7], asked, reason="she called and asked", actor=ADA)["number"])
    requests.check_identity(services, number, method="code", passed=True, actor=ADA)
    requests.gather(services, number, actor=ADA)
    requests.reviewed(services, number, actor=ADA)
    requests.decide(services, number, outcome="fulfilled", reason="", words="", actor=ADA)
    (ref,) = {one["ref"] for one in requests.show(services, number, actor=ADA)["identifiers"] if one["type"] == "phone"}
    for wrong in ("12", PHONES[8]):
        with pytest.raises(PiyingError):
            requests.correct(services, number, {"type": "phone", "ref": ref, "value": wrong}, actor=ADA)
    deliveries.carry(services)
    assert deliveries.listing(services)["items"] == []
    requests.correct(services, number, {"type": "phone", "ref": ref, "value": "+8613500000000"}, actor=ADA)
    deliveries.carry(services)
    assert removed(lane, part(lane)) == {PHONES[7]}
    assert deliveries.removals(services)["items"][0]["reasons"] == {"corrected": 1}


def test_a_copy_says_to_whom_somebody_was_given_and_who_was_told_to_let_go(lane: Scene) -> None:
    """PIPL 44, GDPR 15(1)(c)."""
    export, services = lane.released(), lane.services
    lane.opened(export)
    lane.allow(PHONES[9:10], lane.share, "withdrawn")
    deliveries.carry(services)
    asked = {"channel": "phone", "language": "en", "right": "access"}
    number = str(requests.open_by(services, "phone", PHONES[9], asked, reason="she called and asked", actor=ADA)["number"])
    copy = services.rights.gather(number, actor=ADA, clear=False, months=[], handed_out=False)
    given, told = copy.parts["recipients"]
    assert (given["recipient_en"], given["export"], given["fields"]) == ("Lantern Messages (invented)", export, ["phone"])
    assert (told["removed_for"], told["acknowledged_at"]) == ("withdrawn", None)


def test_a_file_is_laid_into_the_recipients_folder_by_the_gate_and_its_taking_away_is_the_acknowledgement(lane: Scene) -> None:
    direct(lane.house, '[lantern-sms]\nway = "folder"\nfolder = "lantern"\n')
    folder = lane.house.home / "outgoing" / "lantern"
    folder.mkdir(parents=True)
    export = lane.released()
    lane.allow(PHONES[:1], lane.share, "withdrawn")
    assert deliveries.carry(lane.services)["waiting"] == 1
    file = folder / f"add-{export}-0000.csv.sealed"
    assert {row["phone"] for row in opened([file.read_bytes()])} == set(PHONES[1:])
    assert file.with_name(file.name + ".sig").read_text()
    assert lane.door.show(export, exact=True)["downloads"] == 1
    file.unlink()
    lane.house.clock.forward(minutes=6)
    lane.allow(PHONES[1:2], lane.share, "withdrawn")
    counts = deliveries.carry(lane.services)
    assert (counts["acknowledged"], counts["waiting"]) == (1, 1)
    (gone,) = [one for one in folder.iterdir() if one.name.startswith("remove-") and one.suffix == ".sealed"]
    assert {row["phone"] for row in opened([gone.read_bytes()])} == {PHONES[1]}
    assert lane.door.show(export, exact=True)["downloads"] == 1, "looking takes nothing"


def test_officers_see_the_board_fetch_a_removal_and_note_the_acknowledgement_and_nobody_else_does(lane: Scene) -> None:
    client, officer = lane.house.client, bearer(lane.house.token("officer"))
    lane.opened(lane.released())
    lane.allow(PHONES[:2], lane.share, "withdrawn")
    deliveries.carry(lane.services)
    board = client.get("/api/deliveries/board", headers=officer).get_json()
    assert (board["items"][0]["key"], board["items"][0]["way"], board["items"][0]["removals"]["open"]) == ("lantern-sms", "download", 2)
    id_ = part(lane)
    answer = client.post(f"/api/deliveries/{id_}/files", headers=officer)
    assert {row["phone"] for row in opened([answer.data])} == set(PHONES[:2])
    assert (answer.status_code, bool(answer.headers["Piying-Signature"])) == (201, True)
    assert client.post(f"/api/deliveries/{id_}/acknowledgement", headers=officer).get_json()["state"] == "acknowledged"
    assert client.post(f"/api/deliveries/{id_}/acknowledgement", headers=officer).status_code == 409
    (removal,) = client.get("/api/removals", headers=officer).get_json()["items"]
    assert (removal["people"], removal["acknowledged_at"] is None) == (2, False)
    assert client.post("/api/deliveries/replays", json={}, headers=officer).get_json() == {"replayed": 0}
    for role in ("marketer", "integrator", "administrator"):
        token = bearer(lane.house.token(role))
        assert client.get("/api/deliveries", headers=token).status_code == 403
        assert client.post(f"/api/deliveries/{id_}/files", headers=token).status_code == 403
    told = json.dumps([board, removal, client.get("/api/deliveries", headers=officer).get_json()])
    assert not any(phone[3:] in told for phone in PHONES)


def test_the_board_in_the_console_fetches_acknowledges_and_replays_in_two_languages(lane: Scene) -> None:
    lane.opened(lane.released())
    lane.allow(PHONES[:2], lane.share, "withdrawn")
    deliveries.carry(lane.services)
    browser, id_ = lane.house.browser("officer"), part(lane)
    page = browser.get("/deliveries").get_data(as_text=True)
    assert "Lantern Messages" in page
    assert id_ in page
    assert "待移除人数" in browser.get("/deliveries", headers={"Accept-Language": "zh-CN"}).get_data(as_text=True)
    assert id_ in browser.get("/deliveries.csv?action=remove").get_data(as_text=True)
    assert id_ not in browser.get("/deliveries.csv?action=add").get_data(as_text=True)
    assert "sealed for the recipient" in browser.get(f"/deliveries/{id_}").get_data(as_text=True)
    file = browser.post(f"/deliveries/{id_}/file")
    assert {row["phone"] for row in opened([file.data])} == set(PHONES[:2])
    lane.house.clock.forward(minutes=5)
    assert browser.post(f"/deliveries/{id_}/acknowledgement").status_code == 303
    assert "Acknowledged" in browser.get(f"/deliveries/{id_}").get_data(as_text=True)
    board = browser.get("/deliveries").get_data(as_text=True)
    assert board.count("5.0 min") == 3, "the longest, the mean, and that of the one removal"
    removal = re.search(r'href="/deliveries\?batch=(sup_\w+)"', board)
    assert removal
    assert id_ in browser.get(f"/deliveries?batch={removal[1]}").get_data(as_text=True)
    assert browser.post("/deliveries/replays", {"delivery": id_}).status_code == 303
    assert lane.house.browser("marketer").get("/deliveries").status_code == 403
    lane.allow(PHONES[3:4], lane.share, "withdrawn")
    deliveries.carry(lane.services)
    lane.house.clock.forward(hours=25)
    deliveries.carry(lane.services)
    assert "Nothing more goes there until it does." in lane.house.browser("officer").get("/deliveries").get_data(as_text=True)
    measured = lane.house.client.get("/metrics", headers=bearer(lane.house.token("officer"))).get_data(as_text=True)
    assert "piying_recipients_blocked 1.0" in measured
    assert "piying_removal_people 1.0" in measured


def test_lists_of_parts_and_removals_are_pages(lane: Scene) -> None:
    lane.opened(lane.released())
    for number in range(3):
        lane.house.clock.forward(minutes=1)
        lane.allow(PHONES[number : number + 1], lane.share, "withdrawn")
        deliveries.carry(lane.services)
    for page in (deliveries.listing, deliveries.removals):
        first = page(lane.services, limit=2)
        rest = page(lane.services, limit=2, cursor=first["next"])
        assert (len(first["items"]), len(rest["items"]), rest["next"]) == (2, 1, None)
        assert not {one["id"] for one in first["items"]} & {one["id"] for one in rest["items"]}
        with pytest.raises(PiyingError):
            page(lane.services, cursor="x")


def test_the_terminal_tells_and_does_the_same(lane: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "opened", lambda: lane.services)
    lane.opened(lane.released())
    lane.allow(PHONES[:1], lane.share, "withdrawn")
    deliveries.carry(lane.services)
    run, id_ = CliRunner().invoke, part(lane)
    assert "lantern-sms" in run(commands.board_command).output
    assert json.loads(run(commands.deliveries_command, ["--json"]).output)["items"][0]["id"] == id_
    assert json.loads(run(commands.fetch_command, [id_, str(tmp_path), "--json"]).output)["bytes"] > 0
    again = run(commands.fetch_command, [id_, str(tmp_path)])
    assert isinstance(again.exception, PiyingError)
    assert run(commands.acknowledge_command, [id_]).exit_code == 0
    assert id_ not in run(commands.removals_command).output
    assert json.loads(run(commands.removals_command, ["--json"]).output)["items"][0]["people"] == 1
    assert json.loads(run(commands.replay_command, ["--json"]).output) == {"replayed": 0}
