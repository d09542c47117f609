"""Recipients, agreements, assessments and incidents as officers keep them: nothing active that lacks something, every act in the log."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
import sqlalchemy as sa

from app import acts
from app.accountability import affected, history, letters, register
from app.answers import papers as answers
from app.wiring import accountability
from privacy.audit import touched
from privacy.errors import Conflict, Invalid, PiyingError, Refused
from privacy.identity import affected as people_affected
from privacy.oversight import assessments, incidents, minors, papers, recipients
from tests.fakes.paperwork import ABROAD, AGENCY, ASSESSMENT, INCIDENT, active, agreement, approved
from tests.house import House

ADA, BOB = "usr_ada0000000000", "usr_bob0000000000"


def code_of(error: pytest.ExceptionInfo[PiyingError]) -> str:
    return error.value.code


def test_a_recipient_becomes_active_only_when_nothing_is_missing(house: House) -> None:
    """Agreement, mechanism, assessment: each in its turn is refused with its code (S-01, S-02, S-08, A-05)."""
    desk, services = house.services.recipients, house.services
    made = desk.add(ABROAD, actor=ADA)
    with services.read_console() as tx:
        known = services.purposes(tx)
    assert made["consents_needed"] == ["share.far-ads", "crossborder.sg"]
    assert all(known[key].separate for key in made["consents_needed"])
    refusals = []
    for step in (
        lambda: None,
        lambda: services.agreements.add(agreement(made["id"], purposes=["marketing.channel.email"], categories=["phone"]), actor=ADA),
        lambda: services.agreements.add(agreement(made["id"], purposes=["marketing.channel.email"], categories=["email"]), actor=ADA),
        lambda: desk.change(made["id"], {"mechanism": "standard_contract"}, seen=None, actor=ADA),
        lambda: approved(services, kinds=["sharing"], scope=["recipient:far-ads"]),
    ):
        step()
        with pytest.raises(Refused) as refused:
            desk.set_status(made["id"], "active", seen=None, actor=ADA)
        refusals.append(code_of(refused))
    assert refusals == ["agreement_missing", "agreement_other_category", "mechanism_missing", "assessment_missing", "assessment_missing"]
    approved(services, kinds=["crossborder"], scope=["recipient:far-ads"])
    assert desk.set_status(made["id"], "active", seen=None, actor=ADA)["status"] == "active"
    assert desk.agreed(made["id"], "marketing.channel.email", ["email"]).holds
    assert desk.agreed(made["id"], "marketing.channel.sms", ["email"]).code == "agreement_other_purpose"
    (shown,) = [one for one in desk.standing() if one["id"] == made["id"]]
    assert (shown["agreement"], shown["assessments_missing"], shown["mechanism_missing"]) == ("in_force", [], False)


def test_a_change_of_what_people_were_told_asks_them_again(house: House) -> None:
    id_, desk = active(house.services), house.services.recipients
    assert desk.change(id_, {"contact": "other@lantern.example"}, seen=None, actor=ADA)["status"] == "active"
    changed = desk.change(id_, {"purposes": ["marketing.channel.email"]}, seen=None, actor=ADA)
    assert (changed["status"], changed["consent_since"]) == ("proposed", house.clock().isoformat())
    with pytest.raises(Conflict) as meanwhile:
        desk.change(id_, {"contact": "third@lantern.example"}, seen=1, actor=ADA)
    assert code_of(meanwhile) == "changed_meanwhile"
    told = history.of(house.services, desk.history(id_))
    assert [one["version"] for one in told] == [4, 3, 2, 1]
    assert told[0]["changed"] == ["consent_since", "purposes", "status"]
    with pytest.raises(Conflict) as taken:
        desk.add(AGENCY, actor=ADA)
    assert code_of(taken) == "recipient_exists"


def test_nothing_goes_to_a_foreign_court_by_default(house: House) -> None:
    desk = house.services.recipients
    made = desk.add(ABROAD | {"key": "court", "purposes": ["foreign_legal_request"]}, actor=ADA)
    with pytest.raises(Refused) as refused:
        desk.set_status(made["id"], "active", seen=None, actor=ADA)
    assert code_of(refused) == "foreign_legal_request"


def test_an_agreement_ends_and_is_certified_and_no_version_is_ever_lost(house: House) -> None:
    id_ = active(house.services)
    desk = house.services.agreements
    (one,) = desk.listing()
    with pytest.raises(Conflict) as running:
        desk.certify(one["id"], {"outcome": "deleted", "on": "2026-06-15", "statement": "done"}, seen=None, actor=ADA)
    assert code_of(running) == "agreement_running"
    assert desk.end(one["id"], seen=1, actor=ADA)["state"] == "over"
    assert not house.services.recipients.agreed(id_, "marketing.channel.sms", ["phone"]).holds
    assert desk.certify(one["id"], {"outcome": "deleted", "on": "2026-06-15", "statement": "done"}, seen=2, actor=ADA)["state"] == "closed"
    with pytest.raises(Conflict):
        desk.change(one["id"], {"ends": "2027-12-31"}, seen=None, actor=ADA)
    assert len(desk.history(one["id"])) == 3
    with pytest.raises(sa.exc.DBAPIError), house.services.stores.platform_owner.begin() as tx:
        tx.exec_driver_sql("DELETE FROM dossier")


def test_nobody_approves_their_own_assessment_and_a_change_is_a_draft_again(house: House) -> None:
    desk = house.services.assessments
    made = desk.add(ASSESSMENT, actor=ADA)
    desk.change(made["id"], {"impact": "Telephone numbers only; a leak would tell who is a member."}, seen=1, actor=BOB)
    for officer in (ADA, BOB):
        with pytest.raises(Refused) as own:
            desk.approve(made["id"], seen=2, actor=officer)
        assert code_of(own) == "own_proposal"
    assert desk.approve(made["id"], seen=2, actor="usr_eve0000000000")["standing"] == "approved"
    assert desk.change(made["id"], {"title": "Again"}, seen=3, actor=ADA)["standing"] == "draft"
    with pytest.raises(Invalid):
        desk.add(ASSESSMENT | {"review_by": "2026-06-15"}, actor=ADA)


def test_a_source_of_sensitive_data_waits_for_its_assessment(house: House) -> None:
    def add() -> dict[str, Any]:
        return acts.add_source(house.services, actor="test", name="beacons", kind="segment", purposes=["location.store_arrival"])

    with pytest.raises(Refused) as refused:
        add()
    assert code_of(refused) == "assessment_missing"
    approved(house.services, kinds=["sensitive"], scope=["purpose:location.store_arrival"])
    assert add()["name"] == "beacons"


def test_people_abroad_are_counted_once_and_a_transfer_over_the_threshold_is_told_before(house: House) -> None:
    id_, desk = active(house.services, ABROAD, mechanism="exempt"), house.services.recipients
    people = [bytes([number]) * 16 for number in range(3)]
    assert desk.crossing(id_, people, sensitive=False).allowed
    with house.services.begin_jobs() as tx:
        assert desk.note_abroad(tx, people, sensitive=False).people == 3
        assert desk.note_abroad(tx, people[:2], sensitive=False).people == 3
    crossing = desk.crossing(id_, people[:1], sensitive=True)
    assert (crossing.allowed, crossing.code) == (False, "crossborder_needs_standard_contract")
    told = desk.abroad()
    assert (told["people"], told["sensitive"], told["route"]) == (3, 0, "exempt")
    assert told["forecast"] == round(3 * 365 / 166)
    here = active(house.services)
    assert desk.crossing(here, people, sensitive=True).allowed


def test_who_was_affected_is_counted_from_a_list_its_hashes_a_column_and_a_time_and_nothing_is_kept(house: House) -> None:
    _, key = house.source("shop", namespace="shop")
    phones = [f"1381234000{number}" for number in range(4)]
    house.grant(key, [("phone", phone) for phone in phones])
    services, since = house.services, house.clock()
    made = services.incidents.add(INCIDENT, actor=ADA)
    house.clock.forward(hours=1)
    lines = "\n".join([*phones[:3], phones[0], "not a number", "13900000000"])
    told = affected.ask(services, made["id"], {"by": "list", "type": "phone", "list": lines}, actor=ADA)
    assert told["counts"] == {"lines": 6, "unreadable": 1, "people": 3, "of": 4}
    hashes = "\n".join(
        hashlib.sha256(form.encode()).hexdigest() for form in (phones[0], "+86" + phones[1], "86" + phones[2], "13900000000")
    )
    assert affected.ask(services, made["id"], {"by": "list", "type": "phone", "list": hashes}, actor=ADA)["counts"]["people"] == 3
    assert affected.ask(services, made["id"], {"by": "column", "column": "phone"}, actor=ADA)["counts"] == {"people": 4, "of": 4}
    assert affected.ask(services, made["id"], {"by": "column", "column": "member.sex"}, actor=ADA)["counts"] == {"rows": 0}
    window = {"by": "time", "since": since.isoformat(), "until": house.clock().isoformat()}
    assert affected.ask(services, made["id"], window, actor=ADA)["counts"]["people"] == 0
    for wrong in ({"by": "column", "column": "no.such"}, {"by": "list", "type": "phone", "list": ""}, {"by": "x"}):
        with pytest.raises(Invalid):
            affected.ask(services, made["id"], wrong, actor=ADA)
    shown = services.incidents.one(made["id"])
    assert [one["by"] for one in shown["affected"]] == ["identifiers", "hashes", "column", "column", "time"]
    with services.stores.platform_owner.read() as tx:
        kept = str(tx.exec_driver_sql("SELECT * FROM dossier").all()) + str(tx.exec_driver_sql("SELECT payload FROM log_payload").all())
    assert not any(phone in kept for phone in phones)
    assert hashlib.sha256(phones[0].encode()).hexdigest() not in kept
    assert people_affected.forms("email", "a@b.example") == ("a@b.example",)


def test_an_incident_runs_to_its_end_with_every_step_in_the_log(house: House) -> None:
    desk = house.services.incidents
    made = desk.add(INCIDENT, actor=ADA)
    assert {clock["clock"]: clock["state"] for clock in made["clocks"]}["cn_network"] == "running"
    house.clock.forward(hours=1)
    desk.notify(made["id"], "cn_network", house.clock(), seen=1, actor=ADA)
    desk.move(made["id"], "contained", reason="", seen=2, actor=ADA)
    with pytest.raises(Invalid) as unanswered:
        desk.move(made["id"], "closed", reason="", seen=3, actor=ADA)
    assert code_of(unanswered) == "incident_reason_missing"
    desk.move(made["id"], "closed", reason="the finder could not read it", seen=3, actor=ADA)
    assert letters.of(house.services, made["id"]).keys() == {"en", "zh"}
    with house.services.read_console() as tx:
        acts_told = {act for _, act, _ in touched.acts_of_range(tx, 0, 10_000)}
    assert {"incident.add", "incident.notify", "incident.state"} <= acts_told
    assert isinstance(desk, papers.Papers)


def test_the_register_says_what_the_house_does(house: House) -> None:
    house.source("web")
    active(house.services)
    told = register.of(house.services)
    profiling = next(one for one in told["activities"] if one["purpose"] == "marketing.profiling")
    assert (profiling["sources"], profiling["ground"], profiling["law"]) == (["web"], "consent", "PIPL 13(1)(1)")
    sms = next(one for one in told["activities"] if one["purpose"] == "marketing.channel.sms")
    assert (sms["recipients"], sms["countries"], len(sms["assessments"])) == (["lantern-sms"], ["CN"], 1)
    assert {"sources", "dictionary", "recipients", "retention", "stores", "transfers", "roles"} <= told.keys()
    assert set(register.rows(told)[0]) == set(register.COLUMNS)
    assert '"marketing.profiling"' in register.as_json(told)


def test_children_are_looked_for_only_where_there_are_some(house: House) -> None:
    assert house.services.names_of_minors([202606], actor="control") is None
    assert minors.LAKE_AGE == 14


def test_an_answer_says_exactly_what_its_paper_says(house: House) -> None:
    """What is described of the API is what the desks give, name for name."""
    services = house.services
    assert isinstance(services, accountability.Accountability)
    active(services, ABROAD, mechanism="standard_contract")
    services.incidents.add(INCIDENT, actor=ADA)
    for desk, kind, shape in (
        (services.recipients, recipients.Recipients, answers.RecipientOut),
        (services.agreements, recipients.Agreements, answers.AgreementOut),
        (services.assessments, assessments.Assessments, answers.AssessmentOut),
        (services.incidents, incidents.Incidents, answers.IncidentOut),
    ):
        assert isinstance(desk, kind)
        (one,) = desk.listing()
        assert set(one) == set(shape().fields), shape.__name__
        assert {field.name for field in services.paper_fields(desk.kind)} <= set(one)
    assert set(services.recipients.abroad()) == set(answers.TransfersOut().fields)
