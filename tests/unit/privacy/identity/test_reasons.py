"""Why identifiers belong together, link by link."""

from __future__ import annotations

import os

from app.stores import Stores
from privacy.identity import reasons
from privacy.identity.keys import Keyring
from privacy.vocabulary import LinkRule
from tests.unit.privacy.identity.people import NOW, admit, resolve
from tests.unit.privacy.identity.test_vault import A, B, rotate


def test_each_link_tells_its_rule_its_time_its_batch_and_who_brought_it(vault_stores: Stores, keyring: Keyring) -> None:
    (visitor,) = admit(vault_stores, keyring, cookie=["web\x1fc1"])
    (person,) = admit(vault_stores, keyring, phone=[A], cookie=["web\x1fc1"])
    admit(vault_stores, keyring, phone=[A], member_card=["CARD-1"])
    rotate(vault_stores, keyring, "index")
    admit(vault_stores, keyring, phone=[A])
    assert visitor
    assert person
    with vault_stores.read_vault() as tx:
        told = reasons.of_person(tx, keyring, visitor)
        assert reasons.of_person(tx, keyring, os.urandom(16)) is None
    assert told is not None
    assert [member.id for member in told.family] == [person, visitor]
    assert {(link.type, link.member, link.rule, link.batch) for link in told.links} == {
        ("cookie", visitor, LinkRule.SAME_RECORD, b"batch".hex()),
        ("phone", person, LinkRule.SAME_RECORD, b"batch".hex()),
        ("member_card", person, LinkRule.SAME_RECORD, b"batch".hex()),
    }
    assert {link.since for link in told.links} == {NOW}
    assert [(one.rule, one.undone_at) for one in told.merges] == [(LinkRule.LATE_IDENTIFICATION, None)]
    assert A not in repr(told)


def test_a_cookie_that_moved_says_so_and_refused_links_are_told(vault_stores: Stores, keyring: Keyring) -> None:
    admit(vault_stores, keyring, phone=[A], cookie=["web\x1fc1"])
    (second,) = admit(vault_stores, keyring, phone=[B], cookie=["web\x1fc1"])
    admit(vault_stores, keyring, phone=[B] * 5, member_card=[f"CARD{number}" for number in range(5)])
    assert second == resolve(vault_stores, keyring, phone=[B]).persons.to_pylist()[0]
    with vault_stores.read_vault() as tx:
        told = reasons.of_person(tx, keyring, second)
    assert told is not None
    assert {link.rule for link in told.links if link.type == "cookie"} == {LinkRule.LATE_IDENTIFICATION}
    assert [(kind, rule, number) for kind, rule, number, _ in told.refused] == [("member_card", "over_limit", 2)]
