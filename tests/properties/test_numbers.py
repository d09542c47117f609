"""Properties of the numbers: the bound holds for every person, the margins cover what they say, the ledger never overspends."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.dp import accountant, bounds, mechanisms, questions
from privacy.records import Bounds
from tests.fakes.questions import QUESTION, ask

AMOUNTS = st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=60)
INSTANTS = st.integers(946_684_800, 4_102_444_800)
"""Seconds since 1970, from 2000 to 2100."""


@settings(max_examples=400, deadline=None)
@given(amounts=AMOUNTS, unit=st.integers(1, 10_000), clip=st.integers(1, 1_000))
def test_removing_any_person_moves_the_released_vector_by_at_most_the_bound(amounts: list[int], unit: int, clip: int) -> None:
    """P-7, DP-02: in exact integers, with refunds, at every unit and clip; and no entry ever grows."""
    bound = Bounds(clip=clip)
    part = bounds.contribution(amounts, [unit] * len(amounts), bound)
    assert sum(value * value for value in part) <= bound.sensitivity**2
    assert all(abs(value) * unit <= bound.scale * abs(amount) for value, amount in zip(part, amounts, strict=True))


@settings(max_examples=200, deadline=None)
@given(clip=st.integers(1, 1_000), direction=st.lists(st.integers(-50, 50), min_size=1, max_size=40).filter(any))
def test_people_who_stand_exactly_on_the_bound_keep_it(clip: int, direction: list[int]) -> None:
    """Where rounding of the weight could break the bound by one unit, whole numbers absorb it."""
    bound = Bounds(clip=clip)
    for times in (1, 10**3, 10**9):
        part = bounds.contribution([value * times for value in direction], [1] * len(direction), bound)
        assert sum(value * value for value in part) <= bound.sensitivity**2


@settings(max_examples=200, deadline=None)
@given(rho=st.integers(1, 250_000_000), more=st.integers(1, 10**9), delta=st.sampled_from([1e-6, 1e-9, 1e-12]))
def test_epsilon_grows_with_spending_and_composes_no_worse_than_its_parts(rho: int, more: int, delta: float) -> None:
    together = accountant.epsilon(rho + more, delta)
    assert together >= accountant.epsilon(rho, delta)
    assert together <= accountant.epsilon(rho, delta / 2) + accountant.epsilon(more, delta / 2) + 1e-9


@settings(max_examples=200, deadline=None)
@given(
    people=st.lists(st.floats(0.0, 2.0**18, exclude_min=True), min_size=1, max_size=200),
    clip=st.integers(1, 2**18),
)
def test_the_hidden_share_is_never_understated(people: list[float], clip: int) -> None:
    """P-9: "up to": computed from the bins alone it is at least what the bound really hides."""
    counts = [0.0] * bounds.NORM_BINS
    for norm in people:
        counts[max(0, math.ceil(math.log2(norm)))] += 1.0
    hidden = math.fsum(max(0.0, norm - clip) for norm in people) / math.fsum(people)
    assert bounds.hidden_share(counts, clip) >= hidden - 1e-9


@settings(max_examples=100, deadline=None)
@given(where=st.permutations([("a", "=", "1"), ("b", "=", "2"), ("c", "in", "3")]), by=st.permutations(["x", "y", "z"]))
def test_reordered_filters_and_groups_are_the_same_question(where: list[tuple[str, str, str]], by: list[str]) -> None:
    first = questions.digest(ask(where=(("a", "=", "1"), ("b", "=", "2"), ("c", "in", "3")), by=("x", "y", "z")))
    assert questions.digest(ask(where=tuple(where), by=tuple(by))) == first


@settings(max_examples=100, deadline=None)
@given(at=INSTANTS, zone=st.sampled_from(["UTC", "Asia/Shanghai", "America/New_York"]))
def test_closed_months_are_a_gapless_run_that_ends_before_now(at: int, zone: str) -> None:
    now = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at)
    months = questions.closed_months(now, ZoneInfo(zone), retention_months=24, close_after_days=7)
    assert len(months) in (23, 24)
    assert list(months) == list(accumulate(months, lambda month, _: questions.following(month)))
    local = now.astimezone(ZoneInfo(zone))
    assert months[-1] < local.year * 100 + local.month


def _covered(truth: tuple[int, ...], releases: int) -> float:
    """The share of margins that contain the bounded truth, over many fresh draws of one release."""
    inside = 0
    for _ in range(releases):
        noisy = mechanisms.noise(truth, QUESTION.bounds.sensitivity, QUESTION.rho_nano)
        width = accountant.half_width(noisy.sigma)
        inside += sum(abs(value - true) <= width for value, true in zip(noisy.values, truth, strict=True))
    return inside / (releases * len(truth))


def test_printed_margins_cover_95_percent_in_2000_simulated_releases() -> None:
    """DP-09, P-9: five cells each, so that a true 95 % falls outside 93–97 % with probability below 1e-15."""
    assert 0.93 <= _covered((0, 1_000, 164_000, -5_000, 10**9), 2_000) <= 0.97


def test_differencing_is_no_better_than_the_price_says() -> None:
    """Attack 1: a segment and the segment without the target, both asked; guessing by the difference over 1,000 pairs.

    The best advantage of a test under ρ-zCDP is below √(ρ_total/2) (Pinsker: KL ≤ ρ); 4σ of sampling is allowed on top.
    """
    rho_nano, sensitivity, pairs = 5_000_000, 16_000, 1_000
    guessed = 0
    for number in range(pairs):
        present = number % 2
        whole, without = 10**6 + present * sensitivity, 10**6
        first = mechanisms.noise((whole,), sensitivity, rho_nano).values[0]
        second = mechanisms.noise((without,), sensitivity, rho_nano).values[0]
        guessed += (first - second > sensitivity / 2) == bool(present)
    advantage = 2 * guessed / pairs - 1
    assert advantage <= math.sqrt(2 * rho_nano / accountant.NANO / 2) + 4 / math.sqrt(pairs)
