"""Tests of the triggers: evidence is append-only on both databases, even for whoever owns the tables."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from app.stores import Store
from migrations import run
from tests.stores import postgres_stores, sqlite_stores

ROWS = {
    "dossier": {"kind": "recipient", "id": "rec_1", "version": 1, "content": "{}", "by": "usr_1", "at": 0, "entry": 0},
    "agreement": {"handle": b"h" * 16, "source_id": "s", "notice": "n", "kind": "mini_program", "agreed_at": 0, "received_at": 0},
    "consent_event": {
        "seq": 1, "handle": b"h" * 16, "purpose": "analytics.statistics", "state": "granted", "kind": "explicit", "effective_at": 0,
        "received_at": 0,
    },
    "notice": {"id": "n", "version": "1", "texts": "{}", "purposes": "[]", "published_at": 0},
    "log_entry": {"seq": 1, "at": 0, "kind": "system", "commitment": b"c" * 32, "leaf_hash": b"l" * 32},
    "log_node": {"level": 1, "position": 0, "hash": b"n" * 32},
    "checkpoint": {"at": 0, "size": 1, "note": "x"},
    "cosignature": {"size": 1, "witness": "w", "key": "k", "at": 0, "line": "x", "entry": 2},
    "charge": {"release_id": "rel_1", "month": 202601, "rho_nano": 5, "delta_units": 0, "charged_at": 0},
    "consent_head": {"id": 1, "seq": 7},
    "log_head": {"id": 1, "size": 7, "frontier": b""},
    "log_payload": {"seq": 1, "salt": b"s" * 32, "payload": b"p", "actor": "a", "action": "b"},
    "budget_month": {"month": 202601, "cap_nano": 100, "spent_nano": 50, "delta_cap": 10, "delta_spent": 5},
    "release": {
        "id": "rel_1", "question_hash": b"q" * 32, "question": "{}", "state": "answered", "rho_nano": 5, "answer": "{}", "asked_by": "a",
        "holder": "h", "reserved_at": 0,
    },
}  # fmt: skip
APPEND_ONLY = ("dossier", "agreement", "consent_event", "notice", "log_entry", "log_node", "checkpoint", "cosignature", "charge")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """A platform store at its newest revision with one row in every guarded table; what is refused is rolled back, so tests share it."""
    opened = sqlite_stores() if request.param == "sqlite" else postgres_stores(request.getfixturevalue("postgres_server"))
    with opened as stores:
        store = stores.platform()
        _fill(store)
        yield store


def _fill(store: Store) -> None:
    with store.begin() as tx:
        run.upgrade(tx, "platform")
        for table, row in ROWS.items():
            tx.execute(sa.table(table, *map(sa.column, row)).insert().values(row))
    return store


def refused(store: Store, statement: str) -> None:
    with pytest.raises(sa.exc.IntegrityError), store.begin() as tx:
        tx.exec_driver_sql(statement)


def count(store: Store, table: str) -> int:
    with store.read() as tx:
        return int(tx.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())


def test_evidence_and_totals_are_never_deleted(store: Store) -> None:
    for table in ROWS:
        refused(store, f"DELETE FROM {table}")
        assert count(store, table) == 1, table


def test_evidence_is_never_changed(store: Store) -> None:
    changes = {
        "dossier": "kind",
        "agreement": "notice",
        "consent_event": "purpose",
        "notice": "version",
        "log_entry": "kind",
        "checkpoint": "note",
        "cosignature": "line",
        "charge": "release_id",
    }
    for table, column in changes.items():
        refused(store, f"UPDATE {table} SET {column} = 'changed'")
    refused(store, "UPDATE log_node SET position = 5")
    assert set(changes) | {"log_node"} == set(APPEND_ONLY)


def test_evidence_is_not_replaced_or_truncated(store: Store) -> None:
    """SQLite's INSERT OR REPLACE deletes without a DELETE; PostgreSQL has TRUNCATE."""
    if store.on_sqlite:
        refused(store, "INSERT OR REPLACE INTO log_node (level, position, hash) VALUES (1, 0, x'00')")
        refused(
            store,
            "INSERT OR REPLACE INTO budget_month (month, cap_nano, spent_nano, delta_cap, delta_spent) VALUES (202601, 100, 0, 10, 0)",
        )
    else:
        for table in ROWS:
            refused(store, f"TRUNCATE {table}")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE consent_head SET seq = 6",
        "UPDATE log_head SET size = 6",
        "UPDATE budget_month SET cap_nano = 101",
        "UPDATE budget_month SET spent_nano = 49",
        "UPDATE budget_month SET delta_spent = 4",
        "UPDATE release SET answer = '[]'",
        "UPDATE release SET state = 'pending', answer = NULL",
    ],
)
def test_a_counter_never_goes_back_and_an_answer_never_changes(store: Store, statement: str) -> None:
    refused(store, statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE consent_head SET seq = 8",
        "UPDATE log_head SET size = 8",
        "UPDATE budget_month SET cap_nano = 99, spent_nano = 51",
        "UPDATE log_payload SET salt = NULL, payload = NULL, erased_at = 1",
    ],
)
def test_what_the_program_itself_does_is_allowed(store: Store, statement: str) -> None:
    with store.begin() as tx:
        step = tx.begin_nested()
        assert tx.exec_driver_sql(statement).rowcount == 1
        step.rollback()
