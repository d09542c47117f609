"""What stands in the lake for people and orders, and how a message is known again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from privacy.identity import pseudonyms
from privacy.identity.ephemeral import EphemeralKey
from tests.conftest import NOW
from tests.unit.privacy.admission.desk import ANNA, BO, DAY, Desk, row, source

# ── names ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_virtual_ids_are_one_a_month_and_equal_no_other_domains_value(desk: Desk) -> None:
    people = [("member_card", f"CARD{number:06d}") for number in range(200)]
    desk.allow(*people)
    may, june = NOW - 31 * DAY, NOW
    desk.send(*[row(who, at=at) for who in people for at in (may, june, june - DAY)])
    lines = desk.lines()
    months = {month: {line["virtual_id"] for line in lines if line["month"] == month} for month in (202605, 202606)}
    assert [len(ids) for ids in months.values()] == [200, 200]
    assert months[202605].isdisjoint(months[202606])
    ids = b"".join(person for who in people if (person := desk.person(who)))
    domains = [
        pseudonyms.virtual_ids(ids, desk.keyring.block_cipher(label)).tolist()
        for label in pseudonyms.LABELS
        if label != pseudonyms.VIRTUAL_ID
    ]
    raw = (np.frombuffer(ids, ">u8")[::2] >> np.uint64(1)).tolist()
    mine = months[202605] | months[202606]
    assert all(mine.isdisjoint(values) for values in [*domains, raw])


def test_the_same_order_has_one_key_in_a_month_and_another_in_the_next(desk: Desk) -> None:
    desk.allow(ANNA)
    told: dict[str, Any] = {"record": "order_line", "kind": "sale", "order_id": "R-1"}
    desk.send(row(ANNA, **told), row(ANNA, **told), row(ANNA, at=NOW - 31 * DAY, **told))
    keys = {(line["month"], line["order_key"]) for line in desk.lines("order_lines")}
    assert len(keys) == 2
    assert len({key for _, key in keys}) == 2


# ── once ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def turn() -> datetime:
    """The first moment of an epoch of message keys."""
    start = datetime(1970, 1, 1, tzinfo=NOW.tzinfo)
    return start + ((NOW - start) // (30 * DAY) + 1) * 30 * DAY


def test_a_message_is_known_again_across_a_change_of_epoch(desk: Desk, turn: datetime) -> None:
    """The dedupe window is thirty days whatever key is in force; another process knows it too."""
    desk.allow(ANNA)
    desk.clock.at = turn - timedelta(seconds=1)
    assert desk.send(row(ANNA), ids=["m-1"]).stored == 1
    for at in (turn, turn + 29 * DAY):
        desk.clock.at = at
        for door in (desk.door, desk.another_door()):
            desk.door = door
            receipt = desk.send(row(ANNA), ids=["m-1"])
            assert (receipt.stored, receipt.duplicate) == (0, 1)
    assert len(desk.lines()) == 1


def test_a_message_of_this_epoch_leaves_another_digest_than_one_of_the_last(desk: Desk, turn: datetime) -> None:
    desk.allow(ANNA, BO)
    desk.clock.at = turn - DAY
    first = desk.decide(row(ANNA))
    desk.clock.at = turn
    second = desk.decide(row(ANNA))
    assert first.batch.parts[0].digests != second.batch.parts[0].digests
    assert (len(first.older_digests), len(second.older_digests)) == (0, 1)
    with desk.stores.begin_vault() as tx:
        names = set(tx.execute(sa.select(EphemeralKey.name).where(EphemeralKey.name.like("message:%"))).scalars())
    assert len(names) == 2


def test_the_same_message_id_of_two_sources_is_two_messages(desk: Desk) -> None:
    desk.allow(ANNA)
    assert desk.send(row(ANNA), ids=["m-1"]).stored == 1
    assert desk.send(row(ANNA), ids=["m-1"], source=source(id="src_other0000000")).stored == 1
