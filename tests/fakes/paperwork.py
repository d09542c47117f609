"""Papers of an invented retailer for tests: a recipient, its agreement, an assessment, an incident."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from app.wiring import Services

ADA, BOB = "usr_ada0000000000", "usr_bob0000000000"
AGENCY: dict[str, Any] = {
    "key": "lantern-sms",
    "name_en": "Lantern Messages (invented)",
    "name_zh": "灯影短信（虚构）",
    "contact": "privacy@lantern-messages.example",
    "country": "CN",
    "kind": "processor",
    "purposes": ["marketing.channel.sms"],
    "method": "sealed list over HTTPS, deleted after 30 days",
    "categories": ["phone"],
}
ABROAD: dict[str, Any] = AGENCY | {
    "key": "far-ads",
    "name_en": "Far Ads (invented)",
    "name_zh": "远方广告（虚构）",
    "country": "SG",
    "kind": "independent",
    "purposes": ["marketing.channel.email"],
    "categories": ["email"],
}
ASSESSMENT: dict[str, Any] = {
    "title": "Messages by a processor",
    "kinds": ["entrusting"],
    "scope": ["recipient:lantern-sms"],
    "lawfulness": "Consent to the channel; without the processor no message can be sent.",
    "impact": "A leak would tell who is a member; telephone numbers only.",
    "measures": "Sealed for the processor's key, deleted after 30 days, certificate at the end.",
    "conclusion": "proceed_with_measures",
    "review_by": "2027-06-01",
}
INCIDENT: dict[str, Any] = {
    "title": "A list was sent to the wrong address",
    "what": "The sealed list of a campaign went to a former contact.",
    "discovered_at": "2026-06-15T03:00:00+00:00",
    "level": "larger",
    "harm": "possible",
    "network": True,
    "regimes": ["CN", "EU"],
    "categories": ["phone"],
    "cause": "An address was not renewed.",
}


def agreement(recipient: str, **changes: Any) -> dict[str, Any]:
    """An agreement with a recipient that covers what `AGENCY` is for."""
    return {
        "recipient": recipient,
        "starts": "2026-01-01",
        "ends": "2026-12-31",
        "purposes": AGENCY["purposes"],
        "method": AGENCY["method"],
        "categories": AGENCY["categories"],
        "measures": "Encryption at rest, access by two people, no copy.",
    } | changes


def approved(services: Services, **changes: Any) -> str:
    """An assessment that one officer wrote and another approved; its id."""
    made = services.assessments.add(ASSESSMENT | changes, actor=ADA)
    services.assessments.approve(made["id"], seen=1, actor=BOB)
    return str(made["id"])


def active(services: Services, given: dict[str, Any] = AGENCY, **changes: Any) -> str:
    """A recipient to which data may go; its id."""
    given = given | changes
    made = services.recipients.add(given, actor=ADA)
    term = {"purposes": given["purposes"], "categories": given["categories"]}
    today = services.recipients.today()
    term |= {"starts": (today - timedelta(days=100)).isoformat(), "ends": (today + timedelta(days=200)).isoformat()}
    services.agreements.add(agreement(made["id"], **term), actor=ADA)
    kinds = ["entrusting", "sharing", "crossborder", "sensitive", "automated"]
    approved(services, kinds=kinds, scope=[f"recipient:{given['key']}"], review_by=(today + timedelta(days=300)).isoformat())
    services.recipients.set_status(made["id"], "active", seen=1, actor=ADA)
    return str(made["id"])


def furnish(services: Services) -> dict[str, str]:
    """One paper of each kind and a pack, by the names that addresses use."""
    recipient = active(services, ABROAD, mechanism="standard_contract")
    services.recipients.add(AGENCY, actor=ADA)
    ended = services.agreements.add(agreement(recipient, starts="2025-01-01", ends="2025-12-31"), actor=ADA)
    made = services.incidents.add(INCIDENT | {"discovered_at": services.clock().isoformat()}, actor=ADA)
    services.incidents.by_type(made["id"], "phone", actor=ADA)
    draft = services.assessments.add(ASSESSMENT, actor=ADA)
    return {"recipient": recipient, "agreement": ended["id"], "assessment": draft["id"], "incident": made["id"]}
