"""Who gets in: every rule of admission as a sentence, on a real vault and a real ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import sqlalchemy as sa

from app.stores import Stores
from ingestion.inbox import Tally
from ingestion.quarantine import QuarantineItem
from privacy.consent.ledger import ConsentEventRow
from privacy.errors import Raced, Unavailable
from privacy.identity import normalise, pseudonyms, vault
from privacy.identity.ephemeral import EphemeralKey
from privacy.identity.keys import Keyring
from privacy.vocabulary import IdentifierType
from tests.conftest import NOW
from tests.fakes.log import RecordingLog, RefusingLog
from tests.stores import sqlite_stores
from tests.unit.privacy.admission.desk import ANNA, BO, HEALTH, PROFILING, STATISTICS, Desk, claim, row, source

DAY = timedelta(days=1)
CLIENT = source(public=True, id="src_page00000000")
COOKIE = ("cookie", "c-7f3a9b")


@pytest.fixture
def desk(tmp_path: Path, keyring: Keyring) -> Iterator[Desk]:
    with sqlite_stores(tmp_path) as stores:
        yield Desk(stores, keyring)


def born(year: int, month: int, day: int) -> str:
    return date(year, month, day).isoformat()


def counts(desk: Desk, table: type) -> int:
    with desk.stores.begin_platform() as tx:
        return int(tx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


# ── without consent ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_consent_a_row_is_refused_and_nothing_of_it_is_in_the_vault_or_the_platform(desk: Desk) -> None:
    receipt = desk.send(row(ANNA, BO), row(BO, record="member", sex="female", birth_date=born(1990, 1, 1)))
    assert (receipt.refused, receipt.reasons) == (2, {"consent_missing": 2})
    assert (desk.people(), desk.identifiers(), desk.rows()) == (0, 0, 0)
    assert counts(desk, QuarantineItem) == 0
    with desk.stores.begin_platform() as tx:
        assert tx.execute(sa.select(Tally.verdict, Tally.reason, Tally.number)).all() == [("refused", "consent_missing", 2)]


def test_a_row_that_names_nobody_is_refused(desk: Desk) -> None:
    """No identifier at all, or only values that stand for nobody."""
    receipt = desk.send(row(), row(("phone", "null"), ("customer_no", "anonymous")))
    assert receipt.reasons == {"person_missing": 2}
    assert desk.people() == 0


def test_a_batch_of_which_no_row_names_anybody_is_refused_too(desk: Desk) -> None:
    assert desk.send(row()).reasons == {"person_missing": 1}


def test_a_grant_before_the_row_admits_it_and_one_after_the_event_does_not(desk: Desk) -> None:
    desk.say(ANNA, "granted", at=NOW - 2 * DAY)
    receipt = desk.send(row(ANNA, at=NOW - DAY), row(ANNA, at=NOW - 3 * DAY))
    assert (receipt.stored, receipt.reasons) == (1, {"consent_not_yet": 1})
    assert len(desk.lines()) == 1


def test_after_a_withdrawal_neither_new_rows_nor_rows_from_before_it_are_admitted(desk: Desk) -> None:
    desk.allow(ANNA)
    desk.say(ANNA, "withdrawn", at=NOW - DAY)
    receipt = desk.send(row(ANNA), row(ANNA, at=NOW - 10 * DAY))
    assert receipt.reasons == {"consent_withdrawn": 2}


def test_a_grant_that_is_over_admits_nothing(desk: Desk) -> None:
    desk.say(ANNA, "granted", at=NOW - 30 * DAY, valid_until=NOW - DAY)
    assert desk.send(row(ANNA), row(ANNA, at=NOW - 5 * DAY)).reasons == {"consent_expired": 2}


def test_a_late_grant_that_is_older_than_a_withdrawal_does_not_lift_it(desk: Desk) -> None:
    """Attack 27."""
    desk.say(ANNA, "withdrawn", at=NOW - DAY)
    desk.say(ANNA, "granted", at=NOW - 2 * DAY)
    assert desk.send(row(ANNA)).reasons == {"consent_withdrawn": 1}


def test_a_grant_dated_in_the_future_counts_from_its_receipt_at_the_latest(desk: Desk) -> None:
    """Attack 28: it neither admits rows from before nor outlives a later withdrawal."""
    desk.say(ANNA, "granted", at=NOW + 400 * DAY)
    assert desk.send(row(ANNA, at=NOW - DAY)).reasons == {"consent_not_yet": 1}
    desk.clock.at += timedelta(minutes=1)
    desk.say(ANNA, "withdrawn")
    desk.clock.at += timedelta(minutes=1)
    assert desk.send(row(ANNA, at=desk.clock.at)).reasons == {"consent_withdrawn": 1}


# ── signals in rows ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_asserted_denial_always_counts(desk: Desk) -> None:
    desk.allow(ANNA)
    receipt = desk.send(row(ANNA, claims=[claim(granted=False)]))
    assert (receipt.stored, desk.rows(), desk.allowed(ANNA)) == (1, 0, False)
    assert desk.send(row(ANNA)).reasons == {"consent_withdrawn": 1}


@pytest.mark.parametrize(("signals", "stored"), [("accept", True), ("deny_only", False), ("ignore", False)])
def test_an_asserted_grant_counts_only_where_the_source_may_say_so(desk: Desk, signals: str, stored: bool) -> None:
    receipt = desk.send(row(ANNA, claims=[claim(granted=True)]), source=source(consent_signals=signals))
    assert (receipt.stored == 1, desk.rows() == 1, desk.people() == 1) == (stored, stored, stored)
    assert receipt.reasons == ({} if stored else {"consent_missing": 1})


def test_a_source_that_ignores_signals_ignores_denials_too(desk: Desk) -> None:
    desk.allow(ANNA)
    assert desk.send(row(ANNA, claims=[claim(granted=False)]), source=source(consent_signals="ignore")).stored == 1
    assert desk.allowed(ANNA)


def test_an_asserted_grant_never_lifts_a_withdrawal_and_an_explicit_one_does(desk: Desk) -> None:
    desk.allow(ANNA)
    desk.say(ANNA, "withdrawn", at=NOW - DAY)
    accepts = source(consent_signals="accept")
    receipt = desk.send(row(ANNA, claims=[claim(granted=True)]), source=accepts)
    assert (desk.rows(), desk.allowed(ANNA), receipt.quarantined) == (0, False, 0)
    desk.send(row(ANNA, claims=[claim(granted=True, explicit=True)]), source=accepts)
    assert (desk.rows(), desk.allowed(ANNA)) == (1, True)


def test_a_purpose_that_nobody_registered_refuses_the_row(desk: Desk) -> None:
    desk.allow(ANNA)
    receipt = desk.send(row(ANNA, claims=[claim("marketing.telepathy", granted=True)]), source=source(consent_signals="accept"))
    assert receipt.reasons == {"purpose_unknown": 1}


def test_a_signal_that_every_event_carries_is_recorded_once(desk: Desk) -> None:
    accepts = source(consent_signals="accept")
    desk.send(
        *[row(ANNA, at=NOW - number * DAY, claims=[claim(granted=True, at=NOW - number * DAY)]) for number in range(5)], source=accepts
    )
    assert counts(desk, ConsentEventRow) == 1
    assert len(desk.lines()) == 5


def test_a_withdrawal_is_recorded_whatever_is_wrong_with_the_rest_of_its_item(desk: Desk) -> None:
    desk.allow(ANNA)
    receipt = desk.send(row(ANNA, ("email", "no address at all"), claims=[claim(granted=False, explicit=True)]))
    assert (receipt.stored, receipt.quarantined, desk.allowed(ANNA), desk.rows()) == (1, 0, False, 0)


# ── client keys ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_client_key_can_lower_consent_and_never_raise_it(desk: Desk) -> None:
    accepts = source(public=True, consent_signals="accept", id="src_page00000000")
    raised = desk.send(row(COOKIE, claims=[claim(granted=True, explicit=True)]), source=accepts)
    assert raised.reasons == {"consent_missing": 1}
    assert desk.people() == 0
    desk.allow(COOKIE)
    desk.send(row(COOKIE, claims=[claim(granted=False)]), source=accepts)
    assert not desk.allowed(COOKIE)


def test_a_client_key_neither_finds_nor_links_nor_merges_by_strong_identifiers(desk: Desk) -> None:
    desk.allow(ANNA, BO, COOKIE)
    before = desk.person(COOKIE)
    assert desk.send(row(ANNA), source=CLIENT).reasons == {"person_missing": 1}
    assert desk.send(row(ANNA, BO, COOKIE, ("member_card", "VIP888")), source=CLIENT).stored == 1
    assert (desk.people(), desk.person(COOKIE), desk.person(("member_card", "VIP888"))) == (3, before, None)
    with desk.stores.begin_vault() as tx:
        assert vault.merged_into(tx) == []


def test_a_denial_under_a_client_key_lowers_only_its_own_anonymous_id(desk: Desk) -> None:
    desk.allow(ANNA, COOKIE)
    desk.send(row(ANNA, COOKIE, claims=[claim(granted=False)]), source=CLIENT)
    assert (desk.allowed(ANNA), desk.allowed(COOKIE)) == (True, False)


def test_a_client_key_does_not_wait_for_consent(desk: Desk) -> None:
    assert desk.send(row(COOKIE), source=source(public=True, on_no_consent="wait")).reasons == {"consent_missing": 1}


# ── purposes and fields ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_source_that_declared_no_analytic_purpose_brings_nothing_into_the_lake(desk: Desk) -> None:
    """A source's necessary purpose never opens the lake (law_rules L-3)."""
    desk.allow(ANNA)
    receipt = desk.send(row(ANNA), source=source(purposes=frozenset({"service.fulfilment"})))
    assert receipt.reasons == {"purpose_not_declared": 1}


def test_consent_to_a_purpose_that_the_source_did_not_declare_admits_nothing(desk: Desk) -> None:
    desk.allow(ANNA, purpose=PROFILING)
    assert desk.send(row(ANNA), source=source(purposes=frozenset({STATISTICS}))).reasons == {"consent_missing": 1}
    assert desk.send(row(ANNA)).stored == 1


def test_a_field_is_kept_only_if_one_of_its_purposes_is_allowed_and_declared(desk: Desk) -> None:
    """The product category serves profiling alone here."""
    record = desk.dictionary.records["event"]
    fields = dict(record.fields) | {"category": replace(record.fields["category"], purposes=(PROFILING,))}
    desk.dictionary = replace(desk.dictionary, records=dict(desk.dictionary.records) | {"event": replace(record, fields=fields)})
    desk.door = desk.another_door()
    desk.allow(ANNA, BO)
    desk.allow(BO, purpose=PROFILING)
    desk.send(row(ANNA, category="tea", product_id="P1"), row(BO, category="tea", product_id="P2"))
    desk.send(row(BO, category="tea", product_id="P3"), source=source(purposes=frozenset({STATISTICS})))
    assert {(line["product_id"], line["category"]) for line in desk.lines()} == {("P1", None), ("P2", "tea"), ("P3", None)}


def test_a_sensitive_value_without_its_separate_consent_refuses_the_row(desk: Desk) -> None:
    desk.allow(ANNA, BO)
    desk.say(BO, "granted", HEALTH, at=NOW - 200 * DAY)
    told: dict[str, Any] = {"record": "member", "sex": "female", "health_condition": "peanuts"}
    receipt = desk.send(row(ANNA, **told), row(BO, **told), row(ANNA, record="member", sex="female"))
    assert (receipt.stored, receipt.reasons) == (2, {"sensitive_without_consent": 1})
    assert "peanuts" not in str(desk.lines("profiles"))


def test_a_sensitive_value_does_not_wait_in_the_quarantine_either(desk: Desk) -> None:
    receipt = desk.send(row(ANNA, record="member", health_condition="peanuts"), source=source(on_no_consent="wait"))
    assert receipt.reasons == {"sensitive_without_consent": 1}
    assert counts(desk, QuarantineItem) == 0


@pytest.mark.parametrize("told", [{"school": "No. 2 Middle School"}, {"child_birth_date": born(2020, 5, 5)}, {"child_name": "Bao"}])
def test_a_field_about_a_child_refuses_the_row(desk: Desk, told: dict[str, Any]) -> None:
    desk.allow(ANNA)
    assert desk.send(row(ANNA, record="member", **told)).reasons == {"child_field": 1}


def test_a_forbidden_category_refuses_the_row_though_everything_is_allowed(desk: Desk) -> None:
    desk.allow(ANNA)
    assert desk.send(row(ANNA, refuse="forbidden_category")).reasons == {"forbidden_category": 1}
    assert desk.rows() == 0


def test_what_the_law_refuses_is_not_kept_because_its_form_is_wrong_too(desk: Desk) -> None:
    """law_rules L-2: of a person who withdrew nothing is kept, not even sealed."""
    desk.allow(ANNA)
    desk.say(ANNA, "withdrawn", at=NOW - DAY)
    bad = ("email", "no address at all")
    receipt = desk.send(row(ANNA, bad), row(("phone", "13900139000"), bad), row(bad))
    assert receipt.reasons == {"consent_withdrawn": 1, "consent_missing": 1, "bad_identifier": 1}


# ── minors ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

MIDNIGHT = datetime.fromisoformat("2026-06-15T00:00:00+08:00")


@pytest.mark.parametrize(
    ("now", "birth", "enters"),
    [
        (MIDNIGHT - timedelta(seconds=1), date(2012, 6, 15), False),
        (MIDNIGHT, date(2012, 6, 15), True),
        (MIDNIGHT, date(2012, 6, 16), False),
        (datetime.fromisoformat("2026-02-28T12:00:00+08:00"), date(2012, 2, 29), False),
        (datetime.fromisoformat("2026-03-01T00:00:00+08:00"), date(2012, 2, 29), True),
    ],
)
def test_nobody_under_fourteen_enters_and_the_birthday_itself_is_exact(desk: Desk, now: datetime, birth: date, enters: bool) -> None:
    """By the calendar of the controller's zone, not of UTC (attack 32)."""
    desk.allow(ANNA)
    desk.clock.at = now
    receipt = desk.send(row(ANNA, record="member", birth_date=birth.isoformat(), at=now))
    assert (receipt.stored, receipt.reasons) == ((1, {}) if enters else (0, {"minor": 1}))


@pytest.mark.parametrize(("now", "band"), [(MIDNIGHT - timedelta(seconds=1), "14-17"), (MIDNIGHT, "18-19")])
def test_the_eighteenth_birthday_changes_the_age_band_and_the_marketing_population(desk: Desk, now: datetime, band: str) -> None:
    for purpose in (STATISTICS, PROFILING):
        desk.allow(ANNA, purpose=purpose)
    desk.clock.at = now
    desk.send(row(ANNA, record="member", birth_date=born(2008, 6, 15), at=now))
    assert [line["age_band"] for line in desk.lines("profiles")] == [band]
    assert len(desk.preferences.population(PROFILING).run_ids) == (band == "18-19")
    assert len(desk.preferences.population(STATISTICS).run_ids) == 1


def test_a_childs_birth_date_is_noted_so_that_later_rows_without_it_are_refused(desk: Desk) -> None:
    desk.allow(ANNA)
    assert desk.send(row(ANNA, record="member", birth_date=born(2015, 1, 1))).reasons == {"minor": 1}
    assert desk.send(row(ANNA)).reasons == {"minor": 1}
    assert len(desk.preferences.population(STATISTICS).run_ids) == 0
    with desk.stores.begin_vault() as tx:
        assert list(vault.youths(tx, desk.keyring).values()) == [date(2015, 1, 1)]


def test_a_childs_birth_date_in_one_row_refuses_all_rows_of_the_child_in_the_batch(desk: Desk) -> None:
    desk.allow(ANNA, BO)
    receipt = desk.send(row(ANNA), row(ANNA, record="member", birth_date=born(2015, 1, 1)), row(BO))
    assert (receipt.stored, receipt.reasons) == (1, {"minor": 2})


def test_of_a_child_that_nobody_knew_nothing_is_noted(desk: Desk) -> None:
    accepts = source(consent_signals="accept")
    receipt = desk.send(row(ANNA, record="member", birth_date=born(2015, 1, 1), claims=[claim(granted=True)]), source=accepts)
    assert receipt.reasons == {"minor": 1}
    assert (desk.people(), counts(desk, ConsentEventRow)) == (0, 0)


def test_a_public_key_cannot_make_a_child_an_adult(desk: Desk) -> None:
    desk.allow(COOKIE)
    desk.send(row(COOKIE, record="member", birth_date=born(2015, 1, 1)), source=CLIENT)
    assert desk.send(row(COOKIE, record="member", birth_date=born(1980, 1, 1)), source=CLIENT).reasons == {"minor": 1}
    assert desk.send(row(COOKIE)).reasons == {"minor": 1}


def test_a_row_that_joins_a_child_with_somebody_else_is_refused_for_both(desk: Desk) -> None:
    desk.allow(ANNA, BO)
    desk.send(row(BO, record="member", birth_date=born(2015, 1, 1)))
    assert desk.send(row(ANNA, BO), row(ANNA)).reasons == {"minor": 2}


# ── waiting ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_where_consent_travels_on_another_path_the_item_waits_sealed_for_a_day_and_no_longer(desk: Desk) -> None:
    waits = source(on_no_consent="wait")
    receipt = desk.send(row(ANNA), source=waits)
    assert (receipt.quarantined, receipt.reasons) == (1, {"awaiting_consent": 1})
    assert (desk.people(), desk.rows()) == (0, 0)
    with desk.stores.begin_platform() as tx:
        held = tx.execute(sa.select(QuarantineItem.reference, QuarantineItem.expires_at)).one()
    assert held.expires_at == NOW + timedelta(hours=24)
    desk.clock.at = NOW + timedelta(hours=24) - timedelta(seconds=1)
    assert desk.box.open([held.reference]) == [b'{"item":0}']
    desk.clock.at = NOW + timedelta(hours=24)
    assert desk.box.open([held.reference]) == [None]


def test_who_withdrew_does_not_wait(desk: Desk) -> None:
    desk.say(ANNA, "withdrawn", at=NOW - DAY)
    assert desk.send(row(ANNA), source=source(on_no_consent="wait")).reasons == {"consent_withdrawn": 1}


# ── whole items ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_several_rows_of_one_item_are_stored_together(desk: Desk) -> None:
    desk.allow(ANNA)
    lines = [row(ANNA, record="order_line", kind="sale", order_id="R1", line=number) for number in range(3)]
    receipt = desk.send([row(ANNA), *lines])
    assert (receipt.received, receipt.stored, len(desk.lines()), len(desk.lines("order_lines"))) == (1, 1, 1, 3)


def test_several_rows_of_one_item_are_stored_together_or_not_at_all(desk: Desk) -> None:
    """Attack 46: a reason against one row is a reason against the item."""
    desk.allow(ANNA)
    receipt = desk.send(
        [row(ANNA), row(ANNA, record="member", health_condition="peanuts")], [row(ANNA), row(BO)], [row(ANNA), row()], row(ANNA)
    )
    assert (receipt.stored, receipt.refused, len(desk.lines())) == (1, 3, 1)
    assert receipt.reasons == {"sensitive_without_consent": 1, "consent_missing": 1, "person_missing": 1}


def test_a_bad_identifier_quarantines_all_rows_of_its_item(desk: Desk) -> None:
    desk.allow(ANNA)
    receipt = desk.send([row(ANNA), row(ANNA, ("email", "no address at all"))], row(ANNA))
    assert (receipt.quarantined, receipt.stored, desk.rows()) == (1, 1, 1)


# ── merged people ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_merged_people_take_the_strictest_consent(desk: Desk) -> None:
    desk.allow(ANNA, BO)
    assert desk.send(row(ANNA, BO)).stored == 1
    desk.say(BO, "withdrawn", at=NOW - DAY)
    assert desk.send(row(ANNA), row(BO), row(ANNA, BO)).reasons == {"consent_withdrawn": 3}


def test_the_row_that_merges_two_people_needs_the_consent_of_both(desk: Desk) -> None:
    desk.allow(ANNA)
    desk.say(BO, "withdrawn", at=NOW - DAY)
    assert desk.send(row(ANNA, BO)).reasons == {"consent_withdrawn": 1}
    with desk.stores.begin_vault() as tx:
        assert vault.merged_into(tx) == []
    assert desk.send(row(ANNA)).stored == 1


# ── erased people ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def erase(desk: Desk, kind: str, value: str) -> None:
    (normal,) = normalise.normalise(kind, pa.array([value]), namespace="web")[0].to_pylist()
    with desk.stores.begin_vault() as tx:
        vault.add_tombstones(tx, desk.keyring, [(IdentifierType(kind), normal)], now=NOW)


def test_rows_of_somebody_erased_are_refused_and_they_do_not_come_back_by_a_grant(desk: Desk) -> None:
    """Attacks 33, 34, 39."""
    erase(desk, *ANNA)
    accepts = source(consent_signals="accept")
    assert desk.send(row(ANNA), row(ANNA, claims=[claim(granted=True, explicit=True)]), source=accepts).reasons == {"erased": 2}
    assert desk.say(ANNA, "granted")["verdict"] == "refused"
    assert desk.say(ANNA, "withdrawn")["verdict"] == "stored"
    assert (desk.people(), desk.rows()) == (0, 0)


def test_an_item_that_names_somebody_erased_beside_another_person_is_refused(desk: Desk) -> None:
    """Attack 35: nothing of the erased is inherited by whoever shares an identifier with them."""
    erase(desk, *ANNA)
    desk.allow(BO)
    assert desk.send(row(ANNA, BO)).reasons == {"erased": 1}
    assert desk.person(ANNA) is None
    assert desk.send(row(BO)).stored == 1


# ── names ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_virtual_ids_are_one_a_month_and_equal_no_other_domains_value(desk: Desk) -> None:
    people = [("member_card", f"CARD{number:06d}") for number in range(200)]
    desk.allow(*people)
    may, june = NOW - 31 * DAY, NOW
    desk.send(*[row(who, at=at) for who in people for at in (may, june, june - DAY)])
    lines = desk.lines()
    months = {month: {line["virtual_id"] for line in lines if line["month"] == month} for month in (202605, 202606)}
    assert [len(ids) for ids in months.values()] == [200, 200]
    assert months[202605].isdisjoint(months[202606])
    ids = b"".join(person for who in people if (person := desk.person(who)))
    domains = [
        pseudonyms.virtual_ids(ids, desk.keyring.block_cipher(label)).tolist()
        for label in pseudonyms.LABELS
        if label != pseudonyms.VIRTUAL_ID
    ]
    raw = (np.frombuffer(ids, ">u8")[::2] >> np.uint64(1)).tolist()
    mine = months[202605] | months[202606]
    assert all(mine.isdisjoint(values) for values in [*domains, raw])


def test_the_same_order_has_one_key_in_a_month_and_another_in_the_next(desk: Desk) -> None:
    desk.allow(ANNA)
    told: dict[str, Any] = {"record": "order_line", "kind": "sale", "order_id": "R-1"}
    desk.send(row(ANNA, **told), row(ANNA, **told), row(ANNA, at=NOW - 31 * DAY, **told))
    keys = {(line["month"], line["order_key"]) for line in desk.lines("order_lines")}
    assert len(keys) == 2
    assert len({key for _, key in keys}) == 2


# ── once ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def turn() -> datetime:
    """The first moment of an epoch of message keys."""
    start = datetime(1970, 1, 1, tzinfo=NOW.tzinfo)
    return start + ((NOW - start) // (30 * DAY) + 1) * 30 * DAY


def test_a_message_is_known_again_across_a_change_of_epoch(desk: Desk, turn: datetime) -> None:
    """The dedupe window is thirty days whatever key is in force; another process knows it too."""
    desk.allow(ANNA)
    desk.clock.at = turn - timedelta(seconds=1)
    assert desk.send(row(ANNA), ids=["m-1"]).stored == 1
    for at in (turn, turn + 29 * DAY):
        desk.clock.at = at
        for door in (desk.door, desk.another_door()):
            desk.door = door
            receipt = desk.send(row(ANNA), ids=["m-1"])
            assert (receipt.stored, receipt.duplicate) == (0, 1)
    assert len(desk.lines()) == 1


def test_a_message_of_this_epoch_leaves_another_digest_than_one_of_the_last(desk: Desk, turn: datetime) -> None:
    desk.allow(ANNA, BO)
    desk.clock.at = turn - DAY
    first = desk.decide(row(ANNA))
    desk.clock.at = turn
    second = desk.decide(row(ANNA))
    assert first.batch.parts[0].digests != second.batch.parts[0].digests
    assert (len(first.older_digests), len(second.older_digests)) == (0, 1)
    with desk.stores.begin_vault() as tx:
        names = set(tx.execute(sa.select(EphemeralKey.name).where(EphemeralKey.name.like("message:%"))).scalars())
    assert len(names) == 2


def test_the_same_message_id_of_two_sources_is_two_messages(desk: Desk) -> None:
    desk.allow(ANNA)
    assert desk.send(row(ANNA), ids=["m-1"]).stored == 1
    assert desk.send(row(ANNA), ids=["m-1"], source=source(id="src_other0000000")).stored == 1


# ── races and faults ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def anywhere(empty_stores: Stores, keyring: Keyring) -> Desk:
    """A desk on each database."""
    return Desk(empty_stores, keyring)


def once(act: Callable[[], object]) -> Callable[[], None]:
    left = [act]

    def go() -> None:
        if left:
            left.pop()()

    return go


def test_a_withdrawal_between_decision_and_commit_is_seen_and_the_row_is_decided_again(anywhere: Desk) -> None:
    desk = anywhere
    desk.allow(ANNA, BO)
    desk.before_commit = once(lambda: desk.say(ANNA, "withdrawn"))
    receipt = desk.send(row(ANNA), row(BO))
    assert (receipt.stored, receipt.reasons) == (1, {"consent_withdrawn": 1})
    assert len(desk.lines()) == 1


def test_a_withdrawal_of_somebody_merged_is_seen_too(anywhere: Desk) -> None:
    desk = anywhere
    desk.allow(ANNA, BO)
    desk.send(row(ANNA, BO))
    desk.before_commit = once(lambda: desk.say(BO, "withdrawn"))
    assert desk.send(row(ANNA)).reasons == {"consent_withdrawn": 1}


def test_settling_a_stale_decision_raises_and_leaves_nothing(desk: Desk) -> None:
    desk.allow(ANNA)
    entry = desk.decide(row(ANNA))
    desk.say(ANNA, "withdrawn")
    with pytest.raises(Raced), desk.stores.begin_platform() as tx:
        entry.settle(tx, {})
    assert counts(desk, ConsentEventRow) == 2


def test_consent_of_somebody_else_meanwhile_is_no_race(desk: Desk) -> None:
    desk.allow(ANNA)
    desk.before_commit = once(lambda: desk.say(BO, "granted"))
    assert desk.send(row(ANNA)).stored == 1


def test_without_its_log_entry_a_batch_is_not_stored(desk: Desk) -> None:
    desk.allow(ANNA)
    before = counts(desk, ConsentEventRow)
    desk.log = RefusingLog()
    desk.door = desk.another_door()
    with pytest.raises(Unavailable):
        desk.send(row(ANNA, claims=[claim(granted=False)]))
    assert (desk.rows(), counts(desk, ConsentEventRow), counts(desk, Tally)) == (0, before, 0)


def test_a_batch_has_one_entry_with_counts_and_the_root_of_its_verdicts(desk: Desk) -> None:
    desk.allow(ANNA)
    assert isinstance(desk.log, RecordingLog)
    desk.log.entries.clear()
    desk.send(row(ANNA), row(BO), row(ANNA, ("email", "no address at all")))
    (entry,) = desk.log.entries
    assert (entry.kind, entry.action, entry.actor) == ("ingest", "ingest.batch", "src_web000000000")
    assert {name: entry.facts[name] for name in ("stored", "duplicate", "quarantined", "refused", "acts")} == {
        "stored": 1,
        "duplicate": 0,
        "quarantined": 1,
        "refused": 1,
        "acts": 0,
    }
    assert len(entry.facts["verdicts"]) == 32


# ── what one process does, another one's memory heeds ──────────────────────────────────────────────────────────────────────────


@pytest.fixture
def two(anywhere: Desk) -> tuple[Desk, Callable[..., Any]]:
    """A desk whose own door has just met Anna and Bo, and how to send by another process's door."""
    desk = anywhere
    desk.allow(ANNA, BO)
    assert desk.send(row(ANNA), row(BO)).stored == 2
    assert desk.send(row(ANNA), row(BO)).stored == 2
    mine, other = desk.door, desk.another_door()

    def elsewhere(*items: Any, **more: Any) -> Any:
        desk.door = other
        try:
            return desk.send(*items, **more)
        finally:
            desk.door = mine

    return desk, elsewhere


def test_a_birth_date_that_another_process_noted_counts_in_the_next_batch(two: tuple[Desk, Callable[..., Any]]) -> None:
    desk, elsewhere = two
    assert elsewhere(row(BO, record="member", birth_date=born(2015, 1, 1))).reasons == {"minor": 1}
    assert desk.send(row(ANNA), row(BO)).reasons == {"minor": 1}


def test_a_merge_that_another_process_found_counts_in_the_next_batch(two: tuple[Desk, Callable[..., Any]]) -> None:
    desk, elsewhere = two
    assert elsewhere(row(ANNA, BO)).stored == 1
    desk.say(BO, "withdrawn")
    assert desk.send(row(ANNA), row(BO)).reasons == {"consent_withdrawn": 2}


def test_a_cookie_that_moved_to_another_person_in_another_process_is_theirs_in_the_next_batch(
    two: tuple[Desk, Callable[..., Any]],
) -> None:
    """A weak identifier follows the last strong person it was seen with."""
    desk, elsewhere = two
    desk.send(row(ANNA, COOKIE))
    assert desk.send(row(COOKIE)).stored == 1
    elsewhere(row(BO, COOKIE))
    desk.say(BO, "withdrawn")
    assert desk.send(row(COOKIE)).reasons == {"consent_withdrawn": 1}


def test_an_erasure_in_another_process_counts_in_the_next_batch(two: tuple[Desk, Callable[..., Any]]) -> None:
    desk, _ = two
    erase(desk, *BO)
    assert desk.send(row(ANNA), row(BO)).reasons == {"erased": 1}


def test_what_another_process_withdrew_or_granted_counts_in_the_next_batch(two: tuple[Desk, Callable[..., Any]]) -> None:
    desk, elsewhere = two
    elsewhere(row(BO, claims=[claim(granted=False)]))
    assert desk.send(row(BO)).reasons == {"consent_withdrawn": 1}
    later = desk.clock.at = NOW + timedelta(minutes=1)
    elsewhere(row(BO, at=later, claims=[claim(granted=True, at=later, explicit=True)]))
    assert desk.send(row(BO, at=later)).stored == 1
