"""Attacks 44 (flooding), 45 (replay), 58 (debugging).

Each test is an attacker with what such an attacker would have; a control shows that the attack finds what there is to find.
"""

from __future__ import annotations

import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from flask import Flask
from prometheus_client import generate_latest
from werkzeug.debug import DebuggedApplication

from app import acts, people
from app.factory import create_app
from app.logs import REGISTRY
from tests.conftest import NOW
from tests.house import House, bearer, served, sqlite_house, track

if TYPE_CHECKING:
    from app.wiring import Services
from tests.flow.attacks import PHONE, SECRET, STATISTICS, allow

# ── 44: flooding ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def refusals(house: House) -> dict[str, tuple[int, Callable[[int], Any]]]:
    """Requests that are denied as a whole, each with its status; the number makes every one different."""
    source, disabled = house.source("old")
    acts.disable_source(house.services, source, actor="test")
    _, public = house.source("browser", public=True)
    _, key = house.source("shop")
    marketer = bearer(house.token("marketer"))
    wrong = {"identifier": {"type": "phone", "value": PHONE}, "purpose": "no.such", "state": "granted"}
    client = house.client
    return {
        "no token": (401, lambda n: client.get(f"/api/sources?n={n}")),
        "an unknown token": (401, lambda n: client.get("/api/sources", headers=bearer(f"pat_{n}"))),
        "no permission": (403, lambda n: client.get(f"/api/audit/entries?n={n}", headers=marketer)),
        "an unknown write key": (401, lambda n: house.send({"batch": [track(n)]}, f"wk_{n}")),
        "a disabled source": (403, lambda n: house.send({"batch": [track(n)]}, disabled)),
        "a guessed one-time code": (401, lambda n: client.post("/api/tokens/redemptions", json={"code": f"{n:040d}"})),
        "a consent by a client key": (403, lambda n: client.post("/v1/consents", json={"consents": [wrong]}, headers=bearer(public))),
        "a consent for no purpose": (403, lambda n: client.post("/v1/consents", json={"consents": [wrong]}, headers=bearer(key))),
        "broken JSON": (400, lambda n: house.send(b'{"batch":[%d' % n, key)),
        "no such page": (404, lambda n: client.get(f"/{n}")),
    }


@pytest.mark.slow
def test_attack_44_ten_thousand_denied_requests_grow_nothing_and_hide_no_genuine_entry(
    sqlite_only: House, capfd: pytest.CaptureFixture[str]
) -> None:
    """No row of any table, no line of output, no label of a counter is added by a denied request; a grant in the middle has its entry."""
    house = sqlite_only
    _, key = house.source()
    tried = refusals(house)
    for status, send in tried.values():
        assert send(0).status_code == status
    capfd.readouterr()
    before, counters = house.counts(), len(generate_latest(REGISTRY).splitlines())
    for number in range(1, 501):
        assert {name: send(number).status_code for name, (_, send) in tried.items()} == {
            name: status for name, (status, _) in tried.items()
        }
    assert (house.counts(), "".join(capfd.readouterr())) == (before, "")
    allow(house, key, ("phone", PHONE))
    after, _ = house.counts(), capfd.readouterr()
    assert after["platform.log_entry"] == before["platform.log_entry"] + 1
    cheap = tried["no token"][1], tried["no such page"][1], tried["broken JSON"][1]
    for number in range(5_000):
        assert cheap[number % 3](number).status_code in (400, 401, 404)
    assert house.counts() == after
    assert len(generate_latest(REGISTRY).splitlines()) < counters + 60
    assert "".join(capfd.readouterr()) == ""


def test_attack_44_items_without_consent_cost_one_entry_a_request_however_many_they_are(sqlite_only: House) -> None:
    """The bound that holds today for requests that are read and whose items are all refused."""
    house = sqlite_only
    _, public = house.source("browser", public=True)
    before = house.counts()
    for first in (0, 1_000):
        answer = house.send({"batch": [track(first + number) for number in range(1_000)]}, public)
        assert answer.get_json() == {"success": True}
    after = house.counts()
    assert after["platform.log_entry"] - before["platform.log_entry"] == 2
    assert after["platform.request_verdict"] == before["platform.request_verdict"], "nobody could ask for them"
    assert [name for name in after if name.startswith("vault.") and after[name] != before[name]] == []


def test_attack_44_empty_requests_leave_no_entry(sqlite_only: House) -> None:
    house = sqlite_only
    _, public = house.source("browser", public=True)
    before = house.counts()
    for _ in range(5):
        assert house.send({"batch": []}, public).status_code == 200
    assert house.counts()["platform.log_entry"] == before["platform.log_entry"]


def test_attack_44_a_key_that_sends_more_than_its_rate_is_told_to_wait(template_home: Path, tmp_path: Path) -> None:
    with sqlite_house(template_home, tmp_path / "home", {"PIYING_LIMITS_REQUESTS_PER_SECOND": "1"}) as house:
        _, public = house.source("browser", public=True)
        answers = [house.send({"batch": []}, public) for _ in range(20)]
    assert 429 in {answer.status_code for answer in answers}


# ── 45: replay ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_attack_45_a_message_id_counts_once_whatever_stands_around_it(house: House) -> None:
    """In one request, in the next, with another body, by another route, a month less a day later: stored once; another source's is another's."""
    _, key = house.source()
    _, other = house.source("app")
    allow(house, key, ("customer_no", "u-1"))
    allow(house, other, ("customer_no", "u-1"))
    told = house.batch([track(1), track(1)], key)
    assert (told["stored"], told["duplicate"]) == (1, 1)
    changed = track(1, event="Order Completed", properties={"order_id": "O-1", "products": [{"product_id": "P1", "quantity": 9}]})
    assert house.batch([changed], key)["duplicate"] == 1
    assert house.send(track(1), key, path="/v1/track").get_json()["duplicate"] == 1
    house.clock.forward(days=29)
    assert house.batch([track(1)], key)["duplicate"] == 1
    assert house.rows() == 1
    assert house.batch([track(1)], other)["stored"] == 1


def acts_of(house: House) -> int:
    return house.counts()["platform.consent_event"]


def consents(house: House, key: str, state: str, idempotency: str, **more: Any) -> Any:
    item = {"identifier": {"type": "phone", "value": PHONE}, "purpose": STATISTICS, "state": state, **more}
    return house.client.post("/v1/consents", json={"consents": [item]}, headers={**bearer(key), "Idempotency-Key": idempotency})


def allowed(house: House) -> bool:
    shown = people.show_consents(house.services, "phone", PHONE, actor="test")
    return bool(shown["purposes"][STATISTICS]["allowed"])


def test_attack_45_an_idempotency_key_answers_its_own_body_again_and_no_other(house: House) -> None:
    _, key = house.source()
    first = consents(house, key, "granted", "k-1")
    assert first.status_code == 201
    recorded = acts_of(house)
    again = consents(house, key, "granted", "k-1")
    assert (again.status_code, again.get_json()) == (201, first.get_json())
    for body in (
        {"state": "withdrawn"},
        {"state": "granted", "at": NOW.isoformat()},
        {"state": "granted", "purpose": "marketing.profiling"},
    ):
        answer = consents(house, key, idempotency="k-1", **body)
        assert (answer.status_code, answer.get_json()["code"]) == (409, "idempotency_mismatch"), body
    assert acts_of(house) == recorded
    _, other = house.source("app")
    assert consents(house, other, "withdrawn", "k-1").status_code == 201, "another sender's key of the same name is another key"


def test_attack_45_a_replayed_grant_never_lifts_a_later_withdrawal(house: House) -> None:
    """The recorded request again under its own key, and its body under another: the person stays out."""
    _, key = house.source()
    at = (NOW - timedelta(hours=1)).isoformat()
    assert consents(house, key, "granted", "k-1", at=at).status_code == 201
    house.clock.forward(seconds=1)
    assert allowed(house)
    assert consents(house, key, "withdrawn", "k-2").status_code == 201
    for idempotency in ("k-1", "k-3"):
        house.clock.forward(seconds=1)
        assert consents(house, key, "granted", idempotency, at=at).status_code == 201
        assert not allowed(house)
    assert consents(house, key, "withdrawn", "k-4").status_code == 201
    assert not allowed(house)


# ── 58: debugging ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

DEBUGGING = {"FLASK_DEBUG": "1", "FLASK_ENV": "development", "WERKZEUG_DEBUG_PIN": "off", "PYTHONFAULTHANDLER": "1"}


class Failing:
    """Services whose door of consent fails with a person in its locals and in its words."""

    def __init__(self, house: House) -> None:
        self._services = house.services

    def __getattr__(self, name: str) -> Any:
        if name == "preferences":
            phone = SECRET
            raise RuntimeError(f"cannot read {phone}")
        return getattr(self._services, name)


def ask_what_fails(app: Flask, key: str) -> Any:
    item = {"identifier": {"type": "phone", "value": SECRET}, "purpose": STATISTICS, "state": "granted"}
    return app.test_client().post("/v1/consents", json={"consents": [item]}, headers=bearer(key))


def test_attack_58_an_exception_with_a_person_in_its_locals_leaves_a_blank_answer_and_no_value_on_stderr(
    sqlite_only: House, capfd: pytest.CaptureFixture[str], every_line: pytest.LogCaptureFixture
) -> None:
    house = sqlite_only
    _, key = house.source()
    answer = ask_what_fails(create_app(cast("Services", Failing(house))), key)
    assert answer.status_code == 500
    told = answer.get_json()
    assert told["code"] == "internal"
    assert set(told) == {"type", "title", "status", "detail", "code", "message", "request_id"}
    output = "".join(capfd.readouterr()) + every_line.text + answer.get_data(as_text=True) + str(answer.headers)
    assert "unhandled_error" in output
    for word in (SECRET, "Traceback", "cannot read", "test_attacks.py"):
        assert word not in output


def test_attack_58_flask_debug_in_the_environment_switches_nothing_on(sqlite_only: House, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in DEBUGGING.items():
        monkeypatch.setenv(name, value)
    assert create_app(sqlite_only.services).debug is False


def test_attack_58_even_a_debugging_environment_gets_a_blank_answer_and_no_debugger(
    sqlite_only: House, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    house = sqlite_only
    assert house.app.debug is False
    assert house.app.testing is False
    _, key = house.source()
    for name, value in DEBUGGING.items():
        monkeypatch.setenv(name, value)
    app = create_app(cast("Services", Failing(house)))
    assert not isinstance(app.wsgi_app, DebuggedApplication)
    answer = ask_what_fails(app, key)
    assert (answer.status_code, answer.get_json()["code"]) == (500, "internal")
    assert SECRET not in answer.get_data(as_text=True) + "".join(capfd.readouterr())
    assert app.test_client().get("/console").status_code == 404
    assert app.test_client().get("/?__debugger__=yes&cmd=resource&f=debugger.js").status_code == 302, "to the sign-in page, as any address"


@pytest.mark.slow
def test_attack_58_a_real_server_in_a_debugging_environment_has_no_debugger(sqlite_only: House) -> None:
    house = sqlite_only
    house.close()
    with served(house.home, DEBUGGING) as (address, _):
        for path in ("/console", "/?__debugger__=yes&cmd=resource&f=debugger.js", "/v1/batch?__debugger__=yes&cmd=printpin&s=x"):
            try:
                with urllib.request.urlopen(address + path, timeout=10) as answer:
                    text, headers = answer.read().decode(), str(answer.headers)
            except urllib.error.HTTPError as error:
                text, headers = error.read().decode(), str(error.headers)
                error.close()
            own = re.sub(r'value="[^"]*"', "", text)  # where to go after the sign-in is the address that was asked for
            assert not re.search("werkzeug|debugger|traceback|secret", own + headers, re.IGNORECASE)
    assert "Traceback" not in (house.home / "server.err").read_text()
