"""What each role may, and bodies that are good enough to reach the question whether it may: for the walk over every route."""

from __future__ import annotations

from typing import Any

from tests.flow.matrix import PHONE, WHY

ALLOWED: dict[str, set[str]] = {
    "integrator": {
        "account.own", "dictionary.read", "exact.read", "import.read", "import.run", "job.read", "log.own", "metrics.read", "purpose.read",
        "quarantine.read",
        "quarantine.replay", "source.edit", "source.read", "verdict.read",
    },
    "marketer": {
        "account.own", "budget.read", "export.ask", "export.read", "job.read", "log.own", "report.ask", "report.read", "segment.edit",
        "segment.read",
    },
    "officer": {
        "accountability.edit", "accountability.read",
        "budget.edit",
        "delivery.edit", "delivery.read",
        "account.own", "budget.read", "consent.edit", "consent.read", "dictionary.edit", "dictionary.read", "exact.read",
        "export.approve", "export.read", "export.take", "export.trace", "import.read", "job.read",
        "log.bundle", "log.own", "log.read", "log.verify", "log.witness", "metrics.read", "minor.approve",
        "person.find", "person.merge", "person.reveal", "person.unmerge", "purpose.edit",
        "purpose.read", "quarantine.read", "report.read", "request.edit", "request.read", "segment.exact",
        "segment.read", "source.read",
    },
    "administrator": {
        "account.own", "dictionary.read", "import.read", "job.edit", "job.read", "key.edit", "log.health", "metrics.read",
        "purpose.read", "quarantine.read", "settings.read", "source.read", "user.edit",
    },
}  # fmt: skip

BODIES: dict[str, Any] = {
    "/api/sources": {"name": "another", "kind": "segment"},
    "/api/tokens": {},
    "/api/users": {"email": "somebody@example.com", "role": "marketer"},
    "/api/users/<user_id>/links": {},
    "/api/tokens/redemptions": {"code": "x" * 43},
    "/api/quarantine/replays": {"source": "web"},
    "/api/imports": {"source": "web", "format": "csv", "size": 1, "sha256": "0" * 64},
    "/api/imports/<import_id>/mapping": {"mapping": "record = 'store'"},
    "/api/imports/<import_id>/guesses": {},
    "/api/imports/<import_id>/trials": {},
    "/api/reports/quotes": {"kind": "store_month"},
    "/api/reports": {"kind": "store_month"},
    "/api/audit/cosignatures": {"note": "x"},
    "/api/audit/packs": {"scope": "period", "since": "2026-06-01"},
    "/api/requests": {"identifier": {"type": "phone", "value": PHONE}, "right": "access", "channel": "api", "reason": WHY["reason"]},
    "/api/exports": {
        "segment": "seg_x", "recipient": "rec_x", "form": "sms", "fields": ["phone"], "justification": "For the tea.",
        "expires_at": "2026-07-01T00:00:00Z",
    },
    "/api/exports/<export_id>/rejections": {"reason": "too much"},
    "/api/exports/controls": {"type": "phone", "values": ["+8613900000000"]},
    "/api/exports/bars": {"identifiers": [{"type": "phone", "value": PHONE}], "channel": "sms"},
    "/api/requests/<number>/acts": {"act": "gather"},
    "/api/subjects/lookups": {"identifier": {"type": "phone", "value": PHONE}, **WHY},
    "/api/subjects/cases/<case_id>/reveals": {"ref": "00" * 16, **WHY},
    "/api/subjects/cases/<case_id>/decisions": {"purpose": "analytics.statistics", "state": "withdrawn", "collection": "paper"},
    "/api/subjects/cases/<case_id>/approvals": {"reason": WHY["reason"]},
    "/api/minors/<case_id>/answers": {"approve": True},
    "/api/subjects/reasons": {"handle": "00" * 16, **WHY},
    "/api/subjects/unmerges": {"handle": "00" * 16, "merge": "mrg_" + "00" * 16, **WHY},
    "/api/subjects/proposals/acceptances": {"proposal": "prp_" + "00" * 16, **WHY},
    "/api/subjects/proposals/dismissals": {"proposal": "prp_" + "00" * 16, **WHY},
}  # fmt: skip
