"""Which endpoint reads which kind of source."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from app.wiring import formats
from ingestion import strictjson
from privacy.errors import Invalid
from privacy.records import SourceFacts

NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)


def source(kind: str) -> SourceFacts:
    return SourceFacts("src_a", "a", kind, False, frozenset({"analytics.statistics"}))


@pytest.mark.parametrize("kind", ["webhook", "sensors", "mini_program", "segment"])
@pytest.mark.parametrize("request_", ["orders", "sensors", "batch", "track"])
def test_a_kind_is_read_at_its_own_endpoint(kind: str, request_: str) -> None:
    right = {"webhook": ("orders",), "sensors": ("sensors",), "mini_program": ("batch", "track")}.get(kind, ())
    parsed = strictjson.loads(json.dumps({"batch": [{}]}).encode())
    assert formats.concerns(source(kind), request_) is (kind != "segment" or request_ in ("orders", "sensors"))
    if kind == "segment" and request_ in ("batch", "track"):
        return
    if request_ in right:
        raw = formats.read(source(kind), request_, parsed, now=NOW, request_id="req_1")
        assert len(raw.items or ()) == 1
        return
    with pytest.raises(Invalid) as caught:
        formats.read(source(kind), request_, parsed, now=NOW, request_id="req_1")
    assert caught.value.code == "wrong_endpoint"


def test_bodies_become_batches_item_by_item() -> None:
    assert json.loads(formats.unpacked("orders", b' {"id": 1} ', 99)) == {"batch": [{"id": 1}]}
    assert json.loads(formats.unpacked("sensors", b"[1, 2]", 99)) == {"batch": [1, 2]}


@pytest.mark.parametrize("kind", formats.KINDS)
def test_held_messages_are_read_by_their_own_adapter(kind: str) -> None:
    raw = formats.replayed(source(kind), [b"{}", b"[]"], now=NOW)
    assert len(raw.items or ()) == 2
