"""Who gets in: every rule of admission as a sentence, on a real vault and a real ledger."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from ingestion.inbox import Tally
from ingestion.quarantine import QuarantineItem
from privacy.consent import registry
from privacy.consent.ledger import ConsentEventRow
from privacy.identity import vault
from tests.conftest import NOW
from tests.unit.privacy.admission.desk import (
    ANNA,
    BO,
    CLIENT,
    COOKIE,
    DAY,
    HEALTH,
    PROFILING,
    STATISTICS,
    Desk,
    born,
    claim,
    counts,
    row,
    source,
)

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
    assert (receipt.refused, desk.rows(), desk.allowed(ANNA)) == (1, 0, False)
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


def test_a_category_that_a_later_notice_added_is_kept_only_of_whoever_agreed_to_it(desk: Desk) -> None:
    """PIPL 14(2): what the first notice said stays allowed; the purpose itself, asked for anew, is denied until it is given again."""

    def published(version: str, *categories: str, anew: bool = False) -> None:
        uses = {STATISTICS: {"categories": list(categories), "methods": ["analyse"]}}
        with desk.stores.begin_platform() as tx:
            content = {"items": {}, "uses": uses, "anew": [STATISTICS] if anew else []}
            registry.publish_notice(tx, version, {"en": version}, [STATISTICS], desk.clock(), content)

    kind = desk.dictionary.records["event"].fields["product_id"].category
    others = sorted({one.category for one in desk.dictionary.records["event"].fields.values()} - {kind})
    published("v1", *others)
    desk.say(ANNA, "granted", notice="v1", at=NOW - timedelta(days=2))
    published("v2", kind, *others)
    desk.say(BO, "granted", notice="v2", at=NOW - timedelta(days=2))
    assert desk.send(row(ANNA, product_id="P1"), row(BO, product_id="P2")).stored == 2
    assert [line["product_id"] for line in desk.lines()] == [None, "P2"]
    published("v3", kind, *others, anew=True)
    assert desk.send(row(BO, product_id="P3")).reasons == {"consent_missing": 1}


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
