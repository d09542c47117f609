"""The papers of the demonstration's retailer: a processor, its agreement, and drafts of assessments that wait for an officer.

Promise: nobody in it exists; nothing is approved, because one program cannot be two officers: the first thing an officer sees to do is real.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.wiring import Services

ACTOR = "demo"
PURPOSE = "marketing.channel.sms"
RECIPIENT = {
    "key": "lantern-sms",
    "name_en": "Lantern Messages (invented)",
    "name_zh": "灯影短信（虚构）",
    "contact": "privacy@lantern-messages.example",
    "country": "CN",
    "kind": "processor",
    "purposes": [PURPOSE],
    "method": "Sealed lists over HTTPS; deleted after 30 days · 通过 HTTPS 传输密封名单，30 天后删除",
    "categories": ["phone"],
}
MEASURES = "Encrypted at rest, two people have access, no copies · 静态加密，双人访问，不留副本"
PROFILING = {
    "title": "Marketing by automated decision · 自动化决策营销",
    "kinds": ["automated"],
    "scope": ["purpose:marketing.profiling"],
    "lawfulness": "Consent to the purpose alone; segments need purchases of twelve months and nothing more. 仅依据同意；只用近十二个月消费。",
    "impact": "Somebody could be offered less than others; no price depends on it, nobody under 18 is in it. 可能造成差别待遇；不影响价格。",
    "measures": "Objection at once, a list without personal features, numbers only with noise. 可随时拒绝，提供非个性化名单，数字仅以差分隐私发布。",
    "conclusion": "proceed_with_measures",
}
ENTRUSTING = {
    "title": "Messages sent by a processor · 委托发送短信",
    "kinds": ["entrusting"],
    "scope": ["recipient:lantern-sms"],
    "lawfulness": "Consent to the channel; without the processor no message can be sent. 依据渠道同意；不委托则无法发送。",
    "impact": "A leak would tell who is a member; telephone numbers only. 泄露将暴露会员身份；仅涉及手机号。",
    "measures": "Sealed for the processor's key, deleted after 30 days, certificate at the end. 以受托方公钥密封，30 天后删除，期满出具证明。",
    "conclusion": "proceed_with_measures",
}


def write(services: Services) -> None:
    """Writes them down, once."""
    if services.recipients.listing():
        return
    today = services.recipients.today()
    made = services.recipients.add(RECIPIENT, actor=ACTOR)
    term = {"starts": (today - timedelta(days=90)).isoformat(), "ends": (today + timedelta(days=275)).isoformat()}
    told = {name: RECIPIENT[name] for name in ("purposes", "method", "categories")}
    services.agreements.add({"recipient": made["id"], "measures": MEASURES, "reference": "LM-1", **told, **term}, actor=ACTOR)
    for draft in (PROFILING, ENTRUSTING):
        services.assessments.add({**draft, "review_by": (today + timedelta(days=365)).isoformat()}, actor=ACTOR)
