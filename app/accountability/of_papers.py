"""Controls of recipients, agreements, assessments and incidents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.accountability.controls import Control, Finding, attention_if, broken_if

if TYPE_CHECKING:
    from app.wiring import Services

ACTIVE = "active"


def _agreement_active(services: Services) -> Finding:
    """Active sharing with an agreement that is missing, over, or about something else."""
    return broken_if(sum(1 for one in services.recipients.standing() if one["status"] == ACTIVE and one["agreement"] != "in_force"))


def _agreement_ending(services: Services) -> Finding:
    return attention_if(sum(1 for one in services.agreements.listing() if one["state"] == "ending"))


def _agreement_certificate(services: Services) -> Finding:
    """Agreements that are over, without another one with the same recipient, and without the certificate of return or deletion."""
    known = services.agreements.listing()
    running = {one["recipient"] for one in known if one["state"] in ("current", "ending", "not_yet")}
    return broken_if(sum(1 for one in known if one["state"] == "over" and one["recipient"] not in running))


def _recipient_mechanism(services: Services) -> Finding:
    open_ = [one for one in services.recipients.standing() if one["status"] not in ("ended", "proposed")]
    return broken_if(sum(1 for one in open_ if one["mechanism_missing"]))


def _recipient_key(services: Services) -> Finding:
    """Lists leave only sealed: without a key nothing can be delivered."""
    return attention_if(sum(1 for one in services.recipients.standing() if one["status"] == ACTIVE and not one["sealing_key"]))


def _foreign_legal(services: Services) -> Finding:
    open_ = [one for one in services.recipients.listing() if one["status"] != "ended"]
    return broken_if(sum(1 for one in open_ if "foreign_legal_request" in one["purposes"] and not one["foreign_approval"]))


def _assessment_recipients(services: Services) -> Finding:
    return broken_if(sum(1 for one in services.recipients.standing() if one["status"] == ACTIVE and one["assessments_missing"]))


def _assessment_review(services: Services) -> Finding:
    return broken_if(sum(1 for one in services.assessments.listing() if one["standing"] == "review_due"))


def _assessment_waiting(services: Services) -> Finding:
    return attention_if(sum(1 for one in services.assessments.listing() if one["standing"] == "draft"))


def _incident_clocks(services: Services) -> Finding:
    """Clocks of incidents that ran out before anybody was told, and those that run, of incidents that are open."""
    open_ = [one for one in services.incidents.listing() if one["state"] != "closed"]
    late = sum(1 for one in open_ for clock in one["clocks"] if clock["state"] == "late" and clock["done_at"] is None)
    running = sum(1 for one in open_ for clock in one["clocks"] if clock["state"] == "running")
    return broken_if(late) if late else attention_if(running)


CONTROLS = (
    Control(
        "agreement_active",
        "PIPL 20, 21, 23; 网数 12",
        "Does an agreement in force cover every active recipient?",
        "每个启用的接收方是否都有有效协议？",
        "/recipients",
        _agreement_active,
    ),
    Control(
        "agreement_ending",
        "网数 12",
        "Does no agreement end within thirty days?",
        "是否没有协议将在三十天内到期？",
        "/recipients",
        _agreement_ending,
    ),
    Control(
        "agreement_certificate",
        "PIPL 21(3)",
        "Is there a certificate of return or deletion for every agreement that is over?",
        "每份终止的协议是否都有返还或删除证明？",
        "/recipients",
        _agreement_certificate,
    ),
    Control(
        "recipient_mechanism",
        "PIPL 38",
        "Does every recipient abroad rest on a mechanism?",
        "每个境外接收方是否都有出境机制？",
        "/recipients",
        _recipient_mechanism,
    ),
    Control(
        "recipient_key",
        "PIPL 51",
        "Does every active recipient have a key that lists are sealed for?",
        "每个启用的接收方是否都登记了封装密钥？",
        "/recipients",
        _recipient_key,
    ),
    Control(
        "foreign_legal",
        "PIPL 41",
        "Does nothing go to a foreign authority without an approval?",
        "是否未经批准不向境外司法或执法机构提供？",
        "/recipients",
        _foreign_legal,
    ),
    Control(
        "assessment_recipients",
        "PIPL 55(3), (4)",
        "Is every active recipient covered by approved assessments?",
        "每个启用的接收方是否都有已批准的影响评估？",
        "/assessments",
        _assessment_recipients,
    ),
    Control(
        "assessment_review",
        "PIPL 56",
        "Is no approved assessment past its review?",
        "是否没有已批准的评估超过复审日期？",
        "/assessments",
        _assessment_review,
    ),
    Control(
        "assessment_waiting",
        "PIPL 55",
        "Does no assessment wait for a second officer?",
        "是否没有评估在等待另一位负责人批准？",
        "/assessments",
        _assessment_waiting,
    ),
    Control(
        "incident_clocks",
        "PIPL 57; GDPR 33, 34",
        "Was everybody told in time of every incident?",
        "每起事件是否都已按时报告和告知？",
        "/incidents",
        _incident_clocks,
    ),
)
