"""Many rows in few statements."""

from __future__ import annotations

import sqlalchemy as sa

from app.stores import Stores
from privacy.identity import bulk

NOTES = sa.Table("bulk_note", sa.MetaData(), sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("body", sa.LargeBinary))


def test_rows_are_inserted_read_by_key_and_changed_on_both_databases(empty_stores: Stores) -> None:
    with empty_stores.begin_vault() as tx:
        NOTES.create(tx)
        bulk.insert(tx, NOTES, ("id", "body"), [(number, b"%d" % number) for number in range(20_000)])
        bulk.insert(tx, NOTES, ("id", "body"), [(1, b"other"), (20_000, b"new")], ignore=True)
        bulk.insert(tx, NOTES, ("id", "body"), [])
        statement = "SELECT id, body FROM bulk_note WHERE id < ? AND id IN ({keys})"
        found = dict(bulk.select_in(tx, statement, list(range(19_999, -1, -1)), (19_000,)))
        assert len(found) == 19_000
        assert found[1] == b"1"
        assert list(bulk.select_in(tx, statement, [], (5,))) == []
        bulk.execute_many(tx, "UPDATE bulk_note SET body = ? WHERE id = ?", [(b"x", 1), (b"y", 2)])
        bulk.execute_many(tx, "UPDATE bulk_note SET body = ? WHERE id = ?", [])
        assert sorted(bulk.select_in(tx, statement, [1, 2, 20_000], (30_000,))) == [(1, b"x"), (2, b"y"), (20_000, b"new")]
