"""Merges that can be shown and undone: everybody keeps what they brought."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.stores import Stores
from privacy import errors
from privacy.identity import merging, vault
from privacy.identity.keys import Keyring
from privacy.identity.merging import Wanted
from privacy.vocabulary import IDENTIFIER_LIMITS, LinkRule
from tests.unit.privacy.identity.people import NOW, admit, count, resolve, store
from tests.unit.privacy.identity.test_vault import A, B, C, identifiers, merges

COOKIE = "web\x1fc1"


def history(stores: Stores) -> list[tuple[int, str, bool]]:
    """(number, rule, whether it was undone) of every merge."""
    with stores.read_vault() as tx:
        return [(one.seq, one.rule, one.undone_at is not None) for one in merging.history(tx, list(merging.merged_people(tx)))]


def undo(stores: Stores, seq: int) -> merging.Split:
    with stores.begin_vault() as tx:
        return merging.split(tx, seq, by="usr_officer", now=NOW)


def refused(stores: Stores) -> dict[tuple[str, str], int]:
    with stores.read_vault() as tx:
        rows = tx.exec_driver_sql("SELECT type, rule, number FROM refused_link").all()
    return {(kind, rule): number for kind, rule, number in rows}


def partition(stores: Stores, keyring: Keyring, cards: Sequence[str]) -> set[frozenset[str]]:
    """Who is one person, told by member cards."""
    found = resolve(stores, keyring, member_card=cards)
    people = found.persons.to_pylist()
    heads = [min([person, *found.families.get(person, ())]) for person in people]
    return {frozenset(card for card, other in zip(cards, heads, strict=True) if other == head) for head in heads}


def two_merged(stores: Stores, keyring: Keyring) -> tuple[bytes, bytes]:
    first, second = admit(stores, keyring, phone=[A, None], email=[None, "b@x.cn"])
    admit(stores, keyring, phone=[A], email=["b@x.cn"])
    assert first
    assert second
    return first, second


# ── undoing ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_undone_merge_leaves_two_people_with_what_each_brought_before_and_after_it(vault_stores: Stores, keyring: Keyring) -> None:
    first, second = two_merged(vault_stores, keyring)
    admit(vault_stores, keyring, phone=[A, None], email=[None, "b@x.cn"], member_card=["CARD-A", "CARD-B"])
    admit(vault_stores, keyring, member_card=["CARD-B"], cookie=[COOKIE])
    ((seq, rule, _),) = history(vault_stores)
    assert rule == LinkRule.SAME_RECORD
    split = undo(vault_stores, seq)
    assert {frozenset(split.winner), frozenset(split.loser)} == {frozenset([first]), frozenset([second])}
    assert merges(vault_stores) == []
    held = dict(identifiers(vault_stores, keyring, second))
    assert held == {"cookie": COOKIE, "email": "b@x.cn", "member_card": "CARD-B"}
    assert dict(identifiers(vault_stores, keyring, first)) == {"phone": A, "member_card": "CARD-A"}
    found = resolve(vault_stores, keyring, phone=[A, None], email=[None, "b@x.cn"])
    assert (found.persons.to_pylist(), dict(found.families)) == ([first, second], {})


def test_two_who_were_separated_are_not_merged_by_a_later_record_and_the_refusal_is_counted(vault_stores: Stores, keyring: Keyring) -> None:
    first, second = two_merged(vault_stores, keyring)
    late = resolve(vault_stores, keyring, phone=[A], email=["b@x.cn"])
    undo(vault_stores, history(vault_stores)[0][0])
    found = resolve(vault_stores, keyring, phone=[A], email=["b@x.cn"])
    assert (found.merges, found.refused_links, found.persons.to_pylist()) == ((), 1, [first])
    store(vault_stores, keyring, found)
    store(vault_stores, keyring, late)
    assert merges(vault_stores) == []
    assert refused(vault_stores) == {("", "kept_apart"): 1}
    (third,) = admit(vault_stores, keyring, member_card=["C3"])
    admit(vault_stores, keyring, phone=[A], member_card=["C3"])
    admit(vault_stores, keyring, email=["b@x.cn"], member_card=["C3"])
    assert {loser for loser, _ in merges(vault_stores)} == {third}, "a third one is no bridge between them"
    with vault_stores.begin_vault() as tx:
        merging.lift(tx, [first, second], NOW)
        assert merging.merge(tx, Wanted(first, second, LinkRule.MANUAL), batch=b"p", source="", now=NOW) is None
    assert len(merges(vault_stores)) == 2


def test_a_batch_that_was_decided_before_the_separation_does_not_merge_again(vault_stores: Stores, keyring: Keyring) -> None:
    first, second = admit(vault_stores, keyring, phone=[A, None], email=[None, "b@x.cn"])
    early = resolve(vault_stores, keyring, phone=[A], email=["b@x.cn"])
    admit(vault_stores, keyring, phone=[A], email=["b@x.cn"])
    undo(vault_stores, history(vault_stores)[0][0])
    store(vault_stores, keyring, early)
    assert merges(vault_stores) == []
    assert refused(vault_stores) == {("", "kept_apart"): 1}
    assert first != second


def test_of_a_chain_the_other_merges_hold_where_their_own_evidence_was(vault_stores: Stores, keyring: Keyring) -> None:
    """A–B, then C with B's e-mail: undoing A–B leaves C with B."""
    first, second = two_merged(vault_stores, keyring)
    (third,) = admit(vault_stores, keyring, phone=[C])
    admit(vault_stores, keyring, phone=[C], email=["b@x.cn"])
    assert len(merges(vault_stores)) == 2
    split = undo(vault_stores, history(vault_stores)[0][0])
    assert {frozenset(split.winner), frozenset(split.loser)} == {frozenset([first]), frozenset([second, third])}
    assert resolve(vault_stores, keyring, phone=[C]).families == {third: [second]}
    undo(vault_stores, history(vault_stores)[1][0])
    assert merges(vault_stores) == []


def test_a_merge_is_undone_once_and_an_unknown_one_never(vault_stores: Stores, keyring: Keyring) -> None:
    two_merged(vault_stores, keyring)
    ((seq, *_),) = history(vault_stores)
    undo(vault_stores, seq)
    for number in (seq, 999):
        with pytest.raises(errors.NotFound) as caught:
            undo(vault_stores, number)
        assert caught.value.code == "merge_unknown"
    assert [undone for *_, undone in history(vault_stores)] == [True]


def test_an_erased_identifier_stays_erased_after_an_undone_merge(vault_stores: Stores, keyring: Keyring) -> None:
    first, _ = two_merged(vault_stores, keyring)
    with vault_stores.begin_vault() as tx:
        vault.add_tombstones(tx, keyring, [(vault.IdentifierType.EMAIL, "b@x.cn")], now=NOW)
    undo(vault_stores, history(vault_stores)[0][0])
    found = resolve(vault_stores, keyring, phone=[A, A], email=["b@x.cn", None])
    assert found.erased.to_pylist() == [True, False]
    assert found.persons.to_pylist() == [None, first]


# ── late identification ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_visitor_is_the_first_who_signs_in_and_the_merge_can_be_undone(vault_stores: Stores, keyring: Keyring) -> None:
    (visitor,) = admit(vault_stores, keyring, cookie=[COOKIE])
    (person,) = admit(vault_stores, keyring, phone=[A], cookie=[COOKIE])
    assert merges(vault_stores) == [(visitor, person)]
    ((seq, rule, _),) = history(vault_stores)
    assert rule == LinkRule.LATE_IDENTIFICATION
    assert admit(vault_stores, keyring, cookie=[COOKIE]) == [visitor], "anonymous rows keep the visitor's name"
    undo(vault_stores, seq)
    assert identifiers(vault_stores, keyring, visitor) == [("cookie", COOKIE)]
    again = resolve(vault_stores, keyring, phone=[A], cookie=[COOKIE])
    assert (again.merges, again.refused_links, again.persons.to_pylist()) == ((), 1, [person])


def test_two_programs_that_identify_one_visitor_at_once_identify_them_once(vault_stores: Stores, keyring: Keyring) -> None:
    (visitor,) = admit(vault_stores, keyring, cookie=[COOKIE])
    first, second = admit(vault_stores, keyring, phone=[A, B])
    one = resolve(vault_stores, keyring, phone=[A], cookie=[COOKIE])
    other = resolve(vault_stores, keyring, phone=[B], cookie=[COOKIE])
    store(vault_stores, keyring, one)
    with pytest.raises(errors.Raced):
        store(vault_stores, keyring, other)
    admit(vault_stores, keyring, phone=[B], cookie=[COOKIE])
    assert merges(vault_stores) == [(visitor, first)]
    assert identifiers(vault_stores, keyring, second) == [("cookie", COOKIE), ("phone", B)]


def test_a_sign_in_that_was_refused_identifies_nobody(vault_stores: Stores, keyring: Keyring) -> None:
    admit(vault_stores, keyring, cookie=[COOKIE])
    admit(vault_stores, keyring, phone=[A], cookie=[COOKIE], keep=[False])
    assert merges(vault_stores) == []
    admit(vault_stores, keyring, server=False, phone=[A], cookie=[COOKIE])
    assert merges(vault_stores) == [], "a key that anybody can read identifies nobody either"


# ── limits, blocked values, namespaces, aliases ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["phone", "email", "member_card", "national_id", "unionid", "openid", "customer_no", "device", "cookie"])
def test_each_type_has_its_limit_and_what_is_above_it_is_counted_and_its_row_kept(
    vault_stores: Stores, keyring: Keyring, kind: str
) -> None:
    most = IDENTIFIER_LIMITS[vault.IdentifierType(kind)]
    anchor = "unionid" if kind != "unionid" else "openid"
    values = [f"value-{number:04d}" for number in range(most + 2)]
    people = admit(vault_stores, keyring, **{anchor: ["anchor-1"] * len(values), kind: values})
    assert len(set(people)) == 1
    held = [value for one, value in identifiers(vault_stores, keyring, people[0]) if one == kind]
    assert len(held) == most
    assert refused(vault_stores) == {(kind, "over_limit"): 2}
    found = resolve(vault_stores, keyring, **{anchor: ["anchor-1"], kind: ["value-9999"]})
    assert (found.persons.to_pylist(), found.refused_links) == (people[:1], 1)


def test_merges_that_would_only_together_break_a_limit_are_refused_by_the_vault(vault_stores: Stores, keyring: Keyring) -> None:
    """Two joins of one batch, each within the limit of three cards, the sum of them not."""
    people = admit(vault_stores, keyring, phone=[A, B, C, C], member_card=["K1", "K2", "K3", "K4"])
    found = resolve(vault_stores, keyring, phone=[A, B], member_card=["K2", "K3"])
    assert (len(found.merges), found.refused_links) == (2, 0)
    store(vault_stores, keyring, found)
    assert len(merges(vault_stores)) == 1
    assert refused(vault_stores) == {("", "over_limit"): 1}
    assert people[2] == people[3]


def test_an_alias_of_two_customer_numbers_joins_their_people_in_any_order(vault_stores: Stores, keyring: Keyring) -> None:
    first, second = admit(vault_stores, keyring, customer_no=["shop\x1f1", "shop\x1f2"])
    admit(vault_stores, keyring, customer_no=["shop\x1f1"], alias=["shop\x1f2"], cookie=["shop\x1f2"])
    assert {*merges(vault_stores)[0]} == {first, second}
    assert [rule for _, rule, _ in history(vault_stores)] == [LinkRule.ALIAS]
    (early,) = admit(vault_stores, keyring, customer_no=["shop\x1f3"], alias=["shop\x1f4"], cookie=["shop\x1f4"])
    assert admit(vault_stores, keyring, customer_no=["shop\x1f4", None], cookie=[None, "shop\x1f4"]) == [early, early]
    both = resolve(vault_stores, keyring, customer_no=["shop\x1f5", "shop\x1f6"], alias=["shop\x1f6", None])
    assert len(set(both.persons.to_pylist())) == 1


def test_an_alias_of_a_public_key_is_nobodys(vault_stores: Stores, keyring: Keyring) -> None:
    admit(vault_stores, keyring, customer_no=["shop\x1f1", "shop\x1f2"])
    admit(vault_stores, keyring, server=False, customer_no=["shop\x1f1"], alias=["shop\x1f2"], cookie=["shop\x1fc"])
    assert merges(vault_stores) == []


# ── order and concurrency ──────────────────────────────────────────────────────────────────────────────────────────────────────


def records(chance: random.Random) -> list[dict[str, str]]:
    """Twelve records over few cards, each with a card and one other strong identifier."""
    kinds = {"openid": 6, "customer_no": 5, "email": 4}
    made = []
    for number in range(12):
        kind = chance.choice(list(kinds))
        made.append({"member_card": f"CARD{number:02d}", kind: f"{kind}-{chance.randrange(kinds[kind])}"})
    return made


def together(made: Sequence[dict[str, str]], limit: int) -> set[frozenset[str]]:
    """The partition that records demand, by itself: connected components, where none is above the limit of cards."""
    groups: list[set[str]] = [set(record.values()) for record in made]
    merged = True
    while merged:
        merged = False
        for one in groups:
            for other in groups:
                if one is not other and one & other:
                    one |= other
                    groups.remove(other)
                    merged = True
                    break
            if merged:
                break
    cards = [frozenset(value for value in group if value.startswith("CARD")) for group in groups]
    return set(cards) if all(len(one) <= limit for one in cards) else set()


def test_any_order_of_the_same_records_in_any_batches_gives_the_same_people(vault_stores: Stores, keyring: Keyring) -> None:
    """Against connected components computed apart; records whose whole would break a limit are left out of the trial."""
    chance, trials = random.Random(11), 0
    for world in range(60):
        made = [
            {kind: f"{world}-{value}" if kind != "member_card" else f"W{world}{value}" for kind, value in one.items()}
            for one in records(chance)
        ]
        wanted = together([{kind: value.replace(f"W{world}", "") for kind, value in one.items()} for one in made], 3)
        if not wanted:
            continue
        trials += 1
        chance.shuffle(made)
        while made:
            size = chance.randrange(1, 6)
            part, made = made[:size], made[size:]
            kinds = sorted({kind for one in part for kind in one})
            admit(vault_stores, keyring, **{kind: [one.get(kind) for one in part] for kind in kinds})
        cards = [f"W{world}CARD{number:02d}" for number in range(12)]
        assert {frozenset(card.replace(f"W{world}", "") for card in one) for one in partition(vault_stores, keyring, cards)} == wanted
        if trials == 6:
            break
    assert trials == 6


def test_programs_that_find_merges_at_once_split_nobody_and_lose_none(vault_stores: Stores, keyring: Keyring) -> None:
    """Twelve people who are four, found pair by pair by four threads with connections of their own."""
    cards = [f"CARD{number:02d}" for number in range(12)]
    admit(vault_stores, keyring, member_card=cards)
    pairs = [(base + step, base + step + 1) for base in range(0, 12, 3) for step in range(2)]

    def program(number: int) -> None:
        for left, right in pairs[number::4]:
            for _ in range(30):
                try:
                    mail = [f"p{left}@x.cn", f"p{left}@x.cn"]
                    admit(vault_stores, keyring, member_card=[cards[left], cards[right]], email=mail)
                    break
                except errors.Raced:
                    continue
            else:
                raise AssertionError("thirty races in a row")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(program, range(4)))
    assert partition(vault_stores, keyring, cards) == {frozenset(cards[base : base + 3]) for base in range(0, 12, 3)}
    assert count(vault_stores, "person") == 12
    assert len(merges(vault_stores)) == 8


def test_the_counts_of_a_whole_family_hold_for_each_of_it(vault_stores: Stores, keyring: Keyring) -> None:
    first, _ = two_merged(vault_stores, keyring)
    with vault_stores.read_vault() as tx:
        family = merging.family_of(tx, first)
        assert sum(merging.count_types(tx, family).values()) == 2
        assert merging.family_of(tx, os.urandom(16)) == []
