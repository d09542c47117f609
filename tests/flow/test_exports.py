"""A list from the marketer's wish to the recipient's own program: asked, approved by another, released, taken sealed, over, traced."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app import logs, segments
from tests import house as houses
from tests.fakes.paperwork import ADA
from tests.gatehouse import PHONES, Scene, opened
from tests.house import House, bearer

RULE = {"profile": "sex", "is": ["female"]}


class Office(Scene):
    """A scene behind the web: real routes, tokens of real roles, a real segment whose people the test names."""

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self.services.__dict__["exports"] = self.door
        made = segments.listing(self.services)
        self.segment = str(made[0]["id"] if made else self._segment())
        self.segments[self.segment] = PHONES
        self.marketer, self.officer, self.second = house.token("marketer"), house.token("officer"), house.token("officer")

    def _segment(self) -> str:
        body = {"name": "Women", "purpose": "marketing.profiling", "use": "marketing", "rule": RULE}
        return str(segments.add(self.services, body, actor=ADA)["id"])

    def audience(self, segment: str) -> Any:
        from dataclasses import replace

        return replace(super().audience(segment), use="marketing")

    def call(self, token: str, method: str, path: str = "", **more: Any) -> Any:
        return self.house.client.open(f"/api/exports{path}", method=method, headers=bearer(token), **more)

    def ask(self, **changes: Any) -> dict[str, Any]:
        body = {
            "segment": self.segment, "recipient": self.recipient, "channel": "sms", "form": "sms", "fields": ["phone"],
            "justification": "A message about the new tea", "expires_at": (self.services.clock() + timedelta(days=5)).isoformat(),
        } | changes  # fmt: skip
        told = self.call(self.marketer, "POST", json=body)
        assert told.status_code == 201, told.get_json()
        return dict(told.get_json())

    def act(self, export: str, act: str, token: str = "", **more: Any) -> Any:
        return self.call(token or self.officer, "POST", f"/{export}/{act}", **more)

    def handed(self) -> str:
        """A released list."""
        export = str(self.ask()["id"])
        for act in ("approvals", "releases"):
            told = self.act(export, act)
            assert told.status_code == 201, told.get_json()
        return export


@pytest.fixture(scope="module")
def office_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("office")
    houses.make_home(folder / "empty", {}, houses.Clock())
    with houses.sqlite_house(folder / "empty", folder / "home") as made:
        Scene(made)
    return folder / "home"


@pytest.fixture
def office(office_home: Path, tmp_path: Path) -> Iterator[Office]:
    with houses.sqlite_house(office_home, tmp_path / "home") as made:
        yield Office(made)


def test_a_list_goes_from_the_marketers_wish_to_the_recipients_own_program(office: Office) -> None:
    """Asked by one, approved and released by another, taken sealed, opened with the recipient's private key alone."""
    export = office.handed()
    told = office.act(export, "files")
    assert (told.status_code, told.mimetype) == (201, "application/octet-stream")
    assert {row["phone"] for row in opened([told.data])} == set(PHONES)
    for phone in PHONES[:20]:
        assert phone.encode() not in told.data
    shown = office.call(office.officer, "GET", f"/{export}").get_json()
    assert (shown["state"], shown["downloads"], shown["officers"]["people"]) == ("released", 1, len(PHONES))
    assert shown["manifest"]["sha256"]
    assert shown["signature"]


def test_a_marketer_sees_their_own_requests_and_no_number_of_people(office: Office) -> None:
    """Neither rows nor sizes nor reasons; another marketer's id answers like one that never was (attack 47)."""
    export = office.handed()
    mine = office.call(office.marketer, "GET", f"/{export}").get_json()
    assert (mine["officers"], mine["signature"]) == (None, None)
    assert not {"rows", "size"} & mine["manifest"].keys()
    numbers = office.act(export, "previews", office.marketer).get_json()
    assert numbers["exact"] is None
    assert numbers["protected"]["size"]["passes"]
    other = office.house.token("marketer")
    unknown = office.call(other, "GET", "/exp_" + "0" * 24)
    for path in (f"/{export}",):
        told = office.call(other, "GET", path)
        assert (told.status_code, told.get_json()["code"]) == (404, unknown.get_json()["code"])
    assert office.act(export, "cancellations", other).status_code == 404
    assert office.act(export, "previews", other).status_code == 404
    assert office.call(other, "GET").get_json()["items"] == []
    assert [one["id"] for one in office.call(office.marketer, "GET").get_json()["items"]] == [export]


def test_a_marketer_neither_approves_nor_releases_nor_takes(office: Office) -> None:
    """The roles keep them apart; the same account with another role would be refused as its own second person."""
    export = str(office.ask()["id"])
    for act in ("approvals", "releases", "files", "revocations"):
        assert office.act(export, act, office.marketer).status_code == 403
    for act, status, code in (("releases", 409, "export_state"), ("files", 410, "export_gone")):
        told = office.act(export, act)
        assert (told.status_code, told.get_json()["code"]) == (status, code)


def test_a_rejection_says_why_and_ends_the_request(office: Office) -> None:
    """The reason is shown to whoever asked."""
    export = str(office.ask()["id"])
    assert office.act(export, "rejections", json={"reason": "The notice does not say so."}).status_code == 201
    assert office.call(office.marketer, "GET", f"/{export}").get_json()["reason"] == "The notice does not say so."
    assert office.act(export, "approvals").get_json()["code"] == "export_state"


def test_a_file_whose_time_is_over_answers_410_and_lies_nowhere(office: Office) -> None:
    """By itself, and after it was called back (attack 52)."""
    first, second = office.handed(), office.handed()
    assert office.act(second, "revocations").get_json()["state"] == "revoked"
    office.house.clock.forward(days=6)
    for export in (first, second):
        told = office.act(export, "files")
        assert (told.status_code, told.get_json()["code"]) == (410, "export_gone")
    assert office.door.expire() >= 1
    assert list((office.house.home / "exports").iterdir()) == []


def test_a_repetition_under_its_key_asks_once(office: Office) -> None:
    """The wish of a client that did not hear the answer."""
    body = json.dumps({
        "segment": office.segment, "recipient": office.recipient, "channel": "sms", "form": "sms", "fields": ["phone"],
        "justification": "A message about the new tea", "expires_at": (office.services.clock() + timedelta(days=5)).isoformat(),
    })  # fmt: skip
    head = bearer(office.marketer) | {"Idempotency-Key": "k1", "Content-Type": "application/json"}
    told = [office.house.client.post("/api/exports", data=body, headers=head).get_json() for _ in range(2)]
    assert told[0]["id"] == told[1]["id"]
    assert len(office.call(office.marketer, "GET").get_json()["items"]) == 1


def test_a_thousand_rows_of_a_leaked_list_name_its_recipient(office: Office) -> None:
    """By control rows among them; in clear, and with other columns around."""
    owned = [f"+86139{number:08d}" for number in range(30)]
    told = office.call(office.officer, "POST", "/controls", json={"type": "phone", "values": owned})
    assert told.get_json() == {"added": 30}
    rows = opened([office.act(office.handed(), "files").data])
    for sample in (leak(rows[:1_000]), leak([{"name": "x", "tel": row["phone"].upper()} for row in rows])):
        found = office.call(office.officer, "POST", "/traces", data=sample, content_type="text/csv").get_json()
        assert found["recipient"] == office.recipient
        assert found["found"][0]["marks"] >= 1
    clean = leak([{"phone": phone} for phone in PHONES])
    assert office.call(office.officer, "POST", "/traces", data=clean, content_type="text/csv").get_json()["recipient"] is None


def test_people_on_the_suppression_list_are_left_out(office: Office) -> None:
    """Set by an officer, in the body of a request; counted under their own reason; lifted again."""
    bar = {"identifiers": [{"type": "phone", "value": "138 0000 0000"}], "channel": "sms"}
    assert office.call(office.officer, "POST", "/bars", json=bar).get_json() == {"accepted": 1}
    export = office.handed()
    shown = office.call(office.officer, "GET", f"/{export}").get_json()
    assert shown["officers"]["exclusions"] == {"suppressed": 1}
    assert office.call(office.officer, "POST", "/bars", json=bar | {"lift": True}).get_json() == {"accepted": 1}


def leak(rows: list[Any]) -> bytes:
    """Rows as somebody would publish them."""
    out = io.StringIO()
    first: Mapping[str, str] = rows[0]
    writer = csv.DictWriter(out, list(first))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def test_what_the_gate_refuses_is_counted_under_its_code(office: Office) -> None:
    """A wish on another ground than separate consent, and a list of too few people."""

    def counted(code: str) -> float:
        return logs.REGISTRY.get_sample_value("piying_export_refusals_total", {"code": code}) or 0.0

    before = {code: counted(code) for code in ("export_ground", "export_too_small")}
    office.segments[office.segment] = PHONES[:20]
    export = office.ask()
    fields = ("segment", "recipient", "channel", "form", "fields", "justification", "expires_at")
    told = office.call(office.marketer, "POST", json={name: export[name] for name in fields} | {"ground": "legitimate_interest"})
    assert (told.status_code, told.get_json()["code"]) == (403, "export_ground")
    assert office.act(str(export["id"]), "approvals").status_code == 201
    assert office.act(str(export["id"]), "releases").get_json()["code"] == "export_too_small"
    assert {code: counted(code) - number for code, number in before.items()} == {"export_ground": 1, "export_too_small": 1}
