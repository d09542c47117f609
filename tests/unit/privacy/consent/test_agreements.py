"""Agreements to a notice: one row a person, source and notice, named by the register, opening nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.stores import Stores
from ingestion.source import Agreed
from privacy.consent import agreements, ledger, registry
from privacy.consent.agreements import Agreement, AgreementRow
from privacy.orm import to_micros
from tests.conftest import NOW
from tests.unit.privacy.admission.desk import ANNA, BO, CLIENT, COOKIE, DAY, STATISTICS, Desk, counts, row, source

ANN, BEN = b"a" * 16, b"b" * 16
LONG_AGO = to_micros(NOW) - 10**12
MINI = source(kind="mini_program", id="src_mini00000000")


@pytest.fixture
def platform(stores: Stores) -> Stores:
    with stores.begin_platform() as tx:
        registry.seed(tx, NOW)
    return stores


def published(stores: Stores, version: str) -> str:
    with stores.begin_platform() as tx:
        return registry.publish_notice(tx, version, {"zh": f"隐私政策 {version}"}, [STATISTICS], NOW)


def told(handle: bytes = ANN, notice: str = "2026-01", at: int = LONG_AGO, source_id: str = "src_a") -> Agreement:
    return Agreement(handle, source_id, notice, "mini_program", at, to_micros(NOW))


def test_the_same_agreement_again_is_no_second_row_and_another_notice_source_or_person_is(platform: Stores) -> None:
    published(platform, "2026-01"), published(platform, "2026-02")
    with platform.begin_platform() as tx:
        assert agreements.add(tx, [told(), told(), told(at=LONG_AGO + 5)]) == 1
        assert agreements.add(tx, [told(at=LONG_AGO + 7)]) == 0
        assert agreements.add(tx, [told(notice="2026-02"), told(BEN), told(source_id="src_b"), told()]) == 3
        assert tx.execute(sa.select(sa.func.min(AgreementRow.agreed_at), sa.func.max(AgreementRow.agreed_at))).one() == (LONG_AGO, LONG_AGO)
        assert agreements.add(tx, []) == 0


def test_a_notice_is_named_by_the_register_and_any_other_text_is_not_kept(platform: Stores) -> None:
    """What a public key calls a notice may be a telephone number."""
    named = published(platform, "2026-01")
    with platform.begin_platform() as tx:
        agreements.add(tx, [told(), told(BEN, named), told(notice="13800138000"), told(notice="13900139000")])
        shown = agreements.of(tx, [ANN, BEN])
        assert {(one["notice"], one["version"]) for one in shown} == {(named, "2026-01"), (None, None)}
        assert len(shown) == 3
        assert "138" not in repr(tx.execute(sa.select(AgreementRow.notice)).all())
        assert agreements.of(tx, [b"c" * 16]) == []


def agreed(version: str = "2026-01", at: int = LONG_AGO) -> Agreed:
    return Agreed(version, at)


@pytest.fixture
def desk(stores: Stores, keyring: object) -> Desk:
    desk = Desk(stores, keyring)  # type: ignore[arg-type]
    published(stores, "2026-01")
    desk.allow(ANNA)
    return desk


def test_what_a_stored_row_says_is_kept_once_and_shown_to_the_officer(desk: Desk) -> None:
    for number in range(3):
        assert desk.send(*(row(ANNA, at=NOW - DAY)._replace(agreed=agreed()) for _ in range(2)), source=MINI).stored == 2, number
    shown = desk.preferences.show(*ANNA, actor="usr_officer00000", namespace="web")
    (one,) = shown["agreements"]
    assert (one["version"], one["kind"], one["source_id"]) == ("2026-01", "mini_program", MINI.id)
    assert (one["agreed_at"], one["received_at"]) == ((NOW - timedelta(seconds=10**6)).isoformat(), NOW.isoformat())
    facts = [entry.facts for entry in desk.log.entries if entry.action == "ingest.batch"]  # type: ignore[attr-defined]
    assert [one["agreements"] for one in facts] == [1, 1, 1]


def test_an_agreement_grants_nothing_and_of_a_refused_row_nothing_is_kept(desk: Desk) -> None:
    receipt = desk.send(row(BO)._replace(agreed=agreed()), row(COOKIE)._replace(agreed=agreed()), source=MINI)
    assert receipt.reasons == {"consent_missing": 2}
    assert (desk.people(), counts(desk, AgreementRow)) == (1, 0)
    before = counts(desk, ledger.ConsentEventRow)
    desk.send(row(ANNA)._replace(agreed=agreed()), source=MINI)
    assert (counts(desk, ledger.ConsentEventRow), counts(desk, AgreementRow)) == (before, 1)
    desk.say(ANNA, "withdrawn")
    assert desk.send(row(ANNA)._replace(agreed=agreed("2026-02")), source=MINI).reasons == {"consent_withdrawn": 1}
    assert not desk.allowed(ANNA)
    assert counts(desk, AgreementRow) == 1


def test_a_public_key_adds_evidence_only_of_whom_it_may_name(desk: Desk) -> None:
    """A browser's claim of a telephone names nobody; of a visitor who allows, it is a source's word like any other."""
    desk.allow(COOKIE)
    public = source(public=True, id=CLIENT.id, kind="mini_program")
    desk.send(row(ANNA)._replace(agreed=agreed()), row(COOKIE)._replace(agreed=agreed()), source=public)
    assert counts(desk, AgreementRow) == 1
    assert desk.preferences.show(*ANNA, actor="usr_officer00000", namespace="web")["agreements"] == []


def test_a_message_that_comes_again_brings_its_agreement_once(desk: Desk) -> None:
    one = row(ANNA)._replace(agreed=agreed())
    assert desk.send(one, source=MINI, ids=["m-1"]).stored == 1
    assert desk.send(one._replace(agreed=agreed("other")), source=MINI, ids=["m-1"]).duplicate == 1
    assert counts(desk, AgreementRow) == 1
