"""The release door: paid before it is drawn, stored, repeated for nothing, never overspent, never silent."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from app.stores import Stores
from privacy.dp import ledger
from privacy.errors import BudgetExhausted, Invalid, NotFound, PiyingError, Refused, Unavailable
from privacy.records import Aggregate, Bounds, Log, Measure, Release
from privacy.release import NORM_BINS, Releases, ReleaseSettings
from tests.fakes.log import RecordingLog, RefusingLog
from tests.fakes.questions import NOW, QUESTION, CountingReader, aggregate, ask, reader

SETTINGS = ReleaseSettings(declared_members=50_000)


class Now:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def log() -> RecordingLog:
    return RecordingLog()


@pytest.fixture
def moving() -> Now:
    return Now()


def _door(stores: Stores, log: Log, clock: Callable[[], datetime], settings: ReleaseSettings = SETTINGS, **more: object) -> Releases:
    return Releases(stores.begin_platform, log, clock, os.urandom, settings, **{"pause": lambda seconds: None, **more})  # type: ignore[arg-type]


@pytest.fixture
def door(stores: Stores, log: RecordingLog, moving: Now) -> Releases:
    return _door(stores, log, moving)


def _left(door: Releases, month: int = 202605) -> int:
    return next(account.left_nano for account in door.budget().months if account.month == month)


def test_an_answer_is_noised_paid_and_carries_its_margin(door: Releases) -> None:
    release = door.answer(QUESTION, reader(), "usr_test00000000")
    assert release.values != aggregate().values
    assert release.cells == aggregate().cells
    assert release.sigma == pytest.approx(160_000)
    assert release.half_width == pytest.approx(1.96 * 160_000, rel=1e-3)
    assert release.budget == {202605: (50_000_000, 45_000_000)}
    assert not release.cached
    assert release.id.startswith("rel_")
    assert _left(door) == 45_000_000


def test_the_same_question_repeats_its_answer_for_nothing(door: Releases) -> None:
    """Attack 2: other order, filter twice, other account, a thousand times: one distinct answer, one charge, one read."""
    read = CountingReader()
    first = door.answer(QUESTION, read, "usr_one000000000")
    for number in range(40):
        again = ask(by=QUESTION.by[::-1], where=QUESTION.where[::-1] + QUESTION.where, measures=QUESTION.measures[::-1])
        repeated = door.answer(again, read, f"usr_other{number:07d}")
        assert (repeated.values, repeated.id, repeated.cached) == (first.values, first.id, True)
        assert repeated.question == QUESTION  # the order in which the cells were released
        assert repeated.budget == {202605: (45_000_000, 45_000_000)}
    assert read.reads == 1
    assert door.find(first.id).values == first.values
    known = door.known(QUESTION)
    assert known is not None
    assert known.values == first.values


def test_several_months_are_charged_in_full_all_or_none(door: Releases) -> None:
    door.answer(ask(rho_nano=30_000_000), reader(), "usr_test00000000")
    both = ask(months=(202604, 202605), rho_nano=30_000_000)
    read = CountingReader(both)
    with pytest.raises(BudgetExhausted):
        door.answer(both, read, "usr_test00000000")
    assert (_left(door, 202604), _left(door), read.reads) == (50_000_000, 20_000_000, 0)


def test_a_refusal_says_what_is_left_and_is_logged(door: Releases, log: RecordingLog) -> None:
    door.answer(ask(rho_nano=45_000_000), reader(), "usr_test00000000")
    with pytest.raises(BudgetExhausted) as raised:
        door.answer(ask(rho_nano=6_000_000), reader(), "usr_test00000000")
    assert "at most 5000000 would fit" in raised.value.message
    last = log.entries[-1]
    assert (last.kind, last.action, last.result) == ("refusal", "release.refuse", "budget_exhausted")


def test_an_absurd_price_is_refused_and_later_cheap_questions_still_work(door: Releases) -> None:
    """Attack 7."""
    for absurd in (50_000_001, 10**15, 2**90):
        with pytest.raises(BudgetExhausted):
            door.answer(ask(rho_nano=absurd), reader(), "usr_test00000000")
    assert door.answer(QUESTION, reader(), "usr_test00000000").budget[202605][1] == 45_000_000


@pytest.mark.parametrize(("month", "code"), [(202606, "period_open"), (202401, "period_expired")])
def test_open_and_expired_months_are_refused_before_anything_is_read(door: Releases, log: RecordingLog, month: int, code: str) -> None:
    read = CountingReader()
    with pytest.raises(Refused) as raised:
        door.answer(ask(months=(month,)), read, "usr_test00000000")
    assert raised.value.code == code
    assert read.reads == 0
    assert log.entries[-1].result == code


def test_time_and_a_new_start_refresh_nothing(stores: Stores, log: RecordingLog, moving: Now) -> None:
    """Attack 8, DP-07: a year later, another door, a larger setting: the month has what it had."""
    door = _door(stores, log, moving)
    door.answer(ask(rho_nano=50_000_000), reader(), "usr_test00000000")
    moving.at += timedelta(days=365)
    later = _door(stores, log, moving, replace(SETTINGS, rho_per_month_nano=250_000_000))
    assert _left(later) == 0
    with pytest.raises(BudgetExhausted):
        later.answer(ask(rho_nano=1), reader(), "usr_test00000000")


def test_a_stored_answer_outlives_the_retention_of_its_month(door: Releases, moving: Now) -> None:
    first = door.answer(QUESTION, reader(), "usr_test00000000")
    moving.at += timedelta(days=5 * 365)
    assert door.answer(QUESTION, reader(), "usr_test00000000").values == first.values


def test_a_read_that_fails_stays_paid_and_asking_again_is_a_new_charge(door: Releases) -> None:
    read = CountingReader(failures=[Unavailable("the lake does not answer")])
    with pytest.raises(Unavailable):
        door.answer(QUESTION, read, "usr_test00000000")
    assert _left(door) == 45_000_000
    door.answer(QUESTION, read, "usr_test00000000")
    assert _left(door) == 40_000_000


def test_an_aggregate_of_another_form_stays_paid_and_is_not_released(door: Releases) -> None:
    with pytest.raises(Invalid):
        door.answer(QUESTION, lambda: Aggregate((("a", "b"),), ("orders",), (1,)), "usr_test00000000")
    assert _left(door) == 45_000_000
    assert door.known(QUESTION) is None


def test_a_question_being_answered_elsewhere_is_neither_charged_nor_drawn_twice(door: Releases) -> None:
    """The second caller asks while the first one reads."""
    seen: list[str] = []

    def slow() -> Aggregate:
        with pytest.raises(Unavailable) as raised:
            door.answer(QUESTION, reader(), "usr_second000000")
        seen.append(raised.value.code)
        assert raised.value.retry_after
        return aggregate()

    door.answer(QUESTION, slow, "usr_first0000000")
    assert seen == ["answer_pending"]
    assert _left(door) == 45_000_000


def test_a_reservation_whose_lease_ran_out_may_be_paid_anew_and_its_late_answer_is_forgotten(door: Releases, moving: Now) -> None:
    answers: list[Release] = []

    def overtaken() -> Aggregate:
        moving.at += timedelta(seconds=SETTINGS.lease_seconds)
        answers.append(door.answer(QUESTION, reader(), "usr_second000000"))
        return aggregate()

    with pytest.raises(Unavailable) as raised:
        door.answer(QUESTION, overtaken, "usr_first0000000")
    assert raised.value.code == "answer_given_up"
    assert _left(door) == 40_000_000
    assert door.answer(QUESTION, reader(), "usr_third0000000").values == answers[0].values


def test_a_reservation_of_a_process_that_is_gone_need_not_run_out(stores: Stores, log: RecordingLog, moving: Now) -> None:
    door = _door(stores, log, moving, holder="pid-1")
    with stores.begin_platform() as tx:
        from privacy.dp import questions

        ledger.reserve(
            tx, "rel_dead", questions.digest(QUESTION), questions.dumps(QUESTION), 1, asked_by="usr", holder="pid-0", now=moving()
        )
    with pytest.raises(Unavailable):
        door.answer(QUESTION, reader(), "usr_test00000000")
    knowing = _door(stores, log, moving, holder="pid-1", gone=lambda holder: holder == "pid-0")
    assert not knowing.answer(QUESTION, reader(), "usr_test00000000").cached


def test_a_store_that_is_away_for_a_moment_wastes_no_paid_answer(stores: Stores, log: RecordingLog, moving: Now) -> None:
    away: list[float] = []

    @contextlib.contextmanager
    def begin() -> Iterator[sa.Connection]:
        if len(away) in (1, 2):
            raise Unavailable("the store does not answer", code="store_unreachable", retry_after=5)
        with stores.begin_platform() as tx:
            yield tx

    def failing() -> Aggregate:
        away.append(0.0)
        return aggregate()

    door = Releases(begin, log, moving, os.urandom, SETTINGS, pause=away.append)
    release = door.answer(QUESTION, failing, "usr_test00000000")
    assert away == [0.0, 0.1, 0.5]
    assert door.answer(QUESTION, reader(), "usr_test00000000").values == release.values
    assert _left(door) == 50_000_000 - QUESTION.rho_nano


@pytest.mark.parametrize("after", [0, 1])
def test_a_log_that_cannot_be_written_stops_the_release(stores: Stores, moving: Now, after: int) -> None:
    """Attack 43: without the entry of the charge nothing is read; without the entry of the answer nothing is released."""
    refusing = RefusingLog(after=after)
    read = CountingReader()
    with pytest.raises(Unavailable) as raised:
        _door(stores, refusing, moving).answer(QUESTION, read, "usr_test00000000")
    assert raised.value.code == "log_unavailable"
    assert read.reads == after
    assert _left(_door(stores, RecordingLog(), moving)) == 50_000_000 - after * QUESTION.rho_nano
    with stores.begin_platform() as tx:
        assert (
            tx.execute(sa.select(sa.func.count()).select_from(ledger.ReleaseRow).where(ledger.ReleaseRow.answer.is_not(None))).scalar() == 0
        )


def test_a_repeat_and_a_refusal_need_the_log_too(stores: Stores, log: RecordingLog, moving: Now) -> None:
    _door(stores, log, moving).answer(QUESTION, reader(), "usr_test00000000")
    with pytest.raises(Unavailable):
        _door(stores, RefusingLog(), moving).answer(QUESTION, reader(), "usr_test00000000")
    with pytest.raises(Unavailable):
        _door(stores, RefusingLog(), moving).answer(ask(months=(202606,)), reader(), "usr_test00000000")


def test_every_step_has_its_entry_and_no_entry_has_a_number_of_people(door: Releases, log: RecordingLog) -> None:
    door.answer(QUESTION, reader(value=123_457), "usr_test00000000")
    door.answer(QUESTION, reader(), "usr_test00000000")
    assert [entry.action for entry in log.entries] == ["release.charge", "release.answer", "release.repeat"]
    assert "123457" not in repr(log.entries)


def test_exact_numbers_are_stored_nowhere(stores: Stores, door: Releases) -> None:
    door.answer(QUESTION, reader(value=987_654_321), "usr_test00000000")
    with stores.begin_platform() as tx:
        for table in (ledger.ReleaseRow, ledger.Charge, ledger.BudgetMonth):
            assert "987654321" not in repr(tx.execute(sa.select(table)).all())
    assert "987654321" not in repr(aggregate(value=987_654_321))


def test_sixty_four_threads_and_budget_for_ten_give_exactly_ten_answers(stores: Stores, moving: Now) -> None:
    """Attacks 4 and 5: different questions by different people, one ledger."""
    door = _door(stores, RecordingLog(), moving)
    start = threading.Barrier(64)

    def one(number: int) -> str:
        question = ask(where=(("store_id", "=", f"s{number}"),))
        start.wait()
        for _ in range(400):
            try:
                door.answer(question, reader(question), f"usr_number{number:06d}")
            except Unavailable:
                time.sleep(0.05)
            except PiyingError as error:
                return error.code
            else:
                return "answered"
        return "never answered"

    with ThreadPoolExecutor(64) as pool:
        outcomes = Counter(pool.map(one, range(64)))
    assert outcomes == {"answered": 10, "budget_exhausted": 54}
    assert _left(door) == 0


def test_thirty_threads_with_one_question_and_budget_for_one_pay_once(stores: Stores, moving: Now) -> None:
    """Nobody is told that the budget is exhausted by an answer that is theirs too."""
    door = _door(stores, RecordingLog(), moving, replace(SETTINGS, rho_per_month_nano=QUESTION.rho_nano))
    start = threading.Barrier(30)

    def one(number: int) -> Release:
        start.wait()
        for _ in range(400):
            with contextlib.suppress(Unavailable):
                return door.answer(QUESTION, reader(), f"usr_number{number:06d}")
            time.sleep(0.05)
        raise AssertionError("never answered")

    with ThreadPoolExecutor(30) as pool:
        releases = list(pool.map(one, range(30)))
    assert len({release.values for release in releases}) == 1
    assert sum(not release.cached for release in releases) == 1


def test_a_quote_costs_nothing_and_tells_price_margin_and_room(door: Releases) -> None:
    """DP-12: five hundred looks at the price, no charge."""
    for _ in range(5):
        quote = door.quote(QUESTION)
    assert (quote.affordable, quote.release, quote.fits_nano, quote.left) == (True, None, 50_000_000, {202605: 50_000_000})
    assert quote.cost.epsilon == pytest.approx(0.43, abs=0.02)
    release = door.answer(QUESTION, reader(), "usr_test00000000")
    assert quote.half_width == release.half_width
    again = door.quote(QUESTION)
    assert (again.release, again.cost.rho_nano, again.cost.epsilon, again.affordable) == (release.id, 0, 0.0, True)
    assert not door.quote(ask(rho_nano=45_000_001)).affordable
    with pytest.raises(Refused):
        door.quote(ask(months=(202606,)))


def test_the_budget_shows_every_month_and_what_staying_means(door: Releases) -> None:
    budget = door.budget()
    assert len(budget.months) == 24
    assert (round(budget.epsilon_1, 2), round(budget.epsilon_12, 2), round(budget.epsilon_24, 2)) == (1.47, 5.79, 8.64)
    assert budget.lifetime.rho_nano == 0
    year = ask(months=tuple(range(202601, 202606)))
    door.answer(year, reader(year), "usr_test00000000")
    assert door.budget().lifetime.rho_nano == 5_000_000  # a question counts once in a lifetime, in however many months it is charged


def test_delta_shrinks_with_the_declared_size() -> None:
    assert ReleaseSettings(declared_members=5_000_000).display_delta == pytest.approx(2e-8)
    assert ReleaseSettings(declared_members=50_000).display_delta == 1e-6
    assert ReleaseSettings().display_delta == 1e-6


def test_an_unknown_release_is_not_found_and_neither_is_an_unanswered_one(stores: Stores, door: Releases) -> None:
    with stores.begin_platform() as tx:
        ledger.reserve(tx, "rel_pending", b"p" * 32, "{}", 1, asked_by="usr", holder="", now=NOW)
    for name in ("rel_nothing", "rel_pending"):
        with pytest.raises(NotFound):
            door.find(name)


def test_a_lowered_cap_is_logged(stores: Stores, log: RecordingLog, moving: Now) -> None:
    _door(stores, log, moving).budget()
    _door(stores, log, moving, replace(SETTINGS, rho_per_month_nano=1_000_000)).budget()
    assert [(entry.action, entry.facts["cap_nano"]) for entry in log.entries] == [("budget.lower", 1_000_000)]


def test_hidden_share_and_clip_come_from_a_released_histogram(door: Releases) -> None:
    question = ask(
        kind="norms", by=("norm_bin",), where=(), measures=(Measure("people"),), bounds=Bounds(clip=1, scale=1), rho_nano=500_000
    )
    people = (60_000, 30_000, 9_000, 900) + (0,) * (NORM_BINS - 4)
    exact = Aggregate(tuple((f"{index:02d}",) for index in range(NORM_BINS)), ("people",), people)
    histogram = door.answer(question, lambda: exact, "usr_test00000000")
    assert door.hidden_share(histogram, 8) == 0.0
    assert 0.1 < door.hidden_share(histogram, 2) < 0.4
    assert door.choose_clip(histogram, most_hidden=0.01, candidates=(1, 2, 4, 8, 16)) == 8
    assert door.half_width(histogram, terms=4) > door.half_width(histogram)
    with pytest.raises(Invalid):
        door.hidden_share(door.answer(QUESTION, reader(), "usr_test00000000"), 8)
