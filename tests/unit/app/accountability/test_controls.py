"""A house whose papers are in order has every control green; each control has something that turns it red."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from app import access, jobs
from app.accountability import controls, of_care, of_law, of_papers
from app.accountability.controls import ATTENTION, BROKEN, OK, Control, Finding
from ingestion import quarantine
from privacy.accountability import transfers
from privacy.consent.registry import NoticeRow, PurposeRow
from privacy.errors import Unavailable
from privacy.identity import vault
from privacy.oversight.door import normalised
from privacy.vocabulary import LogKind
from tests.fakes.paperwork import ABROAD, ASSESSMENT, INCIDENT, active, approved
from tests.house import House, sqlite_house, track

NAMES = [one.id for one in controls.every()]


def in_order(house: House) -> None:
    """What a house lacks after `init`: a name, a notice, an assessment, two officers, a signed log, a backup, a run of the retention job."""
    services = house.services
    services.settings = replace(
        services.settings, controller=replace(services.settings.controller, name="Lantern Tea", contact="a@b.example")
    )
    house.source("web")
    words = {"zh": "我们如何处理您的信息", "en": "How we process your information"}
    with services.begin_console() as tx:
        for address in ("ada@example.com", "bob@example.com"):
            access.add_account(tx, address, "officer", now=house.clock())
        services.log(tx, LogKind.SYSTEM, "retention.run", actor="schedule")
        services.log(tx, LogKind.EXPORT, "backup.make", actor="cli")
        tx.execute(
            sa.insert(NoticeRow).values(
                id=_hash(words), version="v1", texts=words, purposes=list(USED), content=None, published_at=house.clock()
            )
        )
    approved(services, kinds=["automated"], scope=["purpose:marketing.profiling"])
    services.sign_checkpoint()


USED = ("analytics.statistics", "marketing.profiling")


def _hash(words: dict[str, str]) -> str:
    from privacy.consent.registry import notice_hash

    return notice_hash("v1", words, USED)


@pytest.fixture
def ordered(template_home: Path, tmp_path: Path) -> House:
    with sqlite_house(template_home, tmp_path / "home") as made:
        in_order(made)
        yield made


def states(house: House) -> dict[str, str]:
    return {one["id"]: one["state"] for one in controls.run(house.services)["items"]}


def test_there_are_more_than_twenty_controls_and_a_house_in_order_is_green(ordered: House) -> None:
    found = controls.run(ordered.services)
    assert len(NAMES) == len(set(NAMES)) == sum(len(part.CONTROLS) for part in (of_law, of_papers, of_care)) >= 30
    assert [one for one in found["items"] if one["state"] != OK] == []
    assert (found["ok"], found["broken"], found["attention"]) == (True, 0, 0)
    assert all(one["law"] and one["question"].endswith("?") and one["question_zh"].endswith("？") for one in found["items"])


def test_a_control_that_cannot_look_is_broken_and_says_no_value(house: House) -> None:
    def fails(_services: object) -> Finding:
        raise RuntimeError("138 0013 8000")

    def refuses(_services: object) -> Finding:
        raise Unavailable("away")

    told = controls.run(house.services, [Control("a", "law", "?", "？", "/", fails), Control("b", "law", "?", "？", "/", refuses)])
    assert [one["state"] for one in told["items"]] == [BROKEN, BROKEN]
    assert "138" not in json.dumps(told)


# ── one that breaks each ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _sql(house: House, statement: sa.Executable) -> None:
    with house.services.stores.platform_owner.begin() as tx:
        tx.execute(statement)


def _unguarded(house: House, table: str, statement: str) -> None:
    """Changes evidence as somebody would who owns the database: the trigger goes first."""
    with house.services.stores.platform_owner.begin() as tx:
        tx.exec_driver_sql(f"DROP TRIGGER {table}_no_update")
        tx.exec_driver_sql(statement)


def purpose_ground(house: House) -> None:
    _sql(house, sa.update(PurposeRow).where(PurposeRow.key == "safety.recall").values(grounds={"CN": "legitimate_interest"}))


def purpose_separate(house: House) -> None:
    house.services.recipients.add(ABROAD, actor="usr_ada0000000000")
    _sql(house, sa.update(PurposeRow).where(PurposeRow.key == "crossborder.sg").values(separate=False))


def purpose_notice(house: House) -> None:
    house.source("sms", purposes=["marketing.channel.sms"])


def notice_hash(house: House) -> None:
    _unguarded(house, "notice", """UPDATE notice SET texts = '{"zh": "x", "en": "y"}'""")


def notice_languages(house: House) -> None:
    _unguarded(house, "notice", """UPDATE notice SET texts = '{"zh": "x"}'""")


def controller_named(house: House) -> None:
    settings = house.services.settings
    house.services.settings = replace(settings, controller=replace(settings.controller, contact=" "))


def source_purposes(house: House) -> None:
    _sql(house, sa.text("""UPDATE source SET purposes = '["gone.purpose"]'"""))


def assessment_profiling(house: House) -> None:
    (one,) = house.services.assessments.listing()
    house.services.assessments.withdraw(one["id"], seen=None, actor="usr_ada0000000000")


def assessment_sensitive(house: House) -> None:
    _sql(house, sa.text("""UPDATE source SET purposes = '["location.store_arrival"]'"""))


def minors_lake(house: House) -> None:
    """A child who was older by the papers when the rows came, and turns out to be younger."""
    house.services.make_lake()
    _, key = house.source("shop")
    house.grant(key, [("customer_no", "u-1")], at="2026-06-01T00:00:00Z")
    house.batch([track(1)], key)
    house.flush()
    keyring = house.services.open_keyring()
    kind, value = normalised("customer_no", "u-1", "shop")
    with house.services.stores.begin_vault() as tx:
        person = vault.lookup(tx, keyring, kind, value)
        assert person is not None
        vault.set_birth(tx, keyring, [person], [date(2015, 1, 1)], today=date(2026, 6, 15), random=os.urandom)


def budget_exceeded(house: House) -> None:
    with house.services.stores.platform_owner.begin() as tx:
        tx.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
        tx.exec_driver_sql("INSERT INTO budget_month VALUES (202605, 10, 11, 10, 0)")


def crossborder_threshold(house: House) -> None:
    active(house.services, ABROAD | {"mechanism": "exempt"})
    with house.services.begin_jobs() as tx:
        transfers.note(tx, 2026, [b"m" * 16], sensitive=True, now=house.clock())


def agreement_active(house: House) -> None:
    active(house.services)
    house.clock.forward(days=201)


def agreement_ending(house: House) -> None:
    active(house.services)
    house.clock.forward(days=180)


def agreement_certificate(house: House) -> None:
    active(house.services)
    (one,) = house.services.agreements.listing()
    house.services.agreements.end(one["id"], seen=1, actor="usr_ada0000000000")


def recipient_mechanism(house: House) -> None:
    id_ = active(house.services, ABROAD | {"mechanism": "standard_contract"})
    recipients = house.services.recipients
    recipients.set_status(id_, "suspended", seen=None, actor="usr_ada0000000000")
    recipients.change(id_, {"mechanism": "none"}, seen=None, actor="usr_ada0000000000")


def recipient_key(house: House) -> None:
    active(house.services)


def foreign_legal(house: House) -> None:
    house.services.recipients.add(ABROAD | {"purposes": ["foreign_legal_request"]}, actor="usr_ada0000000000")


def assessment_recipients(house: House) -> None:
    active(house.services)
    one = next(one for one in house.services.assessments.listing() if one["scope"] == ["recipient:lantern-sms"])
    house.services.assessments.withdraw(one["id"], seen=None, actor="usr_ada0000000000")


def assessment_review(house: House) -> None:
    house.clock.forward(days=400)


def assessment_waiting(house: House) -> None:
    house.services.assessments.add(ASSESSMENT, actor="usr_ada0000000000")


def incident_clocks(house: House) -> None:
    house.services.incidents.add(INCIDENT, actor="usr_ada0000000000")
    house.clock.forward(days=2)


def requests_overdue(house: House) -> None:
    from privacy.rights.register import RequestRow

    values = {"number": "SR-1", "kind": "access", "regime": "pipl", "language": "zh", "channel": "form", "detail": [], "subject": b"s" * 16}
    values |= {"found": "unknown", "step": "received", "version": 1, "opened_at": house.clock(), "received_on": house.clock().date()}
    _sql(house, sa.insert(RequestRow).values(**values, opened_by="usr_ada0000000000"))
    house.clock.forward(days=60)


def log_verified(house: House) -> None:
    _unguarded(house, "log_entry", "UPDATE log_entry SET kind = 'read' WHERE seq = 1")


def checkpoint_late(house: House) -> None:
    house.clock.forward(hours=2)


def backup_age(house: House) -> None:
    house.clock.forward(days=8)


def retention_run(house: House) -> None:
    house.clock.forward(days=3)


def quarantine_expired(house: House) -> None:
    failure = quarantine.Failure(0, "event", "missing", None)
    now = house.clock()
    with house.services.begin_intake() as tx:
        quarantine.put(tx, "src_x", b"b" * 32, [failure], now=now - timedelta(days=8), expires_at=now - timedelta(days=1))


def keys_age(house: House) -> None:
    house.clock.forward(days=401)


def accounts_two_roles(house: House) -> None:
    with house.services.begin_console() as tx:
        access.add_account(tx, "ada+admin@example.com", "administrator", now=house.clock())


def second_step(house: House) -> None:
    from app import credentials

    with house.services.begin_console() as tx:
        credentials.set_password(tx, access.account_id_of(tx, "ada@example.com"), "$argon2", now=house.clock())


def officers_two(house: House) -> None:
    with house.services.begin_console() as tx:
        access.disable(tx, access.account_id_of(tx, "bob@example.com"), now=house.clock())


def items_accounted(house: House) -> None:
    _, key = house.source("shop")
    house.batch([{"type": "nonsense"}], key)
    _sql(house, sa.text("UPDATE tally SET number = number + 1"))


def jobs_failed(house: House) -> None:
    def fails(_job: object) -> dict[str, int]:
        raise RuntimeError

    with house.services.begin_jobs() as tx:
        jobs.enqueue(tx, "retention", {}, by="schedule", now=house.clock())
    for _ in range(5):
        jobs.run_one(house.services.begin_jobs, {"retention": fails}, "w", clock=house.clock)
        house.clock.forward(hours=1)


BREAKERS: dict[str, Callable[[House], None]] = {name: made for name, made in dict(globals()).items() if name in NAMES and callable(made)}


@pytest.mark.parametrize("name", NAMES)
def test_a_broken_control_is_no_more_green(ordered: House, name: str) -> None:
    BREAKERS[name](ordered)
    told = {one["id"]: one for one in controls.run(ordered.services, [one for one in controls.every() if one.id == name])["items"]}
    assert told[name]["state"] in (BROKEN, ATTENTION)
    assert told[name]["count"] >= 1


def test_a_start_page_asks_every_control_at_most_every_ten_minutes(house: House) -> None:
    services = house.services
    services.make_lake()
    found = controls.run(services)
    assert controls.counts(services) == {"broken": found["broken"], "attention": found["attention"]}
    assert controls.counts(services) is controls.counts(services)
    before = controls.counts(services)
    house.clock.forward(minutes=10)
    assert controls.counts(services) is not before
