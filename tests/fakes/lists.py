"""A recipient of lists with people who allow it, a list that waits for a second person and one that left, for pages that show them.

Promise: the gate, its delivery and their stores are the house's own; only whom one segment means is told here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from app import deliveries, exports, segments
from privacy.dp import ledger as budget
from privacy.export.counts import Counter
from privacy.records import Audience
from tests.fakes.paperwork import AGENCY
from tests.gatehouse import MONTH, PHONES, Scene
from tests.house import House

POST = AGENCY | {"key": "tea-messages", "name_en": "Tea Messages (invented)", "name_zh": "茶讯（虚构）"}
RHO_NANO = 2_500_000
"""σ = 14.2: a count of 200 fails a minimum of 10 with its margin with a probability below 10⁻¹⁶; the month affords twenty."""
RULE = {"profile": "sex", "is": ["female"]}


class Post(Scene):
    """A scene in a house that is furnished already: the months' accounts stay what they are, other segments mean what they say."""

    def __init__(self, house: House) -> None:
        super().__init__(house, POST)
        self.delivery = self.services.deliveries  # type: ignore[assignment]
        self.door = self.services.__dict__["exports"] = self.gate(minimum=10)
        self.door._counter = Counter(
            begin=self.services.begin_analysis, read=self.services.read_console, cap_nano=self.services.settings.privacy.rho_per_month,
            rho_nano=RHO_NANO,
        )  # fmt: skip

    def open_month(self) -> None:
        with self.services.begin_analysis() as tx:
            budget.settle(tx, [MONTH], self.services.settings.privacy.rho_per_month)

    def audience(self, segment: str) -> Audience:
        return replace(super().audience(segment), use="marketing") if segment in self.segments else self.services.open_audience(segment)

    def means(self, segment: str, phones: Sequence[str] = PHONES) -> str:
        """Says whom a segment means."""
        self.segments[segment] = phones
        return segment

    def ask(self, segment: str, actor: str, days: int = 10) -> str:
        body: dict[str, Any] = {
            "segment": segment, "recipient": self.recipient, "channel": "sms", "form": "sms", "fields": ["phone"],
            "justification": "A message about the new tea", "expires_at": self.services.clock() + timedelta(days=days),
        }  # fmt: skip
        return str(exports.ask(self.services, body, actor=actor)["id"])


def furnish(post: Post, marketer: str, officer: str) -> dict[str, str]:
    """By the names that addresses use: a list that left, out of which two people are being taken, and one that waits."""
    services = post.services
    body = {"name": "Women", "purpose": "marketing.profiling", "use": "marketing", "rule": RULE}
    segment = post.means(str(segments.add(services, body, actor=marketer)["id"]))
    left = post.ask(segment, marketer)
    exports.approve(services, left, actor=officer)
    exports.release(services, left, actor=officer)
    list(exports.take(services, left, actor=officer)[2])
    post.allow(PHONES[:2], post.share, "withdrawn")
    deliveries.carry(services)
    return {"women": segment, "post": post.recipient, "left": left, "waits": post.ask(segment, marketer, days=20)}
