"""The same key with the same body reads the same answer for a day; with another body it is a conflict."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from app.stores import Stores
from privacy.consent import requests
from privacy.errors import Conflict

KEY, BODY = requests.digest("who", "key"), requests.digest(b"body", 1, None)


def test_an_answer_is_remembered_for_a_day(stores: Stores, now: datetime) -> None:
    with stores.begin_platform() as tx:
        assert requests.answered(tx, KEY, BODY, now) is None
        requests.remember(tx, KEY, BODY, [{"index": 0}], now)
        assert requests.answered(tx, KEY, BODY, now + timedelta(hours=23)) == [{"index": 0}]
        assert requests.answered(tx, KEY, BODY, now + timedelta(hours=24)) is None
        requests.remember(tx, KEY, BODY, [], now + timedelta(hours=25))


def test_the_same_key_for_another_body_is_a_conflict(stores: Stores, now: datetime) -> None:
    with stores.begin_platform() as tx:
        requests.remember(tx, KEY, BODY, [], now)
        with pytest.raises(Conflict) as refused:
            requests.answered(tx, KEY, requests.digest(b"other"), now)
        assert refused.value.code == "idempotency_mismatch"


def test_parts_of_a_digest_do_not_run_into_each_other() -> None:
    assert len({requests.digest("ab", "c"), requests.digest("a", "bc"), requests.digest("abc"), requests.digest("abc", None)}) == 4
