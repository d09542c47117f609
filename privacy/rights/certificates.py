"""What a certificate of erasure says: which stores were looked at again, what stays and by which law, what nobody can take back.

Promise: pure; built of counts, codes and instants, so that no word of it leads to the person; the same facts give the same bytes. The
signature is the receipts' key's, under a type of its own. Must never learn an identifier, a handle or a key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from privacy.rights.erasures import Erasure

SCHEMA: Final = "piying-erasure-1"
TYPE: Final = "erasure-certificate+jws"
EVIDENCE_YEARS: Final = 3

STATEMENTS: Final = (
    {
        "code": "releases_stay",
        "law": "PIPL 15(2)",
        "en": "Protected statistics that were released before stay: they were drawn with differential privacy and tell of nobody.",
        "zh": "此前已发布的差分隐私统计结果予以保留：其中不含任何个人的信息。",
    },
    {
        "code": "sale_is_the_sources",
        "law": "电子商务法 31",
        "en": "The record of a sale, where a law keeps it, is in the source system; it is not here.",
        "zh": "依法保存的交易记录位于来源系统，不在本平台。",
    },
)
"""What a certificate says besides counts."""


def kept(*, evidence: int, marks: int, data_key_days: int, now: datetime) -> list[dict[str, Any]]:
    """What must stay: what it is, why and by which law. `until` is a promise; where it is null nothing ends it, and not before `at_least`."""
    years = now.replace(year=now.year + EVIDENCE_YEARS, day=min(now.day, 28)).date().isoformat()
    copies = (now + timedelta(days=data_key_days)).date().isoformat()
    lines = (
        ("consent_evidence", evidence, "evidence", "PIPL 14, 55, 56; GDPR 7(1)", years, None),
        ("tombstones", marks, "suppression", "PIPL 47; GDPR 17", years, None),
        ("log_frames", 0, "accountability", "PIPL 54; 网数 12", years, None),
        ("backups_of_data_keys", 0, "backup", "PIPL 47(2)", None, copies),
    )
    names = ("what", "rows", "why", "law", "at_least", "until")
    return [dict(zip(names, line, strict=True)) for line in lines]


def statement(
    erasure: Erasure, facts: Mapping[str, Any], *, controller: Mapping[str, str], log: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """The whole statement that is signed. `facts` holds "stores" and "kept"."""
    return {
        "schema": SCHEMA,
        "erasure": erasure.id,
        "request": erasure.request,
        "controller": dict(controller),
        "begun_at": erasure.begun_at.isoformat(),
        "completed_at": now.isoformat(),
        "replay": erasure.replay,
        "steps": [{"step": name, "at": at.isoformat(), "counts": dict(counts)} for name, (at, counts) in erasure.steps.items()],
        "stores": list(facts["stores"]),
        "kept": list(facts["kept"]),
        "statements": list(STATEMENTS),
        "log": dict(log),
    }


def canonical(document: Mapping[str, Any]) -> bytes:
    """Canonical JSON: sorted keys, no blanks."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
