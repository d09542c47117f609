"""The papers of the demonstration's retailer: a processor with its key and agreement, who allows it to be given them, and drafts of assessments
that wait for an officer.

Promise: nobody in it exists; nothing is approved, because one program cannot be two officers: the first thing an officer sees to do is real.
"""

from __future__ import annotations

import csv
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from app import exports

if TYPE_CHECKING:
    from app.wiring import Services
    from ingestion.sources.synthetic.files import Made

ACTOR = "demo"
KEY = "demo-recipient.key"
"""The recipient's private key, which would be at the recipient's: whoever tries the demonstration opens lists with it."""
PURPOSE = "marketing.channel.sms"
SHARE = "share.lantern-sms"
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
OWN = [f"+861990000{number:04d}" for number in range(100)]
"""Telephones that would be the retailer's own, for control rows: by them a leaked list names its recipient. The largest list takes some fifty."""
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


def write(services: Services, home: Path) -> None:
    """Writes them down, once."""
    if services.recipients.listing():
        return
    today = services.recipients.today()
    made = services.recipients.add({**RECIPIENT, "sealing_key": _key(home / KEY)}, actor=ACTOR)
    term = {"starts": (today - timedelta(days=90)).isoformat(), "ends": (today + timedelta(days=275)).isoformat()}
    told = {name: RECIPIENT[name] for name in ("purposes", "method", "categories")}
    services.agreements.add({"recipient": made["id"], "measures": MEASURES, "reference": "LM-1", **told, **term}, actor=ACTOR)
    exports.own(services, "phone", OWN, domain=False, actor=ACTOR)
    for draft in (PROFILING, ENTRUSTING):
        services.assessments.add({**draft, "review_by": (today + timedelta(days=365)).isoformat()}, actor=ACTOR)


def _key(path: Path) -> str:
    """The public key that the recipient's own program makes."""
    path.unlink(missing_ok=True)  # of a run that ended before the recipient was registered
    program = str(files("privacy.identity") / "open.py")
    told = subprocess.run([sys.executable, program, "key", str(path)], check=True, capture_output=True, text=True)  # noqa: S603 - a program of ours
    return told.stdout.strip().rpartition(":")[2]


def with_shares(made: Made) -> Made:
    """The files and, after the acts of consent, those about the processor: whoever allows text messages allows it, too, on the same day."""
    place, consents = next((place, one) for place, one in enumerate(made.files, 1) if one.name == "consents")
    with consents.path.open(encoding="utf-8-sig", newline="") as source:
        acts = list(csv.DictReader(source))
    told = [one | {"act": f"s-{one['act']}", "purpose": SHARE} for one in acts if one["purpose"] == PURPOSE]
    path = consents.path.with_name("shares.csv")
    with path.open("w", encoding="utf-8", newline="") as target:
        lines = csv.DictWriter(target, list(acts[0]))
        lines.writeheader()
        lines.writerows(told)
    expected = consents.expected and replace(consents.expected, stored=len(told))
    file = replace(consents, name="shares", path=path, rows=len(told), expected=expected)
    return replace(made, files=(*made.files[:place], file, *made.files[place:]))
