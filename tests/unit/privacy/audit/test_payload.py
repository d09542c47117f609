"""What the log takes and what it refuses to be told."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

import pytest

from privacy.audit import payload
from privacy.errors import Invalid
from privacy.vocabulary import LogKind, Reason

AT = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)


def _facts(**facts: Any) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(payload.payload_bytes("batch.stored", "system", "ok", facts))
    return dict(said["facts"])


def test_counts_codes_ids_digests_and_instants_are_facts() -> None:
    given = {
        "received": 100,
        "cached": True,
        "purpose": "analytics.statistics",
        "country": "CN",
        "source": "src_0123456789abcdef",
        "handle": bytes(16),
        "verdicts": bytes(32),
        "root": "ab" * 32,
        "month": "2026-05",
        "day": date(2026, 5, 31),
        "at": AT,
        "reasons": {Reason.MINOR: 2, "consent_missing": 1},
        "charged": {202605: 5_000_000},
        "months": (202604, 202605),
        "purposes": frozenset({"b", "a"}),
        "nothing": None,
    }
    said = _facts(**given)
    assert said["handle"] == "00" * 16
    assert said["at"] == "2026-06-15T04:30:00.000000Z"
    assert said["day"] == "2026-05-31"
    assert said["reasons"] == {"minor": 2, "consent_missing": 1}
    assert said["charged"] == {"202605": 5_000_000}
    assert said["months"] == [202604, 202605]
    assert said["purposes"] == ["a", "b"]
    assert "nothing" not in said


@pytest.mark.parametrize(
    "value",
    [
        "13800138000",
        "+8613800138000",
        "a13800138000",
        "lihua@example.com",
        "11010519491231002X",
        "李华",
        "Li Hua",
        "two words",
        "MTM4MDAxMzgwMDA",
        "",
        "a" * 65,
        "src_1380013800",
        "x\n",
        1.5,
        2**63,
        object(),
        b"short",
        [["nested"]],
        {"a b": 1},
        {"13800138000": 1},
        {13800138000: 1},
        {"a": {"b": 1}},
        AT.replace(tzinfo=None),
        list(range(1_001)),
    ],
)
def test_nothing_that_could_be_a_person_is_a_fact(value: Any) -> None:
    with pytest.raises((Invalid, ValueError)) as caught:
        _facts(thing=value)
    assert not isinstance(value, str) or not value or value not in str(caught.value)


@pytest.mark.parametrize(
    ("action", "actor", "result"), [("Batch Stored", "system", "ok"), ("a", "lihua@example.com", "ok"), ("a", "system", "it failed")]
)
def test_the_frame_of_an_entry_is_made_of_codes_too(action: str, actor: str, result: str) -> None:
    with pytest.raises(Invalid) as caught:
        payload.payload_bytes(action, actor, result, None)
    assert caught.value.code == "log_fact"


@pytest.mark.parametrize("actor", ["system", "cli", "usr_0123456789abcdef", "source:src_0123456789abcdef", "job:job_0123456789ab"])
def test_actors_are_words_or_ids(actor: str) -> None:
    assert json.loads(payload.payload_bytes("a", actor, "ok", None))["actor"] == actor


def test_fact_names_are_plain_and_few() -> None:
    for facts in ({"Bad Name": 1}, {"lihua@example.com": 1}, {f"n{number}": 1 for number in range(33)}):
        with pytest.raises(Invalid) as caught:
            payload.payload_bytes("a", "system", "ok", facts)
        assert caught.value.field in ("name", "facts")


def test_only_a_sentence_may_be_a_text() -> None:
    assert _facts(reason=payload.Sentence("她要求更正 her address"))["reason"] == "她要求更正 her address"
    for text in ("", "x" * 501):
        with pytest.raises(Invalid):
            _facts(reason=payload.Sentence(text))


def test_equal_facts_have_equal_bytes_whatever_their_order() -> None:
    one = payload.payload_bytes("a", "system", "ok", {"x": 1, "y": {"p": 1, "q": 2}})
    two = payload.payload_bytes("a", "system", "ok", {"y": {"q": 2, "p": 1}, "x": 1})
    assert one == two
    assert b" " not in one


def test_the_commitment_hides_behind_its_salt_and_binds_the_payload() -> None:
    salts = bytes(32), bytes([1]) * 32
    assert len({payload.commitment(salt, text) for salt in salts for text in (b"a", b"b")}) == 4
    with pytest.raises(ValueError):
        payload.commitment(b"short", b"a")


def test_a_leaf_is_the_canonical_json_of_what_a_witness_may_see() -> None:
    leaf = payload.leaf_bytes(7, AT, LogKind.READ, bytes(32))
    assert leaf == payload.canonical({"seq": 7, "ts": "2026-06-15T04:30:00.000000Z", "kind": "read", "c": "00" * 32})


def test_a_stamp_is_utc_whatever_the_zone_and_an_instant_without_zone_is_refused() -> None:
    assert payload.stamp(AT.astimezone(timezone(timedelta(hours=8)))) == payload.stamp(AT)
    with pytest.raises(ValueError):
        payload.stamp(AT.replace(tzinfo=None))


def test_the_log_has_at_most_twelve_kinds() -> None:
    """law_rules E-6: kinds are public to a witness."""
    assert len(payload.KINDS) <= 12
    assert issubclass(LogKind, StrEnum)
