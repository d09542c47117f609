"""The gate of exports from outside, over the API, the console and the terminal (attacks 21, 25, 47, 48, 50 to 53).

What comes back is a refusal with its status and code, the same for what is hidden and for what never was; and nothing was written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app import access, segments
from app.cli import exports as commands
from app.cli import segments as rules
from privacy.errors import PiyingError
from tests.fakes.paperwork import ADA, BOB, approved
from tests.flow.test_attacks_by_role import INJECTIONS, TOLD, told
from tests.flow.test_exports import RULE, Office
from tests.gatehouse import PHONES, opened
from tests.house import House, bearer, sqlite_house

NOBODY = "exp_" + "0" * 24
ROLES = ("marketer", "integrator", "officer", "administrator")


class Lineage(Office):
    """An office whose segments keep the use that they were written for."""

    def audience(self, segment: str) -> Any:
        use = self.services.segment(segment)["use"] if segment.startswith("seg_") else "marketing"
        return replace(super().audience(segment), use=use)


@pytest.fixture(scope="module")
def office(gate_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """One office for all tries: what is refused leaves nothing behind."""
    with sqlite_house(gate_home, tmp_path_factory.mktemp("office") / "home") as made:
        yield Lineage(made)


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, (answer.get_json(silent=True) or {}).get("code", "")


def asked(office: Office, **changes: Any) -> Any:
    body = {
        "segment": office.segment, "recipient": office.recipient, "channel": "sms", "form": "sms", "fields": ["phone"],
        "justification": "A message about the new tea", "expires_at": (office.services.clock() + timedelta(days=5)).isoformat(),
    } | changes  # fmt: skip
    return office.call(office.marketer, "POST", json=body)


# ── 21: asking about many people ───────────────────────────────────────────────────────────────────────────────────────────────


def test_attack_21_the_suppression_list_answers_alike_for_customers_and_strangers(office: Office) -> None:
    """Status, body and headers, set and lifted; no other role gets as far; each try is an entry."""
    shown = []
    for phone in (PHONES[199], "+8615099990000"):
        for lift in (False, False, True, True):
            body = {"identifiers": [{"type": "phone", "value": phone}], "channel": "sms", "lift": lift}
            answer = office.call(office.officer, "POST", "/bars", json=body)
            shown.append((answer.status_code, answer.get_json(), sorted(answer.headers.keys()), answer.content_length))
    assert shown == [shown[0]] * 8
    assert shown[0][1] == {"accepted": 1}
    for role in ("marketer", "integrator", "administrator"):
        assert office.call(office.house.token(role), "POST", "/bars", json=body).status_code == 403


def test_attack_21_ten_thousand_telephones_learn_nothing_and_meet_the_limit_of_their_source(office: Office) -> None:
    """Somebody known who said nothing, somebody unknown: one answer but for its number. Every hundred are an entry, and the rate ends."""
    house = office.house
    _, key = house.source("desk-21", requests_per_second=4)
    strangers = [f"+86151{number:08d}" for number in range(9_900)]
    phones = [*PHONES[:100], *strangers]
    shapes, limited = set(), 0
    for start in range(0, len(phones), 100):
        items = [{"identifier": {"type": "phone", "value": one}, "purpose": "analytics.statistics"} for one in phones[start : start + 100]]
        answer = house.client.post("/v1/consents/decisions", json={"decisions": items}, headers=bearer(key))
        if answer.status_code == 429:
            limited += 1
            assert int(answer.headers["Retry-After"]) >= 1
            continue
        shapes |= {json.dumps({**one, "index": 0}, sort_keys=True) for one in answer.get_json()["items"]}
    assert len(shapes) == 1
    assert limited >= 96
    measured = house.client.get("/metrics", headers=bearer(office.officer)).get_data(as_text=True)
    assert re.search(r'piying_rate_limited_total{source="src_\w+"} 9\d\.0', measured), "the operator's alarm is made of this"
    assert re.search(r'piying_decisions_total{reason="consent_missing",source="src_\w+"} [1-4]00\.0', measured), "and of this"


def test_attack_21_the_routes_of_audiences_and_previews_take_no_identifier(office: Office) -> None:
    """Neither a rule nor a list of telephones in the place of one asks about a person."""
    asks: list[tuple[str, Any]] = [
        ("/api/segments", {"name": "One", "purpose": "marketing.profiling", "use": "marketing", "rule": rule})
        for rule in ({"phone": PHONES[0]}, {"profile": "phone", "is": [PHONES[0]]}, {"identifier": {"type": "phone", "value": PHONES[0]}})
    ]
    asks += [
        (f"/api/segments/{office.segment}/reach", {"phone": PHONES[0]}),
        ("/api/audiences", {"segment": office.segment, "phones": PHONES}),
    ]
    for path, body in asks:
        answer = office.house.client.post(path, json=body, headers=bearer(office.marketer))
        assert answer.status_code == 422, path
        assert PHONES[0] not in told(answer)


# ── 25: cells that run ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_attack_25_a_formula_in_the_words_of_the_house_is_text_in_every_row(office: Office) -> None:
    """The sender, the contact and the way out are cells, too."""
    evil = "=cmd|'/C calc'!A0"
    door = office.gate(cap=None, controller=evil, opt_out="@SUM(1+1)*cmd", contact="+1+1")
    id_ = str(door.request(office.wish(segment="all", use="marketing"), actor=ADA)["id"])
    door.approve(id_, actor=BOB)
    door.release(id_, actor=BOB)
    rows = opened(list(door.take(id_, actor=BOB)[1]))
    cells = {cell for row in rows for name, cell in row.items() if name != "phone"}
    assert "'" + evil in cells
    assert not [cell for cell in cells if cell[:1] in "=+-@\t\r"]


# ── 47: another's things by their ids ──────────────────────────────────────────────────────────────────────────────────────────


def test_attack_47_every_role_and_every_address_of_an_export_answers_for_a_hidden_one_as_for_none(office: Office) -> None:
    """A marketer's request, tried by another marketer (404) and by roles without the permission (403); nothing about it changes."""
    mine = str(office.ask()["id"])
    before = office.call(office.officer, "GET", f"/{mine}").get_json()
    acts: list[tuple[str, str, Any]] = [
        ("GET", "", None), ("POST", "/previews", None), ("POST", "/cancellations", None), ("POST", "/approvals", None),
        ("POST", "/rejections", {"reason": "no"}), ("POST", "/releases", None), ("POST", "/revocations", None), ("POST", "/files", None),
    ]  # fmt: skip
    for role in ("marketer", "integrator", "administrator"):
        token = office.house.token(role)
        for method, path, body in acts:
            hidden, absent = (office.call(token, method, f"/{one}{path}", json=body) for one in (mine, NOBODY))
            allowed = role == "marketer" and path in ("", "/previews", "/cancellations")
            assert hidden.status_code == (404 if allowed else 403), (role, path)
            assert told(hidden) == told(absent), (role, path)
    pages = [office.call(office.house.token("marketer"), "GET", "", query_string={"cursor": one}) for one in (mine, NOBODY)]
    assert (pages[0].status_code, told(pages[0])) == (404, told(pages[1]))
    assert office.call(office.officer, "GET", f"/{mine}").get_json() == before


def test_attack_47_another_marketers_export_is_no_page_of_the_console(office: Office) -> None:
    mine = str(office.ask()["id"])
    other = office.house.browser("marketer")
    for path in ("", "/numbers", "/cancellation"):
        act: Callable[..., Any] = other.post if path else other.get
        answers = [act(f"/exports/{one}{path}") for one in (mine, NOBODY)]
        assert [one.status_code for one in answers] == [404, 404], path
        words = [re.sub(rf"req_\w+|{mine}|{NOBODY}|value=\"[^\"]+\"", "", one.get_data(as_text=True)) for one in answers]
        assert words[0] == words[1]
    assert other.post(f"/exports/{mine}/decisions", {"do": "approve"}).status_code == 403
    assert office.call(office.officer, "GET", f"/{mine}").get_json()["state"] == "requested"


def test_attack_47_what_was_delivered_removed_and_who_is_in_an_audience_is_the_officers(office: Office) -> None:
    """Ids that are there and ids that are not, for every other role: 403, before anything is looked up."""
    kept = {
        "name": "Kept", "segment": office.segment, "version": 1, "digest": "0" * 64, "purpose": "marketing.profiling", "use": "marketing",
        "tags": (), "youth_signal": False, "kind": "static", "hours": 24, "days": 9,
    }  # fmt: skip
    audience = office.services.kept.make(kept, actor=ADA, also=lambda tx, made: None)["id"]
    doors = [
        ("GET", "/api/deliveries/{}", "dlv_x"), ("POST", "/api/deliveries/{}/files", "dlv_x"), ("GET", "/api/removals", ""),
        ("POST", "/api/deliveries/{}/acknowledgement", "dlv_x"), ("GET", "/api/deliveries/board", ""),
        ("POST", "/api/audiences/{}/counts", audience), ("POST", "/api/segments/{}/reasons", office.segment),
    ]  # fmt: skip
    for role in ("marketer", "integrator", "administrator"):
        token = bearer(office.house.token(role))
        for method, path, there in doors:
            answers = [office.house.client.open(path.format(one), method=method, json={}, headers=token) for one in (there, "x_0")]
            assert [one.status_code for one in answers] == [403, 403], (role, path)
            assert told(answers[0]) == told(answers[1]), (role, path)


# ── 48: words that could be orders ─────────────────────────────────────────────────────────────────────────────────────────────


def evil_rules(word: str) -> list[Any]:
    """A word in every place of a rule that takes one."""
    return [
        word, {word: 1}, {"profile": word, "is": ["female"]}, {"profile": "sex", "is": [word], word: 1}, {"count": word, "at_least": 1},
        {"count": "orders", "at_least": word}, {"sum": "net", "where": [{"field": word, "is": ["x"]}], "at_least": 1},
        {"count": "orders", "within": {"days": word}, "at_least": 1}, {"segment": word, "version": 1}, {"rfm": [word]}, {"stage": [word]},
        {"cells": {word: [1]}}, {"joined": {"from": word, "to": word}}, {"all": word}, {"any": [{"not": word}]},
    ]  # fmt: skip


@pytest.mark.parametrize("word", INJECTIONS)
def test_attack_48_a_rule_is_a_closed_grammar_at_every_door(
    office: Office, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """API, console and terminal: refused with the place and never the word, no table lost, no segment written."""
    house, before = office.house, segments.listing(office.services)
    tables = house.counts().keys()
    monkeypatch.setattr(rules, "opened", lambda: office.services)
    page = house.browser("marketer")
    for number, rule in enumerate(evil_rules(word)):
        body = {"name": "Evil", "purpose": "marketing.profiling", "use": "marketing", "rule": rule}
        for path, sent in (("/api/segments", body), ("/api/segments/sentences", {"rule": rule})):
            answer = house.client.post(path, json=sent, headers=bearer(office.marketer))
            assert answer.status_code == 422, (path, rule)
            assert not TOLD.search(told(answer).replace("segment", "")), told(answer)
            assert word not in told(answer)
        if number % 5 == 0:
            form = {"name": "Evil", "purpose": "marketing.profiling", "use": "marketing", "json": json.dumps(rule), "do": "save"}
            assert page.post("/segments/new", form).status_code == 422
            file = tmp_path / f"{number}.json"
            file.write_text(json.dumps(rule))
            assert isinstance(CliRunner().invoke(rules.add, ["Evil", str(file)]).exception, PiyingError)
    assert segments.listing(office.services) == before
    assert house.counts().keys() == tables


@pytest.mark.parametrize("word", INJECTIONS)
def test_attack_48_no_field_of_a_request_and_no_id_is_an_order(office: Office, word: str) -> None:
    """Each text of the wish, each filter and cursor of the list, each id in an address."""
    for field in ("segment", "recipient", "channel", "form", "expires_at", "purpose", "use", "ground"):
        answer = asked(office, **{field: word})
        assert answer.status_code in (403, 404, 422), (field, answer.status_code)
        assert not TOLD.search(told(answer)), (field, told(answer))
    assert asked(office, fields=[word]).status_code == 422
    for name in ("state", "cursor"):
        assert office.call(office.officer, "GET", "", query_string={name: word}).status_code == 422, name
    plain = office.call(office.officer, "GET", "").get_json()
    for name in ("sort", "order_by", word):  # there is no such parameter: the newest stand first
        assert office.call(office.officer, "GET", "", query_string={name: word}).get_json() == plain, name
    named = office.house.client.post(
        "/api/segments",
        json={"name": word, "purpose": "marketing.profiling", "use": "marketing", "rule": RULE},
        headers=bearer(office.marketer),
    )
    assert named.status_code in (201, 422)
    if named.status_code == 201:
        assert named.get_json()["name"] == word
        shown = office.house.browser("marketer").get(f"/segments/{named.get_json()['id']}").get_data(as_text=True)
        assert "49" not in re.findall(r"<h1[^>]*>(.*?)</h1>", shown, re.DOTALL)[0]


# ── 50, 51, 53: another purpose, another column, a price ───────────────────────────────────────────────────────────────────────


def test_attack_50_people_found_for_one_purpose_leave_for_no_other(office: Office) -> None:
    """A segment states its purpose when it is written, keeps it through all versions, and an export cannot say otherwise."""
    post, head = office.house.client.post, bearer(office.marketer)
    body = {"name": "Service", "purpose": "service.fulfilment", "use": "marketing", "rule": RULE}
    assert code(post("/api/segments", json=body, headers=head)) == (403, "segment_purpose")
    seen = office.house.client.get(f"/api/segments/{office.segment}", headers=head).headers["ETag"]
    path = f"/api/segments/{office.segment}"
    for name, value in (("purpose", "service.fulfilment"), ("use", "pricing")):
        changed = office.house.client.patch(path, json={name: value}, headers=head | {"If-Match": seen})
        assert code(changed) == (403, "segment_lineage")
    assert code(asked(office, purpose="service.fulfilment")) == (403, "purpose_not_of_segment")
    assert code(asked(office, purpose="analytics.statistics")) == (403, "purpose_not_of_segment")
    assert code(asked(office, use="terms")) == (403, "use_not_of_segment")
    assert code(asked(office, ground="legitimate_interest")) == (403, "export_ground")


def test_attack_51_a_column_more_than_was_agreed_is_422_until_there_are_new_papers(office: Office) -> None:
    """And what the papers allowed when it was approved does not leave once they are narrower, or wait for a new assessment."""
    assert code(asked(office, form="email", fields=["email"])) == (422, "column_not_agreed")
    assert code(asked(office, fields=["phone", "national_id"])) == (422, "export_fields")
    assert code(asked(office, form="google", fields=["phone"])) == (403, "form_abroad")
    export = str(office.ask()["id"])
    assert office.act(export, "approvals").status_code == 201
    client, head, path = office.house.client, bearer(office.second), f"/api/recipients/{office.recipient}"
    office.house.clock.forward(minutes=1)
    seen = client.get(path, headers=head).headers["ETag"]
    wider = client.patch(path, json={"categories": ["phone", "email"]}, headers=head | {"If-Match": seen})
    assert (wider.status_code, wider.get_json()["status"]) == (200, "proposed")
    try:
        assert code(office.act(export, "releases")) == (403, "recipient_not_active")
        assert code(asked(office, form="email", fields=["email"])) == (403, "recipient_not_active")
    finally:
        back = client.patch(path, json={"categories": ["phone"]}, headers=head | {"If-Match": wider.headers["ETag"]})
        active = client.post(f"{path}/status", json={"status": "active"}, headers=head | {"If-Match": back.headers["ETag"]})
        assert active.status_code == 200
    assert code(office.act(export, "releases"))[0] == 403, "what people consented to before the change does not count"


def test_attack_53_a_segment_for_prices_is_403_without_a_review_and_its_list_leaves_under_none(office: Office) -> None:
    """Over the API, the console and the terminal."""
    body = {"name": "Prices", "purpose": "marketing.profiling", "use": "pricing", "rule": RULE}
    head = bearer(office.marketer)
    for review in ({}, {"review": "pia_" + "0" * 24}):
        assert code(office.house.client.post("/api/segments", json=body | review, headers=head)) == (403, "segment_use_refused")
    page = office.house.browser("marketer")
    form = body | {"json": json.dumps(RULE), "do": "save"}
    assert page.post("/segments/new", form | {"rule": ""}).status_code == 403
    review = approved(office.services, kinds=["automated"], scope=["purpose:marketing.profiling"])
    made = office.house.client.post("/api/segments", json=body | {"review": review}, headers=head)
    assert made.status_code == 201
    office.segments[made.get_json()["id"]] = PHONES
    for use in ({}, {"use": "marketing"}, {"use": "pricing"}):
        assert asked(office, segment=made.get_json()["id"], **use).status_code == 403


# ── 52: what is over ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_attack_52_a_link_after_its_time_is_410_and_an_agreement_that_ended_is_403(gate_home: Path, tmp_path: Path) -> None:
    """At each door: the API, the console's button, the terminal; a repetition changes nothing."""
    with sqlite_house(gate_home, tmp_path / "home") as house:
        office = Office(house)
        first, second = office.handed(), office.handed()
        (agreement,) = [one for one in office.services.agreements.listing() if one["recipient"] == office.recipient]
        office.services.agreements.end(agreement["id"], seen=agreement["version"], actor=BOB)
        assert code(office.act(first, "files")) == (403, "agreement_ended")
        assert code(asked(office)) == (403, "agreement_ended")
        page = house.browser("officer")
        assert page.post(f"/exports/{first}/file").status_code == 403
        assert office.act(second, "revocations").status_code == 201
        house.clock.forward(days=6)
        page = house.browser("officer")
        for export in (first, second):
            for _ in range(2):
                assert code(office.act(export, "files")) == (410, "export_gone")
            assert page.post(f"/exports/{export}/file").status_code == 410
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(commands, "opened", lambda: office.services)
                run = CliRunner().invoke(commands.take, [export, str(tmp_path / "file"), "--as", address(house)])
            assert isinstance(run.exception, PiyingError)
            assert run.exception.code == "export_gone"
            assert not (tmp_path / "file").exists()


def address(house: House) -> str:
    """The e-mail address of an officer."""
    with house.services.read_console() as tx:
        return next(str(one["email"]) for one in access.accounts(tx) if one["role"] == "officer")
