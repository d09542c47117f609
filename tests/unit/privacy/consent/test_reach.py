"""Many people's acts under the scope of notices, read at once, say what the fold says of each; and refused tags (privacy.consent.objections)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from app.stores import Stores
from privacy.consent import effects, gate, ledger, objections, reach, registry, scope, stopped
from privacy.consent.ledger import ConsentAct
from privacy.orm import to_micros
from privacy.vocabulary import STATISTICS

NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)
ANNA, BO, CAI = (bytes([one]) * 16 for one in (1, 2, 3))


def content(*categories: str, anew: bool = False) -> dict[str, object]:
    uses = {STATISTICS: {"categories": list(categories), "methods": ["analyse"]}}
    return {"items": {}, "uses": uses, "anew": [STATISTICS] if anew else []}


def granted(handle: bytes, notice: str | None = None, state: str = "granted", minutes: int = 0) -> ConsentAct:
    at = to_micros(NOW + timedelta(minutes=minutes))
    return ConsentAct(handle, STATISTICS, state, "explicit", at, at, notice=notice)


@pytest.fixture
def told(stores: Stores) -> Stores:
    """Anna agreed to the first notice, Bo to the second, Cai withdrew."""
    with stores.begin_platform() as tx:
        registry.seed(tx, NOW)
        registry.publish_notice(tx, "v1", {"en": "One."}, [STATISTICS], NOW, content("behaviour"))
        registry.publish_notice(tx, "v2", {"en": "Two."}, [STATISTICS], NOW + timedelta(minutes=5), content("behaviour", "location"))
        ledger.append(tx, [granted(ANNA, "v1"), granted(BO, "v2", minutes=6), granted(CAI, "v2"), granted(CAI, "v2", "withdrawn", 7)])
    return stores


def test_people_at_once_stand_as_the_fold_says_of_each(told: Stores) -> None:
    now = to_micros(NOW + timedelta(hours=1))
    with told.read_platform() as tx:
        (covered,) = reach.Added().of(tx).values()
        found = reach.lines(tx, ANNA + BO + CAI, STATISTICS, covered, ("behaviour", "location"))
        for place, handle in enumerate((ANNA, BO, CAI)):
            for category, lines in found.items():
                alone = scope.timeline(ledger.history(tx, handle), covered, category)
                assert lines.timeline(place).code_at(now) == alone.code_at(now)
        codes = [found["location"].timeline(place).code_at(now) == gate.ALLOWED for place in range(3)]
        assert codes == [False, True, False]
        pending = reach.lines(tx, ANNA, STATISTICS, covered, ("location",), pending=[granted(ANNA, "v2", minutes=9)])
        assert pending["location"].timeline(0).code_at(now) == gate.ALLOWED
        merged = reach.lines(tx, BO, STATISTICS, covered, ("location",), aliases={BO: [CAI]})
        assert merged["location"].timeline(0).code_at(now) == gate.WITHDRAWN


def test_a_notice_that_asks_anew_leaves_out_whoever_agreed_before_it(told: Stores) -> None:
    added = reach.Added()
    now = to_micros(NOW + timedelta(hours=1))
    with told.begin_platform() as tx:
        assert not added.of(tx)[STATISTICS].renewed
        assert reach.unreached(tx, STATISTICS, now) == b""
        registry.publish_notice(tx, "v3", {"en": "Three."}, [STATISTICS], NOW + timedelta(minutes=10), content("behaviour", anew=True))
        assert added.of(tx)[STATISTICS].renewed, "as fresh as the number of notices"
        assert sorted(reach.unreached(tx, STATISTICS, now)[place : place + 16] for place in (0, 16)) == [ANNA, BO]
        ledger.append(tx, [granted(ANNA, "v3", minutes=11)])
        assert reach.unreached(tx, STATISTICS, now) == BO


def test_a_refused_tag_is_kept_once_and_found_by_whoever_builds_it(told: Stores) -> None:
    with told.begin_platform() as tx:
        objections.add(tx, [ANNA, BO], "value_band", NOW)
        objections.add(tx, [ANNA], "value_band", NOW)
        assert objections.of(tx, [ANNA]) == {"value_band"}
        assert sorted(objections.against(tx, "value_band")) == [ANNA, BO]
        assert objections.of(tx, [CAI]) == frozenset()
        assert objections.forget(tx, [ANNA]) == 1


def test_a_withdrawal_has_only_the_effects_that_somebody_counts(told: Stores) -> None:
    with told.begin_platform() as tx:
        stopped.add(tx, {(CAI, STATISTICS): 3, (CAI, "marketing.profiling"): 5}, date(2026, 6, 20))
        stopped.add(tx, {(CAI, STATISTICS): 2}, date(2026, 5, 20))
        assert effects.of(tx, [CAI], STATISTICS, NOW)["events_stopped"] == 3
    with pytest.raises(ValueError, match="counted already"):
        effects.register("events_stopped", lambda *_: 0)
