"""The rules of linking, on numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

import numpy as np

from privacy.identity.linking import KEPT_APART, TOGETHER, Links, link

LIMITS = (2, 1, 5)
"""Types 0 and 1 are strong, 2 is weak."""


def run(
    rows: Sequence[Sequence[int]],
    owner: Sequence[int] = (),
    known: int = 0,
    counts: Mapping[tuple[int, int], int] | None = None,
    apart: Set[tuple[int, int]] = frozenset(),
) -> Links:
    """`rows` are (strong, strong, weak) identifier numbers, -1 for none. Known people have what `owner` says and what `counts` adds."""
    size = max((one for row in rows for one in row), default=-1) + 1
    owners = np.asarray([*owner, *[-1] * (size - len(owner))], np.int64)
    matrix = np.asarray(rows, np.int64).reshape(-1, 3).T.copy()
    held = dict(counts or {})
    for kind, one in {(kind, one) for row in rows for kind, one in enumerate(row) if one >= 0 and owners[one] >= 0}:
        if counts is None:
            held[int(owners[one]), kind] = held.get((int(owners[one]), kind), 0) + 1
    return link(matrix, (False, False, True), owners, list(range(known)), lambda people: held, LIMITS, apart=lambda people: apart)


def test_nothing_is_linked_in_an_empty_batch() -> None:
    assert run([]).row_person.tolist() == []
    assert run([[-1, -1, -1]]).row_person.tolist() == [-1]


def test_rows_of_known_identifiers_of_one_person_are_theirs() -> None:
    links = run([[0, 1, -1], [-1, 1, 2]], owner=[0, 0, 0], known=1)
    assert links.row_person.tolist() == [0, 0]
    assert (links.joins, links.refused) == ((), 0)


def test_a_lone_new_identifier_is_one_new_person_in_all_its_rows() -> None:
    links = run([[0, -1, -1], [1, -1, -1], [0, -1, -1]])
    assert links.row_person[0] == links.row_person[2] != links.row_person[1]
    assert links.owner.tolist() == [links.row_person[0], links.row_person[1]]


def test_new_identifiers_are_linked_through_any_row_of_the_batch() -> None:
    """The first row names only a phone, a later one says that card and phone are the same person's."""
    links = run([[0, -1, -1], [-1, 1, -1], [0, 1, -1]])
    assert len(set(links.row_person.tolist())) == 1
    assert links.joins == ()


def test_a_new_identifier_joins_the_known_person_it_stands_beside_even_for_earlier_rows() -> None:
    links = run([[1, -1, -1], [1, 0, -1]], owner=[0], known=1)
    assert links.row_person.tolist() == [0, 0]


def test_two_known_people_stay_two_in_other_rows_and_are_reported() -> None:
    links = run([[0, -1, -1], [0, 1, -1], [-1, 1, -1]], owner=[0, 1], known=2)
    assert links.row_person.tolist() == [0, 0, 1]
    assert links.joins == ((1, 0, 1),)


def test_every_row_that_shows_two_people_reports_them_since_only_kept_rows_count() -> None:
    links = run([[0, 1, -1], [0, 1, -1]], owner=[0, 1], known=2)
    assert links.joins == ((0, 0, 1), (1, 0, 1))


def test_a_weak_identifier_is_read_in_the_order_of_rows() -> None:
    links = run([[0, -1, 2], [-1, -1, 2], [1, -1, 2], [-1, -1, 2]], owner=[0, 1], known=2)
    assert links.row_person.tolist() == [0, 0, 1, 1]
    assert links.owner[2] == 1
    assert links.joins == ()


def test_a_row_that_seemed_settled_follows_a_weak_identifier_that_moved() -> None:
    links = run([[-1, -1, 2], [1, -1, 2], [-1, -1, 2]], owner=[0, 1, 0], known=2, counts={(0, 0): 1, (1, 0): 1, (0, 2): 1})
    assert links.row_person.tolist() == [0, 1, 1]


def test_two_weak_identifiers_never_join_two_people() -> None:
    matrix = np.asarray([[0], [1]], np.int64)
    links = link(matrix, (True, True), np.asarray([0, 1], np.int64), [0, 1], lambda people: {}, (9, 9))
    assert (links.row_person.tolist(), links.joins, links.owner.tolist()) == ([0], (), [0, 1])


def test_a_link_above_the_limit_is_refused_and_counted_with_what_the_person_has_already() -> None:
    links = run([[1, 0, -1], [2, 0, -1]], owner=[0], known=1, counts={(0, 0): 1})
    assert links.row_person.tolist() == [0, 0]
    assert links.owner.tolist()[1:] == [0, -1]
    assert links.refused == 1


def test_a_join_above_the_limit_is_refused_and_the_row_is_the_first_owners() -> None:
    links = run([[0, 1, -1]], owner=[0, 1], known=2, counts={(0, 0): 2, (1, 0): 1})
    assert (links.row_person.tolist(), links.joins, links.refused) == ([0], (), 1)


def test_a_chain_of_ten_thousand_rows_ends_within_its_limits() -> None:
    """A hostile file in which each row shares an identifier with the next."""
    rows = [[number, -1, -1] if number % 2 else [number, number + 10_001, -1] for number in range(10_000)]
    chain = [[number, 20_002, -1] for number in range(10_000)]
    links = run([*rows, *chain])
    assert links.refused > 9_000
    assert len(links.row_person) == 20_000


# ── late identification ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_somebody_known_by_a_cookie_alone_is_the_first_who_signs_in_with_it() -> None:
    links = run([[-1, -1, 2], [0, -1, 2], [-1, -1, 2]], owner=[1, -1, 0], known=2)
    assert links.row_person.tolist() == [0, 1, 0]
    assert links.owner[2] == 0, "the cookie stays with the one whom it brought"
    assert (links.joins, links.late) == ((), ((1, 0, 1),))


def test_whoever_signs_in_for_the_first_time_is_the_visitor_too() -> None:
    links = run([[0, -1, 2]], owner=[-1, -1, 0], known=1)
    assert (links.row_person.tolist(), links.late) == ([1], ((0, 0, 1),))


def test_a_visitor_and_a_person_of_one_batch_are_one_from_the_start() -> None:
    links = run([[-1, -1, 2], [0, -1, 2], [-1, -1, 2]])
    assert len(set(links.row_person.tolist())) == 1
    assert links.late == ()


def test_of_two_who_sign_in_on_one_device_the_visitor_is_the_first_and_the_rest_is_the_lasts() -> None:
    """In one batch and with a visitor known before; the two are never joined."""
    links = run([[-1, -1, 3], [0, -1, 3], [-1, -1, 3], [1, -1, 3], [-1, -1, 3]], owner=[1, 2, -1, 0], known=3)
    assert links.row_person.tolist() == [0, 1, 0, 2, 2]
    assert (links.joins, links.late, links.owner[3]) == ((), ((1, 0, 1),), 2)
    links = run([[-1, -1, 3], [0, -1, 3], [-1, -1, 3], [1, -1, 3], [-1, -1, 3]])
    first, second, third, fourth, fifth = links.row_person.tolist()
    assert (first, third, fourth) == (second, second, fifth)
    assert second != fourth
    assert links.joins == ()


def test_every_row_that_shows_a_late_identification_reports_it() -> None:
    assert run([[0, -1, 2], [0, -1, 2]], owner=[1, -1, 0], known=2).late == ((0, 0, 1), (1, 0, 1))


def test_a_visitor_with_too_many_cookies_stays_a_visitor() -> None:
    links = run([[0, -1, 2]], owner=[1, -1, 0], known=2, counts={(1, 0): 1, (1, 2): 3, (0, 2): 3})
    assert (links.late, links.refusals) == ((), ((0, 1, TOGETHER),))
    assert (links.row_person.tolist(), links.owner[2]) == ([1], 0)


def test_a_weak_identifier_of_somebody_with_a_strong_one_moves_and_joins_nobody() -> None:
    links = run([[0, -1, 3], [1, -1, -1]], owner=[1, 0, -1, 0], known=2)
    assert (links.row_person.tolist(), links.owner[3], links.late, links.joins) == ([1, 0], 1, (), ())


# ── kept apart, two of one type ────────────────────────────────────────────────────────────────────────────────────────────────


def test_two_whom_an_officer_keeps_apart_are_not_joined_and_the_row_is_the_first_owners() -> None:
    links = run([[0, 1, -1]], owner=[0, 1], known=2, apart={(0, 1)})
    assert (links.row_person.tolist(), links.joins, links.refusals) == ([0], (), ((0, 0, KEPT_APART),))


def test_a_new_person_is_no_bridge_between_two_who_are_kept_apart() -> None:
    links = run([[2, 3, -1], [0, 3, -1], [2, 1, -1]], owner=[0, 1, -1, -1], known=2, apart={(0, 1)}, counts={})
    assert links.joins == ()
    assert [kind for _, _, kind in links.refusals] == [KEPT_APART]


def test_a_visitor_who_is_kept_apart_from_a_person_stays_a_visitor() -> None:
    links = run([[0, -1, 2], [-1, -1, 2]], owner=[1, -1, 0], known=2, apart={(0, 1)})
    assert (links.row_person.tolist(), links.late, links.owner[2]) == ([1, 0], (), 0)


def test_two_lines_of_one_type_share_its_limit_and_may_join() -> None:
    """Lines 0 and 1 are both of type 0, whose limit is two."""
    owners = np.asarray([-1, -1, -1], np.int64)
    rows = np.asarray([[0, 0], [1, 2]], np.int64)
    links = link(rows, (False, True), owners, [], lambda people: {}, (2, 9), kinds=(0, 0))
    assert (links.row_person.tolist(), links.refusals) == ([0, 0], ((1, 0, 0),))
    known = link(rows[:, :1], (False, True), np.asarray([0, 1, -1], np.int64), [0, 1], lambda people: {}, (2, 9), kinds=(0, 0))
    assert known.joins == ((0, 0, 1),)
