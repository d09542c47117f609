"""Everything that somebody with the database in hand can do to a log (attacks 40 to 42), each undone afterwards.

Promise: a mutation changes the store and answers which index a verifier must name; a forger's rewriting agrees with itself.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.stores import Stores
from privacy.audit import checkpoint, merkle, payload, stored
from privacy.audit.checkpoint import StoredCheckpoint
from privacy.audit.log import LogEntry, LogHead, LogNode, LogPayload, head
from privacy.audit.reading import evidence, nodes
from privacy.orm import PlatformBase
from tests.fakes.signer import signer

NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)
SIGNER = signer("piying.example/dep-1", bytes(range(32)))
SIZE = 47
CHECKPOINTS = (0, 20, 20, 35, SIZE)
ERASED, RECORD = (4, 9), 25
ORDINARY = [seq for seq in range(SIZE) if seq not in (*ERASED, RECORD)]
"""Damage to the record of an erasure reaches back to what it erased; that has its own test."""
ENTRY, PAYLOAD, NODE, HEAD = (PlatformBase.metadata.tables[f"log_{name}"] for name in ("entry", "payload", "node", "head"))


class _Undo(Exception):
    """Rolls a mutation back."""


def verified(tx: sa.Connection, *held: str) -> dict[str, Any]:
    return stored.verify(evidence(tx), [*checkpoint.notes(tx), *held], keys=[SIGNER.verifier_key], nodes=nodes(tx), head=head(tx))


@contextmanager
def undone(stores: Stores) -> Iterator[sa.Connection]:
    """A transaction in which an attacker does as they please; afterwards nothing happened."""
    with pytest.raises(_Undo), stores.begin_platform() as tx:
        yield tx
        raise _Undo


def confirmed(index: int) -> int:
    """The last checkpoint at or before an entry: everything below it is vouched for."""
    return max(size for size in CHECKPOINTS if size <= index)


def _flipped(value: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(len(value))
    return value[:place] + bytes([value[place] ^ (1 << dice.randrange(8))]) + value[place + 1 :]


# ── one mutation a function: changes the store, answers which index must be named ──────────────────────────────────────────────


def _edit_cell(tx: sa.Connection, dice: random.Random, column: sa.Column[Any], change: Callable[[Any], Any]) -> int:
    seq = dice.choice(ORDINARY)
    table = column.table
    before = tx.scalar(sa.select(column).where(table.c.seq == seq))
    tx.execute(sa.update(table).where(table.c.seq == seq).values({column: change(before)}))
    return seq


def _edit_kind(tx: sa.Connection, dice: random.Random) -> int:
    return _edit_cell(tx, dice, ENTRY.c.kind, lambda _: "system")


def _edit_time(tx: sa.Connection, dice: random.Random) -> int:
    return _edit_cell(tx, dice, ENTRY.c.at, lambda at: at + timedelta(microseconds=dice.choice((-1, 1, 10**9))))


def _edit_commitment(tx: sa.Connection, dice: random.Random) -> int:
    return _edit_cell(tx, dice, ENTRY.c.commitment, lambda value: _flipped(value, dice))


def _edit_leaf(tx: sa.Connection, dice: random.Random) -> int:
    return _edit_cell(tx, dice, ENTRY.c.leaf_hash, lambda value: _flipped(value, dice))


def _edit_payload(tx: sa.Connection, dice: random.Random) -> int:
    return _edit_cell(tx, dice, PAYLOAD.c.payload, lambda value: _flipped(value, dice))


def _edit_salt(tx: sa.Connection, dice: random.Random) -> int:
    return _edit_cell(tx, dice, PAYLOAD.c.salt, lambda value: _flipped(value, dice))


def _blank_payload(tx: sa.Connection, dice: random.Random) -> int:
    return _edit_cell(tx, dice, PAYLOAD.c.payload, lambda _: None)


def _edit_actor(tx: sa.Connection, dice: random.Random) -> int:
    return _edit_cell(tx, dice, PAYLOAD.c.actor, lambda _: "somebody_else")


def _edit_result(tx: sa.Connection, dice: random.Random) -> int:
    return _edit_cell(tx, dice, PAYLOAD.c.result, lambda _: "refused")


def _edit_subject(tx: sa.Connection, dice: random.Random) -> int:
    return _edit_cell(tx, dice, PAYLOAD.c.subject, lambda _: "00" * 16)


def _delete_payload(tx: sa.Connection, dice: random.Random) -> int:
    seq = dice.choice(ORDINARY)
    tx.execute(sa.delete(PAYLOAD).where(PAYLOAD.c.seq == seq))
    return seq


def _erase_without_record(tx: sa.Connection, dice: random.Random) -> int:
    seq = dice.choice(ORDINARY)
    tx.execute(sa.update(PAYLOAD).where(PAYLOAD.c.seq == seq).values(salt=None, payload=None, subject=None, purpose=None, erased_at=NOW))
    return seq


def _delete_entry(tx: sa.Connection, dice: random.Random) -> int:
    seq = dice.choice(ORDINARY)
    tx.execute(sa.delete(ENTRY).where(ENTRY.c.seq == seq))
    return seq


def _truncate(tx: sa.Connection, dice: random.Random) -> int:
    seq = dice.randrange(RECORD + 1, SIZE)
    tx.execute(sa.delete(ENTRY).where(ENTRY.c.seq >= seq))
    return seq


def _truncate_with_tree_and_head(tx: sa.Connection, dice: random.Random) -> int:
    seq = dice.randrange(RECORD + 1, SIZE)
    rewrite(tx, lambda entries: entries[:seq])
    return seq


def _append_behind_the_head(tx: sa.Connection, dice: random.Random) -> int:
    _insert_forged(tx, SIZE)
    return SIZE


def _shift(tx: sa.Connection, from_seq: int) -> None:
    """Makes room for one entry, moving rows from the end so that no two ever share a position."""
    for seq in range(SIZE - 1, from_seq - 1, -1):
        for table in (ENTRY, PAYLOAD):
            tx.execute(sa.update(table).where(table.c.seq == seq).values(seq=seq + 1))


def _insert(tx: sa.Connection, dice: random.Random) -> int:
    """A forged entry that is right in itself, where no checkpoint follows at once: the old entry behind it no longer fits its place."""
    seq = dice.choice([26, 28, 30, 32, 36, 38, 40, 42, 44])
    _shift(tx, seq)
    _insert_forged(tx, seq)
    return seq + 1


def _duplicate(tx: sa.Connection, dice: random.Random) -> int:
    seq = dice.randrange(RECORD + 1, SIZE)
    _shift(tx, seq + 1)
    for table in (ENTRY, PAYLOAD):
        row = tx.execute(sa.select(table).where(table.c.seq == seq)).mappings().one()
        tx.execute(sa.insert(table), {**row, "seq": seq + 1})
    return seq + 1


def _swap(tx: sa.Connection, dice: random.Random) -> int:
    first, second = sorted(dice.sample(ORDINARY, 2))
    for table in (ENTRY, PAYLOAD):
        for seq, place in ((first, SIZE + 1), (second, first), (SIZE + 1, second)):
            tx.execute(sa.update(table).where(table.c.seq == seq).values(seq=place))
    return first


def _some_node(tx: sa.Connection, dice: random.Random) -> tuple[int, int]:
    level, position = dice.choice([tuple(row) for row in tx.execute(sa.select(NODE.c.level, NODE.c.position))])
    return level, position


def _edit_node(tx: sa.Connection, dice: random.Random) -> int:
    level, position = _some_node(tx, dice)
    tx.execute(sa.update(NODE).where(NODE.c.level == level, NODE.c.position == position).values(hash=os.urandom(32)))
    return position << level


def _delete_node(tx: sa.Connection, dice: random.Random) -> int:
    level, position = _some_node(tx, dice)
    tx.execute(sa.delete(NODE).where(NODE.c.level == level, NODE.c.position == position))
    return position << level


def _add_node(tx: sa.Connection, dice: random.Random) -> int:
    tx.execute(sa.insert(NODE), {"level": dice.randrange(6, 20), "position": dice.randrange(3), "hash": os.urandom(32)})
    return SIZE


def _edit_head_size(tx: sa.Connection, dice: random.Random) -> int:
    size = dice.choice([SIZE - 5, SIZE - 1, SIZE + 1, SIZE + 9])
    tx.execute(sa.update(HEAD).values(size=size))
    return min(size, SIZE)


def _edit_frontier(tx: sa.Connection, dice: random.Random) -> int:
    frontier = tx.scalar(sa.select(HEAD.c.frontier))
    assert isinstance(frontier, bytes)
    tx.execute(sa.update(HEAD).values(frontier=_flipped(frontier, dice)))
    return SIZE


def _edit_checkpoint(tx: sa.Connection, dice: random.Random) -> int:
    """One character of one note: whatever it is, the checkpoint no longer counts and what it vouched for is open from the one before."""
    number = dice.randrange(1, len(CHECKPOINTS) + 1)
    note = tx.scalar(sa.select(StoredCheckpoint.note).where(StoredCheckpoint.id == number))
    assert note is not None
    place = dice.choice([index for index, character in enumerate(note) if character.isalnum()])
    other = "A" if note[place] != "A" else "B"
    tx.execute(sa.update(StoredCheckpoint).where(StoredCheckpoint.id == number).values(note=note[:place] + other + note[place + 1 :]))
    return -1


MUTATIONS = (
    _edit_kind, _edit_time, _edit_commitment, _edit_leaf, _edit_payload, _edit_salt, _blank_payload, _edit_actor, _edit_result, _edit_subject,
    _delete_payload, _erase_without_record, _delete_entry, _truncate, _truncate_with_tree_and_head, _append_behind_the_head, _insert,
    _duplicate, _swap, _edit_node, _delete_node, _add_node, _edit_head_size, _edit_frontier, _edit_checkpoint,
)  # fmt: skip


# ── a forger who recomputes everything ─────────────────────────────────────────────────────────────────────────────────────────


def forged(seq: int) -> tuple[dict[str, Any], dict[str, Any]]:
    salt, said = os.urandom(32), payload.payload_bytes("batch.stored", "system", "ok", {"stored": 0})
    committed = payload.commitment(salt, said)
    digest = merkle.leaf_hash(payload.leaf_bytes(seq, NOW, "ingest", committed))
    entry = {"seq": seq, "at": NOW, "kind": "ingest", "commitment": committed, "leaf_hash": digest}
    return entry, {"seq": seq, "salt": salt, "payload": said, "actor": "system", "action": "batch.stored", "result": "ok"}


def _insert_forged(tx: sa.Connection, seq: int) -> None:
    entry, behind = forged(seq)
    tx.execute(sa.insert(LogEntry), entry)
    tx.execute(sa.insert(LogPayload), behind)


def rewrite(tx: sa.Connection, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
    """Changes the entries and makes leaf hashes, subtrees and head agree with them again, as the operator's own superuser can."""
    rows = change([dict(row) for row in tx.execute(sa.select(ENTRY).order_by(ENTRY.c.seq)).mappings()])
    for table in (ENTRY, NODE, HEAD):
        tx.execute(sa.delete(table))
    for row in rows:
        row["leaf_hash"] = merkle.leaf_hash(payload.leaf_bytes(row["seq"], row["at"], row["kind"], row["commitment"]))
    growth = merkle.grow((), 0, [row["leaf_hash"] for row in rows])
    tx.execute(sa.insert(LogEntry), rows)
    tx.execute(sa.insert(LogNode), [{"level": node.level, "position": node.position, "hash": node.hash} for node in growth.nodes])
    tx.execute(sa.insert(LogHead), {"id": 1, "size": growth.size, "frontier": b"".join(growth.frontier)})


def rewrite_time(seq: int) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]]:
    def change(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        rows[seq]["at"] += timedelta(hours=1)
        return rows

    return change
