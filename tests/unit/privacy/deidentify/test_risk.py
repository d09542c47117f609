"""Risks counted by persons: attacks 56 and 57, the three attackers, the level, the figures of ARX."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.deidentify import classes, diversity, kanonymity, risk
from privacy.deidentify.risk import Threshold, evaluate
from tests.unit.privacy.deidentify.adult import adult


def codes(*values: int) -> np.ndarray:
    return np.asarray(values, np.int64)


def test_one_person_who_fills_a_class_is_alone_in_it() -> None:
    """Attack 56: counted by rows this table is 5-anonymous."""
    table = {"age": codes(*[1] * 5, *[2] * 5)}
    assert evaluate(table).k == 5
    found = evaluate(table, persons=codes(7, 7, 7, 7, 7, 1, 2, 3, 4, 5))
    assert (found.k, found.persons, found.prosecutor.highest, found.level) == (1, 6, 1.0, 2)
    assert found.prosecutor.average == pytest.approx((1 + 5 / 5) / 6)


def test_a_person_of_several_classes_is_as_exposed_as_in_the_smallest() -> None:
    found = evaluate({"age": codes(1, 1, 1, 2)}, persons=codes(1, 2, 3, 1))
    assert found.prosecutor.highest == 1.0
    assert found.prosecutor.average == pytest.approx((1 + 1 / 3 + 1 / 3) / 3)


def test_fifty_people_with_one_sensitive_value_are_not_level_three() -> None:
    """Attack 57, homogeneity: k is 50, and everybody's illness is known."""
    table = {"age": codes(*[1] * 50, *[2] * 50)}
    same = evaluate(table, sensitive={"illness": (codes(*[3] * 50, *range(50)), False)})
    assert same.k == 50
    assert same.diversity["illness"].distinct == 1
    assert same.level == 2
    mixed = evaluate(table, sensitive={"illness": (codes(*range(50), *range(50)), False)})
    assert (mixed.diversity["illness"].distinct, mixed.diversity["illness"].closeness, mixed.level) == (50, 0.0, 3)
    assert mixed.diversity["illness"].entropy == pytest.approx(50)


def test_a_class_that_is_skewed_against_everybody_is_not_level_three() -> None:
    """Attack 57, skewness: two values in every class, and half of one class ill where one in ten of everybody is."""
    ill = codes(*[1] * 25, *[0] * 25, *[1] * 5, *[0] * 245)
    table = {"age": codes(*[1] * 50, *[2] * 250)}
    found = evaluate(table, sensitive={"ill": (ill, False)})
    assert found.diversity["ill"].distinct == 2
    assert found.diversity["ill"].closeness == pytest.approx(0.4)
    assert found.level == 2
    assert evaluate(table, sensitive={"ill": (ill, False)}, threshold=Threshold(closeness=0.4)).level == 3


def test_five_values_of_one_person_hide_nobody() -> None:
    """Distinct values never count for more than the people who have them."""
    found = evaluate({"age": codes(*[1] * 6)}, persons=codes(1, 1, 1, 1, 1, 2), sensitive={"drug": (codes(0, 1, 2, 3, 4, 0), False)})
    assert found.diversity["drug"].distinct == 2
    assert found.diversity["drug"].entropy <= 2


def test_suppressed_rows_are_nobodys_class() -> None:
    kept = np.asarray([True] * 30 + [False] * 2)
    found = evaluate({"age": codes(*[1] * 30, 7, 8)}, kept=kept)
    assert (found.k, found.classes, found.rows, found.suppressed, found.level) == (30, 1, 30, 2, 3)
    nothing = evaluate({"age": codes(1)}, kept=np.asarray([False]), sensitive={"ill": (codes(0), False)})
    assert (nothing.k, nothing.classes, nothing.persons, nothing.unique) == (0, 0, 0, 0.0)


def test_a_journalist_without_a_population_is_as_good_as_a_prosecutor_and_with_one_looks_there() -> None:
    table = {"age": codes(1, 1, 2)}
    alone = evaluate(table)
    assert (alone.journalist, alone.population) == (alone.prosecutor, False)
    everybody = {"age": codes(*[1] * 40, *[2] * 100, *[3] * 5)}
    found = evaluate(table, population=everybody)
    assert found.prosecutor.highest == 1.0
    assert found.journalist.highest == pytest.approx(1 / 40)
    assert found.marketer == pytest.approx((2 / 40 + 1 / 100) / 3)
    fewer = evaluate(table, population={"age": codes(1)})
    assert fewer.journalist.highest == 1.0, "a population never has fewer alike than the table"


def test_direct_identifiers_are_level_one_and_the_record_is_plain_data() -> None:
    found = evaluate({"age": codes(*[1] * 30)}, direct_identifiers=True)
    assert found.level == 1
    facts = found.as_facts()
    assert json.loads(json.dumps(facts)) == json.loads(json.dumps(facts))
    assert (facts["standard"], facts["threshold"]["highest"]) == ("GB/T 42460-2023", 0.05)


def test_adult_has_the_average_risk_and_the_uniqueness_that_arx_computes() -> None:
    columns, _ = adult()
    found = evaluate({name: kanonymity.coded(values) for name, values in columns.items()})
    assert found.prosecutor.average == pytest.approx(0.6465751607983555, abs=1e-15)
    assert found.unique == pytest.approx(0.5142895, abs=5e-8)
    assert (found.persons, found.prosecutor.highest, found.level) == (30_162, 1.0, 2)


def test_the_distance_of_ordered_values_is_the_textbooks() -> None:
    """Li et al. 2007, §5.1: salaries 3k to 11k; {3,4,5} lies .375 away, {6,8,11} .167."""
    whole = np.ones(9, np.int64)
    first, second = np.zeros((1, 9), np.int64), np.zeros((1, 9), np.int64)
    first[0, [0, 1, 2]], second[0, [3, 5, 8]] = 1, 1
    assert diversity.distance(first, whole, ordered=True)[0] == pytest.approx(0.375)
    assert diversity.distance(second, whole, ordered=True)[0] == pytest.approx(1 / 6)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 3), st.integers(0, 5)), min_size=1, max_size=30))
def test_classes_and_histograms_are_those_of_counting_by_hand(rows: list[tuple[int, int, int, int]]) -> None:
    first, second, value, person = (np.asarray(column, np.int64) for column in zip(*rows, strict=True))
    found = classes.classes([first, second], person, len(rows))
    people: dict[tuple[int, int], set[int]] = {}
    for a, b, _, who in rows:
        people.setdefault((a, b), set()).add(who)
    assert found.k == min(len(members) for members in people.values())
    assert found.count == len(people)
    assert [int(found.persons[place]) for place in found.of] == [len(people[a, b]) for a, b, _, _ in rows]
    counts = classes.histogram(found.of, found.count, value, 4, person)
    for at, (a, b, _, _) in enumerate(rows):
        right = [len({who for x, y, w, who in rows if (x, y, w) == (a, b, wanted)}) for wanted in range(4)]
        assert counts[found.of[at]].tolist() == right
    assert (diversity.entropy(counts, found.persons) <= diversity.distinct(counts, found.persons) + 1e-9).all()


def test_columns_too_many_for_one_number_are_still_told_apart() -> None:
    wide = [np.arange(1000, dtype=np.int64) * 10**6 for _ in range(12)]
    assert len(np.unique(classes.combined(wide, 1000))) == 1000
    assert risk.level([], {}, Threshold(), direct_identifiers=False) == 3
