"""What the gate writes down: requests whose state moves once, who left, who gets nothing, the day's counts, whose a file is."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pyarrow as pa
import pytest

from privacy.dp import ledger as budget
from privacy.errors import BudgetExhausted, Conflict, Invalid, Refused, Unavailable
from privacy.export import asking, barred, controlrows, counts, earlier, files, law, leavers, making, requests, tracing
from privacy.export.counts import Counter, Noisy
from privacy.export.requests import State
from tests.fakes.paperwork import ADA, BOB
from tests.gatehouse import CAP_NANO, MONTH, PHONES, RHO_NANO, Scene

HANDLES = [bytes([number]) * 16 for number in range(4)]


def test_of_two_who_decide_at_once_one_is_told_so(scene: Scene) -> None:
    """The state moves from the one that was seen, or not at all."""
    made = scene.door.request(scene.wish(), actor=ADA)
    with scene.services.begin_console() as tx:
        seen = requests.one(tx, made["id"])
        requests.move(tx, seen, State.APPROVED, now=scene.services.clock())
        with pytest.raises(Conflict) as late:
            requests.move(tx, seen, State.REJECTED, now=scene.services.clock())
    assert late.value.code == "export_state"


@pytest.mark.parametrize("end", [State.REJECTED, State.CANCELLED, State.EXPIRED, State.REVOKED])
def test_an_end_is_an_end(scene: Scene, end: State) -> None:
    """Nothing leads out of it."""
    made = scene.door.request(scene.wish(), actor=ADA)
    with scene.services.begin_console() as tx:
        over = replace(requests.one(tx, made["id"]), state=end)
        for to in State:
            with pytest.raises(Conflict):
                requests.move(tx, over, to, now=scene.services.clock())


def test_a_list_of_requests_goes_on_where_it_stopped(scene: Scene) -> None:
    """Newest first, each once."""
    made = [scene.door.request(scene.wish(), actor=ADA)["id"] for _ in range(5)]
    first = scene.door.listing(limit=3)
    rest = scene.door.listing(limit=3, before=first[-1]["id"])
    assert {one["id"] for one in [*first, *rest]} == set(made)
    assert len(first) + len(rest) == len(made)
    assert scene.door.listing(states=("approved",)) == []


def test_who_left_and_was_left_out_stays_written_down_where_a_file_was_taken(scene: Scene) -> None:
    """And is forgotten where nobody had it."""
    now = scene.services.clock()
    with scene.services.begin_console() as tx:
        leavers.add(tx, "exp_a", HANDLES, channel="sms", at=now)
        leavers.add(tx, "exp_b", HANDLES[:1], channel="sms", at=now)
        leavers.leave_out(tx, "exp_a", HANDLES[:1], taken=True, now=now)
        leavers.leave_out(tx, "exp_a", HANDLES[1:2], taken=False, now=now)
        assert sorted(leavers.of(tx, "exp_a")) == HANDLES[2:]
        assert sorted(leavers.of(tx, "exp_a", handed_out=True)) == [HANDLES[0], *HANDLES[2:]]
        assert leavers.recent(tx, "sms", now)[HANDLES[0]] == 2
        assert sorted(leavers.lists_of(tx, HANDLES[:1])) == ["exp_a", "exp_b"]
        assert leavers.forget(tx, HANDLES[:1]) == 2
        assert leavers.end(tx, now + timedelta(seconds=1)) == 2


def test_the_suppression_list_holds_each_person_once_and_remembers_who_was_lifted(scene: Scene) -> None:
    """`*` is every channel."""
    now = scene.services.clock()
    with scene.services.begin_console() as tx:
        assert barred.add(tx, [*HANDLES[:2], HANDLES[0]], "sms", by=BOB, now=now) == 2
        assert barred.add(tx, HANDLES[:2], "sms", by=BOB, now=now) == 0
        assert barred.add(tx, HANDLES[2:3], barred.EVERY, by=BOB, now=now) == 1
        assert barred.by_channel(tx, "sms") == set(HANDLES[:3])
        assert barred.by_channel(tx, "email") == {HANDLES[2]}
        assert barred.lift(tx, HANDLES[:1], "sms", now=now) == 1
        assert barred.by_channel(tx, "sms") == set(HANDLES[1:3])
        assert barred.held(tx, HANDLES[:1]) == barred.forget(tx, HANDLES[:1]) == 1


def test_people_are_set_on_the_list_by_what_they_are_known_by(scene: Scene) -> None:
    """Spelled as people spell it; who is unknown changes nothing, and what is no address is refused."""
    assert scene.door.bar([{"type": "phone", "value": "138 0000 0003"}, {"type": "phone", "value": "13900009999"}], "*", actor=BOB) == 1
    assert scene.phones(scene.released()) == set(PHONES) - {PHONES[3]}
    assert scene.door.lift([{"type": "phone", "value": PHONES[3]}], "*", actor=BOB) == 1
    for wrong, code in (([{"type": "phone", "value": "x"}], "bad_identifier"), ([{"type": "shoe", "value": "42"}], "bad_identifier")):
        with pytest.raises(Invalid) as refused:
            scene.door.bar(wrong, "sms", actor=BOB)
        assert refused.value.code == code
    with pytest.raises(Invalid) as refused:
        scene.door.bar([], "pigeon", actor=BOB)
    assert refused.value.code == "export_channel"


def test_a_count_passes_only_where_there_are_surely_enough() -> None:
    """X-7: at ρ = 0.0002 fifty people are surely there from 288 on."""
    assert Noisy(288, 50.0).passes()
    assert not Noisy(287, 50.0).passes()
    counts.check(None, "export_too_small")
    with pytest.raises(Refused):
        counts.check(Noisy(200, 50.0), "export_too_small", 10)


def test_a_count_is_paid_in_every_month_before_it_is_drawn(scene: Scene) -> None:
    """An open month gets its account; where one month has nothing left nothing is drawn, and nothing is kept."""
    services, now = scene.services, scene.services.clock()
    counter = Counter(begin=services.begin_analysis, read=services.read_console, cap_nano=CAP_NANO, rho_nano=RHO_NANO)
    asked = {"day": now.date(), "now": now}
    first = counter.count(b"a" * 32, lambda: 1_000, months=(MONTH, 202606), **asked)  # type: ignore[arg-type]
    assert counter.count(b"a" * 32, lambda: 5, months=(MONTH, 202606), **asked) == first  # type: ignore[arg-type]
    with services.read_console() as tx:
        spent = {month: one.spent_nano for month, one in budget.accounts(tx).items()}
    assert spent == {MONTH: RHO_NANO, 202606: RHO_NANO}
    poor = Counter(begin=services.begin_analysis, read=services.read_console, cap_nano=CAP_NANO, rho_nano=CAP_NANO)
    with pytest.raises(BudgetExhausted):
        poor.count(b"b" * 32, lambda: 1_000, months=(MONTH, 202604), **asked)  # type: ignore[arg-type]
    assert poor.known(b"b" * 32, now.date()) is None
    assert (counter.forget(now.date()), counter.forget(now.date() + timedelta(days=1))) == (0, 1)
    with services.read_console() as tx:
        assert {month: one.spent_nano for month, one in budget.accounts(tx).items()} == spent


def test_a_count_that_somebody_else_is_making_is_waited_for(scene: Scene) -> None:
    """Its price stands, its number does not yet."""
    services, now = scene.services, scene.services.clock()
    counter = Counter(begin=services.begin_analysis, read=services.read_console, cap_nano=CAP_NANO, rho_nano=RHO_NANO)

    def meanwhile() -> int:
        with pytest.raises(Unavailable) as busy:
            counter.count(b"c" * 32, lambda: 1, day=now.date(), months=(MONTH,), now=now)
        assert busy.value.code == "count_pending"
        return 1_000

    assert counter.count(b"c" * 32, meanwhile, day=now.date(), months=(MONTH,), now=now).value > 500


def test_a_count_that_a_crash_left_is_paid_and_made_again(scene: Scene) -> None:
    """After its lease, and at its price."""
    services, now = scene.services, scene.services.clock()
    counter = Counter(begin=services.begin_analysis, read=services.read_console, cap_nano=CAP_NANO, rho_nano=RHO_NANO)

    def dies() -> int:
        raise RuntimeError

    def made(at: datetime) -> Noisy:
        return counter.count(b"d" * 32, lambda: 1_000, day=now.date(), months=(MONTH,), now=at)

    with pytest.raises(RuntimeError):
        counter.count(b"d" * 32, dies, day=now.date(), months=(MONTH,), now=now)
    with pytest.raises(Unavailable):
        made(now + timedelta(minutes=4))
    assert made(now + timedelta(minutes=5)).passes()
    with services.read_console() as tx:
        assert budget.accounts(tx)[MONTH].spent_nano == 2 * RHO_NANO


def test_another_list_that_went_out_meanwhile_stops_a_release(scene: Scene) -> None:
    """What it was compared with is no longer all that there is."""
    scene.door = scene.gate(cap=None)
    id_ = scene.approved()
    with scene.services.read_console() as tx:
        export = requests.one(tx, id_)
        terms = scene.door._terms(tx, export, frozenset())
    look = scene.door._looked(export, BOB)
    scene.released()
    with scene.services.read_console() as tx, pytest.raises(Unavailable) as busy:
        scene.door._last(tx, export, terms, look, None)
    assert busy.value.code == "export_meanwhile"


def test_control_addresses_are_ours_and_are_checked(scene: Scene) -> None:
    """A telephone in any spelling, or a whole e-mail domain; again adds nothing."""
    assert scene.door.own("phone", ["139 0000 0001", "+8613900000001"], domain=False, actor=BOB) == 1
    assert scene.door.own("email", ["Tea.Example"], domain=True, actor=BOB) == 1
    for type_, domain in (("card", False), ("phone", True)):
        with pytest.raises(Invalid) as refused:
            scene.door.own(type_, ["x"], domain=domain, actor=BOB)
        assert refused.value.code == "control_type"
    with scene.services.read_console() as tx:
        assert controlrows.assigned(tx) == {}


def test_a_sample_of_somebody_else_names_nobody(scene: Scene) -> None:
    """Nor does an empty one; one that is too long is refused."""
    scene.released()
    sample = [pa.array(PHONES), pa.array(["x"] * len(PHONES))]
    assert scene.door.trace(sample, actor=BOB) == {"recipient": None, "found": []}
    assert scene.door.trace([], actor=BOB)["recipient"] is None
    with pytest.raises(Invalid) as refused:
        scene.door.trace([pa.nulls(tracing.MOST_VALUES + 1, pa.string())], actor=BOB)
    assert refused.value.code == "trace_too_large"


def test_what_delivery_asks_is_answered_from_the_gates_own_rules(scene: Scene) -> None:
    """Who may still leave, whether anybody got the file, what was called back."""
    id_ = scene.released()
    persons = scene.people(PHONES[:4])
    scene.allow(PHONES[:1], scene.share, "withdrawn")
    with scene.services.read_console() as tx:
        assert scene.door.still(tx, id_, persons) == set(persons[1:])
        assert not scene.door.taken(tx, id_)
        assert scene.door.revoked(tx, [id_]) == set()
    assert scene.phones(id_) == set(PHONES[1:])
    scene.door.revoke(id_, actor=BOB)
    with scene.services.read_console() as tx:
        assert scene.door.taken(tx, id_)
        assert scene.door.revoked(tx, [id_]) == {id_}
        assert files.newest(tx, id_) is not None


def test_fields_are_those_of_the_form() -> None:
    """Identifiers never stand in a partner's table, and nothing else in a list of addresses."""
    law.check_fields("sms", ["phone"], {})
    law.check_fields("pseudonymous", ["sex"], {"sex": "quasi_identifier"})
    for form, fields in (("sms", ["sex"]), ("sms", []), ("pseudonymous", ["phone"]), ("pseudonymous", ["birth_date"])):
        with pytest.raises(Invalid) as refused:
            law.check_fields(form, fields, {"sex": "quasi_identifier", "phone": "direct_identifier"})
        assert refused.value.code == "export_fields"


def test_the_order_in_which_people_are_held_back_is_each_exports_own() -> None:
    """Nobody is always the one."""
    assert sorted(HANDLES, key=earlier.order("exp_a")) != sorted(HANDLES, key=earlier.order("exp_c"))
    assert (asking.LEAST_WORDS, making.POLICY) == (10, "gate-1")
