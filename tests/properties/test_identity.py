"""Properties of names: no two domains share a value, two months do not join, links keep their rules."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.identity import pseudonyms
from privacy.identity.keys import Keyring
from privacy.identity.linking import link
from privacy.identity.normalise import normalise
from privacy.vocabulary import IdentifierType

NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)
RING = Keyring.fresh(random=os.urandom, clock=lambda: NOW)


def prefixes(person: bytes) -> dict[str, set[int]]:
    """The first 63 bits of everything that stands for a person in each domain."""
    names: dict[str, set[int]] = {}
    for label in (pseudonyms.CONSENT_HANDLE, pseudonyms.LOG_HANDLE, pseudonyms.CONSOLE_HANDLE):
        names[label] = {int.from_bytes(pseudonyms.handles(person, RING.block_cipher(label))[:8], "big") >> 1}
    for month in ("202605", "202606", "202607"):
        names[month] = set(pseudonyms.virtual_ids(person, RING.block_cipher(pseudonyms.VIRTUAL_ID, month)).tolist())
    for run in ("1", "2"):
        names["run" + run] = set(pseudonyms.run_ids(person, RING.block_cipher(pseudonyms.RUN_ID, run)).tolist())
    for parts in (("ads", "share", "1"), ("ads", "share", "2"), ("adss", "hare", "1"), ("mail", "share", "1")):
        pseudonym = pseudonyms.recipient_pseudonym(RING.mac_key(pseudonyms.RECIPIENT, *parts), person)
        names["/".join(parts)] = {int(pseudonym[:16], 16) >> 1}
    names["id"] = {int.from_bytes(person[:8], "big") >> 1}
    return names


@given(st.lists(st.binary(min_size=16, max_size=16), min_size=1, max_size=20, unique=True))
@settings(max_examples=40, deadline=None)
def test_no_two_domains_share_a_value(people: list[bytes]) -> None:
    seen: dict[int, str] = {}
    for person in people:
        for domain, values in prefixes(person).items():
            for value in values:
                assert seen.setdefault(value, domain) == domain


@given(st.text(min_size=1, max_size=30))
@settings(max_examples=60, deadline=None)
def test_equal_text_has_unequal_digests_in_every_domain_of_text(value: str) -> None:
    text = value.encode("utf-8", "ignore").decode() or "x"
    index = {kind: pseudonyms.blind_index(RING.mac_key(pseudonyms.BLIND_INDEX), kind, [text])[0][:8] for kind in IdentifierType}
    stones = {kind: pseudonyms.blind_index(RING.mac_key(pseudonyms.TOMBSTONE), kind, [text])[0][:8] for kind in IdentifierType}
    row = pseudonyms.macs(RING.mac_key(pseudonyms.ROW), [text.encode()])[0][:8]
    message = pseudonyms.message_digests(RING.block_cipher(pseudonyms.MESSAGE), pa.array([text])).to_pylist()[0][:8]
    assert len({*index.values(), *stones.values(), row, message}) == 2 * len(IdentifierType) + 2


def test_the_ids_of_two_months_joined_on_their_value_or_their_order_are_no_better_than_chance() -> None:
    """Whoever holds both months' files joins ids by value (no match at all) or by rank (as good as guessing)."""
    people = os.urandom(16 * 100_000)
    may, june = (pseudonyms.virtual_ids(people, RING.block_cipher(pseudonyms.VIRTUAL_ID, month)) for month in ("202605", "202606"))
    assert not np.intersect1d(may, june).size
    by_rank = int((np.argsort(np.argsort(may)) == np.argsort(np.argsort(june))).sum())
    assert by_rank < 12, "one match is expected by chance; twelve come once in 10⁹ runs"
    assert abs(float(np.corrcoef(may.astype(float), june.astype(float))[0, 1])) < 0.02
    same_bits = np.bitwise_count((may ^ june).astype(np.uint64)).mean()
    assert abs(float(same_bits) - 31.5) < 0.15


ROWS = st.lists(st.tuples(st.integers(-1, 5), st.integers(-1, 5), st.integers(-1, 4)), max_size=25)


@given(ROWS, st.lists(st.integers(-1, 2), min_size=17, max_size=17))
@settings(max_examples=200, deadline=None)
def test_links_keep_limits_never_join_by_a_weak_identifier_and_answer_every_row(
    rows: list[tuple[int, int, int]], owners: list[int]
) -> None:
    """Columns: two strong types and a weak one; identifiers 0-5, 6-11, 12-16; three known people."""
    matrix = np.asarray([[a, b + 6 if b >= 0 else -1, c + 12 if c >= 0 else -1] for a, b, c in rows], np.int64).reshape(-1, 3).T.copy()
    kinds = [0] * 6 + [1] * 6 + [2] * 5
    held: dict[tuple[int, int], int] = {}
    for one, owner in enumerate(owners):
        if owner >= 0:
            held[owner, kinds[one]] = held.get((owner, kinds[one]), 0) + 1
    limits = (3, 3, 3)
    links = link(matrix, (False, False, True), np.asarray(owners, np.int64), [0, 1, 2], lambda people: held, limits)
    for number, row in enumerate(rows):
        person = links.row_person[number]
        assert (person >= 0) == any(one >= 0 for one in row)
        strong = [one for one in matrix[:2, number] if one >= 0]
        known = [owners[one] for one in strong if owners[one] >= 0]
        assert not known or person in known or person in [links.owner[one] for one in strong]
    for row, first, second in links.joins:
        assert {first, second} <= {int(links.owner[one]) for one in matrix[:2, row] if one >= 0}
    for one, owner in enumerate(owners):
        if kinds[one] < 2 and owner >= 0:
            assert links.owner[one] == owner
    counted: dict[tuple[int, int], int] = {}
    for one, now in enumerate(links.owner.tolist()):
        if now >= 0:
            counted[now, kinds[one]] = counted.get((now, kinds[one]), 0) + 1
    for place, count in counted.items():
        assert place[1] == 2 or count <= max(limits[place[1]], held.get(place, 0)), "only a join may bring many weak identifiers together"


@given(st.sampled_from(list(IdentifierType)), st.lists(st.text(max_size=30), max_size=8))
@settings(max_examples=150, deadline=None)
def test_normalising_twice_is_normalising_once_and_never_fails(kind: IdentifierType, values: list[str]) -> None:
    clean = [value.encode("utf-8", "ignore").decode() for value in values]
    once, bad = normalise(kind, pa.array(clean, pa.string()), namespace="n")
    assert not any(wrong and value is not None for wrong, value in zip(bad.to_pylist(), once.to_pylist(), strict=True))
    bare = [None if value is None else value.removeprefix("n\x1f") for value in once.to_pylist()]
    again, worse = normalise(kind, pa.array(bare, pa.string()), namespace="n")
    assert (again.to_pylist(), worse.to_pylist()) == (once.to_pylist(), [False] * len(clean))


@given(
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    st.sampled_from(["", "+86", "0086", "86", "+86 "]),
    st.sampled_from(["", " ", "-", "."]),
)
@settings(max_examples=100, deadline=None)
def test_every_dress_of_a_mobile_number_is_the_same_number(number: str, prefix: str, gap: str) -> None:
    written = prefix + gap.join((number[:3], number[3:7], number[7:]))
    wide = "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in written)
    plain = normalise("phone", pa.array([number]), namespace="")[0].to_pylist()
    assert normalise("phone", pa.array([written, wide]), namespace="")[0].to_pylist() == plain * 2
