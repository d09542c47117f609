"""Who gets in, by who they are: children, people who turn out to be one, people who were erased."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from privacy.consent.ledger import ConsentEventRow
from privacy.identity import vault
from tests.conftest import NOW
from tests.unit.privacy.admission.desk import (
    ANNA,
    BO,
    CLIENT,
    COOKIE,
    DAY,
    PROFILING,
    STATISTICS,
    Desk,
    born,
    claim,
    counts,
    erase,
    row,
    source,
)

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
