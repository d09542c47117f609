"""The weight keeps every person inside the bound; what the bound hides is read from released numbers."""

from __future__ import annotations

import pytest

from privacy.dp import bounds
from privacy.errors import Invalid
from privacy.records import Bounds


def test_a_person_within_the_bound_is_counted_whole() -> None:
    assert bounds.contribution((3, 40_000), (1, 2_000), Bounds(clip=100)) == (3_000, 20_000)


def test_a_person_beyond_the_bound_is_scaled_onto_it_and_truncated_toward_zero() -> None:
    assert bounds.contribution((3, -4), (1, 1), Bounds(clip=1)) == (600, -800)
    assert bounds.contribution((1, -1), (1, 1), Bounds(clip=1)) == (707, -707)


def test_contribution_stuffing_moves_totals_by_the_bound_at_most() -> None:
    """Attack 11: a million orders and ten million yuan weigh as much as any other person."""
    stuffed = bounds.contribution((10**6, 10**9), (1, 2_000), Bounds(clip=16))
    assert sum(value * value for value in stuffed) <= 16_000**2


def test_nobody_contributes_nothing_at_no_cost() -> None:
    assert bounds.contribution((0, 0), (1, 1), Bounds(clip=4)) == (0, 0)


@pytest.mark.parametrize(
    "bad", [Bounds(clip=0), Bounds(clip=-1), Bounds(clip=1, scale=0), Bounds(clip=2_000, scale=1_000), Bounds(clip=True)]
)
def test_bounds_that_prove_nothing_are_refused(bad: Bounds) -> None:
    with pytest.raises(Invalid) as raised:
        bounds.check(bad)
    assert raised.value.code == "bad_bounds"


def test_the_default_bounds_allow_far_more_entries_than_a_plan_has() -> None:
    assert bounds.entries_limit(Bounds(clip=16)) > 10**7
    assert bounds.entries_limit(Bounds(clip=1_000)) > 8_000


def test_more_entries_than_can_be_proved_are_refused() -> None:
    with pytest.raises(Invalid):
        bounds.contribution((1,) * 10_000, (1,) * 10_000, Bounds(clip=1_000))


def _histogram(**people: int) -> list[float]:
    counts = [0.0] * bounds.NORM_BINS
    for name, count in people.items():
        counts[int(name.removeprefix("bin"))] = float(count)
    return counts


def test_a_clip_above_everybody_hides_nothing() -> None:
    assert bounds.hidden_share(_histogram(bin0=1_000, bin3=500), 8) == 0.0


def test_the_hidden_share_is_the_worst_placing_of_people_in_their_bins() -> None:
    """900 people at 2 (lower edge of bin 2), 100 at 16 (upper edge of bin 4) bounded at 8: 800 of 3,400 is lost."""
    assert bounds.hidden_share(_histogram(bin2=900, bin4=100), 8) == pytest.approx(800 / 3_400)


def test_noise_in_empty_high_bins_does_not_rule_the_answer() -> None:
    counts = _histogram(bin0=100_000, bin1=40_000, bin2=5_000)
    counts[19] = 60.0
    assert bounds.hidden_share(counts, 4, noise=90.0) == 0.0
    assert bounds.hidden_share(counts, 4) > 0.9


def test_negative_noisy_counts_are_nobody() -> None:
    counts = _histogram(bin0=1_000, bin2=100)
    counts[1] = -50.0
    assert 0.0 <= bounds.hidden_share(counts, 2) <= 1.0


def test_the_clip_is_the_smallest_candidate_that_hides_little_enough() -> None:
    counts = _histogram(bin0=60_000, bin1=30_000, bin2=9_000, bin3=900, bin4=100)
    assert bounds.choose_clip(counts, noise=50.0, most_hidden=0.01, candidates=(32, 1, 2, 4, 8, 16)) == 16
    assert bounds.choose_clip(counts, noise=50.0, most_hidden=0.15, candidates=(1, 2, 4, 8, 16)) == 4
    assert bounds.choose_clip(counts, noise=50.0, most_hidden=0.0, candidates=(1, 2)) == 2


@pytest.mark.parametrize("counts", [[], [1.0] * 19])
def test_another_histogram_is_refused(counts: list[float]) -> None:
    with pytest.raises(Invalid):
        bounds.hidden_share(counts, 4)
