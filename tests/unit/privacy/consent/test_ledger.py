"""The ledger keeps every act, and its projection is always their fold, on both databases."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import product

import pytest
import sqlalchemy as sa

from app.stores import Stores
from privacy.consent import gate, ledger, registry
from privacy.consent.ledger import ConsentAct, ConsentEventRow, ConsentStateRow
from privacy.consent.registry import Purpose
from privacy.errors import Invalid

STATISTICS, PROFILING = "analytics.statistics", "marketing.profiling"
BOTH = (STATISTICS, PROFILING)
SECOND = 1_000_000
NOW = 10_000 * SECOND
ANNA, BO, CAI = (bytes([one]) * 16 for one in (1, 2, 0))


@pytest.fixture
def seeded(stores: Stores) -> Stores:
    with stores.begin_platform() as tx:
        registry.seed(tx, datetime(2026, 1, 1, tzinfo=UTC))
    return stores


def act(
    handle: bytes, state: str, at: int, *, received: int | None = None, kind: str = "explicit", purpose: str = STATISTICS
) -> ConsentAct:
    return ConsentAct(handle, purpose, state, kind, at * SECOND, (at if received is None else received) * SECOND)


def allowed(tx: sa.Connection, handle: bytes, at: int = 9_000) -> bool:
    line = ledger.timelines(tx, [handle], BOTH).get(handle, {}).get(STATISTICS)
    return gate.decide(line, at * SECOND, NOW).allowed


def handles_of(joined: bytes) -> set[bytes]:
    return {joined[start : start + 16] for start in range(0, len(joined), 16)}


def agree(tx: sa.Connection, handles: Sequence[bytes]) -> None:
    """The projection, the population and the fold of the stored acts say the same."""
    for purpose in BOTH:
        now_allowed = handles_of(ledger.allowed_handles(tx, purpose, NOW))
        for handle in handles:
            rows = [row for row in ledger.history(tx, handle) if row["purpose"] == purpose]
            line = gate.fold(
                [gate.Event(*(row[name] for name in ("state", "kind", "effective_at", "received_at", "valid_until"))) for row in rows]
            )
            found = ledger.timelines(tx, [handle], BOTH).get(handle, {}).get(purpose, gate.NOTHING)
            assert found == line
            assert (handle in now_allowed) == gate.decide(line, NOW, NOW).allowed


def test_the_standing_of_somebodys_one_act_is_that_of_its_fold() -> None:
    """Written in columns for everybody who is new; a clock that is ahead, one that is behind, and an end before the beginning included."""
    acts = [
        ConsentAct(ANNA, STATISTICS, state, kind, at, 1_000, valid_until=until if state == "granted" else None)
        for state, kind, at, until in product(
            ("granted", "withdrawn", "denied"), ("explicit", "asserted"), (900, 1_000, 1_100, 10**12), (None, 500, 900, 950, 1_000, 10**13)
        )
    ]
    written = list(zip(*ledger._first_columns(acts, 9), strict=True))
    assert written == [ledger._state_row((act.handle, act.purpose), [ledger.event_of(act)], 9) for act in acts]


def test_an_empty_ledger_denies(seeded: Stores) -> None:
    with seeded.begin_platform() as tx:
        assert ledger.head(tx) == 0
        assert ledger.append(tx, []) == 0
        assert ledger.timelines(tx, [ANNA], BOTH) == {}
        assert ledger.timelines(tx, [], BOTH) == {}
        assert ledger.allowed_handles(tx, STATISTICS, NOW) == b""
        assert not ledger.changed_since(tx, 0, [ANNA])


def test_positions_have_no_gaps_and_changes_are_told_by_person(seeded: Stores) -> None:
    with seeded.begin_platform() as tx:
        assert ledger.append(tx, [act(ANNA, "granted", 1), act(BO, "granted", 1)]) == 2
        seen = ledger.head(tx)
        assert ledger.append(tx, [act(BO, "withdrawn", 2)]) == 3
        assert ledger.changed_since(tx, seen, [ANNA, BO])
        assert not ledger.changed_since(tx, seen, [ANNA])
        assert not ledger.changed_since(tx, 3, [ANNA, BO])


def test_a_withdrawal_holds_in_the_next_transaction(seeded: Stores) -> None:
    with seeded.begin_platform() as tx:
        ledger.append(tx, [act(ANNA, "granted", 1), act(BO, "granted", 1), act(CAI, "granted", 1)])
    with seeded.begin_platform() as tx:
        ledger.append(tx, [act(ANNA, "withdrawn", 2)])
    with seeded.read_platform() as tx:
        assert handles_of(ledger.allowed_handles(tx, STATISTICS, NOW)) == {BO, CAI}
        assert not allowed(tx, ANNA)
        agree(tx, [ANNA, BO, CAI])


def test_any_order_of_arrival_leaves_the_same_projection(seeded: Stores) -> None:
    dice = random.Random(7)
    life = [
        ConsentAct(ANNA, dice.choice(BOTH), dice.choice(["granted", "withdrawn", "denied"]), "explicit", at * SECOND, (at + 1) * SECOND)
        for at in (dice.randrange(1, 40) for _ in range(12))
    ]
    seen = []
    for turn in range(4):
        handle = bytes([turn + 10]) * 16
        shuffled = [one._replace(handle=handle) for one in dice.sample(life, len(life))]
        with seeded.begin_platform() as tx:
            while shuffled:
                count = dice.randrange(1, 5)
                ledger.append(tx, shuffled[:count])
                shuffled = shuffled[count:]
            agree(tx, [handle])
            seen.append(ledger.timelines(tx, [handle], BOTH)[handle])
    assert all(one == seen[0] for one in seen)


def test_a_clock_far_ahead_is_clamped_and_its_claim_kept(seeded: Stores) -> None:
    with seeded.begin_platform() as tx:
        ledger.append(tx, [act(ANNA, "granted", 5_000, received=100), act(BO, "granted", 160, received=100)])
        (clamped,), (near,) = ledger.history(tx, ANNA), ledger.history(tx, BO)
    assert (clamped["effective_at"], clamped["claimed_at"]) == (400 * SECOND, 5_000 * SECOND)
    assert (near["effective_at"], near["claimed_at"]) == (160 * SECOND, None)


def test_a_purpose_outside_the_register_is_never_recorded(seeded: Stores) -> None:
    with seeded.begin_platform() as tx:
        with pytest.raises(Invalid) as refused:
            ledger.append(tx, [act(ANNA, "granted", 1), act(ANNA, "granted", 1, purpose="no.such")])
        assert refused.value.code == "purpose_unknown"
        with pytest.raises(Invalid):
            ledger.append(tx, [act(ANNA, "maybe", 1)])
        assert ledger.head(tx) == 0


def test_the_registers_validity_ends_a_grant_that_names_none(seeded: Stores) -> None:
    with seeded.begin_platform() as tx:
        short = Purpose("service.trial", {"CN": "consent"}, validity_days=1, name={"en": "Trial", "zh": "试用"})
        registry.add_purpose(tx, short, datetime(2026, 1, 1, tzinfo=UTC))
        ledger.append(tx, [act(ANNA, "granted", 1, purpose="service.trial"), act(BO, "granted", 1)])
        assert ledger.history(tx, ANNA)[0]["valid_until"] == SECOND + ledger.DAY
        assert handles_of(ledger.allowed_handles(tx, "service.trial", ledger.DAY)) == {ANNA}
        assert ledger.allowed_handles(tx, "service.trial", SECOND + ledger.DAY) == b""


def test_a_notice_is_kept_as_its_hash_and_any_other_text_is_not_kept(seeded: Stores) -> None:
    with seeded.begin_platform() as tx:
        identity = registry.publish_notice(tx, "v1", {"en": "We count."}, [STATISTICS], datetime(2026, 1, 1, tzinfo=UTC))
        told = act(ANNA, "granted", 1)
        ledger.append(tx, [told._replace(notice="v1"), told._replace(handle=BO, notice="anna@example.org")])
        assert [ledger.history(tx, one)[0]["notice"] for one in (ANNA, BO)] == [identity, None]


def test_evidence_comes_back_as_it_was_given(seeded: Stores) -> None:
    with seeded.begin_platform() as tx:
        ledger.append(tx, [act(ANNA, "granted", 1)._replace(evidence={"collection": "form"}, by="src_x", source_id="src_x")])
        (row,) = ledger.history(tx, ANNA)
        assert (row["evidence"], row["by"], row["source_id"]) == ({"collection": "form"}, "src_x", "src_x")
        assert tx.execute(sa.select(ConsentEventRow.evidence)).scalar() == {"collection": "form"}


def test_pending_acts_count_without_being_recorded(seeded: Stores) -> None:
    with seeded.begin_platform() as tx:
        ledger.append(tx, [act(ANNA, "granted", 1)])
        pending = [act(ANNA, "withdrawn", 5), act(BO, "granted", 5)]
        lines = ledger.timelines(tx, [ANNA, BO], BOTH, pending=pending)
        assert [gate.decide(lines[one][STATISTICS], 9 * SECOND, NOW).allowed for one in (ANNA, BO)] == [False, True]
        assert allowed(tx, ANNA)
        ledger.append(tx, pending)
        assert ledger.timelines(tx, [ANNA, BO], BOTH) == lines


def test_a_sources_word_that_tells_nothing_is_not_stored(seeded: Stores) -> None:
    with seeded.begin_platform() as tx:
        signals = [act(ANNA, "granted", at, kind="asserted") for at in (3, 4, 5)]
        assert ledger.append(tx, signals) == 1
        assert ledger.append(tx, [act(ANNA, "granted", 9, kind="asserted")]) == 1
        assert ledger.append(tx, [act(ANNA, "granted", 2, kind="asserted")]) == 2
        assert ledger.append(tx, [act(ANNA, "denied", at, kind="asserted") for at in (10, 11, 12, 13)]) == 4
        assert not allowed(tx, ANNA)
        ledger.append(tx, [act(ANNA, "granted", 12, received=20)])
        assert not allowed(tx, ANNA), "the source's last no is newer than the late grant"
        agree(tx, [ANNA])


def test_of_merged_people_the_strictest_holds_and_an_own_grant_lifts_all(seeded: Stores) -> None:
    aliases = {ANNA: [BO]}
    with seeded.begin_platform() as tx:
        ledger.append(tx, [act(ANNA, "granted", 1), act(BO, "withdrawn", 2)])
        line = ledger.timelines(tx, [ANNA], BOTH, aliases=aliases)[ANNA][STATISTICS]
        assert not gate.decide(line, 9 * SECOND, NOW).allowed
        ledger.append(tx, [act(ANNA, "granted", 5)], aliases=aliases)
        line = ledger.timelines(tx, [ANNA], BOTH, aliases=aliases)[ANNA][STATISTICS]
        assert gate.decide(line, 9 * SECOND, NOW).allowed
        ledger.append(tx, [act(ANNA, "withdrawn", 7)], aliases=aliases)
        line = ledger.timelines(tx, [ANNA], BOTH, aliases=aliases)[ANNA][STATISTICS]
        assert not gate.decide(line, 9 * SECOND, NOW).allowed
        assert set(ledger.timelines(tx, [ANNA], BOTH, aliases=aliases)) == {ANNA}


def test_a_person_known_only_by_a_merged_handle_keeps_their_consent(seeded: Stores) -> None:
    with seeded.begin_platform() as tx:
        ledger.append(tx, [act(BO, "granted", 1)])
        line = ledger.timelines(tx, [ANNA], BOTH, aliases={ANNA: [BO]})[ANNA][STATISTICS]
        assert gate.decide(line, 9 * SECOND, NOW).allowed


def test_ten_thousand_people_at_once_agree_with_one_by_one(seeded: Stores) -> None:
    """More handles than either database takes as parameters, and bytes of every value."""
    many = [os.urandom(16) for _ in range(10_000)]
    with seeded.begin_platform() as tx:
        assert ledger.append(tx, [act(one, "granted", 1) for one in many]) == len(many)
        ledger.append(tx, [act(one, "withdrawn", 2) for one in many[:50]])
        lines = ledger.timelines(tx, many, BOTH)
        assert len(lines) == len(many)
        assert handles_of(ledger.allowed_handles(tx, STATISTICS, NOW)) == set(many[50:])
        assert tx.execute(sa.select(sa.func.count()).select_from(ConsentStateRow)).scalar() == len(many)
        agree(tx, many[48:52])
