"""A house with members whose May and June are in the lake, for the tests of segments and audiences."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from app import jobs
from tests.house import House, bearer, track

SHOP = "shop"
MEMBERS = 30
GRANTED = "2026-04-01T00:00:00+00:00"
MAY = datetime(2026, 5, 20, 4, tzinfo=UTC)
JUNE = datetime(2026, 6, 10, 4, tzinfo=UTC)
VIEWERS = {"count": "events", "where": [{"field": "event", "is": ["product_viewed"]}], "within": {"days": 60}, "at_least": 2}
"""Who looked at two products: in May the first twenty members, by June the first twenty-five."""
BODY = {"name": "Viewers", "purpose": "marketing.profiling", "use": "marketing", "rule": VIEWERS}


def member(number: int) -> str:
    return f"u-{number:03d}"


class Scene:
    """What a test does with the house."""

    def __init__(self, house: House) -> None:
        self.house, self.services = house, house.services
        _, self.key = house.source("shop")
        self.marketer, self.officer = bearer(house.token("marketer")), bearer(house.token("officer"))
        self.allow([member(number) for number in range(MEMBERS)], at=GRANTED)
        viewed = [(number, at) for number in range(20) for at in (MAY, MAY)] + [(number, MAY) for number in range(20, MEMBERS)]
        viewed += [(number, JUNE) for number in range(20, 25) for _ in range(2)]
        told = house.batch([track(n, user=member(number), at=at) for n, (number, at) in enumerate(viewed)], self.key)
        assert told["stored"] == len(viewed), told
        house.flush()

    def allow(
        self, people: Sequence[str], purposes: Sequence[str] = ("marketing.profiling", "analytics.statistics"), state: str = "granted",
        at: str | None = None,
    ) -> None:  # fmt: skip
        answer = self.house.grant(self.key, [("customer_no", one) for one in people], purposes=purposes, state=state, at=at)
        assert answer.status_code == 201, answer.status_code

    def segment(self, rule: dict[str, Any] = VIEWERS, **other: Any) -> dict[str, Any]:
        answer = self.post("/api/segments", BODY | {"rule": rule} | other)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        made: dict[str, Any] = answer.get_json()
        return made

    def post(self, path: str, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None) -> Any:
        return self.house.client.post(path, json=body or {}, headers=headers or self.marketer)

    def get(self, path: str, headers: dict[str, str] | None = None) -> Any:
        return self.house.client.get(path, headers=headers or self.marketer)

    def work(self) -> None:
        """Does the jobs that wait."""
        handlers = self.services.handlers
        while jobs.run_one(self.services.begin_jobs, handlers, "test", clock=self.services.clock):
            pass
        with self.services.read_jobs() as tx:
            failed = jobs.listing(tx, state="failed", limit=10)
        assert not failed, failed

    def case(self, who: str) -> str:
        """An officer's case about a member."""
        body = {"identifier": {"type": "customer_no", "value": who}, "namespace": SHOP, "purpose": "rights_request", "reason": "asked why"}
        answer = self.post("/api/subjects/lookups", body, self.officer)
        assert answer.status_code in (200, 201), answer.get_data(as_text=True)
        case: str = answer.get_json()["case"]
        return case
