"""Clients that sign: what an assertion must say, whoever checks its signature."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.stores import Stores
from ingestion import oauth, registry
from privacy.errors import Invalid, NotFound, Refused
from tests.unit.ingestion.test_registry import RANDOM, add

NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)


def signed(pem: str, message: bytes, signature: bytes) -> bool:
    """A key signs by its own name."""
    return signature == pem.encode()


def assertion(client: str, signature: str = "PEM", **claims: Any) -> str:
    now = int(NOW.timestamp())
    said = {"iss": client, "sub": client, "aud": ["https://here/", "x"], "iat": now, "exp": now + 60, "jti": "1"} | claims
    parts = [json.dumps({"alg": "RS256"}).encode(), json.dumps(said).encode(), signature.encode()]
    return ".".join(base64.urlsafe_b64encode(one).rstrip(b"=").decode() for one in parts)


def exchange(tx: sa.Connection, text: str, now: datetime = NOW) -> oauth.Exchanged:
    return oauth.exchange(tx, text, audiences={"https://here"}, signed=signed, random=RANDOM, now=now)


def test_a_client_of_a_source_gets_a_key_that_opens_it_for_an_hour(stores: Stores) -> None:
    with stores.begin_platform() as tx:
        facts, _ = add(tx)
        client = oauth.add_client(tx, facts.id, "PEM", random=RANDOM, now=NOW)
        assert oauth.clients(tx) == {facts.id: [client]}
        made = exchange(tx, assertion(client))
        assert (made.source_id, made.client_id, made.seconds) == (facts.id, client, 3600)
        found = registry.by_key(tx, made.key, now=NOW + timedelta(minutes=59))
        assert found is not None
        assert found.facts == facts
        assert registry.by_key(tx, made.key, now=NOW + timedelta(hours=1)) is None
        with pytest.raises(Refused) as caught:
            exchange(tx, assertion(client))
        assert caught.value.code == "assertion_used"


@pytest.mark.parametrize(
    "claims", [{"aud": "https://there"}, {"exp": 1}, {"exp": True}, {"exp": 10**12}, {"jti": 5}, {"sub": "x"}, {"signature": "no"}]
)
def test_a_wrong_word_buys_nothing(stores: Stores, claims: dict[str, Any]) -> None:
    with stores.begin_platform() as tx:
        facts, _ = add(tx)
        client = oauth.add_client(tx, facts.id, "PEM", random=RANDOM, now=NOW)
        with pytest.raises(Refused) as caught:
            exchange(tx, assertion(client, **claims))
        assert caught.value.code == "assertion_invalid"


def test_an_ended_client_is_nobody_and_a_clients_key_is_its_sources(stores: Stores) -> None:
    with stores.begin_platform() as tx:
        facts, _ = add(tx)
        other, _ = add(tx, "other", public=True)
        client = oauth.add_client(tx, facts.id, "PEM", random=RANDOM, now=NOW)
        with pytest.raises(NotFound):
            oauth.end_client(tx, other.id, client, now=NOW)
        with pytest.raises(Invalid):
            oauth.add_client(tx, other.id, "PEM", random=RANDOM, now=NOW)
        oauth.end_client(tx, facts.id, client, now=NOW)
        assert oauth.clients(tx) == {}
        with pytest.raises(Refused):
            exchange(tx, assertion(client))


def test_a_disabled_sources_client_is_told_so(stores: Stores) -> None:
    with stores.begin_platform() as tx:
        facts, _ = add(tx)
        client = oauth.add_client(tx, facts.id, "PEM", random=RANDOM, now=NOW)
        registry.disable(tx, facts.id, now=NOW)
        with pytest.raises(Refused) as caught:
            exchange(tx, assertion(client))
        assert caught.value.code == "source_disabled"
