"""A segment with a bought size and an audience of it, for pages that show them."""

from __future__ import annotations

from app import audiences, reaching, segments
from app.reaching import Wanted
from app.wiring import Services

RULE = {
    "all": [
        {"stage": ["prospect", "new"]},
        {"any": [{"profile": "sex", "is": ["female"]}, {"count": "events", "within": {"days": 90}, "at_most": 50}]},
    ]
}


def furnish(services: Services, actor: str) -> dict[str, str]:
    """By the names that addresses use."""
    body = {"name": "Newcomers", "purpose": "marketing.profiling", "use": "marketing", "rule": RULE}
    made = segments.add(services, body, actor=actor)
    segments.change(services, made["id"], {"name": "New faces"}, seen=1, actor=actor)
    reaching.ask(services, Wanted(made["id"]), asked_by=actor)
    kept = audiences.make(services, {"segment": made["id"]}, actor=actor)
    services.kept.refresh(kept["id"], segments.audience(services, made["id"]), actor=actor)
    return {"segment": made["id"], "audience": kept["id"]}
