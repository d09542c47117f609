"""The register of processing (个人信息处理活动记录; PIPL 55, GDPR 30), out of live facts: nobody fills in a questionnaire.

Promise: every line is read from what the program itself goes by, so the register cannot say something else than what happens. It holds purposes,
fields, companies, periods and counts of the year's transfers; never a person.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from app import access, acts, facts

if TYPE_CHECKING:
    from app.wiring import Services

COLUMNS = (
    "purpose", "name_en", "name_zh", "ground", "law", "separate", "sources", "categories", "sensitive_fields", "recipients", "countries",
    "kept", "notices", "assessments",
)  # fmt: skip
"""Of an activity as a row."""


def of(services: Services) -> dict[str, Any]:
    """The whole register: activities by purpose, and what they rest on."""
    settings = services.settings
    sources = acts.list_sources(services)
    fields = facts.dictionary()
    purposes = facts.purposes(services)
    told = [{**one, "texts": sorted(one["texts"])} for one in facts.notices(services)]
    standing = services.recipients.standing()
    assessed = services.assessments.listing()
    kept = _kept(services)
    return {
        "controller": {"name": settings.controller.name, "contact": settings.controller.contact},
        "jurisdiction": settings.jurisdiction,
        "activities": [_activity(services, one, sources, fields, told, standing, assessed, kept) for one in purposes],
        "purposes": purposes,
        "notices": [{name: one[name] for name in ("notice", "version", "texts", "purposes", "published_at")} for one in told],
        "sources": [
            {name: one[name] for name in ("source", "name", "kind", "public", "purposes", "on_no_consent", "disabled")} for one in sources
        ],
        "dictionary": fields,
        "recipients": [_recipient(one) for one in standing],
        "transfers": services.recipients.abroad(),
        "assessments": [{name: one[name] for name in ("id", "version", "kinds", "scope", "standing", "review_by")} for one in assessed],
        "retention": kept,
        "stores": facts.inventory(services),
        "roles": {role: sorted(permissions) for role, permissions in access.matrix().items()},
    }


def _activity(
    services: Services,
    purpose: Mapping[str, Any],
    sources: Iterable[Mapping[str, Any]],
    fields: Iterable[Mapping[str, Any]],
    notices: Iterable[Mapping[str, Any]],
    standing: Iterable[Mapping[str, Any]],
    assessed: Iterable[Mapping[str, Any]],
    kept: Mapping[str, str],
) -> dict[str, Any]:
    """One purpose with everything that serves it."""
    key, jurisdiction = purpose["purpose"], services.settings.jurisdiction
    ground = purpose["grounds"].get(jurisdiction, "")
    serving = [one for one in fields if key in one["purposes"] and one["people"]]
    to = [one for one in standing if one["status"] != "ended" and (key in one["purposes"] or key in one["consents_needed"])]
    scopes = {f"purpose:{key}", *(f"recipient:{one['key']}" for one in to)}
    return {
        "purpose": key,
        "name_en": purpose["names"].get("en", ""),
        "name_zh": purpose["names"].get("zh", ""),
        "ground": ground,
        "law": services.articles().get(jurisdiction, {}).get(ground, ""),
        "separate": purpose["separate"],
        "sources": [one["name"] for one in sources if key in one["purposes"] and not one["disabled"]],
        "categories": sorted({one["category"] or one["class"] for one in serving}),
        "sensitive_fields": sorted(f"{one['record']}.{one['field']}" for one in serving if one["class"] == "sensitive"),
        "recipients": [one["key"] for one in to],
        "countries": sorted({one["country"] for one in to}),
        "kept": kept["lake"] if purpose["analytic"] else kept["identity"],
        "notices": [one["version"] for one in notices if key in one["purposes"]],
        "assessments": [one["id"] for one in assessed if one["standing"] == "approved" and scopes & set(one["scope"])],
    }


def _recipient(one: Mapping[str, Any]) -> dict[str, Any]:
    names = (
        "id", "key", "name_en", "name_zh", "contact", "country", "kind", "purposes", "method", "categories", "mechanism", "status",
        "abroad", "agreement", "assessments_missing",
    )  # fmt: skip
    return {name: one[name] for name in names}


def _kept(services: Services) -> dict[str, str]:
    """What is kept for how long, as settings say."""
    kept = services.settings.retention
    return {
        "lake": f"P{kept.lake_months}M",
        "identity": "until erasure",
        "evidence": f"P{kept.evidence_months}M",
        "quarantine": f"P{kept.quarantine_days}D",
        "dedupe": f"P{kept.dedupe_days}D",
        "papers": "P3Y and longer: versions are never removed",
    }


def rows(register: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The activities as rows of a table."""
    return [{name: one[name] for name in COLUMNS} for one in register["activities"]]


def as_json(register: Mapping[str, Any]) -> str:
    """The register as a file."""
    return json.dumps(register, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
