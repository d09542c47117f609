"""The verification where the log is stored: every copy of what an entry says has to agree with it; the attacks are in `test_verify`."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

import pytest

from app.stores import Stores
from privacy.audit.log import AuditLog, head
from privacy.audit.reading import evidence, nodes
from privacy.audit.stored import verify

NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)


@pytest.fixture
def entries(on_sqlite: Stores) -> list[dict[str, Any]]:
    log = AuditLog(lambda: NOW, os.urandom)
    with on_sqlite.begin_platform() as tx:
        for number in range(5):
            log(tx, "read", "person.find", actor="usr_000000000001", result="unknown", facts={"purpose": "complaint", "n": number})
        assert verify(evidence(tx), nodes=nodes(tx), head=head(tx))["ok"]
        return list(evidence(tx))


@pytest.mark.parametrize("place", range(5))
def test_each_column_by_which_an_entry_is_found_is_what_its_payload_says(entries: list[dict[str, Any]], place: int) -> None:
    """Actor, action, subject, purpose and result."""
    entries[3]["found_by"] = [*entries[3]["found_by"][:place], "other", *entries[3]["found_by"][place + 1 :]]
    told = verify(entries)
    assert (told["ok"], told["first_bad"], told["reason"]) == (False, 3, "search_columns")


def test_a_stored_leaf_hash_is_that_of_its_entry(entries: list[dict[str, Any]]) -> None:
    entries[2]["leaf"] = "00" * 32
    assert (verify(entries)["first_bad"], verify(entries)["reason"]) == (2, "leaf")


def test_a_stored_head_of_another_length_or_root_is_found(entries: list[dict[str, Any]]) -> None:
    assert verify(entries, head=(4, b""))["first_bad"] == 4
    assert verify(entries, head=(6, b""))["reason"] == "truncated"
    assert verify(entries, head=(5, bytes(32)))["reason"] == "head_root"


def test_subtrees_that_are_left_over_are_found(entries: list[dict[str, Any]]) -> None:
    assert verify(entries, nodes=[(1, 0, bytes(32))])["reason"] == "node"
