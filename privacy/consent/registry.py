"""The register of purposes and notices: what a purpose rests on in law, and the words that people were shown.

Promise: every purpose has one legal ground in each jurisdiction that it serves; a notice is named by the hash of its own text, so a text
changed in place no longer matches its name. It must never learn who consented to anything.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy.errors import Conflict, Invalid
from privacy.orm import Instant, PlatformBase
from privacy.vocabulary import ANALYTIC_PURPOSES, PROFILING, PURPOSE_FAMILIES, STATISTICS, Ground

GROUNDS: Mapping[str, Mapping[Ground, str]] = {
    "CN": {
        Ground.CONSENT: "PIPL 13(1)(1)",
        Ground.SEPARATE_CONSENT: "PIPL 13(1)(1), 23, 25, 26, 29, 39",
        Ground.CONTRACT: "PIPL 13(1)(2)",
        Ground.LEGAL_DUTY: "PIPL 13(1)(3)",
        Ground.PUBLIC_HEALTH: "PIPL 13(1)(4)",
        Ground.PUBLIC_INTEREST: "PIPL 13(1)(5)",
        Ground.PUBLISHED: "PIPL 13(1)(6)",
        Ground.OTHER_LAW: "PIPL 13(1)(7)",
    },
    "EU": {
        Ground.CONSENT: "GDPR 6(1)(a)",
        Ground.SEPARATE_CONSENT: "GDPR 6(1)(a), 9(2)(a), 49(1)(a)",
        Ground.CONTRACT: "GDPR 6(1)(b)",
        Ground.LEGAL_DUTY: "GDPR 6(1)(c)",
        Ground.PUBLIC_INTEREST: "GDPR 6(1)(e)",
        Ground.LEGITIMATE_INTEREST: "GDPR 6(1)(f)",
    },
}
"""Jurisdiction → ground → article. A ground that is not listed does not exist there: CN knows no legitimate interest."""

CONSENT_GROUNDS = frozenset({Ground.CONSENT, Ground.SEPARATE_CONSENT})
CHANNELS = {"sms": "短信", "email": "电子邮件", "push": "应用推送", "wechat": "微信", "phone": "电话"}
_KEY = re.compile(r"[a-z][a-z0-9_]{0,31}(\.[a-z0-9][a-z0-9_-]{0,31}){1,3}")
_LONGEST_KEY = 64
_LONGEST_VALIDITY_DAYS = 3_650
"""Ten years: a longer validity is a mistake in the unit."""


class PurposeRow(PlatformBase):
    __tablename__ = "purpose"

    key: Mapped[str] = mapped_column(sa.String(_LONGEST_KEY), primary_key=True)
    grounds: Mapped[dict[str, str]] = mapped_column(sa.JSON)
    analytic: Mapped[bool]
    separate: Mapped[bool]
    written: Mapped[bool] = mapped_column(sa.Boolean, server_default=sa.false())
    validity_days: Mapped[int | None]
    name_en: Mapped[str] = mapped_column(sa.String(200))
    name_zh: Mapped[str] = mapped_column(sa.String(200))
    created_at: Mapped[datetime] = mapped_column(Instant)


class NoticeRow(PlatformBase):
    __tablename__ = "notice"

    id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    version: Mapped[str] = mapped_column(sa.String(64), unique=True)
    texts: Mapped[dict[str, str]] = mapped_column(sa.JSON)
    purposes: Mapped[list[str]] = mapped_column(sa.JSON)
    content: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    published_at: Mapped[datetime] = mapped_column(Instant)


_PURPOSE: Any = PurposeRow.__table__
_NOTICE: Any = NoticeRow.__table__
_KEYS = sa.select(_PURPOSE.c.key)


@dataclass(frozen=True, slots=True)
class Purpose:
    """`analytic` purposes open the lake; `separate` ones need an act of their own (PIPL 23, 25, 26, 29, 39), `written` ones a signed paper."""

    key: str
    grounds: Mapping[str, str]
    analytic: bool = False
    separate: bool = False
    validity_days: int | None = None
    name: Mapping[str, str] = field(default_factory=dict)
    written: bool = False

    def rests_on_consent(self) -> bool:
        """Whether anywhere the purpose is allowed by consent alone."""
        return any(ground in CONSENT_GROUNDS for ground in self.grounds.values())


@dataclass(frozen=True, slots=True)
class Notice:
    id: str
    version: str
    texts: Mapping[str, str]
    purposes: Sequence[str]
    published_at: datetime
    content: Mapping[str, Any] | None = None


def first_purposes() -> tuple[Purpose, ...]:
    """The purposes at first start (SHAPES). Members of the typed families are added when a recipient, country or category is known."""
    consent = {"CN": Ground.CONSENT.value, "EU": Ground.CONSENT.value}
    separate = {"CN": Ground.SEPARATE_CONSENT.value, "EU": Ground.SEPARATE_CONSENT.value}
    contract = {"CN": Ground.CONTRACT.value, "EU": Ground.CONTRACT.value}
    duty = {"CN": Ground.LEGAL_DUTY.value, "EU": Ground.LEGAL_DUTY.value}
    return (
        Purpose("service.fulfilment", contract, name={"en": "Fulfilling orders and membership", "zh": "履行订单与会员服务"}),
        Purpose("safety.recall", duty, name={"en": "Product safety and recall", "zh": "产品安全与召回"}),
        Purpose(STATISTICS, consent, analytic=True, name={"en": "Statistics", "zh": "统计分析"}),
        Purpose(PROFILING, consent, analytic=True, name={"en": "Segments and models for marketing", "zh": "营销画像与自动化决策"}),
        *(
            Purpose(f"marketing.channel.{channel}", consent, name={"en": f"Marketing by {channel}", "zh": f"{word}营销"})
            for channel, word in CHANNELS.items()
        ),
        Purpose("location.store_arrival", separate, separate=True, name={"en": "Arrival at a store", "zh": "到店位置"}),
    )


def seed(tx: sa.Connection, now: datetime) -> int:
    """Writes the first purposes that are not there yet; what an officer changed stays. Returns how many were new."""
    known = set(tx.execute(sa.select(_PURPOSE.c.key)).scalars())
    fresh = [purpose for purpose in first_purposes() if purpose.key not in known]
    for purpose in fresh:
        tx.execute(sa.insert(_PURPOSE).values(_row(purpose, now)))
    return len(fresh)


def purposes(tx: sa.Connection) -> dict[str, Purpose]:
    """Every registered purpose by its key."""
    rows = tx.execute(sa.select(_PURPOSE).order_by(_PURPOSE.c.key))
    return {
        row.key: Purpose(
            row.key, row.grounds, row.analytic, row.separate, row.validity_days, {"en": row.name_en, "zh": row.name_zh}, row.written
        )
        for row in rows
    }


def purpose_keys(tx: sa.Connection) -> frozenset[str]:
    """The keys of every registered purpose."""
    return frozenset(tx.execute(_KEYS).scalars())


def add_purpose(tx: sa.Connection, purpose: Purpose, now: datetime) -> Purpose:
    """Registers a purpose after `check_purpose`; a key can be taken once."""
    checked = check_purpose(purpose)
    if tx.execute(sa.select(_PURPOSE.c.key).where(_PURPOSE.c.key == checked.key)).first() is not None:
        raise Conflict("a purpose with this key exists", code="purpose_exists", field="key")
    tx.execute(sa.insert(_PURPOSE).values(_row(checked, now)))
    return checked


def check_purpose(purpose: Purpose) -> Purpose:
    """Pure: the purpose as it may be registered, or `Invalid`. Members of a typed family always need separate consent."""
    if len(purpose.key) > _LONGEST_KEY or not _KEY.fullmatch(purpose.key):
        raise Invalid("a purpose's key is words joined by dots", code="purpose_key_invalid", field="key")
    if not purpose.grounds:
        raise Invalid("a purpose needs a legal ground", code="ground_missing", field="grounds")
    for jurisdiction, ground in purpose.grounds.items():
        if jurisdiction not in GROUNDS:
            raise Invalid("this jurisdiction is not known", code="jurisdiction_unknown", field="grounds")
        if ground not in GROUNDS[jurisdiction]:
            raise Invalid("this ground does not exist in this jurisdiction", code="ground_not_in_jurisdiction", field="grounds")
    if purpose.analytic and purpose.key not in ANALYTIC_PURPOSES:
        raise Invalid("only the two analytic purposes open the lake", code="purpose_not_analytic", field="analytic")
    if purpose.validity_days is not None and not 1 <= purpose.validity_days <= _LONGEST_VALIDITY_DAYS:
        raise Invalid("a validity is between one day and ten years", code="validity_invalid", field="validity_days")
    if not (purpose.name.get("en", "").strip() and purpose.name.get("zh", "").strip()):
        raise Invalid("a purpose has a name in both languages", code="name_missing", field="name")
    separate = purpose.separate or Ground.SEPARATE_CONSENT in purpose.grounds.values()
    if purpose.key.split(".", 1)[0] in PURPOSE_FAMILIES:
        separate = True
        if Ground.CONSENT in purpose.grounds.values():
            raise Invalid("this family needs separate consent", code="separate_consent_needed", field="grounds")
    return Purpose(
        purpose.key, dict(purpose.grounds), purpose.analytic, separate, purpose.validity_days, dict(purpose.name), purpose.written
    )


def _row(purpose: Purpose, now: datetime) -> dict[str, Any]:
    return {
        "key": purpose.key,
        "grounds": dict(purpose.grounds),
        "analytic": purpose.analytic,
        "separate": purpose.separate,
        "written": purpose.written,
        "validity_days": purpose.validity_days,
        "name_en": purpose.name["en"],
        "name_zh": purpose.name["zh"],
        "created_at": now,
    }


def notice_hash(version: str, texts: Mapping[str, str], serves: Sequence[str]) -> str:
    """The name of a notice: SHA-256 of its canonical JSON, hexadecimal. Its items are in its texts (`wording.rendered`)."""
    document = {"purposes": sorted(set(serves)), "texts": dict(texts), "version": version}
    return hashlib.sha256(json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()).hexdigest()


def publish_notice(
    tx: sa.Connection,
    version: str,
    texts: Mapping[str, str],
    serves: Sequence[str],
    now: datetime,
    content: Mapping[str, Any] | None = None,
) -> str:
    """Publishes a text for some purposes and returns its hash. The same text again is the same notice; a version is used once."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}", version):
        raise Invalid("a version is letters, digits, dots and dashes", code="notice_version_invalid", field="version")
    if not texts or not all(re.fullmatch(r"[a-z]{2}(-[A-Za-z]{2,8})?", language) and text.strip() for language, text in texts.items()):
        raise Invalid("a notice has a text for each of its languages", code="notice_text_missing", field="texts")
    if not serves or not set(serves) <= purposes(tx).keys():
        raise Invalid("a notice names registered purposes", code="purpose_unknown", field="purposes")
    identity = notice_hash(version, texts, serves)
    taken = tx.execute(sa.select(_NOTICE.c.id).where(_NOTICE.c.version == version)).scalar()
    if taken == identity:
        return identity
    if taken is not None:
        raise Conflict("this version names another text", code="notice_version_taken", field="version")
    row = {
        "id": identity,
        "version": version,
        "texts": dict(texts),
        "purposes": sorted(set(serves)),
        "content": content,
        "published_at": now,
    }
    tx.execute(sa.insert(_NOTICE).values(row))
    return identity


def notices(tx: sa.Connection) -> list[Notice]:
    """Every notice, oldest first."""
    rows = tx.execute(sa.select(_NOTICE).order_by(_NOTICE.c.published_at, _NOTICE.c.version))
    return [Notice(row.id, row.version, row.texts, row.purposes, row.published_at, row.content) for row in rows]


def altered_notices(tx: sa.Connection) -> list[str]:
    """Versions whose stored text no longer has the hash that names it: somebody changed it in place."""
    return [notice.version for notice in notices(tx) if notice_hash(notice.version, notice.texts, notice.purposes) != notice.id]


def notice_names(tx: sa.Connection) -> dict[str, str]:
    """Both names of every notice, its hash and its version, each leading to the hash."""
    rows = list(tx.execute(sa.select(_NOTICE.c.id, _NOTICE.c.version)))
    return {row.version: row.id for row in rows} | {row.id: row.id for row in rows}
