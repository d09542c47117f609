"""From rows to items: one verdict an item, all of its rows or none, the law before form; and what may be noted of whom."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.admission import screening
from privacy.consent.ledger import ConsentAct
from privacy.orm import to_micros
from privacy.records import CanonicalBatch, CanonicalPart, ConsentClaim
from privacy.vocabulary import ConsentKind, ConsentState, FormRule, Reason
from tests.conftest import NOW
from tests.unit.privacy.admission.desk import STATISTICS, source

AWAITING, MISSING = FormRule.AWAITING_CONSENT.value, Reason.PERSON_MISSING.value
LAW = (Reason.CONSENT_WITHDRAWN.value, Reason.MINOR.value, Reason.ERASED.value, Reason.FORBIDDEN_CATEGORY.value)


def part(positions: list[int], record: str = "event", **columns: Any) -> CanonicalPart:
    size = len(positions)
    return CanonicalPart(
        record=record,
        positions=pa.array(positions, pa.int64()),
        message_ids=None,
        times=pa.array([to_micros(NOW)] * size, pa.timestamp("us", tz="UTC")),
        fields=pa.table({"_refuse": pa.nulls(size, pa.string())}),
        identifiers=columns.pop("identifiers", {}),
        consents=columns.pop("consents", ()),
    )


def batch(*parts: CanonicalPart, **more: Any) -> CanonicalBatch:
    return CanonicalBatch(source(**more), NOW, b"b" * 16, 10, parts)


def act(position: int, state: str, kind: ConsentKind = ConsentKind.EXPLICIT) -> screening.Act:
    return screening.Act(position, 0, ConsentAct(b"h" * 16, STATISTICS, state, kind.value, 0, 0))


def reasons(told: list[str | None]) -> Any:
    made = np.full(len(told), None, object)
    made[:] = told
    return made


def stacked(positions: list[int], bad: list[bool], record: list[str]) -> screening.Stack:
    """Rows, each a part of its own, so that items have rows of several record kinds."""
    parts = tuple(part([position], kind) for position, kind in zip(positions, record, strict=True))
    return screening.Stack(parts, np.array(positions, np.int64), np.zeros(len(positions), np.int64), {}, {"email": np.array(bad, bool)})


ROW = st.tuples(
    st.integers(0, 4), st.sampled_from([None, AWAITING, MISSING, *LAW]), st.booleans(), st.sampled_from(["event", "member", "consent"])
)
ACTS = st.dictionaries(st.integers(0, 4), st.sampled_from(["granted", "denied", "withdrawn"]), max_size=3)


@settings(max_examples=200, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=12), ACTS)
def test_every_item_has_one_fate_and_all_of_its_rows_share_it(rows: list[tuple[int, str | None, bool, str]], told: dict[int, str]) -> None:
    positions, refuse, bad, kinds = (list(column) for column in zip(*rows, strict=True))
    acts = [act(position, state) for position, state in told.items() if position in positions]
    stack = stacked(positions, bad, kinds)
    malformed, refusals, admitted = screening.by_item(stack, batch(*stack.parts), reasons(refuse), acts)
    held, refused = {item.position for item in malformed}, set(refusals.positions)
    brought = {one.position for one in acts}
    noes = {one.position for one in acts if one.act.state != ConsentState.GRANTED}
    assert held.isdisjoint(refused)
    assert len(held) == len(malformed)
    assert len(refused) == len(refusals.positions)
    for item in set(positions):
        mine = [index for index, position in enumerate(positions) if position == item]
        entering = [admitted[index] for index in mine if kinds[index] != "consent"]
        said = {refuse[index] for index in mine} - {None}
        wrong = any(bad[index] for index in mine)
        assert len(set(entering)) <= 1, "an item is stored in part"
        assert not any(admitted[index] for index in mine if kinds[index] == "consent"), "consent is not a row of the lake"
        if said or wrong:
            assert not any(entering)
        else:
            assert item not in held | refused
        if said & set(LAW):
            assert item not in held, "what the law refuses is never kept"
            assert (item in refused) == (item not in brought)
        if item in noes:
            assert item not in held | refused, "a withdrawal is always recorded"


def test_a_sources_word_about_consent_leaves_a_refused_item_refused() -> None:
    """It is recorded all the same; but an item whose retry would be a duplicate could never enter later."""
    stack = stacked([3], [False], ["event"])
    told = [act(3, "denied", ConsentKind.ASSERTED)]
    _, refusals, admitted = screening.by_item(stack, batch(*stack.parts), reasons([Reason.CONSENT_WITHDRAWN.value]), told)
    assert (refusals.positions, admitted.tolist()) == ((3,), [False])


def test_an_item_that_waits_is_held_for_less_time_than_its_bad_identifier_would_be() -> None:
    """law_rules L-2: without consent nothing is kept for longer than a day."""
    stack = stacked([3], [True], ["event"])
    (held,), _, _ = screening.by_item(stack, batch(*stack.parts), reasons([AWAITING]), [])
    assert (held.position, held.rule) == (3, AWAITING)


def test_a_public_source_is_not_told_about_its_strong_identifiers() -> None:
    stack = stacked([3], [True], ["event"])
    held, refusals, admitted = screening.by_item(stack, batch(*stack.parts, public=True), reasons([None]), [])
    assert (held, refusals.positions, admitted.tolist()) == ((), (), [True])


def test_a_batch_without_rows_about_people_is_nothing_to_decide() -> None:
    stack = screening.stack([], source())
    held, refusals, admitted = screening.by_item(stack, batch(), reasons([]), [])
    assert (held, refusals.positions, len(admitted)) == ((), (), 0)


def test_identifiers_of_all_parts_stand_in_one_column_and_blocked_values_are_absent() -> None:
    first = part([0, 1], identifiers={"phone": pa.array(["138 0013 8000", "null"])})
    second = part([2], "member", identifiers={"email": pa.array(["no address at all"])})
    stack = screening.stack([first, second], source())
    assert stack.identifiers["phone"].to_pylist() == ["+8613800138000", None, None]
    assert (stack.bad["phone"].any(), stack.bad["email"].tolist()) == (False, [False, False, True])
    assert [(one.start, one.stop) for one in stack.slices()] == [(0, 2), (2, 3)]


@pytest.mark.parametrize(
    ("public", "signals", "explicit", "counted"),
    [
        (False, "ignore", True, [True, True, False]),
        (False, "ignore", False, [False, False, False]),
        (False, "deny_only", False, [False, True, False]),
        (False, "accept", False, [True, True, False]),
        (True, "accept", False, [False, True, False]),
        (True, "accept", True, [False, True, False]),
        (True, "deny_only", True, [False, True, False]),
        (True, "ignore", True, [False, False, False]),
    ],
)
def test_whose_word_counts(public: bool, signals: str, explicit: bool, counted: list[bool]) -> None:
    """SHAPES "Consent at admission": (grant, denial, nothing said) by kind of source, its rule for signals, and kind of act."""
    told = ConsentClaim(STATISTICS, pa.array([True, False, None]), pa.array([None] * 3, pa.timestamp("us", tz="UTC")), None, explicit)
    facts = source(public=public, consent_signals=signals)
    may = screening._may_say(told, facts) & np.array([True, True, False])
    assert may.tolist() == counted


def test_a_childs_grant_does_not_count_and_its_no_does() -> None:
    refuse = reasons([Reason.MINOR.value])
    assert not screening.counts(act(0, "granted"), refuse)
    assert screening.counts(act(0, "withdrawn"), refuse)
    assert screening.counts(act(0, "granted"), reasons([Reason.CONSENT_WITHDRAWN.value]))


def test_a_date_of_a_child_is_told_by_the_calendar_of_the_zone() -> None:
    born = pa.array([date(2012, 6, 15), date(2012, 6, 16), None], pa.date32())
    rows = part([0, 1, 2], "member")
    rows = CanonicalPart(rows.record, rows.positions, None, rows.times, rows.fields.append_column("birth_date", born), {})
    stack = screening.stack([rows], source())
    assert screening._told_young(stack, NOW, "Asia/Shanghai").tolist() == [False, True, False]
