"""A table added up over months is the sum of its months, and its noise is known."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.reports.added import added
from tests.fakes import planted

MONTHS = list(planted.year(planted.ALL, 3, sd=5.0, seed=1).values())


def test_the_sum_of_months_has_the_sum_of_their_values_and_covariances() -> None:
    by = ("channel", "daypart")
    table = added(MONTHS, "orders", by)
    assert table is not None
    families = [held.family for cube in MONTHS if (held := cube.find("orders", by)) is not None]
    assert table.values == pytest.approx(sum(one.table(by) for one in families))
    one, other = table.where(channel=("delivery",)), table.where(daypart=("afternoon",))
    assert table.covariance(one, other) == pytest.approx(sum(family.covariance(by, one, other) for family in families))
    assert table.months == tuple(cube.month for cube in MONTHS)
    assert np.array_equal(table.where(), np.ones(table.values.shape))


def test_months_with_other_dimensions_are_left_out_and_a_table_that_nobody_has_is_none() -> None:
    by = ("day", "channel")
    table = added(MONTHS, "orders", by)
    assert table is not None
    assert table.months == tuple(cube.month for cube in MONTHS[1:]), "November has another number of days than January"
    assert added(MONTHS, "orders", ("store", "weekday")) is None


def test_many_cells_and_few_have_the_same_covariance(monkeypatch: pytest.MonkeyPatch) -> None:
    table = added(MONTHS, "orders", ("channel", "daypart"))
    assert table is not None
    one, other = table.where(channel=("delivery",)), table.where(daypart=("afternoon",))
    dense = table.covariance(one, other), table.covariance(one, one)
    monkeypatch.setattr("analytics.reports.added.DENSE", 0)
    assert (table.covariance(one, other), table.covariance(one, one)) == pytest.approx(dense)


def test_two_tables_of_independent_noise_have_no_covariance() -> None:
    sales, orders = (added(MONTHS, measure, ("occupation",)) for measure in ("sales", "orders"))
    assert sales is not None
    assert orders is not None
    sums = sales.apart(orders, sales.where(occupation=("student",)))
    assert sums.variances[2] == 0.0
    assert sums.above / sums.below == pytest.approx(0.6 * planted.WORTH, rel=0.05)
    assert set(sums.releases) == {*sales.releases, *orders.releases}
